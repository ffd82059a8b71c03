"""Names in Python, LDAP, XML and JSON."""

import pytest

from infoprovider.glue import entities, names
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of

EVERY_FIELD = [
    pytest.param(cls, attribute, id=f"{name}.{attribute.field}")
    for name, cls in ENTITY_CLASSES.items()
    for attribute in attributes_of(cls)
]


@pytest.mark.parametrize(
    ("glue", "python"),
    [
        ("MainMemorySize", "main_memory_size"),
        ("OSFamily", "os_family"),
        ("LogicalCPUs", "logical_cpus"),
        ("TotalPhysicalCPUs", "total_physical_cpus"),
        ("CPUClockSpeed", "cpu_clock_speed"),
        ("PreLRMSWaitingJobs", "pre_lrms_waiting_jobs"),
        ("MaxPreLRMSWaitingJobs", "max_pre_lrms_waiting_jobs"),
        ("IDFromEndpoint", "id_from_endpoint"),
        ("LocalIDFromManager", "local_id_from_manager"),
        ("IssuerCA", "issuer_ca"),
        ("URL", "url"),
        ("WWW", "www"),
        ("WSDL", "wsdl"),
        ("ID", "id"),
        ("ComputingServiceForeignKey", "computing_service_foreign_key"),
    ],
)
def test_a_glue_name_becomes_snake_case(glue: str, python: str) -> None:
    """Acronyms, also in the plural, are one word."""
    assert names.python_name(glue) == python


def test_there_are_36_classes_and_315_ldap_attributes() -> None:
    """As many as the LDAP schema of GLUE 2.0 has; no two fields share a name."""
    ldap = {attribute.ldap for cls in ENTITY_CLASSES.values() for attribute in attributes_of(cls)} - {None}
    assert len(ENTITY_CLASSES) == 36
    assert len(ldap) == 315
    assert len({name.lower() for name in ldap}) == 315


@pytest.mark.parametrize(("cls", "attribute"), EVERY_FIELD)
def test_every_field_is_named_by_rule(cls: type[entities.Entry], attribute: names.Attribute) -> None:
    """The Python name follows from GLUE's; the LDAP name leads back to the field."""
    assert attribute.field == names.python_name(attribute.name)
    if cls is entities.Entity and attribute.name == "ID":
        assert attribute.ldap is None
        return
    assert attribute.ldap == f"GLUE2{attribute.declared_by}{attribute.name}"
    assert names.attribute_of_ldap(attribute.ldap.upper()) == attribute


@pytest.mark.parametrize("cls", ENTITY_CLASSES.values(), ids=list(ENTITY_CLASSES))
def test_no_class_has_two_fields_of_one_name(cls: type[entities.Entry]) -> None:
    """Neither in Python nor, apart from associations that narrow an inherited one, in XML and JSON."""
    attributes = attributes_of(cls)
    plain = [attribute for attribute in attributes if attribute.target is None]
    assert len({attribute.field for attribute in attributes}) == len(attributes)
    assert len({names.json_name(attribute) for attribute in plain}) == len(plain)
    assert len({names.xml_name(attribute) or attribute.name for attribute in plain}) == len(plain)


@pytest.mark.parametrize(
    ("name", "chain", "rdn"),
    [
        ("ComputingShare", ("GLUE2Entity", "GLUE2Share", "GLUE2ComputingShare"), "GLUE2ShareID"),
        ("ComputingManager", ("GLUE2Entity", "GLUE2Manager", "GLUE2ComputingManager"), "GLUE2ManagerID"),
        ("Location", ("GLUE2Entity", "GLUE2Location"), "GLUE2LocationID"),
        ("Group", ("GLUE2Group",), "GLUE2GroupID"),
        ("Extension", ("GLUE2Extension",), "GLUE2ExtensionLocalID"),
    ],
)
def test_an_entry_names_its_parents_and_takes_the_family_s_identifier(
    name: str, chain: tuple[str, ...], rdn: str
) -> None:
    """The object classes run from Entity down; the RDN attribute is the topmost class's."""
    assert names.object_classes_of(ENTITY_CLASSES[name]) == chain
    assert names.rdn_attribute_of(ENTITY_CLASSES[name]) == rdn


def test_a_bare_entity_has_no_rdn() -> None:
    """GLUE2Entity is abstract: nothing is published as just that."""
    with pytest.raises(ValueError, match="Entity is never published"):
        names.rdn_attribute_of(entities.Entity)


def test_object_classes_lead_to_the_most_special_class() -> None:
    """In any order and any case; foreign classes do not count, and without a GLUE class there is none."""
    assert names.class_of(["top", "glue2computingshare", "GLUE2Share", "GLUE2Entity"]) is entities.ComputingShare
    assert names.class_of(["GLUE2Endpoint"]) is entities.Endpoint
    assert names.class_of(["organization"]) is None


def test_the_names_of_a_group_are_aliases_of_its_identifier() -> None:
    """Older trees name groups by GLUE2GroupName or GLUE2GroupLocalID."""
    for name in ("GLUE2GroupID", "glue2groupname", "GLUE2GroupLocalID"):
        assert names.attribute_of_ldap(name) == names.identifier_of(entities.Group)
    assert names.attribute_of_ldap("GLUE2GroupSize") is None


def one(cls: type[entities.Entry], field: str) -> names.Attribute:
    """The field of this Python name."""
    return next(attribute for attribute in attributes_of(cls) if attribute.field == field)


@pytest.mark.parametrize(
    ("cls", "field", "xml", "json"),
    [
        (entities.ComputingShare, "max_wall_time", "MaxWallTime", "MaxWallTime"),
        (entities.ComputingShare, "max_stage_in_streams", "MaxStateInStreams", "MaxStageInStreams"),
        (entities.ComputingShare, "local_staging_jobs", None, "LocalStagingJobs"),
        (entities.ComputingShare, "scheduling_policy", "SchedulingPolicy", "ScheduingPolicy"),
        (entities.Location, "post_code", "PostCode", "PostalCode"),
        (entities.ComputingShare, "computing_endpoint_foreign_key", "EndpointID", "ComputingEndpointID"),
        (entities.Benchmark, "execution_environment_foreign_key", "ResourceID", "ExecutionEnvironmentID"),
        (entities.Activity, "user_domain_foreign_key", "DomainID", "UserDomainID"),
        (entities.AdminDomain, "admin_domain_foreign_key", "ParentDomainID", "ParentDomainID"),
        (entities.Service, "admin_domain_foreign_key", None, "AdminDomainID"),
    ],
)
def test_xml_and_json_use_glue_s_name_but_for_a_few(
    cls: type[entities.Entry], field: str, xml: str | None, json: str
) -> None:
    """An association is named after what it points to: its family in XML, its class in JSON."""
    assert names.xml_name(one(cls, field)) == xml
    assert names.json_name(one(cls, field)) == json
