"""Causes and what follows from them, apart from any centre."""

import pytest

from infoprovider.cli.doctor.diagnosis import Finding, Severity, concluded, exit_code
from infoprovider.cli.doctor.kinds import KINDS, consequences


def finding(kind: str, *about: str, severity: Severity = Severity.ERROR) -> Finding:
    """A finding of a kind about these."""
    return Finding(kind=kind, about=frozenset(about), cause=f"{kind} {about}", seen="s", remedy="r", severity=severity)


def test_what_follows_from_a_cause_is_told_with_it() -> None:
    """Also at second hand: no name, so nothing was asked, so the facets are stale."""
    dns, facets = finding("dns", "instance a"), finding("facets", "instance a")
    found = concluded([facets, dns])
    assert [one.kind for one in found] == ["dns"]
    assert found[0].explained == (facets.cause,)


def test_one_instance_explains_nothing_of_another() -> None:
    """What is stale of b does not come from a."""
    found = concluded([finding("dns", "instance a"), finding("facets", "instance b")])
    assert [one.kind for one in found] == ["dns", "facets"]


def test_the_same_of_several_instances_is_told_once() -> None:
    """It explains what follows from it in each of them."""
    same = [Finding(kind="dns", about=frozenset({one}), cause="c", seen="s", remedy="r") for one in ("a", "b")]
    found = concluded([*same, finding("facets", "a"), finding("facets", "b")])
    assert [one.about for one in found] == [frozenset({"a", "b"})]


def test_errors_come_before_warnings() -> None:
    """A warning further up in the order of causes is no reason for an error."""
    found = concluded([finding("daemon-outdated", severity=Severity.WARNING), finding("bdii-twice")])
    assert [one.kind for one in found] == ["bdii-twice", "daemon-outdated"]
    assert (exit_code(found), exit_code(found[1:]), exit_code([])) == (7, 10, 0)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_table_has_no_circle_and_no_unknown_kind(kind: str) -> None:
    """A fault that explained itself would be told by nobody."""
    assert KINDS[kind].explains <= KINDS.keys()
    assert kind not in consequences(kind)
