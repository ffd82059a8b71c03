"""What a provider's page says that an operator is told, and whether that is what a command said."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "providers"


@dataclass(frozen=True)
class Row:
    """What is said, what to do, and the exit code."""

    said: str
    remedy: str
    code: int

    @property
    def pattern(self) -> str:
        """How the message begins with what is said and goes on with what to do; an ellipsis stands for anything."""
        return re.escape(f"{self.said.removeprefix(_ONLY_SHOWN)}; {self.remedy}").replace("…", ".+")


_ONLY_SHOWN = "only in `infoprovider show --status`: "


def rows_of(page: str) -> dict[str, Row]:
    """The table under "What goes wrong" of a provider's page, by what is wrong."""
    section = (PAGES / page).read_text().partition("\n## What goes wrong\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \| (\d+) \|$", section, re.MULTILINE)
    return {wrong: Row(said, remedy, int(code)) for wrong, said, remedy, code in rows}


def assert_told(done: subprocess.CompletedProcess[str], row: Row) -> None:
    """In one line of standard error, and by the exit code."""
    assert re.search(f"{row.pattern}$", done.stderr, re.MULTILINE), done.stderr
    assert done.returncode == row.code
