"""The GLUE 2.0 classes against the tables of the model (data/classes.csv, data/fields.csv)."""

import csv
import dataclasses
import typing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.glue import entities, names
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of

DATA = Path(__file__).parent / "data"


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CLASSES = table("classes.csv")
FIELDS = table("fields.csv")


def yes(truth: bool) -> str:
    """As the tables write it."""
    return "yes" if truth else "no"


def enumeration_of(attribute: names.Attribute) -> str:
    """The XML schema's name of a field's enumeration."""
    return attribute.type.xsd if attribute.enumeration else ""


@pytest.mark.parametrize("row", CLASSES, ids=lambda row: row["class"])
def test_every_class_has_the_model_s_parent_and_number(row: dict[str, str]) -> None:
    """Superior, OID and identifier are those of the LDAP schema; abstract is what the model has as a parent only."""
    cls = ENTITY_CLASSES[row["class"]]
    parent = cls.__bases__[0]
    assert row["parent"] == ("" if parent is object else parent.__name__)
    assert cls.glue.oid == row["oid"]
    assert yes(cls.glue.abstract) == row["abstract"]
    if row["rdn"]:
        assert names.rdn_attribute_of(cls) == row["rdn"]


def test_the_tables_and_the_classes_name_the_same_fields() -> None:
    """No class and no field more or less than the model has."""
    ours = [
        (cls.__name__, attribute.name)
        for cls in ENTITY_CLASSES.values()
        for attribute in attributes_of(cls)
        if attribute.declared_by == cls.__name__
    ]
    assert sorted(ours) == sorted((row["class"], row["name"]) for row in FIELDS)
    assert sorted(ENTITY_CLASSES) == sorted(row["class"] for row in CLASSES)


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row['class']}.{row['name']}")
def test_every_field_has_the_model_s_type_multiplicity_and_unit(row: dict[str, str]) -> None:
    """Type, enumeration, multiplicity, unit and target of the model; OID, single or many, and MUST of LDAP."""
    field = next(one for one in attributes_of(ENTITY_CLASSES[row["class"]]) if one.name == row["name"])
    assert field.type.name == row["type"]
    assert enumeration_of(field) == row["enumeration"]
    assert field.unit == row["unit"]
    assert (field.target or "") == row["target"]
    assert (field.ldap or "") == row["ldap"]
    if not field.target:
        assert field.mult == row["mult"]
        if row["xml"]:
            assert (names.xml_name(field), field.xsd) == (row["xml"].removeprefix("@"), row["xsd"])
    if field.ldap:
        assert field.oid == row["oid"]
        assert (yes(not field.multiple), yes(field.must)) == (row["single"], row["must"])
        assert ("DirectoryString" if field.text_in_ldap else "INTEGER") == row["syntax"]


@pytest.mark.parametrize("row", [row for row in FIELDS if row["json"]], ids=lambda row: f"{row['class']}.{row['name']}")
def test_every_field_has_its_name_in_the_json_schemas(row: dict[str, str]) -> None:
    """The OGF's JSON schemas spell a few names in their own way."""
    field = next(one for one in attributes_of(ENTITY_CLASSES[row["class"]]) if one.name == row["name"])
    assert names.json_name(field) == row["json"]


@pytest.mark.parametrize("cls", ENTITY_CLASSES.values(), ids=list(ENTITY_CLASSES))
def test_annotations_say_what_the_metadata_says(cls: type[entities.Entry]) -> None:
    """Many values are a tuple, one value may be missing, the identifier may not."""
    hints = typing.get_type_hints(cls)
    for field, attribute in zip(dataclasses.fields(cls), attributes_of(cls), strict=True):
        python = attribute.type.python
        if attribute == names.identifier_of(cls):
            assert hints[field.name] is str
            assert field.default is dataclasses.MISSING
        elif attribute.multiple:
            assert hints[field.name] == tuple[python, ...]
            assert field.default == ()
        else:
            assert hints[field.name] == python | None
            assert field.default is None


def test_an_entity_is_immutable_and_compares_by_value() -> None:
    """Two entities that say the same are equal; none can be changed; one can be made from another."""
    moment = datetime(2025, 1, 31, 12, tzinfo=UTC)
    share = entities.ComputingShare(id="urn:s", creation_time=moment, tag=("a", "b"))
    assert share == entities.ComputingShare(id="urn:s", creation_time=moment, tag=("a", "b"))
    assert hash(share) == hash(dataclasses.replace(share))
    with pytest.raises(dataclasses.FrozenInstanceError):
        share.name = "other"  # type: ignore[misc]
    assert not hasattr(share, "__dict__")
