"""Entries for tests of single rules: sound in every way that is not changed."""

from datetime import UTC, datetime

from infoprovider import ldif
from infoprovider.glue.entities import Entity
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of, object_classes_of, rdn_attribute_of

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ABOVE = "GLUE2DomainID=RC-ONE,o=glue"
SOUND = {
    "ApplicationEnvironment": "AppName=Debian; ComputingManagerForeignKey=manager",
    "ComputingEndpoint": "URL=https://cloud.example.org/; InterfaceName=https; QualityLevel=production; "
    "HealthState=ok; ServingState=production; ServiceForeignKey=service",
    "ComputingManager": "ProductName=openstack; ServiceForeignKey=service",
    "ComputingService": "Type=other; QualityLevel=production; AdminDomainForeignKey=RC-ONE",
    "ComputingShare": "ServiceForeignKey=service; ServingState=production",
    "Contact": "Detail=mailto:help@cloud.example.org; Type=general",
    "ExecutionEnvironment": "Platform=amd64; MainMemorySize=4096; OSFamily=linux; ConnectivityIn=true; "
    "ConnectivityOut=true; ManagerForeignKey=manager",
    "MappingPolicy": "Scheme=org.glite.standard; Rule=VO:vo.example.org; ShareForeignKey=share",
}
"""Of classes that tests ask for whole; the least that their schema demands."""


def entry(cls: str, values: str = "", *, id: str = "", above: str = ABOVE) -> ldif.Record:  # noqa: A002
    """An entry of a class; `values` are `Name=value; Name=value`, a name without a value leaves the attribute out.

    What the class demands is added where `SOUND` has it, and stamps that are a minute old.
    """
    kind = ENTITY_CLASSES[cls]
    names = {attribute.name: attribute.ldap or "" for attribute in attributes_of(kind)}
    given: dict[str, list[str]] = {}
    for pair in values.split("; ") if values else ():
        name, _, value = pair.partition("=")
        given.setdefault(names[name], []).append(value)
    found = {"objectClass": list(object_classes_of(kind)), rdn_attribute_of(kind): [id or cls.lower()]}
    if issubclass(kind, Entity):
        found |= {"GLUE2EntityCreationTime": ["2026-11-21T11:59:00Z"], "GLUE2EntityValidity": ["1200"]}
    for pair in SOUND.get(cls, "").split("; ") if cls in SOUND else ():
        name, _, value = pair.partition("=")
        found[names[name]] = [value]
    found |= given
    left = {name: texts for name, texts in found.items() if texts != [""]}
    return ldif.Record(f"{rdn_attribute_of(kind)}={found[rdn_attribute_of(kind)][0]},{above}", left)


def located(*records: ldif.Record) -> list[ldif.Located]:
    """Records as they come from a text, a hundred lines apart."""
    return [ldif.Located(1 + 100 * number, record) for number, record in enumerate(records)]
