"""A document is closed: every reference leads somewhere, no ID stands twice, nothing lacks what GLUE demands."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

from infoprovider.glue.document import (
    Made,
    Pruned,
    Quarantined,
    Source,
    Withheld,
    close,
    content_digest,
    without,
)
from infoprovider.glue.entities import (
    AdminDomain,
    ApplicationEnvironment,
    Benchmark,
    ComputingManager,
    ComputingService,
    ComputingShare,
    Entity,
    ExecutionEnvironment,
    MappingPolicy,
    UserDomain,
)
from infoprovider.glue.vocabulary import ExtendedBoolean, QualityLevel, ServingState

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NORTH = Source(facet="manager", instance="north", observed_at=MOMENT)
OURS = Source(facet="configuration", observed_at=MOMENT, declared=True)


def made(entity: Entity, *sources: Source) -> Made:
    """An entity of the instance north, or of whatever else is named."""
    return Made(entity, sources or (NORTH,))


def service(id_: str = "service", **changes: object) -> ComputingService:
    """A service with all that GLUE demands."""
    whole = ComputingService(
        id=id_, type="IaaS", quality_level=QualityLevel.PRODUCTION, admin_domain_foreign_key=("centre",)
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def manager(id_: str = "manager", **changes: object) -> ComputingManager:
    """The service's manager."""
    whole = ComputingManager(
        id=id_, product_name="openstack", service_foreign_key="service", computing_service_foreign_key="service"
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def image(id_: str = "image", **changes: object) -> ApplicationEnvironment:
    """An image of the manager."""
    whole = ApplicationEnvironment(id=id_, app_name="Debian", computing_manager_foreign_key="manager")
    return replace(whole, **changes)  # type: ignore[arg-type]


def share(id_: str = "share", **changes: object) -> ComputingShare:
    """A share of the service."""
    whole = ComputingShare(
        id=id_,
        serving_state=ServingState.PRODUCTION,
        service_foreign_key="service",
        computing_service_foreign_key="service",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def environment(id_: str, **changes: object) -> ExecutionEnvironment:
    """An instance type with all that GLUE demands."""
    whole = ExecutionEnvironment(
        id=id_,
        platform="amd64",
        main_memory_size=1,
        os_family="linux",
        connectivity_in=ExtendedBoolean.TRUE,
        connectivity_out=ExtendedBoolean.TRUE,
        manager_foreign_key="manager",
        computing_manager_foreign_key="manager",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


CENTRE = made(AdminDomain(id="centre"), OURS)
WHOLE = [CENTRE, made(service()), made(manager())]


def test_entities_are_sorted_by_class_and_id() -> None:
    """Whatever order they come in, the document is the same."""
    given = [made(image("b")), *WHOLE, made(image("a"))]
    document = close(given)
    assert [entity.id for entity in document.entities] == ["centre", "service", "manager", "a", "b"]
    assert close(reversed(given)) == document
    assert [one.id for one in document.of(ApplicationEnvironment)] == ["a", "b"]
    assert document.of(Entity) == ()
    assert document.made_of("centre") == (OURS,)
    assert (document.pruned, document.withheld) == ((), ())


def test_a_reference_to_what_is_not_there_is_taken_out_and_counted() -> None:
    """Others of the same attribute stay."""
    document = close(
        [*WHOLE, made(environment("small")), made(image(execution_environment_foreign_key=("small", "gone")))]
    )
    (found,) = document.of(ApplicationEnvironment)
    assert found.execution_environment_foreign_key == ("small",)
    assert document.pruned == (Pruned("image", "ExecutionEnvironmentForeignKey", "gone"),)
    assert document.withheld == ()


def test_an_entity_stands_without_a_reference_that_is_not_demanded() -> None:
    """A community whose parent is not published is published without it."""
    document = close([made(UserDomain(id="vo", user_domain_foreign_key=("parent",)), OURS)])
    assert document.of(UserDomain)[0].user_domain_foreign_key == ()
    assert document.pruned == (Pruned("vo", "UserDomainForeignKey", "parent"),)


def test_an_entity_that_lacks_what_glue_demands_is_withheld_with_the_reason() -> None:
    """No placeholder takes the place of what is not known."""
    document = close([*WHOLE, made(environment("small", platform=None))])
    assert document.of(ExecutionEnvironment) == ()
    assert document.withheld == (
        Withheld("ExecutionEnvironment", "small", "Platform is not known, and GLUE 2.0 demands it", "Platform"),
    )


def test_an_empty_text_is_not_what_glue_demands() -> None:
    """It would be left out of LDIF, and the entry refused."""
    document = close([made(AdminDomain(id="centre")), made(service()), made(manager()), made(image(app_name=""))])
    assert [(one.id, one.lacks) for one in document.withheld] == [("image", "AppName")]


def test_what_depends_on_a_withheld_entity_goes_with_it() -> None:
    """A service without a type takes its manager, its images and the policies of its shares along; the rest stays."""
    policy = MappingPolicy(
        id="policy", scheme="s", rule=("VO:vo",), share_foreign_key=("share",), user_domain_foreign_key=("vo",)
    )
    given = [
        CENTRE,
        made(UserDomain(id="vo"), OURS),
        made(service(type=None)),
        made(manager()),
        made(image()),
        made(share()),
        made(policy),
    ]
    document = close(given)
    assert [entity.id for entity in document.entities] == ["centre", "vo"]
    assert {(one.id, one.lacks) for one in document.withheld} == {
        ("service", "Type"),
        ("manager", "ServiceForeignKey"),
        ("share", "ServiceForeignKey"),
        ("image", "ComputingManagerForeignKey"),
        ("policy", "ShareForeignKey"),
    }


def test_what_the_mapping_left_out_is_kept_beside() -> None:
    """Before what the document itself withholds."""
    unknown = Withheld("ComputingService", "south", "nothing is known")
    document = close([*WHOLE, made(image(app_name=None))], [unknown])
    assert [one.id for one in document.withheld] == ["south", "image"]


def test_of_two_entities_with_one_id_one_stays_and_the_other_is_named() -> None:
    """The whole message: the identifier, what has it, where that came from, and what to do."""
    south = replace(NORTH, instance="south")
    given = [made(image("vo", name="310"), south), made(UserDomain(id="vo", name="Biology"), OURS)]
    document = close(given)
    assert [type(one).__name__ for one in document.entities] == ["UserDomain"]
    assert document.quarantined == (
        Quarantined(
            "ApplicationEnvironment",
            "vo",
            "two entities have this ID: UserDomain Biology of the configuration, which is published, and "
            "ApplicationEnvironment 310 of instance south; rename one of them, or leave one out",
        ),
    )
    assert close(reversed(given)) == document


def test_which_of_two_likes_stays_does_not_depend_on_their_order() -> None:
    """Two images of one id and one manager, as it lists them now in this order and now in that."""
    given = [made(image("a", description="x")), made(image("a", description="y")), made(image("a", description="z"))]
    stays = {close([*WHOLE, *order]).by_id["a"] for order in permutations(given)}
    assert len(stays) == 1
    assert len(close([*WHOLE, *given]).quarantined) == 2


def test_what_is_said_twice_is_said_once() -> None:
    """The same entity twice is no clash."""
    document = close([*WHOLE, *WHOLE])
    assert document == close(WHOLE)
    assert document.quarantined == ()


def test_ids_that_differ_only_in_case_are_one_id() -> None:
    """Aggregators compare distinguished names in lower case."""
    document = close([made(UserDomain(id="vo"), OURS), made(UserDomain(id="VO"), OURS)])
    assert [entity.id for entity in document.entities] == ["VO"]
    assert [one.id for one in document.quarantined] == ["vo"]


def test_an_entity_that_is_withheld_still_holds_its_id() -> None:
    """Whether two things clash does not depend on what else is known of them."""
    document = close([*WHOLE, made(environment("a", platform=None)), made(image("a"))])
    assert [one.id for one in document.quarantined] == ["a"]


def test_without_an_entity_go_its_children_and_what_names_it() -> None:
    """What belongs to it is left out by name; other references to it are pruned."""
    policy = MappingPolicy(id="share:policy", scheme="x", rule=("ALL",), share_foreign_key=("share",))
    benchmark = Benchmark(id="b", type="x", value=1.0, execution_environment_foreign_key="small")
    document = close(
        [
            *WHOLE,
            made(environment("small")),
            made(share(resource_foreign_key=("small",))),
            made(policy),
            made(benchmark),
        ]
    )
    left = without(document, {"small": "too long"}, "site")
    assert left.quarantined == (
        Quarantined("Benchmark", "b", "it belongs to small, which is left out", "site"),
        Quarantined("ExecutionEnvironment", "small", "too long", "site"),
    )
    assert isinstance(left.by_id["share"].entity, ComputingShare)
    assert left.by_id["share"].entity.resource_foreign_key == ()
    assert Pruned("share", "ResourceForeignKey", "small") in left.pruned
    assert {one.id for one in without(document, {"share": "x"}).quarantined} == {"share", "share:policy"}
    assert {one.id for one in document.entities} - {one.id for one in left.entities} == {"small", "b"}


def test_the_digest_is_of_all_that_an_entity_says_but_its_stamp() -> None:
    """Its class counts as well."""
    one = image(description="x")
    assert content_digest(one) == content_digest(replace(one, creation_time=MOMENT))
    assert content_digest(one) != content_digest(replace(one, description="y"))
    assert content_digest(UserDomain(id="a")) != content_digest(AdminDomain(id="a"))


def test_other_values_of_the_same_entities_keep_their_places() -> None:
    """What stamps are written with."""
    document = close(WHOLE)
    later = document.with_entities(
        replace(one, entity=replace(one.entity, creation_time=MOMENT)) for one in document.made
    )
    assert [entity.id for entity in later.entities] == [entity.id for entity in document.entities]
    assert all(later.by_id[entity.id].entity.creation_time == MOMENT for entity in document.entities)
