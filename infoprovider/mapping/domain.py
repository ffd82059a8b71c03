"""The centre and its communities: AdminDomain, Location, Contact, UserDomain."""

from collections.abc import Iterator

from infoprovider.config.model import Centre, Community
from infoprovider.glue.document import Made
from infoprovider.glue.entities import AdminDomain, Contact, Location, UserDomain
from infoprovider.mapping.context import STATIC, CentreContext
from infoprovider.mapping.identifiers import Identifiers
from infoprovider.mapping.vocabulary import known_boolean


def map_domains(context: CentreContext) -> Iterator[Made]:
    """The centre's own entities and one UserDomain for each community."""
    centre = context.centre
    yield _made(context, to_admin_domain(centre, context))
    if centre.location is not None:
        yield _made(context, to_location(centre, context))
    ids = Identifiers(centre.name)
    for contact in centre.contacts:
        yield _made(
            context,
            Contact(
                # Two contacts of one type differ in what leads to them.
                id=ids.of("Contact", contact.type, contact.detail),
                detail=contact.detail,
                type=contact.type,
                domain_foreign_key=(centre.name,),
                creation_time=context.configuration.observed_at,
                validity=STATIC,
            ),
        )
    for community in context.communities:
        yield _made(context, to_user_domain(community, context))


def to_admin_domain(centre: Centre, context: CentreContext) -> AdminDomain:
    """The centre under its registered name."""
    return AdminDomain(
        id=centre.name,
        name=centre.name,
        description=centre.description,
        www=(centre.web_page,) if centre.web_page else (),
        distributed=known_boolean(centre.distributed),
        owner=(centre.owner,) if centre.owner else (),
        creation_time=context.configuration.observed_at,
        validity=STATIC,
    )


def to_location(centre: Centre, context: CentreContext) -> Location:
    """Where the centre is. Its configuration must name a location."""
    location = centre.location
    assert location is not None  # noqa: S101  (the caller asks only then)
    return Location(
        id=Identifiers(centre.name).of("Location"),
        address=location.address,
        place=location.place,
        country=location.country,
        post_code=location.post_code,
        latitude=location.latitude,
        longitude=location.longitude,
        domain_foreign_key=(centre.name,),
        creation_time=context.configuration.observed_at,
        validity=STATIC,
    )


def to_user_domain(community: Community, context: CentreContext) -> UserDomain:
    """A community under its registered name."""
    return UserDomain(
        id=community.name,
        name=community.name,
        description=community.description,
        www=(community.web_page,) if community.web_page else (),
        user_manager=(community.user_manager,) if community.user_manager else (),
        creation_time=context.configuration.observed_at,
        validity=STATIC,
    )


def _made(context: CentreContext, entity: AdminDomain | Location | Contact | UserDomain) -> Made:
    return Made(entity, (context.configuration,))
