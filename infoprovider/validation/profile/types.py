"""W036 and W037: how many values an attribute may have, and of which type they are, as the profile's table has it.

Both are off unless they are asked for: GLUE's own types and lists are `glue.type` and `glue.enumeration`, LDAP's
multiplicities `ldap.single-value`, and where the profile differs from them, it is older or mistaken.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from infoprovider import ldif
from infoprovider.glue.entities import Entry
from infoprovider.glue.fields import Attribute
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.glue.vocabulary import CLOSED_ENUMERATIONS, OPEN_ENUMERATIONS
from infoprovider.validation.ldap_schema import rules_of
from infoprovider.validation.profile.words import ACCEPTED, IN_ANY_CASE, UNCHECKED, URL_SCHEMES, word_set
from infoprovider.validation.report import Finding, Level
from infoprovider.validation.rule import Rule, Selection

UNTABLED = word_set("""
    GLUE2EntityName GLUE2ExtensionEntityForeignKey GLUE2LocationServiceForeignKey GLUE2ContactServiceForeignKey
    GLUE2ShareEndpointForeignKey GLUE2ShareResourceForeignKey GLUE2AccessPolicyEndpointForeignKey
    GLUE2MappingPolicyShareForeignKey GLUE2ComputingEndpointComputingServiceForeignKey
    GLUE2ComputingShareLocalStagingJobs GLUE2ComputingShareComputingEndpointForeignKey
    GLUE2ComputingShareExecutionEnvironmentForeignKey GLUE2ComputingShareComputingServiceForeignKey
    GLUE2StorageEndpointStorageServiceForeignKey GLUE2GroupID
    """)
"""Attributes that the profile's table does not have, and that it never judges."""

_UNTYPED = UNTABLED | {"GLUE2EntityOtherInfo", "GLUE2EndpointDowntimeStart"}
_SINGLE_HERE = word_set("""
    GLUE2ContactDomainForeignKey GLUE2ServiceAdminDomainForeignKey GLUE2ServiceServiceForeignKey
    GLUE2ApplicationEnvironmentBestBenchmark GLUE2StorageShareCapacityStorageShareForeignKey
    """)
"""Several values in GLUE 2.0 and in LDAP, one in the profile."""
_MANY_HERE = frozenset(
    {
        "GLUE2EndpointHealthStateInfo",
        "GLUE2ComputingActivityOtherMessages",
        "GLUE2StorageShareExpirationMode",
    }
)

SINGLE = Rule(
    id="egi.W036",
    subject="single value",
    level=Level.WARNING,
    broken="an attribute has several values where the profile's table has one",
    why="readers of the profile take the first",
    remedy="publish one value",
    off="`ldap.single-value` says it of all that LDAP keeps to one; the profile forbids GLUE's further domains of a "
    "contact or a service, related services, best benchmarks and shares of a capacity",
    wrong=True,
)


def _type_rule(subject: str, broken: str, off: str, *, wrong: bool = False) -> Rule:
    return Rule(
        id="egi.W037",
        subject=subject,
        level=Level.WARNING,
        broken=broken,
        why="readers of the profile expect this form",
        remedy="write the value in this form, if it is true in it",
        off=off,
        wrong=wrong,
        known_issue=True,
    )


_SAID = "`glue.type` says it"
_OF_2014 = "a list of 2014, closed although GLUE's is open: it lacks every word of cloud sites"
_WRONG_LISTS = {
    "ServiceType_t": _OF_2014,
    "InterfaceName_t": _OF_2014,
    "Capability_t": "a closed list without cloud capabilities, that spells security.identymapping of GLUE otherwise",
    "PolicyScheme_t": _OF_2014,
    "OSName_t": "it has the names of distributions in capitals, GLUE 2.0 in small letters",
    "Platform_t": "it has no platform of 64-bit ARM, POWER or RISC-V",
    "ApplicationHandleType_t": "it wants Path where GLUE 2.0 has path",
    "JobDescription_t": "its words are not those of the XML schema",
    "StorageAccessProtocolType_t": "it has xroot where GLUE 2.0 has xrootd",
    "EndpointTechnology_t": "GLUE's list is open, and REST is published",
}
_PLAIN = (
    _type_rule("text", "a text, URI or identifier is empty", "`ldap.empty-value` says it"),
    _type_rule(
        "URL",
        "a URL has none of 16 schemes, or a host that is no dotted name with 2 to 6 letters at its end and no IPv4",
        "it refuses single-label hosts, IPv6 addresses, longer top-level names at the end of a host, and schemes such "
        "as s3, amqp, stomp",
        wrong=True,
    ),
    _type_rule("DateTime", "a moment is not YYYY-MM-DDThh:mm:ss with or without Z", _SAID),
    _type_rule("integer", "an integer has other characters than digits, or is out of its range", _SAID),
    _type_rule("real", "a real begins neither with a digit nor with a minus and a digit", _SAID),
)
_LISTS = tuple(
    _type_rule(
        name,
        f"a value is no word of the profile's {name}",
        _WRONG_LISTS.get(name, "`glue.enumeration` or `glue.spelling` says what GLUE 2.0 does"),
        wrong=name in _WRONG_LISTS,
    )
    for name in (*sorted(CLOSED_ENUMERATIONS), *sorted(OPEN_ENUMERATIONS))
    if name not in UNCHECKED
)
RULES = (SINGLE, *_PLAIN, *_LISTS)
_BY_SUBJECT = {rule.subject: rule for rule in RULES}

# As the validator does, only the beginning of a URL is looked at.
URL = re.compile(rf"({'|'.join(URL_SCHEMES)})://(([A-Za-z0-9-]+\.)+[A-Za-z]{{2,6}}|\d+\.\d+\.\d+\.\d+)", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?", re.ASCII)
_REAL = re.compile(r"-?\d", re.ASCII)
_DIGITS = re.compile(r"-?\d{1,20}", re.ASCII)


class Types:
    """Judges each value by the profile's table, for the types that are chosen."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._tests = {cls: self._tests_of(cls) for cls in ENTITY_CLASSES.values()}

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """Values that the table does not take."""
        rules = rules_of(tuple(record.attributes.get("objectClass", ())))
        if rules is None:
            return
        single, tests = self._tests[rules.cls]
        for name, values in record.attributes.items():
            if len(values) > 1 and name in single:
                yield SINGLE.found(record.dn, f"has {len(values)} values", name)
            test = tests.get(name)
            if test is None:
                continue
            rule, passes = test
            for value in values:
                if not passes(value):
                    yield rule.found(record.dn, f"is {value[:80]!r}", name)

    def _tests_of(self, cls: type[Entry]) -> tuple[frozenset[str], dict[str, tuple[Rule, Callable[[str], bool]]]]:
        tests: dict[str, tuple[Rule, Callable[[str], bool]]] = {}
        single = set()
        for attribute in attributes_of(cls):
            name = attribute.ldap or ""
            if name in UNTABLED:
                continue
            if name in _SINGLE_HERE or not (attribute.multiple or name in _MANY_HERE):
                single.add(name)
            subject, passes = _test_of(attribute)
            if name not in _UNTYPED and self._selection.has(_BY_SUBJECT[subject]):
                tests[name] = _BY_SUBJECT[subject], passes
        return frozenset(single if self._selection.has(SINGLE) else ()), tests


def _test_of(attribute: Attribute) -> tuple[str, Callable[[str], bool]]:
    """Which rule judges the values of an attribute, and whether one passes."""
    kind = attribute.type
    if kind.enumeration is not None and f"{kind.xsd}" in _BY_SUBJECT:
        words = ACCEPTED[kind.xsd]
        if kind.xsd in IN_ANY_CASE:
            return kind.xsd, lambda value: value.lower() in words
        return kind.xsd, words.__contains__
    if kind.name == "url":
        return "URL", lambda value: URL.match(value) is not None
    if kind.python is datetime:
        return "DateTime", lambda value: _MOMENT.fullmatch(value) is not None
    if kind.python is int:
        low, high = kind.minimum or 0, kind.maximum or 0
        return "integer", lambda value: _DIGITS.fullmatch(value) is not None and low <= int(value) <= high
    if kind.python is float:
        return "real", lambda value: _REAL.match(value) is not None
    return "text", bool
