"""Odd names on a real BDII: over add, modify and delete each arrives as it was, or as `safe` leaves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infoprovider import ldif
from infoprovider.glue.entities import UserDomain
from infoprovider.render.ldif import LdifRenderer
from infoprovider.validation.rendering import check_rendering
from tests.render.documents import Entities
from tests.system.bdii import Bdii, Chain, start

pytestmark = pytest.mark.bdii

ODD = {
    "plain": "an image",
    "quotes": "\"double\" and 'single'",
    "comma": "one, two,three",
    "plus": "C++ & a+b",
    "equals": "a=b;c<d>e\\f#g",
    "umlaut": "Zürich, Île-de-France",
    "japanese": "東京",
    "emoji": "😀 machine",
    "combining": "cafe\u0301",
    "line-feed": "first\nsecond",
    "injection": "x\nGLUE2EntityName: injected",
    "injected-entry": "x\n\ndn: GLUE2DomainID=injected,o=glue\nchangetype: delete",
    "carriage-return": "first\r\nsecond",
    "tab": "a\tb",
    "nul": "a\0b",
    "escape": "\x1b[31mred",
    "next-line": "a\x85b",
    "line-separator": "a\u2028b",
    "leading-blank": " x",
    "leading-blanks": "   x",
    "trailing-blank": "x ",
    "only-blanks": "  ",
    "runs": "a   b  c",
    "no-break": "a\xa0b",
    "leading-no-break": "\xa0x",
    "trailing-wide": "x\u3000",
    "dn": "ownerdn: /DC=ch/CN=x",
    "dn-alone": "dn:",
    "dn-capitals": "DN:/DC=ch/CN=x",
    "colon": ":x",
    "colons": "::eA==",
    "less-than": "<file:///etc/passwd",
    "hash": "# comment",
    "dash": "-",
    "escaped": r"already \n and \x20",
    "surrogate": "half \ud83d",
    "long": "é, " * 100,
    "very-long": "x" * 20_000,
    "percent": "100% %s {{ x }}",
}
TOGETHER = ("a b", "a  b", "é", "e\u0301", "", "same", "same", "², ", "2, ", "²", "2")
"""Values of one attribute: some are equal to a server, one is empty."""


def centre(step: int, names: list[str]) -> Entities:
    """Communities with odd names; every value changes with the step, and in one step a description comes up."""
    return Entities(
        tuple(
            UserDomain(
                id=name,
                name=ODD[name] if step != 2 else f"{ODD[name]}{step}",
                other_info=(f"Step={step}", ODD[name], *TOGETHER),
                description=ODD[name] if step == 3 else None,
                validity=step,
            )
            for name in names
        )
    )


@pytest.fixture(scope="module")
def bdii(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bdii]:
    """A resource BDII that runs one provider, which prints a file."""
    work = tmp_path_factory.mktemp("odd")
    provider = work / "provider"
    provider.mkdir()
    program = provider / "centre"
    program.write_text(f"#!/bin/sh\ncat {work}/current.ldif\n")
    publish(work, centre(1, list(ODD)))
    program.chmod(0o755)
    running = start(work / "bdii", "--provider", str(provider))
    yield running
    running.stop()


def publish(work: Path, document: Entities) -> None:
    """Render, check and lay down what the provider prints."""
    body = LdifRenderer("resource").render(document)
    check_rendering(document, body)
    beside = work / "next.ldif"
    beside.write_bytes(body)
    beside.rename(work / "current.ldif")


def entries(bdii: Bdii, base: str = "GLUE2GroupID=resource,o=glue") -> dict[str, dict[str, list[str]]]:
    """What the server has: attributes of every community by its ID."""
    text = bdii.search(base, "(objectClass=GLUE2UserDomain)")
    return {record.attributes["GLUE2DomainID"][0]: record.attributes for record in ldif.read(text.encode())}


def expected(document: Entities) -> dict[str, dict[str, set[str]]]:
    """What it should have: each value as it was, or as `safe` leaves it."""
    return {
        one.id: {
            "GLUE2EntityName": {ldif.safe(one.name or "")},
            "GLUE2EntityOtherInfo": set(ldif.safe_values(one.other_info)),
            "GLUE2DomainDescription": {ldif.safe(one.description)} if one.description else set(),
            "GLUE2EntityValidity": {str(one.validity)},
        }
        for one in document.entities
    }


def test_odd_names_survive_add_modify_and_delete(bdii: Bdii) -> None:
    """Nothing is lost, injected or frozen while every value is added, changed twice and taken away."""
    work = bdii.work.parent
    everyone = list(ODD)
    for step, names in ((1, everyone), (2, everyone), (3, everyone), (4, everyone[::2]), (5, everyone)):
        document = centre(step, names)
        publish(work, document)
        bdii.wait(2)
        assert_arrived(entries(bdii), document)
    assert bdii.complaints() == []


def test_odd_names_reach_the_top(chain: Chain) -> None:
    """The levels above read, move and write the same entries again, and change no value."""
    document = centre(3, list(ODD))
    (chain.ldif / "centre.ldif").write_bytes(LdifRenderer("resource").render(document))
    chain.settle()
    assert_arrived(entries(chain.top, "GLUE2GroupID=resource,GLUE2DomainID=RC-ONE,GLUE2GroupID=grid,o=glue"), document)
    assert chain.top.complaints() == []


def assert_arrived(found: dict[str, dict[str, list[str]]], document: Entities) -> None:
    """Hold what a server has against what it should have: the same entries, each with the same values."""
    wanted = expected(document)
    assert found.keys() == wanted.keys()
    for id_, attributes in wanted.items():
        for name, values in attributes.items():
            assert (id_, name, set(found[id_].get(name, ()))) == (id_, name, values)
