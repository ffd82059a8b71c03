"""Renderings of one document say the same, and where two differ it is told which entity, which attribute, how."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from infoprovider.glue.entities import ComputingManager, ComputingService, Entity
from infoprovider.glue.vocabulary import QualityLevel
from infoprovider.query.entities import read_entities
from infoprovider.query.json_entities import read_json
from infoprovider.query.xml_entities import read_xml
from infoprovider.render.json import render_json
from infoprovider.render.ldif import LdifRenderer
from infoprovider.render.xml import render_xml
from infoprovider.validation.agreement import RULES, disagreements
from tests.publication import demo

SERVICE = ComputingService(
    id="service", type="other", quality_level=QualityLevel.PRODUCTION, admin_domain_foreign_key=("RC-ONE",)
)
MANAGER = ComputingManager(id="service", product_name="openstack", service_foreign_key="service")


def said(ours: Sequence[Entity], theirs: Sequence[Entity]) -> list[tuple[str, str, str]]:
    """Rule, attribute and what of every difference."""
    found = disagreements("a.ldif", ours, "b.xml", theirs)
    return [(one.rule, one.attribute, one.what) for one in found]


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [
        ([SERVICE], [], ("agreement.absent", "", "is in a.ldif and not in b.xml")),
        ([], [SERVICE], ("agreement.absent", "", "is in b.xml and not in a.ldif")),
        (
            [SERVICE],
            [MANAGER],
            ("agreement.class", "", "is a ComputingService in a.ldif and a ComputingManager in b.xml"),
        ),
        (
            [SERVICE],
            [replace(SERVICE, running_jobs=3)],
            ("agreement.value", "RunningJobs", "a.ldif has nothing, b.xml has '3'"),
        ),
        (
            [replace(SERVICE, capability=("a", "b"))],
            [replace(SERVICE, capability=("b", "c"))],
            ("agreement.value", "Capability", "a.ldif has 'a', b.xml has 'c'"),
        ),
    ],
)
def test_a_difference_is_told(ours: list[Entity], theirs: list[Entity], difference: tuple[str, str, str]) -> None:
    """With the names of both."""
    assert said(ours, theirs) == [difference]


def test_every_rule_of_agreement_is_broken_by_one_of_those() -> None:
    """No rule is without an example."""
    assert {rule.id for rule in RULES} == {"agreement.absent", "agreement.class", "agreement.value"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (replace(SERVICE, name="two\nlines"), replace(SERVICE, name=r"two\nlines")),
        (replace(SERVICE, capability=("a", "b")), replace(SERVICE, capability=("b", "a"))),
        (replace(SERVICE, other_info=("a", "")), replace(SERVICE, other_info=("a",))),
    ],
)
def test_what_a_format_forces_is_no_difference(one: Entity, other: Entity) -> None:
    """LDIF spells a line feed out, has no order of values, and none that is empty."""
    assert said([one], [other]) == []


def test_the_demo_is_the_same_in_ldif_xml_and_json() -> None:
    """The set `site` writes every entity, as XML and JSON do; groups are LDAP's own."""
    document = demo.document_of_the_demo()
    renderings = {
        "LDIF": read_entities(LdifRenderer("site").render(document)),
        "LDIF with TRUE": read_entities(LdifRenderer("site", boolean_case="upper").render(document)),
        "XML": read_xml(render_xml(document.entities)),
        "JSON": read_json(render_json(document.entities)),
    }
    assert len(renderings["XML"]) == len(document.entities) > 40
    for name, entities in renderings.items():
        assert list(disagreements("the document", document.entities, name, entities)) == []
