"""schemas/glue2.xsd against the tables of the model (data/*.csv): names, order, types, multiplicity."""

import csv
import importlib.util
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest
import xmlschema
from lxml import etree

from infoprovider.glue import vocabulary, xml_layout

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
XS = "{http://www.w3.org/2001/XMLSchema}"
Declared = tuple[str, str, str, str]
"""Name, type, least, most."""


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CLASSES = {row["class"]: row for row in table("classes.csv")}
ELEMENTS = [name for name, row in CLASSES.items() if row["xml_element"]]
SCHEMA = etree.parse(ROOT / "schemas" / "glue2.xsd").getroot()
TYPES = {one.get("name"): one for one in SCHEMA.iterchildren(f"{XS}complexType", f"{XS}simpleType")}
GLOBAL = {one.get("name"): one for one in SCHEMA.iterchildren(f"{XS}element")}

FIELDS: dict[str, list[Declared]] = defaultdict(list)
XML_ATTRIBUTES: dict[str, list[tuple[str, str]]] = defaultdict(list)
for row in table("fields.csv"):
    if row["xml"].startswith("@"):
        XML_ATTRIBUTES[row["class"]].append((row["xml"][1:], row["xsd"]))
    elif row["xsd"] and (row["name"] != "ID" or row["class"] == "Entity"):
        FIELDS[row["class"]].append((row["xml"], row["xsd"], row["min"], row["max"]))
LINKS: dict[str, list[Declared]] = defaultdict(list)
for row in table("associations.csv"):
    least, most = row["occurs"].split("..")
    LINKS[row["class"]].append((row["element"], row["xsd"], least, "unbounded" if most == "*" else most))


def lineage(name: str) -> list[str]:
    """A class and its parents, the topmost first; StorageAccessProtocol has none in XML."""
    if name == "StorageAccessProtocol":
        return [name]
    parent = CLASSES[name]["parent"]
    return [*(lineage(parent) if parent else []), name]


def plain(qualified: str | None) -> str:
    """A name without its prefix."""
    return (qualified or "").rpartition(":")[2]


def elements_of(sequence: etree._Element) -> list[Declared]:
    """The elements of a sequence in order."""
    return [
        (one.get("name"), plain(one.get("type")), one.get("minOccurs", "1"), one.get("maxOccurs", "1"))
        for one in sequence.iterchildren(f"{XS}element")
    ]


def extensions_of(type_name: str) -> list[etree._Element]:
    """A complex type's own part and those of what it extends, the base first."""
    made = TYPES[type_name]
    extension = made.find(f"{XS}complexContent/{XS}extension")
    if extension is None:
        return [made]
    return [*extensions_of(plain(extension.get("base"))), extension]


def contents_of(type_name: str) -> list[Declared]:
    """The children of an element of this type, in the order in which a document has them."""
    sequences = [part.find(f"{XS}sequence") for part in extensions_of(type_name)]
    return [one for sequence in sequences if sequence is not None for one in elements_of(sequence)]


@pytest.mark.parametrize("name", ELEMENTS)
def test_an_element_holds_what_the_model_says_in_its_order(name: str) -> None:
    """Every child with its type and how often it may stand, the inherited ones first, Associations last."""
    expected = [declared for cls in lineage(name) for declared in FIELDS[cls]]
    if name != "StorageAccessProtocol":
        expected.insert(3, ("Extensions", "Extensions_t", "0", "1"))
    expected.append(("Associations", "", "1", "1"))
    assert contents_of(plain(GLOBAL[name].get("type"))) == expected


@pytest.mark.parametrize("name", ELEMENTS)
def test_associations_are_those_of_the_model_in_its_order(name: str) -> None:
    """Names, types and multiplicity of what an entity may be related to."""
    own = TYPES[plain(GLOBAL[name].get("type"))]
    associations = own.find(f".//{XS}element[@name='Associations']/{XS}complexType/{XS}sequence")
    assert elements_of(associations) == LINKS[name]


@pytest.mark.parametrize("name", ELEMENTS)
def test_an_element_carries_times_and_the_name_of_its_family(name: str) -> None:
    """CreationTime and Validity are XML attributes; BaseType is fixed where several classes share an element."""
    found = {
        one.get("name"): (plain(one.get("type")), one.get("fixed"), one.get("use", "optional"))
        for part in extensions_of(plain(GLOBAL[name].get("type")))
        for one in part.iterchildren(f"{XS}attribute")
    }
    expected: dict[str, tuple[str, str | None, str]] = {}
    if name != "StorageAccessProtocol":
        expected = {attribute: (kind, None, "optional") for attribute, kind in XML_ATTRIBUTES["Entity"]}
    head = CLASSES[name]["xml_head"]
    if head:
        expected["BaseType"] = ("", head.removeprefix("Abstract"), "required")
    assert found == expected


@pytest.mark.parametrize("name", ELEMENTS)
def test_an_element_stands_for_the_abstract_one_of_its_family(name: str) -> None:
    """Only a head that is abstract itself is named."""
    head = CLASSES[name]["xml_head"]
    assert plain(GLOBAL[name].get("substitutionGroup")) == head
    assert not head or GLOBAL[head].get("abstract") == "true"


def test_the_document_holds_every_family_in_the_ogf_s_order() -> None:
    """Below the root: families by their head, then classes without one, then whatever is foreign."""
    order = [plain(one.get("ref")) for one in TYPES["GLUE2_t"].find(f"{XS}sequence").iterchildren(f"{XS}element")]
    assert order == [
        *("Location", "Contact"),
        *(f"Abstract{name}" for name in ("Domain", "Service", "Endpoint", "Share", "Manager")),
        *(f"Abstract{name}" for name in ("Resource", "Activity", "Policy")),
        *("Benchmark", "ApplicationEnvironment", "ToComputingService", "ToStorageService"),
        *("StorageAccessProtocol", "StorageServiceCapacity", "StorageShareCapacity", "ApplicationHandle"),
    ]
    assert sorted(name for name, one in GLOBAL.items() if not one.get("abstract")) == sorted([*ELEMENTS, "GLUE2"])
    assert len(ELEMENTS) == 28


def test_an_extension_has_a_local_id_a_key_and_a_value() -> None:
    """And may carry foreign elements, as may the list of extensions."""
    assert contents_of("Extension_t") == [*FIELDS["Extension"]]
    assert contents_of("Extensions_t") == [("Extension", "Extension_t", "0", "unbounded")]


def test_only_closed_enumerations_refuse_other_words() -> None:
    """The schema compiles, and takes any string for an open enumeration."""
    schema = xmlschema.XMLSchema(ROOT / "schemas" / "glue2.xsd")
    for name, words in vocabulary.OPEN_ENUMERATIONS.items():
        assert all(schema.types[name].is_valid(word) for word in (*words.known, "something else"))
    for name, closed in vocabulary.CLOSED_ENUMERATIONS.items():
        assert all(schema.types[name].is_valid(word.value) for word in closed)
        assert not schema.types[name].is_valid("something else")


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("Latitude_t", ["-90", "48.1", "90"], ["-90.5", "91", "north"]),
        ("Longitude_t", ["-179.9", "180"], ["-180", "180.5"]),
        ("LocalID_t", ["a", "A1_.:-"], ["1a", "a b", ""]),
        ("DateTime_t", ["2025-01-31T12:00:00Z"], ["2025-01-31"]),
        ("ID_t", ["urn:glue2:x", "http://example.org/"], []),
    ],
)
def test_simple_types_take_what_they_should(name: str, right: list[str], wrong: list[str]) -> None:
    """Bounds and patterns of the values, the bounds themselves included or not."""
    schema = xmlschema.XMLSchema(ROOT / "schemas" / "glue2.xsd")
    assert [text for text in right if not schema.types[name].is_valid(text)] == []
    assert [text for text in wrong if schema.types[name].is_valid(text)] == []


def test_a_document_is_valid_and_a_misplaced_field_is_not() -> None:
    """The schema takes an entity of each kind of type: with a family, without one, and without Entity's part."""
    schema = etree.XMLSchema(SCHEMA)
    body = (
        '<Location CreationTime="2025-01-31T12:00:00Z" Validity="3600"><ID>urn:l</ID><Place>Here</Place>'
        "<Latitude>1.5</Latitude><Associations/></Location>"
        '<AdminDomain BaseType="Domain"><ID>urn:d</ID><Name>D</Name><Associations/></AdminDomain>'
        "<StorageAccessProtocol><Type>nfs</Type><Version>4</Version><Associations><ServiceID>urn:s</ServiceID>"
        "</Associations></StorageAccessProtocol>"
    )
    document = f'<GLUE2 xmlns="{xml_layout.NAMESPACE}">{body}</GLUE2>'
    assert schema.validate(etree.fromstring(document)), schema.error_log
    assert not schema.validate(etree.fromstring(document.replace("<ID>urn:d</ID><Name>D</Name>", "<Name>D</Name>")))
    assert not schema.validate(etree.fromstring(document.replace(' BaseType="Domain"', "")))


@pytest.fixture
def tool() -> ModuleType:
    """tools/write_schemas.py as a module."""
    spec = importlib.util.spec_from_file_location("write_schemas", ROOT / "tools" / "write_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_schema_files_are_what_the_fields_say(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """tools/write_schemas.py --check finds nothing to write."""
    assert tool.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_a_schema_file_that_is_not_current_is_named(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check writes nothing and fails; without it the file is written and then current."""
    monkeypatch.setattr(tool, "SCHEMAS", tmp_path)
    (tmp_path / "GLUE20.schema").write_text(tool.ldap_schema(), encoding="utf-8")
    assert tool.main(["--check"]) == 1
    assert capsys.readouterr().out == "schemas/glue2.xsd: not current; run tools/write_schemas.py\n"
    assert not (tmp_path / "glue2.xsd").exists()
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0
