"""Write the tables of docs/mapping.md: fact → place in GLUE 2.0 → unit, from the table of places and GLUE's fields.

A table stands in the page between `<!-- made: <name> -->` and `<!-- end -->`; the rest of the page is written by hand.

python tools/write_mapping_page.py            writes them
python tools/write_mapping_page.py --check    says whether they are current, and returns 1 if not
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.mapping.context import DYNAMIC, SLOW, STATIC, refresh_period
from infoprovider.mapping.places import PLACES, Place
from infoprovider.mapping.vocabulary import AUTHN, INTERFACES
from tools.made_files import renew

PAGE = Path(__file__).parents[1] / "docs" / "mapping.md"

MADE = re.compile(r"(<!-- made: ([a-z-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)

DEFINING = (
    ("ComputingService", DYNAMIC, "usage, of the project that was observed first; without usage the manager"),
    ("ComputingEndpoint", DYNAMIC, "the last attempt to collect; of a described manager its description"),
    ("ComputingManager", DYNAMIC, "capacity; without it the manager"),
    ("ComputingShare", DYNAMIC, "the older of quotas and usage of its project"),
    ("ExecutionEnvironment", SLOW, "instance types, or hypervisors for a host class"),
    ("ApplicationEnvironment", SLOW, "images"),
    ("Benchmark", SLOW, "hypervisors"),
    ("AdminDomain, Location, Contact, UserDomain", STATIC, "the configuration, when it was read"),
    ("AccessPolicy, MappingPolicy", STATIC, "the configuration, when it was read"),
)


def stamps() -> str:
    """What each entity's CreationTime is, and for how long it holds."""
    rows = ((entity, f"{validity} s", f"{refresh_period(validity)} s", what) for entity, validity, what in DEFINING)
    return _table(("entity", "Validity", "refresh", "defining facet"), rows)


def interfaces() -> str:
    """How APIs are published."""
    rows = ((f"`{name}`", f"`{one.name}`", one.technology, f"`{one.dotted}`") for name, one in INTERFACES.items())
    return _table(("interface", "InterfaceName", "Technology", "end of the ID"), rows)


def sign_in() -> str:
    """How sign-in methods are published."""
    return _table(
        ("sign-in", "on the endpoint"), ((f"`{method}`", f"`Authn={word}`") for method, word in AUTHN.items())
    )


def places() -> str:
    """Every attribute and key that may be published, by entity."""
    sections = []
    for entity in dict.fromkeys(place.entity for place in PLACES):
        known = {attribute.name: attribute for attribute in attributes_of(ENTITY_CLASSES[entity])}
        rows = (_row(place, known.get(place.place)) for place in PLACES if place.entity == entity)
        sections.append(f"### {entity}\n\n{_table(('place', 'fact', 'unit', 'made of', 'settings'), rows)}")
    return "\n".join(sections)


TABLES = {"stamps": stamps, "interfaces": interfaces, "sign-in": sign_in, "places": places}


def page(former: str) -> str:
    """The page with its tables made anew. Raises KeyError for a table that nothing here makes."""
    return MADE.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}{match[3]}", former)


def _row(place: Place, attribute: Attribute | None) -> tuple[str, ...]:
    name = place.place + ("<id>" if place.place.endswith(".") else "")
    shown = f"`OtherInfo: {name}=`" if place.is_key else f"`{name}`"
    repeats = place.repeats or (attribute is not None and attribute.multiple)
    unit = place.unit or (attribute.unit if attribute else "")
    made_of = ", ".join(facet.replace("_", " ") for facet in place.facets)
    settings = ", ".join(f"`{key}`" for key in place.settings)
    return (shown + (" …" if repeats else ""), place.fact, unit, made_of, settings)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(_lines(heads, rows))


def _lines(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (heads, tuple("---" for _ in heads), *rows):
        yield f"| {' | '.join(row)} |\n"


def main(arguments: list[str]) -> int:
    """Write the tables, or say that they are not current."""
    return renew(
        PAGE,
        page(PAGE.read_text(encoding="utf-8")),
        arguments,
        name="docs/mapping.md",
        by="tools/write_mapping_page.py",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
