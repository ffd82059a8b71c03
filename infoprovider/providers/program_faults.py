"""What keeps a program from being started, and what to do: the system itself says little more than "No such file"."""

import errno
import os
import shutil
from pathlib import Path

from infoprovider.errors import Finding


def found(program: str, path: str | None) -> str:
    """Where a program is: a name without a slash is looked for in `path` (None: our own PATH)."""
    return shutil.which(program, path=path) or program


def fault_of(program: str, folder: Path) -> Finding | None:
    """What keeps this program (see `found`) from being run in this folder, as far as can be seen without running it."""
    path = folder / program
    if not folder.is_dir():
        return _about(folder, "is no folder to run a program in", "write an existing working_directory")
    if "/" not in program:
        return _about(program, "is in no folder of PATH", "install it, or write its path with a slash: ./name")
    if not path.exists():
        remedy = "name a program that exists; a relative path is seen from the folder of the configuration file"
        return _about(program, "is not there", remedy)
    if path.is_dir():
        return _about(program, "is a folder", "name the program in it")
    if not os.access(path, os.X_OK):
        return _about(program, "may not be run by this user", f"make it executable: chmod a+x {program}")
    return _fault_of_interpreter(program, _interpreter(path))


def unforeseen(program: str, error: OSError) -> Finding:
    """What the system said of a program that should have been startable."""
    if error.errno == errno.ENOEXEC:
        return _about(program, "is no program for this machine", "begin a script with a line such as #!/bin/sh")
    return _about(program, f"cannot be run: {error.strerror or error}", "run it yourself to see more")


def _fault_of_interpreter(program: str, interpreter: str) -> Finding | None:
    if interpreter.endswith("\r"):
        return _about(program, "has lines that end as in Windows", "save it with Unix line ends")
    if interpreter and not Path(interpreter).exists():
        what = f"names an interpreter that is not there, {interpreter}"
        return _about(program, what, "correct its first line, or install it")
    return None


def _interpreter(path: Path) -> str:
    """The interpreter that a script names in its first line, or nothing."""
    try:
        with path.open("rb") as file:
            first = file.readline(256)
    except OSError:  # it may be run, not read
        return ""
    if not first.startswith(b"#!"):
        return ""
    return first[2:].rstrip(b"\n").decode(errors="replace").strip(" \t").split(" ")[0]


def _about(file: str | Path, what: str, remedy: str) -> Finding:
    return Finding(file=str(file), what=what, remedy=remedy)
