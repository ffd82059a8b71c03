"""The centre and its communities as the configuration says them."""

from typing import Any

from infoprovider.config.model import Centre, Community
from infoprovider.glue.entities import AdminDomain, Contact, Location, UserDomain
from infoprovider.mapping.context import STATIC
from infoprovider.mapping.domain import map_domains
from tests.mapping.example import CONFIGURATION, LOADED, community, context, only

FULL = Centre.model_validate(
    {
        "name": "RC-ONE",
        "description": "A centre",
        "web_page": "https://rc-one.example.org/",
        "owner": "An institute",
        "distributed": False,
        "location": {
            "address": "1 Street",
            "place": "Geneva",
            "country": "CH",
            "post_code": "1200",
            "latitude": 46.2,
            "longitude": 6.1,
        },
        "contacts": ({"type": "security", "detail": "mailto:csirt@example.org"},),
    }
)


def of(centre: Centre, *communities: Community) -> list[Any]:
    """What the mapping makes of a centre with these communities."""
    return list(map_domains(context(communities, centre=centre)))


def test_the_centre_has_its_registered_name_and_what_is_said_of_it() -> None:
    """The identifier of an AdminDomain is the registered name itself."""
    domain = only(of(FULL), AdminDomain)
    assert (domain.id, domain.name, domain.description) == ("RC-ONE", "RC-ONE", "A centre")
    assert (domain.www, domain.owner, domain.distributed) == (
        ("https://rc-one.example.org/",),
        ("An institute",),
        "false",
    )


def test_the_location_belongs_to_the_centre() -> None:
    """Address and degrees as written."""
    location = only(of(FULL), Location)
    assert (location.id, location.domain_foreign_key) == ("urn:glue2:Location:rc-one", ("RC-ONE",))
    assert (location.address, location.place, location.country, location.post_code) == (
        "1 Street",
        "Geneva",
        "CH",
        "1200",
    )
    assert (location.latitude, location.longitude) == (46.2, 6.1)


def test_contacts_of_one_type_are_told_apart_by_what_leads_to_them() -> None:
    """Two addresses for users are two entities."""
    contacts = [{"type": "usersupport", "detail": f"mailto:{name}@example.org"} for name in ("a", "b")]
    made = of(Centre.model_validate({"name": "RC-ONE", "contacts": tuple(contacts)}))
    found = [one.entity for one in made if isinstance(one.entity, Contact)]
    assert len({one.id for one in found}) == 2
    assert {(one.type, one.detail, one.domain_foreign_key) for one in found} == {
        ("usersupport", "mailto:a@example.org", ("RC-ONE",)),
        ("usersupport", "mailto:b@example.org", ("RC-ONE",)),
    }


def test_what_is_not_written_is_not_published() -> None:
    """A centre with nothing but a name is one entity with nothing but its name, the moment and how long it holds."""
    (made,) = of(Centre(name="RC-ONE"))
    assert made.entity == AdminDomain(id="RC-ONE", name="RC-ONE", creation_time=LOADED, validity=STATIC)


def test_a_community_keeps_its_registered_name() -> None:
    """One UserDomain for each community, as old as the configuration."""
    bio = community("vo.bio", "p1", description="Life", web_page="https://bio/", user_manager="https://voms/")
    made = of(Centre(name="RC-ONE"), bio)
    assert only(made, UserDomain) == UserDomain(
        id="vo.bio",
        name="vo.bio",
        description="Life",
        www=("https://bio/",),
        user_manager=("https://voms/",),
        creation_time=LOADED,
        validity=STATIC,
    )
    assert all(one.made_of == (CONFIGURATION,) for one in made)
