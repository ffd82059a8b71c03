"""Identifiers: stable, unique, and loadable by every BDII."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoprovider import ldif
from infoprovider.glue.names import ENTITY_CLASSES, rdn_attribute_of
from infoprovider.mapping.identifiers import MAX_RDN_BYTES, Identifiers, local_id, local_part, policy_of

IDS = Identifiers("RC-ONE", "North")


def test_an_identifier_names_class_centre_instance_and_the_managers_own_id() -> None:
    """The class keeps its spelling, the rest is lower case, and a plain native id stays readable."""
    assert IDS.of("ComputingService") == "urn:glue2:ComputingService:rc-one:north"
    assert IDS.of("ComputingShare", "5f1c7c1e") == "urn:glue2:ComputingShare:rc-one:north:5f1c7c1e"
    assert IDS.of("ExecutionEnvironment", "gpu", prefix="host-pool") == (
        "urn:glue2:ExecutionEnvironment:rc-one:north:host-pool:gpu"
    )
    assert Identifiers("RC-ONE").of("Location") == "urn:glue2:Location:rc-one"
    assert policy_of(IDS.of("ComputingShare", "a")) == "urn:glue2:ComputingShare:rc-one:north:a:policy"


@pytest.mark.parametrize("raw", ["M1.Small", "m1 small", "m1:small", "größe", "a/b", "x" * 200, ""])
def test_a_native_id_that_had_to_change_carries_its_hash(raw: str) -> None:
    """Eight hex digits are appended whenever the slug is not the id itself, so that no two ids become one."""
    assert re.fullmatch(r"[a-z0-9._-]*-[0-9a-f]{8}", local_id(raw, 100))


@given(st.lists(st.text(max_size=80), min_size=2, max_size=2, unique=True))
def test_two_native_ids_never_become_one(raw: list[str]) -> None:
    """However alike two ids of a manager are, their entities have two identifiers, also in lower case."""
    one, other = (IDS.of("ExecutionEnvironment", each).lower() for each in raw)
    assert one != other


@given(st.text(min_size=1), st.text(min_size=1), st.lists(st.text(), max_size=2), st.sampled_from(["", "host-pool"]))
def test_every_identifier_names_an_entry_that_a_bdii_takes(
    centre: str, instance: str, local: list[str], prefix: str
) -> None:
    """No name and no native id makes a relative name too long, in need of an escape, or cut at `dn:`."""
    ids = Identifiers(centre, instance)
    for name in ("ApplicationEnvironment", "ComputingEndpoint", "ComputingShare", "ExecutionEnvironment"):
        id_ = ids.of(name, *local, prefix=prefix)
        for text in (id_, policy_of(id_)):
            rdn = ldif.rdn(rdn_attribute_of(ENTITY_CLASSES[name]), text)
            assert len(rdn) <= MAX_RDN_BYTES + len(":policy")
            assert "\\" not in rdn
            assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_.:-]*", text)


@pytest.mark.parametrize("name", ["rc-dn", "dn", "RC-DN"])
def test_a_name_that_ends_in_dn_is_told_from_the_start_of_an_entry(name: str) -> None:
    """Followed by a colon it would read `dn:`, where an aggregator cuts; a hash stands between."""
    assert "dn:" not in Identifiers(name, name).of("ComputingShare", name, "x")


def test_a_local_part_never_holds_the_colon_that_ends_it() -> None:
    """What a share says of a type is found by what follows the last colon of the type's identifier."""
    assert local_part(IDS.of("ExecutionEnvironment", "a:b")) == local_id("a:b")
    assert ":" not in local_id("a:b:c")
