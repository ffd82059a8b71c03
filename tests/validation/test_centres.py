"""Whole centres: what is published by us breaks no rule, and a foreign centre breaks exactly what is known of it."""

import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks import synthetic
from infoprovider.cli.single import configuration_of, with_communities
from infoprovider.config.model import Defaults
from infoprovider.glue.document import Document
from infoprovider.inventory.observation import Observed
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.query.lenient import read_ldif
from infoprovider.render.ldif import LdifRenderer
from infoprovider.store.facets import MemoryFacets
from infoprovider.validation.engine import RULES, Verdict, validate
from infoprovider.validation.rule import RuleSet, select
from tests.providers import test_openstack as recorded
from tests.providers.openstack_recorded import PASSWORD, serving
from tests.publication import demo
from tests.validation.entries import NOON

WORKED = (Path(__file__).parent / "data" / "worked-centre.ldif").read_text()
"""A centre with everything that the profile asks for, in words that the profile knows."""

FEDERATED = {
    "GLUE2ServiceType: other": "GLUE2ServiceCapability: cloud.managementSystem\n"
    "GLUE2ServiceCapability: cloud.vm.uploadImage\nGLUE2ServiceType: IaaS",
    "GLUE2EndpointCapability: security.accounting": "GLUE2EndpointCapability: security.accounting\n"
    "GLUE2EndpointCapability: cloud.managementSystem",
    "GLUE2EndpointInterfaceName: https": "GLUE2EndpointInterfaceName: OCCI",
}
"""The words that federated cloud sites really publish, in place of those."""


def judged(body: bytes, rule_set: RuleSet = RuleSet.DEFAULT, *, ago: int = 60, k: bool = False) -> Verdict:
    """What is found in a text so many seconds after noon."""
    selection = select(RULES, rule_set, without_known_issues=k)
    return validate(read_ldif(io.BytesIO(body)), selection, NOON + timedelta(seconds=ago))


def worked(text: str = WORKED) -> bytes:
    """The centre as it was observed at noon."""
    return text.replace("STAMP", "2026-11-21T12:00:00Z").encode()


def federated() -> str:
    """The same centre in the words of cloud sites."""
    text = WORKED
    for plain, words in FEDERATED.items():
        text = text.replace(plain, words)
    return text


def test_a_centre_by_the_profile_breaks_only_the_inverted_rule() -> None:
    """Both images say when they will be removed, and I079 takes that amiss; no other rule of the profile is broken."""
    verdict = judged(worked(), RuleSet.EGI)
    assert verdict.report.counts == {"egi.I079": 2}
    assert verdict.entries == WORKED.count("dn: ") - 1  # the root of the tree is no entry of GLUE


def test_a_centre_in_the_words_of_clouds_breaks_the_lists_of_2014() -> None:
    """Its service type, two interface names and four capabilities are on no list."""
    report = judged(worked(federated()), RuleSet.EGI).report
    assert report.counts == {"egi.W037": 7, "egi.I079": 2}
    assert sorted(one.attribute.removeprefix("GLUE2") for one in report.findings if one.rule == "egi.W037") == [
        *["EndpointCapability"] * 2,
        *["EndpointInterfaceName"] * 2,
        *["ServiceCapability"] * 2,
        "ServiceType",
    ]


def test_without_known_issues_the_lists_do_not_count() -> None:
    """As with glue-validator's `-k`."""
    assert judged(worked(federated()), RuleSet.EGI, k=True).report.counts == {"egi.I079": 2}


@pytest.mark.parametrize("text", [WORKED, federated()], ids=["worked", "federated"])
def test_neither_breaks_what_is_right(text: str) -> None:
    """Wrong rules left aside, both are sound, by GLUE 2.0 itself too."""
    assert judged(worked(text)).report.findings == ()


def test_what_has_expired_is_told_once_for_each_entry() -> None:
    """After 900 seconds the entries that hold so long are past it, one of them each time."""
    short = len(re.findall("^GLUE2EntityValidity: 900$", WORKED, re.MULTILINE))
    assert short > 5
    assert judged(worked(), ago=901).report.counts == {"egi.E002": short}
    assert judged(worked(), ago=900).report.counts == {}


# --- what we publish ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def openstack() -> Document:
    """The recorded cloud as its administrator sees it."""
    with pytest.MonkeyPatch.context() as patch, serving("admin") as cloud:
        patch.setenv("RECORDED_PASSWORD", PASSWORD)
        found = recorded.answers(cloud.settings("admin"))
        configuration = replace(
            configuration_of("openstack", cloud.settings("admin"), Defaults(os_family="linux")), loaded_at=recorded.NOW
        )
    facets = MemoryFacets()
    for one in found:
        if isinstance(one, Observed):
            facets.keep("openstack", one)
    facets.conclude("openstack", demo.outcome(recorded.NOW, measured=True))
    return compose(with_communities(configuration, facets), facets, Former(), recorded.NOW).document


@pytest.mark.parametrize("template_set", ["resource", "site", "cloud"])
def test_the_demo_breaks_nothing(template_set: str) -> None:
    """In every tree that it is published as."""
    body = LdifRenderer(template_set).render(demo.document_of_the_demo())
    verdict = judged(body, ago=0)
    assert verdict.report.findings == ()
    assert verdict.entries == body.count(b"\ndn: ") + 1


@pytest.mark.parametrize("boolean_case", ["lower", "upper"])
def test_an_openstack_breaks_nothing(openstack: Document, boolean_case: str) -> None:
    """As it was recorded, collected, composed and rendered, its booleans in either case."""
    body = LdifRenderer("resource", boolean_case=boolean_case).render(openstack)
    verdict = validate(read_ldif(io.BytesIO(body)), select(RULES), recorded.NOW)
    assert verdict.report.findings == ()
    assert verdict.entries > 20


def test_the_synthetic_centre_breaks_nothing() -> None:
    """Neither do a thousand entries of a dozen managers."""
    configuration, facets = synthetic.centre(1000)
    body = LdifRenderer("resource").render(compose(configuration, facets, Former(), synthetic.NOW).document)
    verdict = validate(read_ldif(io.BytesIO(body)), select(RULES), synthetic.NOW)
    assert verdict.report.findings == ()
    assert verdict.entries > 900


def test_a_broken_line_of_a_centre_is_found_on_its_line() -> None:
    """The line on which the entry begins is told."""
    lines = WORKED.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("GLUE2EndpointHealthState:"))
    begin = max(number for number, line in enumerate(lines[:place]) if line.startswith("dn: "))
    lines[place] = "GLUE2EndpointHealthState: fine"
    (finding,) = judged(worked("\n".join(lines) + "\n")).report.findings
    assert (finding.rule, finding.line) == ("glue.enumeration", begin + 1)
    assert lines[begin] == f"dn: {finding.object}"
