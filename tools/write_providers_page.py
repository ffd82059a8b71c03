"""Write the table of docs/providers/index.md from the markers of the tests.

A table stands in the page between `<!-- made: <name> -->` and `<!-- end -->`; the rest of the page is written by hand.

python -m tools.write_providers_page            writes it
python -m tools.write_providers_page --check    says whether it is current, and returns 1 if not
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conformance import FACTS, PROVIDERS, evidence, shown
from tools.made_files import renew

PAGE = Path(__file__).parents[1] / "docs" / "providers" / "index.md"
MADE = re.compile(r"(<!-- made: facts -->\n).*?(<!-- end -->\n)", re.DOTALL)


def page(former: str) -> str:
    """The page with its table made anew."""
    return MADE.sub(lambda match: f"{match[1]}{table()}{match[2]}", former)


def table() -> str:
    """A row for each fact, a column for each provider, and in it the strongest evidence that a test has."""
    return "".join(f"| {' | '.join(row)} |\n" for row in _rows())


def _rows() -> Iterator[tuple[str, ...]]:
    strongest = evidence(shown())
    heads = ("", "fact", *(f"[`{provider}`]({provider}.md)" for provider in PROVIDERS))
    yield heads
    yield tuple("---" for _ in heads)
    for group, facts in FACTS.items():
        for place, fact in enumerate(facts):
            cells = (strongest.get((provider, fact), "") for provider in PROVIDERS)
            yield (f"**{group}**" if place == 0 else "", fact, *cells)


def main(arguments: list[str]) -> int:
    """Write the table, or say that it is not current."""
    return renew(
        PAGE,
        page(PAGE.read_text(encoding="utf-8")),
        arguments,
        name="docs/providers/index.md",
        by="python -m tools.write_providers_page",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
