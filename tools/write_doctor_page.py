"""Write the tables of docs/doctor.md from the kinds of faults and from the catalogue that the tests inject.

A table stands in the page between `<!-- made: <name> -->` and `<!-- end -->`; the rest of the page is written by hand.

python tools/write_doctor_page.py            writes them
python tools/write_doctor_page.py --check    says whether they are current, and returns 1 if not
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the catalogue belongs to the tests, which are not installed

from infoprovider.cli.doctor.kinds import KINDS  # noqa: E402
from tests.cli.doctor.faults import FAULTS  # noqa: E402

PAGE = ROOT / "docs" / "doctor.md"

MADE = re.compile(r"(<!-- made: ([a-z-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def catalogue() -> str:
    """Each fault, what is said first, and what to do."""
    rows = [
        "| what is wrong | layer | kind | what is said first | remedy |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| {one.name} | {KINDS[one.kind].layer} | `{one.kind}` | … {_cell(one.said)} … | … {_cell(one.remedy)} … |"
        for one in FAULTS
    ]
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|")


def kinds() -> str:
    """Each kind, in the order of causes, with its exit code and what follows from it."""
    rows = ["| layer | kind | exit code | what it explains |", "| --- | --- | ---: | --- |"]
    for kind in KINDS.values():
        follows = ", ".join(f"`{one}`" for one in sorted(kind.explains)) or "nothing more"
        rows.append(f"| {kind.layer} | `{kind.name}` | {int(kind.code)} | {follows} |")
    return "\n".join(rows) + "\n"


TABLES = {"catalogue": catalogue, "kinds": kinds}


def page(text: str) -> str:
    """The page with its tables as they are to be."""
    return MADE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


if __name__ == "__main__":
    written = PAGE.read_text()
    if "--check" in sys.argv[1:]:
        sys.exit(int(page(written) != written))
    PAGE.write_text(page(written))
