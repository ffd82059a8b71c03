"""Write the tables of docs/validation.md from the rules themselves.

A table stands in the page between `<!-- made: <name> -->` and `<!-- end -->`; the rest of the page is written by hand.

python tools/write_rules_page.py            writes them
python tools/write_rules_page.py --check    says whether they are current, and returns 1 if not
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from infoprovider.cli.validate import RULES
from infoprovider.validation.rule import PROFILE, Rule
from tools.made_files import renew

PAGE = Path(__file__).parents[1] / "docs" / "validation.md"

MADE = re.compile(r"(<!-- made: ([a-z-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_HEADS = ("rule", "of", "level", "broken where", "why, and what to do", "applied")


def ours() -> str:
    """The rules beside the profile's."""
    return _table(rule for rule in RULES if not rule.id.startswith(PROFILE))


def profile() -> str:
    """The profile's rules that are applied."""
    return _table(rule for rule in _of_profile() if not rule.off)


def off() -> str:
    """The profile's rules that are not, and why."""
    return _table(rule for rule in _of_profile() if rule.off)


def counts() -> str:
    """How many there are."""
    of_profile = _of_profile()
    wrong = sum(rule.wrong for rule in of_profile)
    said = sum(bool(rule.off) and not rule.wrong for rule in of_profile)
    return (
        f"There are {len(RULES)} rows: {len(RULES) - len(of_profile)} of GLUE 2.0, LDAP and common sense, and "
        f"{len(of_profile)} of the profile,\nof which {wrong} are known to be wrong and {said} say what another rule "
        "says already; both are off.\n"
    )


TABLES: dict[str, Callable[[], str]] = {"ours": ours, "profile": profile, "off": off, "counts": counts}


def page(former: str) -> str:
    """The page with its tables made anew. Raises KeyError for a table that nothing here makes."""
    return MADE.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}{match[3]}", former)


def _of_profile() -> list[Rule]:
    return sorted((rule for rule in RULES if rule.id.startswith(PROFILE)), key=lambda rule: rule.id)


def _table(rules: Iterable[Rule]) -> str:
    rows = [_HEADS, tuple("---" for _ in _HEADS), *map(_row, rules)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(rule: Rule) -> tuple[str, ...]:
    applied = f"no: {rule.off}" if rule.off else "yes"
    known = ", `-k` drops it" if rule.known_issue else ""
    wrong = "**wrong**, " if rule.wrong else ""
    cells = (f"`{rule.id}`", rule.subject, str(rule.level), rule.broken, f"{rule.why}; {rule.remedy}")
    return tuple(cell.replace("|", "\\|") for cell in (*cells, f"{wrong}{applied}{known}"))


def main(arguments: list[str]) -> int:
    """Write the tables, or say that they are not current."""
    return renew(
        PAGE,
        page(PAGE.read_text(encoding="utf-8")),
        arguments,
        name="docs/validation.md",
        by="tools/write_rules_page.py",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
