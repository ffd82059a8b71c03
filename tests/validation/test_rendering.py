"""A rendering read back: what a template may do, and what is not published."""

from dataclasses import replace
from pathlib import Path

import pytest

from infoprovider import resources
from infoprovider.errors import ValidationFailed
from infoprovider.render.ldif import LdifRenderer
from infoprovider.validation.rendering import check_rendering
from tests.render.documents import SERVICE, Entities, centre

TROUBLE = (
    "it's",
    'quote " , + ; = < > \\',
    "é",
    "e\u0301",
    "a\nb",
    " lead",
    "trail ",
    "ownerdn: x",
    ":x",
    "<x",
    "",
    "x" * 300,
)


@pytest.mark.parametrize("template_set", ["resource", "cloud", "site"])
@pytest.mark.parametrize("boolean_case", ["lower", "upper"])
def test_what_the_shipped_templates_write_may_be_published(template_set: str, boolean_case: str) -> None:
    """Every set passes its own check, with any text in any field."""
    document = centre(**{SERVICE: {"name": " dn: \n", "other_info": TROUBLE}})
    body = LdifRenderer(template_set, boolean_case=boolean_case).render(document)
    assert check_rendering(document, body).findings == ()


def test_the_shipped_override_may_be_published() -> None:
    """Leaving entities out and adding a line that the schema allows is what templates are for."""
    document = centre()
    body = LdifRenderer("resource", overrides=resources.folder("examples") / "templates").render(document)
    assert check_rendering(document, body).findings == ()


def broken(folder: Path, template: str, old: str, new: str) -> bytes:
    """The centre by the resource set with one template changed."""
    text = (resources.folder("ldif-templates") / "entries" / f"{template}.ldif").read_text()
    assert old in text
    (folder / f"{template}.ldif").write_text(text.replace(old, new))
    return LdifRenderer("resource", overrides=folder).render(centre())


ATTRIBUTES = "{{ attributes(share) }}"
CLASSES = "\nobjectClass: GLUE2Entity\nobjectClass: GLUE2Share\nobjectClass: GLUE2ComputingShare\n"
AGAIN = '{% for share in objects("ComputingShare") %}\n'
END = "{% endfor %}"
ONE_LINE = "GLUE2EntityOtherInfo: "


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (ATTRIBUTES, "GLUE2ShareID: {{ share.id }}", "document.attribute"),
        (ATTRIBUTES, ATTRIBUTES + "\nGLUE2ShareColour: red", "ldap.unknown-attribute"),
        (ATTRIBUTES, ATTRIBUTES + "\nGLUE2EndpointURL: http://x", "ldap.unknown-attribute"),
        (ATTRIBUTES, ATTRIBUTES + "\nGLUE2EntityName: second", "ldap.single-value"),
        (ATTRIBUTES, ATTRIBUTES + "\n" + ONE_LINE, "ldap.empty-value"),
        (ATTRIBUTES, ATTRIBUTES + "\n" + ONE_LINE + "ownerdn: x", "bdii.unsafe-value"),
        (ATTRIBUTES, ATTRIBUTES + "\n" + ONE_LINE + "a\tb", "bdii.unsafe-value"),
        (ATTRIBUTES, ATTRIBUTES + "\n" + ONE_LINE + "a b\n" + ONE_LINE + "a  b", "ldap.equal-values"),
        (ATTRIBUTES, ATTRIBUTES + "\nno colon", "ldif.malformed"),
        (ATTRIBUTES, '{{ attributes(share)|replace("MaxWallTime: ", "MaxWallTime: 0") }}', "ldap.integer"),
        (
            ATTRIBUTES,
            '{{ attributes(share)|replace("GLUE2ShareServiceForeignKey", "GLUE2EntityOtherInfo") }}',
            "ldap.mandatory",
        ),
        ("objectClass: GLUE2Share\n", "", "ldap.object-class"),
        ("objectClass: GLUE2Share\n", "objectClass: GLUE2Share\nobjectClass: GLUE2Contact\n", "ldap.object-class"),
        ("objectClass: GLUE2ComputingShare\n", "objectClass: GLUE2Entity\n", "ldap.object-class"),
        ("dn(share, service)", 'dn(share, "GLUE2ServiceID=urn:none," ~ group)', "ldap.parent"),
        ("dn: {{ dn(share, service) }}", "dn: GLUE2ShareID=urn:other,{{ service }}", "ldap.rdn"),
        ("dn: {{ dn(share, service) }}", "dn: GLUE2ShareID={{ share.id }},{{ service|upper }}", "ldap.parent"),
        (END, END + "\ndn: GLUE2ShareID=urn:new,{{ group }}" + CLASSES + "GLUE2ShareID: urn:new\n\n", "document.entry"),
        (END, END + AGAIN + "dn: {{ dn(share, group) }}" + CLASSES + ATTRIBUTES + "\n\n" + END, "document.entry"),
        (
            END,
            "{% endfor %}\ndn: {{ group }}\nobjectClass: GLUE2Group\nGLUE2GroupID: resource\n\n",
            "ldap.duplicate-dn",
        ),
    ],
)
def test_what_a_template_must_not_do_is_refused(tmp_path: Path, old: str, new: str, rule: str) -> None:
    """Each breach is an error of its own rule, and the entry is named."""
    body = broken(tmp_path, "computing_share", old, new)
    with pytest.raises(ValidationFailed, match=rf"error {rule}: ") as failed:
        check_rendering(centre(), body)
    assert "GLUE2ShareID=urn" in str(failed.value) or rule in ("ldif.malformed", "ldap.duplicate-dn")


def test_a_site_may_add_a_group(tmp_path: Path) -> None:
    """A container that the tree needs is no entity, and is allowed."""
    group = "dn: GLUE2GroupID=extra,{{ group }}\nobjectClass: GLUE2Group\nGLUE2GroupID: extra\n\n"
    body = broken(tmp_path, "user_domain", "{% for", group + "{% for")
    assert check_rendering(centre(), body).findings == ()


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda body: b"version: 1\n\n" + body, "bdii.beginning"),
        (lambda body: body[:-1], "bdii.end"),
        (lambda body: body.replace(b"\n\ndn: GLUE2ShareID", b"\ndn: GLUE2ShareID"), "ldif.malformed"),
        (lambda body: body.replace(b"Name of urn:share", b"\xff"), "ldif.malformed"),
        (lambda body: body.replace(b"GLUE2EntityName: Name of urn:share\n", b""), "document.attribute"),
    ],
)
def test_damaged_text_is_refused(damage, rule: str) -> None:  # type: ignore[no-untyped-def]
    """What a BDII would take for something else is found, wherever it comes from."""
    with pytest.raises(ValidationFailed, match=rf"error {rule}: "):
        check_rendering(centre(), damage(LdifRenderer("resource").render(centre())))


def test_a_changed_document_is_noticed() -> None:
    """A rendering of yesterday's document does not pass for today's."""
    body = LdifRenderer("resource").render(centre())
    today = Entities(tuple(replace(one, validity=1) if one.id == "urn:share" else one for one in centre().entities))
    with pytest.raises(ValidationFailed, match=r"GLUE2ShareID=urn:share,.*GLUE2EntityValidity lacks '1'"):
        check_rendering(today, body)


def test_a_long_report_is_cut_and_counted() -> None:
    """A mistake that repeats itself in every entry is shown a hundred times and counted to the end."""
    body = b"".join(
        b"dn: GLUE2GroupID=g%d,o=none\nobjectClass: GLUE2Group\nGLUE2GroupID: g%d\n\n" % (n, n) for n in range(250)
    )
    with pytest.raises(ValidationFailed, match=r"and 150 more of the same rules$") as failed:
        check_rendering(Entities(()), body)
    assert str(failed.value).count("ldap.parent") == 100
