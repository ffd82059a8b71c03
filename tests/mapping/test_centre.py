"""The whole centre: a closed document, what it withholds, and what may never leave it."""

import pytest

from infoprovider.config.model import Centre
from infoprovider.glue.document import Document, Withheld
from infoprovider.glue.entities import (
    AdminDomain,
    ApplicationEnvironment,
    ComputingShare,
    ExecutionEnvironment,
    MappingPolicy,
    UserDomain,
)
from infoprovider.inventory.model import (
    Endorsement,
    Endorsements,
    Network,
    Networks,
    Ownership,
    Price,
    Prices,
)
from infoprovider.mapping.centre import map_centre, map_instance
from infoprovider.mapping.context import InstanceFacts
from tests.mapping.example import (
    capacity,
    community,
    facts,
    host,
    image,
    images,
    instance_type,
    pool,
    pools,
    quotas,
    types,
    usage,
)

DEFAULTS = {"defaults": {"platform": "amd64", "os_family": "linux"}}


def document(*instances: InstanceFacts) -> Document:
    """The document of a centre with these instances."""
    mapped = [map_instance(one) for one in instances]
    return map_centre(instances[0].context, [made for made, _ in mapped], [one for _, left in mapped for one in left])


def test_every_association_leads_to_an_entity_of_the_document() -> None:
    """Nothing is pruned where everything is known."""
    found = document(
        facts(
            [community("vo.bio", "p1")],
            quotas=(quotas("p1"),),
            instance_types=types(instance_type()),
            images=images(image()),
            hypervisors=pools(pool(memory_mib=1024)),
            block=DEFAULTS,
        )
    )
    assert (found.pruned, found.withheld) == ((), ())
    assert {type(one).__name__ for one in found.entities} == {
        "AdminDomain",
        "UserDomain",
        "ComputingService",
        "ComputingEndpoint",
        "ComputingManager",
        "ComputingShare",
        "ExecutionEnvironment",
        "ApplicationEnvironment",
        "AccessPolicy",
        "MappingPolicy",
    }


def test_a_type_of_unknown_platform_is_withheld_with_what_to_do() -> None:
    """Nor do shares and images name it, and no placeholder takes the place of what is not known."""
    found = document(
        facts(
            [community("vo.bio", "p1")],
            quotas=(quotas("p1"),),
            instance_types=types(instance_type()),
            images=images(image()),
        )
    )
    assert found.of(ExecutionEnvironment) == ()
    assert found.of(ComputingShare)[0].execution_environment_foreign_key == ()
    assert found.of(ApplicationEnvironment)[0].execution_environment_foreign_key == ()
    assert found.withheld == (
        Withheld(
            "ExecutionEnvironment",
            "urn:glue2:ExecutionEnvironment:rc-one:north:small",
            "Platform is not known, and GLUE 2.0 demands it; declare it as `defaults: { platform: … }` of the instance",
            "Platform",
        ),
    )


def test_a_share_for_a_project_that_is_not_there_is_withheld() -> None:
    """The message names community, project and instance, and what to do; everything else is published."""
    found = document(facts([community("vo.bio", "gone", "p1")], quotas=(quotas("p1"),)))
    (withheld,) = found.withheld
    assert withheld.why == (
        "community vo.bio is mapped to project gone of instance north, and the manager knows no such project; "
        "correct the id under `communities`, or give the account the right to see it"
    )
    assert [one.id.rpartition(":")[2] for one in found.of(ComputingShare)] == ["p1"]
    assert len(found.of(MappingPolicy)) == len(found.of(UserDomain)) == 1


def test_one_id_for_two_things_costs_one_of_them_and_names_both() -> None:
    """Two images that a manager gives one id: one is published, whichever is listed first."""
    both = image("a", name="Debian"), image("a", name="Alma")
    found = document(facts(images=images(*both)))
    assert found.of(ApplicationEnvironment) == document(facts(images=images(*reversed(both)))).of(
        ApplicationEnvironment
    )
    (left_out,) = found.quarantined
    assert left_out.id == "urn:glue2:ApplicationEnvironment:rc-one:north:a"
    assert left_out.why == (
        "two entities have this ID: ApplicationEnvironment a of instance north, which is published, and "
        "ApplicationEnvironment a of instance north; rename one of them, or leave one out"
    )


def test_of_an_instance_of_which_little_is_known_the_rest_of_the_centre_is_published() -> None:
    """A manager's name and interfaces alone make a service, a manager and its endpoints."""
    found = document(facts())
    assert [type(one).__name__ for one in found.entities] == [
        "AdminDomain",
        "ComputingService",
        "ComputingEndpoint",
        "ComputingManager",
    ]
    assert found.of(AdminDomain)[0].id == "RC-ONE"


HIDDEN = "zz-secret-zz"
"""Stands in every name that may never be published."""


@pytest.mark.parametrize("disclosed", ["communities", "none"])
def test_nothing_of_projects_that_no_community_is_mapped_to_leaves_the_store(disclosed: str) -> None:
    """Neither their names nor their images, types, networks or prices, on no entity and in no list of it."""
    theirs = {"ownership": Ownership.PROJECTS, "projects": (f"p-{HIDDEN}",)}
    centre = {
        "name": "RC-ONE",
        "disclosure": {"private_images": disclosed, "private_instance_types": disclosed},
    }
    mine = {"ownership": Ownership.PROJECTS, "projects": ("p1", f"p-{HIDDEN}")}
    found = document(
        facts(
            [community("vo.bio", "p1")],
            centre=Centre.model_validate(centre),
            block=DEFAULTS,
            instance_types=types(
                instance_type("t1"),
                instance_type("t2", **mine),
                instance_type(f"t-{HIDDEN}", name=HIDDEN, vcpus=777, memory_mib=777777, pools=("compute",), **theirs),
            ),
            images=images(
                image("i1", marketplace_uri="https://market/i1"),
                image("i2", **mine),
                image(f"i-{HIDDEN}", name=HIDDEN, description=HIDDEN, marketplace_uri=f"https://{HIDDEN}/", **theirs),
            ),
            endorsements=Endorsements(
                endorsements=(
                    Endorsement(identifier=f"i-{HIDDEN}", endorser=HIDDEN),
                    Endorsement(identifier="i1", endorser="CN=E"),
                )
            ),
            networks=Networks(
                networks=(
                    Network(id="n1", name="public", is_public=True),
                    Network(id=f"n-{HIDDEN}", name=HIDDEN, is_public=True, addresses_free=3, **theirs),
                )
            ),
            prices=Prices(
                prices=(Price(resource="flavour", instance_type=f"t-{HIDDEN}", scope=HIDDEN, currency="EUR"),)
            ),
            hypervisors=pools(pool("compute", memory_mib=1024)),
            capacity=capacity(host(pool="compute")),
            quotas=(quotas("p1"), quotas(f"p-{HIDDEN}", project_name=HIDDEN, vcpus=777)),
            usage=(
                usage("p1", running=1, holding={"t1": 1, f"t-{HIDDEN}": 2}),
                usage(f"p-{HIDDEN}", running=7, holding={f"t-{HIDDEN}": 7}),
            ),
        )
    )
    shown = repr(found.entities)
    assert "777" not in shown
    assert HIDDEN not in shown
    names = {one.name for one in found.of(ApplicationEnvironment)}
    assert names == ({"i1", "i2"} if disclosed == "communities" else {"i1"})


def test_names_of_users_and_hosts_have_no_place() -> None:
    """A project's own name is not published either, not even a mapped one's: only its id, which users need."""
    found = document(facts([community("vo.bio", "p1")], quotas=(quotas("p1", project_name=HIDDEN),)))
    assert HIDDEN not in repr(found.entities)
