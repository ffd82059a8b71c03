"""One bad thing stays one bad thing: what cannot be mapped or rendered is left out by name, and the rest goes out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infoprovider.errors import RenderError, ValidationFailed
from infoprovider.glue.document import Document, Made, Quarantined
from infoprovider.glue.entities import (
    ApplicationEnvironment,
    ComputingService,
    ComputingShare,
    Entity,
    ExecutionEnvironment,
    MappingPolicy,
)
from infoprovider.inventory.model import Image
from infoprovider.mapping import application, environment, service, share
from infoprovider.mapping.context import InstanceFacts
from infoprovider.mapping.identifiers import policy_of
from infoprovider.publication import quarantine
from infoprovider.publication.quarantine import Mapped, mapped, rendered
from infoprovider.render.ldif import LdifRenderer
from infoprovider.validation.rendering import check_rendering
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
from tests.publication.demo import document_of_the_demo

IMAGES = tuple(f"image-{n:02}" for n in range(40))
TYPES = ("large", "medium", "small")


def whole() -> InstanceFacts:
    """An instance with two host classes, three types, forty images and three projects, two of them published."""
    return facts(
        [community("vo.bio", "p1"), community("vo.phys", "p2")],
        hypervisors=pools(pool("a", memory_mib=1024), pool("b", memory_mib=2048)),
        instance_types=types(*(instance_type(one) for one in TYPES)),
        images=images(*(image(one) for one in IMAGES)),
        capacity=capacity(host()),
        quotas=tuple(quotas(one, instances=9) for one in ("p1", "p2", "p3")),
        usage=tuple(usage(one, running=2) for one in ("p1", "p2", "p3")),
        block={"defaults": {"platform": "amd64", "os_family": "linux"}},
    )


def ids(found: Mapped) -> set[str]:
    """The identifiers of everything that was mapped."""
    return {one.entity.id for one in found.made}


def test_while_all_is_well_an_instance_is_mapped_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for what is wrong costs nothing where nothing is."""
    calls = []
    real = quarantine.map_instance
    monkeypatch.setattr(quarantine, "map_instance", lambda facts: (calls.append(facts), real(facts))[1])
    found = mapped(whole())
    assert (len(calls), found.quarantined) == (1, ())


Break = Callable[[object, str, str], None]


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Lets one mapper fail, in a way that nobody foresaw, for what has a certain id."""

    def let(module: object, mapper: str, bad: str) -> None:
        real = getattr(module, mapper)

        def broken(facts: InstanceFacts, one: object, *others: object) -> object:
            if bad in (getattr(one, "id", None), getattr(one, "project", None)):
                raise ZeroDivisionError(f"strange {bad}")
            return real(facts, one, *others)

        monkeypatch.setattr(module, mapper, broken)

    return let


@pytest.mark.parametrize(
    ("module", "mapper", "bad", "entity", "local"),
    [
        (application, "to_application", "image-17", "ApplicationEnvironment", "image-17"),
        (environment, "to_instance_type", "medium", "ExecutionEnvironment", "medium"),
        (environment, "to_host_pool", "b", "ExecutionEnvironment", "host-pool:b"),
    ],
)
def test_an_object_that_cannot_be_mapped_is_left_out_alone(
    breaks: Break, module: object, mapper: str, bad: str, entity: str, local: str
) -> None:
    """Named, with what went wrong; everything else of the instance is there."""
    expected = ids(mapped(whole()))
    breaks(module, mapper, bad)
    found = mapped(whole())
    id_ = f"urn:glue2:{entity}:rc-one:north:{local}"
    assert found.quarantined == (Quarantined(entity, id_, f"ZeroDivisionError: strange {bad}"),)
    assert ids(found) == expected - {id_}


def test_several_of_several_kinds_are_found(breaks: Break) -> None:
    """However they are spread."""
    for bad in ("image-00", "image-21", "image-22", "image-39"):
        breaks(application, "to_application", bad)
    breaks(environment, "to_instance_type", "small")
    found = mapped(whole())
    left_out = [one.id.rpartition(":")[2] for one in found.quarantined]
    assert sorted(left_out) == ["image-00", "image-21", "image-22", "image-39", "small"]
    assert len([one for one in found.made if type(one.entity) is ApplicationEnvironment]) == 36


def test_a_project_that_cannot_be_mapped_costs_its_share_and_sums(breaks: Break) -> None:
    """Its share and policy go; what is added up over all projects is then not known, and not too small."""
    before = mapped(whole())
    breaks(share, "to_share", "p1")
    found = mapped(whole())
    id_ = "urn:glue2:ComputingShare:rc-one:north:p1"
    assert found.quarantined == (Quarantined("ComputingShare", id_, "ZeroDivisionError: strange p1"),)
    assert ids(before) - ids(found) == {id_, policy_of(id_)}
    services = [one.entity for one in (*before.made, *found.made) if isinstance(one.entity, ComputingService)]
    assert [one.running_jobs for one in services] == [6, None]
    assert [one.entity.id for one in found.made if type(one.entity) is MappingPolicy] == [
        "urn:glue2:ComputingShare:rc-one:north:p2:policy"
    ]


def test_a_facet_that_cannot_be_mapped_costs_only_what_it_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Capacity that nobody can make sense of: types, images and shares are there, without what it would have said."""
    real = service._manager_info

    def broken(facts: InstanceFacts, known: object) -> tuple[str, ...]:
        if facts.capacity is not None:
            raise OverflowError("cannot convert float infinity to integer")
        return real(facts, known)  # type: ignore[arg-type]

    expected = ids(mapped(whole()))
    monkeypatch.setattr(service, "_manager_info", broken)
    found = mapped(whole())
    why = "OverflowError: cannot convert float infinity to integer"
    assert found.quarantined == (Quarantined("capacity", "urn:glue2:ComputingService:rc-one:north", why),)
    assert ids(found) == expected


def test_of_objects_that_fail_only_together_the_later_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alone is well; which of two it is cannot be known."""
    real = application.to_application

    def broken(facts: InstanceFacts, one: Image) -> Made:
        there = {image.id for image in facts.published_images}
        if {"image-03", "image-30"} <= there:
            raise ValueError("a pair")
        return real(facts, one)

    monkeypatch.setattr(application, "to_application", broken)
    found = mapped(whole())
    assert [(one.id.rpartition(":")[2], one.why) for one in found.quarantined] == [("image-30", "ValueError: a pair")]


def test_an_instance_that_cannot_be_mapped_at_all_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The composer withholds it."""

    def broken(_facts: InstanceFacts) -> Iterator[object]:
        raise KeyError("endpoints")

    monkeypatch.setattr("infoprovider.mapping.centre.map_endpoints", broken)
    with pytest.raises(KeyError, match="endpoints"):
        mapped(whole())


def test_the_search_ends_where_too_much_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is bounded, whatever is wrong."""
    monkeypatch.setattr(quarantine, "MOST_TRIALS", 30)

    def broken(_facts: InstanceFacts, one: object) -> object:
        raise ValueError(one)

    monkeypatch.setattr(application, "to_application", broken)
    with pytest.raises(Exception, match="too many objects"):
        mapped(whole())


# --- trees -----------------------------------------------------------------------------------------------------------


def written(tmp_path: Path, template: str, text: str) -> Callable[[Document], bytes]:
    """The set `site` with a template of the site's own."""
    (tmp_path / template).write_text(text)
    return LdifRenderer("site", overrides=tmp_path).render


SHARES = """\
{{% for share, service in objects("ComputingShare", below="service_foreign_key") %}}
dn: {{{{ dn(share, service) }}}}
objectClass: GLUE2Entity
objectClass: GLUE2Share
objectClass: GLUE2ComputingShare
{{{{ attributes(share) }}}}
{line}


{{% endfor %}}
"""


def shares_of(document: Document) -> list[str]:
    """The identifiers of the shares."""
    return [one.id for one in document.of(ComputingShare)]


def entries_of(document: Document, gone: set[str]) -> Document:
    """The document without these entities, for comparison."""
    return replace(document, made=tuple(one for one in document.made if one.entity.id not in gone))


@pytest.mark.parametrize(
    "line",
    [
        "{% if share.id == bad %}{{ nonsense }}{% endif %}",
        "{% if share.id == bad %}{{ 1 // 0 }}{% endif %}",
        "{% if share.id == bad %}GLUE2Nonsense: 1{% endif %}",
        "{% if share.id == bad %}a line that is none{% endif %}",
        "{% if share.id == bad %}GLUE2EntityName: twice{% endif %}",
        "{% if share.id == bad %}GLUE2EntityOtherInfo:{% endif %}",
        "{% if share.id == bad %}\n\ndn: GLUE2ShareID=injected,o=glue\nobjectClass: GLUE2Share{% endif %}",
        "{% if share.id == bad %}\n\nsomething else{% endif %}",
    ],
    ids=["undefined", "raises", "attribute", "no line", "two values", "empty", "injected", "stray"],
)
def test_an_entity_that_fails_in_a_template_of_the_sites_is_left_out_alone(tmp_path: Path, line: str) -> None:
    """Its policy goes with it, and the reason names the template or the rule; every other entry is written."""
    document = document_of_the_demo()
    bad, *others = shares_of(document)
    assert others
    write = written(tmp_path, "computing_share.ldif", SHARES.format(line=line.replace("bad", repr(bad))))
    body, left_out = rendered(document, write, "site.ours", overridden=True)
    assert {(one.entity, one.id, one.tree) for one in left_out} == {
        ("ComputingShare", bad, "site.ours"),
        ("MappingPolicy", policy_of(bad), "site.ours"),
    }
    assert (
        "computing_share.ldif" in left_out[-1].why or "error " in left_out[-1].why or "belongs to" in left_out[-1].why
    )
    assert bad.encode() not in body
    kept = body.count(b"\nGLUE2EntityCreationTime:")
    assert kept == len(document.made) - 2
    check_rendering(entries_of(document, {bad, policy_of(bad)}), body)


def test_references_to_what_is_left_out_are_not_written(tmp_path: Path) -> None:
    """A share lists the types that are there."""
    document = document_of_the_demo()
    (bad, *_) = (one.id for one in document.of(ExecutionEnvironment) if "host-pool" not in one.id)
    assert any(bad in one.resource_foreign_key for one in document.of(ComputingShare))
    text = (
        '{% for one, service in objects("ExecutionEnvironment", '
        'below="computing_manager_foreign_key.service_foreign_key") %}\n'
        "dn: {{ dn(one, service) }}\nobjectClass: GLUE2Entity\nobjectClass: GLUE2Resource\n"
        "objectClass: GLUE2ExecutionEnvironment\n{{ attributes(one) }}\n"
        f"{{% if one.id == {bad!r} %}}{{{{ nonsense }}}}{{% endif %}}\n\n{{% endfor %}}\n"
    )
    body, left_out = rendered(document, written(tmp_path, "execution_environment.ldif", text), "s", overridden=True)
    assert [one.id for one in left_out] == [bad]
    assert f": {bad}\n".encode() not in body


@pytest.mark.parametrize("line", ["{{ nonsense }}", "GLUE2Nonsense: 1", "a line that is none"])
def test_a_template_that_fails_for_all_is_at_fault_itself(tmp_path: Path, line: str) -> None:
    """No share would be left: the tree as it was is better."""
    write = written(tmp_path, "computing_share.ldif", SHARES.format(line=line))
    with pytest.raises((RenderError, ValidationFailed)):
        rendered(document_of_the_demo(), write, "site", overridden=True)


@pytest.mark.parametrize("text", ["{% for %}", "{{ nonsense }}", "version: 1\n"])
def test_a_tree_that_fails_at_no_entity_cannot_be_rendered(tmp_path: Path, text: str) -> None:
    """Nothing that could be left out would help."""
    with pytest.raises((RenderError, ValidationFailed)):
        rendered(document_of_the_demo(), written(tmp_path, "tree.ldif", text), "site", overridden=True)


def spoilt(document: Document, id_: str, **values: object) -> Document:
    """The document with an entity that says something which LDAP does not take."""
    made = (
        replace(one, entity=replace(one.entity, **values)) if one.entity.id == id_ else one for one in document.made
    )
    return document.with_entities(made)


def test_an_entity_that_breaks_the_schema_is_left_out_of_the_shipped_trees() -> None:
    """Even where it is the only one of its class: there is nothing but itself that could be wrong."""
    document = document_of_the_demo()
    bad, *others = shares_of(document)
    body, left_out = rendered(
        spoilt(document, bad, max_total_jobs=1.5), LdifRenderer("resource").render, "resource", overridden=False
    )
    assert {one.id for one in left_out} == {bad, policy_of(bad)}
    assert "GLUE2ComputingShareMaxTotalJobs" in next(one.why for one in left_out if one.id == bad)
    assert all(f"GLUE2ShareID: {one}".encode() in body for one in others)


def test_a_service_that_fails_takes_its_own_along_and_no_other() -> None:
    """Everything below it, by name; the other manager of the centre is published whole."""
    document = document_of_the_demo()
    bad, other = (one.id for one in document.of(ComputingService))
    spoilt_document = spoilt(document, bad, total_jobs="many")
    body, left_out = rendered(spoilt_document, LdifRenderer("resource").render, "resource", overridden=False)
    below = {one.id for one in document.entities if f":{bad.rpartition(':')[2]}" in one.id}
    assert {one.id for one in left_out} == below
    assert f"GLUE2ServiceID: {other}".encode() in body
    assert f"{bad}\n".encode() not in body


def test_where_no_service_is_left_the_tree_cannot_be_rendered() -> None:
    """An empty tree would delete everything that a BDII has of us."""
    document = document_of_the_demo()
    for one in document.of(ComputingService):
        document = spoilt(document, one.id, total_jobs="many")
    with pytest.raises(ValidationFailed):
        rendered(document, LdifRenderer("resource").render, "resource", overridden=False)


def test_an_entity_whose_name_no_server_takes_is_left_out() -> None:
    """Too long for a distinguished name: found while it is written."""
    document = document_of_the_demo()
    bad = document.of(ApplicationEnvironment)[0]
    long = f"{bad.id}{'x' * 300}"
    entities = (
        replace(one, entity=replace(one.entity, id=long)) if one.entity.id == bad.id else one for one in document.made
    )
    body, left_out = rendered(
        document.with_entities(entities), LdifRenderer("resource").render, "resource", overridden=False
    )
    (only,) = left_out
    assert only.id == long
    assert "too long to name an entry" in only.why
    assert isinstance(bad, Entity)
    assert b"xxxxxx" not in body
