"""Documents as LDIF: every entity at its place, by templates that a site may replace."""

from pathlib import Path

import pytest

from infoprovider import ldif, resources
from infoprovider.errors import RenderError
from infoprovider.glue import entities as glue
from infoprovider.glue.names import object_classes_of
from infoprovider.render.ldif import LdifRenderer
from tests.render.documents import SERVICE, STORAGE, TREE, Entities, centre, filled, with_entities

SETS = {
    "resource": "GLUE2GroupID=resource,o=glue",
    "cloud": "GLUE2GroupID=cloud,o=glue",
    "site": "GLUE2GroupID=resource,GLUE2DomainID=RC-ONE,o=glue",
}
OF_THE_CENTRE = {"RC-ONE", "urn:location", "urn:contact"}


def records(body: bytes) -> list[ldif.Record]:
    """The entries of a rendering."""
    return list(ldif.read(body))


def ids(body: bytes) -> list[str]:
    """The entries of a rendering by the value of their relative names."""
    return [ldif.split_dn(record.dn)[0][1] for record in records(body)]


def entry(body: bytes, id_: str) -> dict[str, list[str]]:
    """The attributes of one entry of a rendering."""
    return next(record.attributes for record in records(body) if ldif.split_dn(record.dn)[0][1] == id_)


def overriding(folder: Path, **templates: str) -> LdifRenderer:
    """The resource set with these templates of a site."""
    for name, text in templates.items():
        (folder / f"{name}.ldif").write_text(text)
    return LdifRenderer("resource", overrides=folder)


@pytest.mark.parametrize("template_set", SETS)
def test_every_entity_stands_at_its_place(template_set: str) -> None:
    """Each class has its parent by the facts of the tree; what belongs to the centre is in the site set alone."""
    group = SETS[template_set]
    placed = {ldif.split_dn(record.dn)[0][1]: record for record in records(LdifRenderer(template_set).render(centre()))}
    for cls, id_, above in TREE:
        if id_ in OF_THE_CENTRE and template_set != "site":
            assert id_ not in placed
            continue
        record = placed[id_]
        expected = {"group": group, "": "o=glue"}.get(above) or placed[above].dn
        assert ldif.parent_of(record.dn) == expected
        assert tuple(record.attributes["objectClass"]) == object_classes_of(cls)
    assert placed[group.split(",")[0].split("=")[1]].attributes["objectClass"] == ["GLUE2Group"]


@pytest.mark.parametrize("template_set", SETS)
def test_parents_come_before_children(template_set: str) -> None:
    """The text can be loaded from its first line to its last."""
    seen = {"o=glue"}
    for record in records(LdifRenderer(template_set).render(centre())):
        assert ldif.parent_of(record.dn) in seen
        seen.add(record.dn)


def test_the_text_is_what_a_bdii_takes_between_other_providers() -> None:
    """It begins with `dn:`, has no version line, no comment and no fold, and ends with a blank line."""
    body = LdifRenderer("resource").render(centre())
    assert body.startswith(b"dn: GLUE2GroupID=resource,o=glue\n")
    assert body.endswith(b"\n\n")
    assert not body.endswith(b"\n\n\n")
    assert body.count(b"dn:") == len(TREE) - len(OF_THE_CENTRE) + 1
    assert all(line == b"" or (b": " in line and line[:1].isalpha()) for line in body.split(b"\n"))


def test_the_same_document_gives_the_same_bytes() -> None:
    """Neither the renderer nor the order in which entities were made matters."""
    document = centre()
    backwards = Entities(document.entities[::-1])
    assert LdifRenderer("site").render(document) == LdifRenderer("site").render(backwards)


def descendants(*ids_: str) -> set[str]:
    """These IDs and those of everything below them."""
    found = set(ids_)
    for _, id_, above in TREE:
        if above in found:
            found.add(id_)
    return found


@pytest.mark.parametrize(
    ("template", "left_out"),
    [
        ("computing_share", {"urn:share"}),
        ("execution_environment", {"urn:pool", "urn:small"}),
        ("application_environment", {"urn:image"}),
        ("computing_service", {SERVICE}),
        ("storage_service", {STORAGE}),
    ],
)
def test_what_is_left_out_takes_its_children_with_it(tmp_path: Path, template: str, left_out: set[str]) -> None:
    """An empty template of a site removes its class and all that would stand below it, and nothing else."""
    whole = set(ids(LdifRenderer("resource").render(centre())))
    rest = set(ids(overriding(tmp_path, **{template: ""}).render(centre())))
    assert whole - rest == descendants(*left_out)


def test_the_shipped_override_leaves_out_host_pools_and_adds_a_line() -> None:
    """The example in `examples/templates` does what it says, to instance types and to nothing else."""
    renderer = LdifRenderer("resource", overrides=resources.folder("examples") / "templates")
    plain = {record.dn: record.attributes for record in records(LdifRenderer("resource").render(centre()))}
    own = {record.dn: record.attributes for record in records(renderer.render(centre()))}
    assert {ldif.split_dn(dn)[0][1] for dn in plain.keys() - own.keys()} == {"urn:pool", "urn:pool:hs06"}
    changed = {dn: attributes for dn, attributes in own.items() if attributes != plain[dn]}
    assert [ldif.split_dn(dn)[0][1] for dn in changed] == ["urn:small"]
    ((dn, attributes),) = changed.items()
    added = attributes["GLUE2EntityOtherInfo"].pop()
    assert added == "Helpdesk=mailto:helpdesk@cloud.example.org"
    assert attributes == plain[dn]


@pytest.mark.parametrize("template_set", SETS)
def test_an_empty_value_leaves_no_line(template_set: str) -> None:
    """What is not known, and what is empty, is not written at all."""
    document = centre(**{SERVICE: {"name": None, "complexity": "", "status_info": ("", "x"), "total_jobs": None}})
    service = entry(LdifRenderer(template_set).render(document), SERVICE)
    assert "GLUE2EntityName" not in service
    assert "GLUE2ServiceComplexity" not in service
    assert "GLUE2ComputingServiceTotalJobs" not in service
    assert service["GLUE2ServiceStatusInfo"] == ["x"]


def test_extended_booleans_are_in_capitals_on_request() -> None:
    """Only they are: other words of the model keep their case."""
    lower = entry(LdifRenderer("resource").render(centre()), "urn:small")
    upper = entry(LdifRenderer("resource", boolean_case="upper").render(centre()), "urn:small")
    assert {name: values for name, values in upper.items() if values != lower[name]} == {
        "GLUE2ExecutionEnvironmentVirtualMachine": ["TRUE"],
        "GLUE2ExecutionEnvironmentConnectivityIn": ["TRUE"],
        "GLUE2ExecutionEnvironmentConnectivityOut": ["TRUE"],
    }


def test_a_centre_is_needed_where_the_tree_has_one() -> None:
    """The site set says what it misses."""
    with pytest.raises(RenderError, match=r"site/tree\.ldif:\d+: No first item"):
        LdifRenderer("site").render(centre("RC-ONE"))


def test_an_unknown_set_is_refused() -> None:
    """The message names the sets that there are."""
    with pytest.raises(RenderError, match="no template set 'sites'; write one of cloud, resource, site"):
        LdifRenderer("sites")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "computing_share",
            "\n{{ nothing }}",
            r"computing_share\.ldif:2: 'nothing' is undefined; correct the template",
        ),
        (
            "computing_share",
            "{% for x in %}",
            r"computing_share\.ldif:1: Expected an expression.*; correct the template",
        ),
        (
            "computing_share",
            '{% for x in objects("ComputingShares") %}{% endfor %}',
            r"perhaps ComputingShare is meant",
        ),
        ("computing_share", '{% include "shares.ldif" %}', r"no template shares\.ldif; correct the name where it is"),
        ("computing_share", '\n\n{{ dn("x", "o=glue") }}', r"computing_share\.ldif:3: .*; correct the template, or"),
        ("tree", "# a comment\n", r"begins with b'# a comment\\n' instead of 'dn: '"),
        ("tree", "", r"begins with b'' instead of 'dn: '"),
    ],
)
def test_a_template_that_fails_is_named_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    """What failed, where, and what to do."""
    with pytest.raises(RenderError, match=message):
        overriding(tmp_path, **{name: text}).render(centre())


def test_a_template_that_replaces_none_is_refused(tmp_path: Path) -> None:
    """A wrong name would never be read: the nearest right one is suggested."""
    with pytest.raises(RenderError, match=r"never be read; perhaps computing_share\.ldif is meant"):
        overriding(tmp_path, computing_shares="")


def test_templates_of_a_site_may_share_a_file(tmp_path: Path) -> None:
    """A name with an underscore first is theirs; the shipped template can be included beside their own text."""
    renderer = overriding(
        tmp_path,
        _note='{{ line("GLUE2EntityOtherInfo", "Note= dn: \n") }}\n',
        user_domain='{% for one in objects("UserDomain") %}\ndn: {{ dn(one, group) }}\n{{ attributes(one) }}\n'
        '{% include "_note.ldif" %}\n\n{% endfor %}{% include "entries/computing_service.ldif" %}',
        computing_service="",
    )
    body = renderer.render(centre())
    assert entry(body, "vo.example.org")["GLUE2EntityOtherInfo"][-1] == r"Note= dn\x3A \n"
    assert SERVICE in ids(body)


def test_a_folder_of_templates_must_be_there(tmp_path: Path) -> None:
    """The setting that names it is said."""
    with pytest.raises(RenderError, match="is no folder of templates; correct the channel's setting 'templates'"):
        LdifRenderer("resource", overrides=tmp_path / "nowhere")


def test_an_identifier_that_cannot_be_a_name_is_refused() -> None:
    """The entity is named, with the template that wanted to write it."""
    document = with_entities(centre(), [filled(glue.UserDomain, "vo with ünlaut")])
    with pytest.raises(RenderError, match=r"user_domain\.ldif:\d+: .*'vo with ünlaut' cannot name an entry"):
        LdifRenderer("resource").render(document)


def test_many_entities_are_written_as_few_are() -> None:
    """Lines are made some hundred entities at a time, and each entity gets its own."""
    added = [filled(glue.UserDomain, f"vo{number:04d}", name=f"number {number}") for number in range(1000)]
    body = LdifRenderer("resource").render(with_entities(centre(), added))
    names = {
        record.attributes["GLUE2DomainID"][0]: record.attributes["GLUE2EntityName"]
        for record in records(body)
        if "GLUE2DomainID" in record.attributes
    }
    assert all(names[one.id] == [one.name] for one in added)
