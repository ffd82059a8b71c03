"""A BDII as the files of its machine tell of it: settings, user, programs, database, and our hook in its folders."""

import grp
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infoprovider.cli.surroundings import BDII_SETTINGS

PUBLIC = "/var/lib/infoprovider/public"
"""Where infoprovider-hook looks if nothing is said."""

UPDATER = "usr/sbin/bdii-update"
SLAPD_CONF = "/etc/bdii/bdii-slapd.conf"
USUAL_PORT, USUAL_BREATHE = 2170, 120
_LOST_OPTIONS = re.compile(r"ldap(add|modify|delete|search) [^\"\n]*-h %s")
_LOST_SINCE = (2, 5)
"""OpenLDAP's programs know -h and -p no more (release notes of 2.5)."""
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
MDB_USUAL_BYTES = 10 * 2**20
"""maxsize of slapd-mdb(5) where nothing is said."""
_MOST_SCRIPT = 2**16
_ACL = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class Hook:
    """Our hook, or a script that calls it: where it lies, and what it hands out."""

    path: Path
    public: Path
    template_set: str = "resource"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the machine, with all groups."""

    name: str
    uid: int
    groups: frozenset[int]


class BdiiMachine:
    """The BDII below a root folder."""

    def __init__(self, root: Path, settings: Mapping[str, str], file: Path) -> None:
        self.root = root
        self.settings = settings
        self.file = file

    @classmethod
    def found(cls, root: Path) -> "BdiiMachine | None":
        """The BDII that has a file of settings here; None where there is none that can be read."""
        for name in BDII_SETTINGS:
            file = root / name
            with suppress(OSError):
                lines = [
                    line.partition("#")[0].partition("=") for line in file.read_text(errors="replace").splitlines()
                ]
                return cls(root, {key.strip(): value.strip() for key, sign, value in lines if sign}, file)
        return None

    def folder(self, key: str) -> Path | None:
        """A folder that its settings name."""
        named = self.settings.get(key)
        return self.below(named) if named else None

    def below(self, path: str) -> Path:
        """A path of the machine's own."""
        return self.root / path.lstrip("/")

    @property
    def address(self) -> tuple[str, int]:
        """Where its server listens."""
        host = self.settings.get("BDII_HOSTNAME", "localhost")
        return "127.0.0.1" if host == "localhost" else host, self._number("BDII_PORT", USUAL_PORT)

    @property
    def breathe(self) -> int:
        """Seconds between two cycles."""
        return self._number("BDII_BREATHE_TIME", USUAL_BREATHE)

    def _number(self, key: str, usual: int) -> int:
        written = self.settings.get(key, "")
        return int(written) if written.isdigit() else usual

    # --- its user --------------------------------------------------------------------------------------------------

    @property
    def user_name(self) -> str:
        """Who runs it: as the settings say, else as its packages do."""
        usual = "openldap" if self._user("openldap") else "ldap"
        return self.settings.get("BDII_USER") or usual

    def user(self) -> User | None:
        """Its user; None where there is none."""
        return self._user(self.user_name)

    def _user(self, name: str) -> User | None:
        for fields in self._lines("etc/passwd"):
            if fields[0] == name and len(fields) > 3:
                members = (one for one in self._lines("etc/group") if len(one) > 3 and name in one[3].split(","))
                return User(name, int(fields[2]), frozenset({int(fields[3]), *(int(one[2]) for one in members)}))
        if self.root != Path("/"):
            return None
        try:  # users may come from elsewhere than the files
            one = pwd.getpwnam(name)
        except KeyError:
            return None
        return User(name, one.pw_uid, frozenset({one.pw_gid, *(g.gr_gid for g in grp.getgrall() if name in g.gr_mem)}))

    def _lines(self, name: str) -> Iterator[list[str]]:
        with suppress(OSError):
            yield from (line.split(":") for line in (self.root / name).read_text(errors="replace").splitlines())

    def obstacle(self, user: User, path: Path, mode: int) -> Path | None:
        """What keeps a user from a file: the file or a folder above it, by their modes; None where nothing does."""
        if user.uid == 0:
            return None
        path = path.resolve()
        above = [one for one in reversed(path.parents) if self.root == Path("/") or self.root.resolve() in one.parents]
        for one, wanted in (*((folder, stat.S_IXOTH) for folder in above), (path, mode)):
            if not _may(user, one, wanted):
                return one
        return None

    # --- our hook --------------------------------------------------------------------------------------------------

    def hooks(self, folder: Path) -> Iterator[Hook]:
        """What calls our hook, in a folder."""
        with suppress(OSError):
            for path in sorted(folder.iterdir()):
                hook = self._hook(path)
                if hook is not None:
                    yield hook

    def _hook(self, path: Path) -> Hook | None:
        if path.is_symlink() and not path.exists():
            return Hook(path, self.below(PUBLIC)) if "infoprovider" in str(path.readlink()) else None
        try:
            text = path.read_text(errors="replace") if path.stat().st_size < _MOST_SCRIPT else ""
        except OSError:
            return None
        if not text.startswith("#!") or "infoprovider-hook" not in text:
            return None
        if "current.expires" in text:
            return Hook(path, self.below(PUBLIC))
        words = re.search(r"infoprovider-hook[\"']?[ \t]+([^\s\"'$]+)(?:[ \t]+([a-z]+))?", text)
        if words is None:
            return Hook(path, self.below(PUBLIC))
        return Hook(path, Path(words[1]), words[2] or "resource")

    # --- its programs ----------------------------------------------------------------------------------------------

    def lost_options(self) -> str | None:
        """The version of the LDAP programs whose options the updater still uses; None where all is well."""
        try:
            updater = (self.root / UPDATER).read_text(errors="replace")
        except OSError:
            return None
        version = self._ldap_version()
        if version is None or not _LOST_OPTIONS.search(updater):
            return None
        numbers = tuple(int(one) for one in re.findall(r"\d+", version)[:2])
        return version if numbers >= _LOST_SINCE else None

    def _ldap_version(self) -> str | None:
        with suppress(OSError):
            status = (self.root / "var/lib/dpkg/status").read_text(errors="replace")
            package = re.search(r"^Package: ldap-utils\n(?:.+\n)*?Version: (?:\d+:)?(\S+)", status, re.MULTILINE)
            return package[1] if package else None
        program = shutil.which("ldapadd") if self.root == Path("/") else None
        if program is None:
            return None
        said = subprocess.run([program, "-VV"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
        found = re.search(r"ldap\w+ (\d+\.\d+\.\d+)", said.stdout + said.stderr)
        return found[1] if found else None

    def database_bytes(self) -> int | None:
        """What the database of o=glue may hold; None where that has no limit or is not known."""
        try:
            text = self.below(self.settings.get("SLAPD_CONF") or SLAPD_CONF).read_text(errors="replace")
        except OSError:
            return None
        for part in re.split(r"^database\s+", text, flags=re.MULTILINE)[1:]:
            if part.startswith("mdb") and re.search(r'^suffix\s+"?o=glue"?\s*$', part, re.MULTILINE):
                size = re.search(r"^maxsize\s+(\d+)([kmgKMG]?)", part, re.MULTILINE)
                return int(size[1]) * _UNITS[size[2].lower()] if size else MDB_USUAL_BYTES
        return None


def _may(user: User, path: Path, wanted: int) -> bool:
    """Whether the modes of a file let a user do what is wanted, given as a bit for others."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return True  # which is another fault
    except OSError:
        return False
    if _has_list(path):  # an access list says more than the modes
        return True
    if status.st_uid == user.uid:
        return bool(status.st_mode & wanted << 6)
    if status.st_gid in user.groups:
        return bool(status.st_mode & wanted << 3)
    return bool(status.st_mode & wanted)


def _has_list(path: Path) -> bool:
    try:
        return _ACL in os.listxattr(path)
    except OSError:
        return False
