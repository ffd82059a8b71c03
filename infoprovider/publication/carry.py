"""Carries the entries of a VM manager of which nothing is known over from what was handed out before.

After the state folder was lost, on the first start beside a BDII that is already filled, or while its facts cannot be
mapped, the entries of a manager must not vanish. They stay as they are, with their old stamps, until they would have
been withheld anyway, and as far as the rules of disclosure that are in force now surely allow them.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from infoprovider import ldif
from infoprovider.config.model import Configuration, Instance
from infoprovider.errors import QueryError
from infoprovider.glue.entities import (
    AccessPolicy,
    ApplicationEnvironment,
    Benchmark,
    ComputingEndpoint,
    ComputingManager,
    ComputingService,
    ComputingShare,
    Entry,
    ExecutionEnvironment,
    MappingPolicy,
)
from infoprovider.glue.names import attributes_of, class_of
from infoprovider.inventory.model import Facet
from infoprovider.mapping.context import mapped_to
from infoprovider.mapping.identifiers import Identifiers
from infoprovider.mapping.places import place_of
from infoprovider.mapping.rules import rules_of

_SERVICE = "GLUE2ServiceID"
_INFO = "GLUE2EntityOtherInfo"
_DEFINING: dict[type[Entry], tuple[Facet, ...]] = {
    ComputingService: (Facet.MANAGER,),
    ComputingEndpoint: (Facet.MANAGER,),
    ComputingManager: (Facet.MANAGER,),
    ComputingShare: (Facet.QUOTAS, Facet.USAGE),
    ApplicationEnvironment: (Facet.IMAGES,),
    Benchmark: (Facet.HYPERVISORS,),
}
"""The facets without all of which there is no entity of a class; with a policy goes what it governs."""


def service_of(configuration: Configuration, instance: Instance) -> str:
    """The identifier of the ComputingService that an instance is."""
    return Identifiers(configuration.centre.name, instance.name).of("ComputingService")


def services_in(body: bytes, services: frozenset[str]) -> frozenset[str]:
    """Which of these services have an entry in a rendering."""
    return frozenset(id_ for id_ in services if f"\n{_SERVICE}: {id_}\n".encode() in body)


def rules_in_force(configuration: Configuration) -> str:
    """A digest of what decides which private things are told: the communities with their projects, and disclosure."""
    rules = [one.model_dump_json() for one in (configuration.centre.disclosure, *configuration.communities)]
    return hashlib.sha256("\n".join(rules).encode()).hexdigest()


def carried_over(
    former: bytes,
    services: Collection[str],
    configuration: Configuration,
    now: datetime,
    *,
    by_the_same_rules: bool = False,
) -> bytes:
    """What of these services' entries in a former rendering may still be handed out, as LDIF.

    `by_the_same_rules` is whether it was composed by those that are in force now: then it tells nothing that they do
    not allow. A former text that cannot be read carries nothing.
    """
    try:
        places = [(record, _service_above(record.dn)) for record in ldif.read(former)]
    except QueryError:
        return b""
    pieces = []
    for instance in configuration.instances:
        service = service_of(configuration, instance)
        if service in services:
            records = [record for record, place in places if place == service]
            pieces += [
                _block(record)
                for record in _Carried(records, instance, configuration, now, by_the_same_rules).records()
            ]
    return b"".join(pieces)


def _service_above(dn: str) -> str:
    """The service that an entry is, or stands below."""
    return next((value for name, value in ldif.split_dn(dn) if name == _SERVICE), "")


def _block(record: ldif.Record) -> bytes:
    lines = [ldif.line("dn", record.dn)]
    lines += [ldif.line(name, value) for name, values in record.attributes.items() for value in values]
    return "\n".join((*lines, "", "")).encode()


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of the former text, and its class."""

    dn: str
    attributes: dict[str, list[str]]
    cls: type[Entry]

    @property
    def id(self) -> str:
        """What its distinguished name begins with."""
        return ldif.split_dn(self.dn)[0][1]

    def values(self, attribute: str) -> list[str]:
        """The values of an attribute."""
        return self.attributes.get(attribute, [])

    @property
    def is_type(self) -> bool:
        """Whether it is an instance type, and no host class."""
        is_environment = self.cls is ExecutionEnvironment
        return is_environment and self.values("GLUE2ExecutionEnvironmentVirtualMachine") != ["false"]

    @property
    def defining(self) -> tuple[Facet, ...]:
        """The facets without all of which it would not be there."""
        if self.cls is ExecutionEnvironment:
            return (Facet.INSTANCE_TYPES if self.is_type else Facet.HYPERVISORS,)
        return _DEFINING.get(self.cls, ())


class _Carried:
    """What of the entries of one service may still be handed out."""

    def __init__(
        self,
        records: Iterable[ldif.Record],
        instance: Instance,
        configuration: Configuration,
        now: datetime,
        by_the_same_rules: bool,
    ) -> None:
        self._instance = instance
        self._configuration = configuration
        self._now = now
        classes = ((record, class_of(record.attributes.get("objectClass", ()))) for record in records)
        self._entries = [_Entry(record.dn, record.attributes, cls) for record, cls in classes if cls is not None]
        mapped = mapped_to(instance.name, configuration.communities)
        ids = Identifiers(configuration.centre.name, instance.name)
        rules = {ids.of("ComputingShare", one.project): (one.community.name, set(rules_of(one))) for one in mapped}
        self._rules = {rule for _, theirs in rules.values() for rule in theirs}
        governed = {ldif.parent_of(one.dn): one for one in self._entries if one.cls is MappingPolicy}
        self._shares = [
            one
            for one in self._entries
            if one.cls is ComputingShare
            and one.dn in governed
            and rules.get(one.id) == (*one.values("GLUE2EntityName"), set(governed[one.dn].values("GLUE2PolicyRule")))
        ]
        # Without a policy nobody was mapped to the instance: everything that was published of it was public.
        was_public = not any(one.cls in (AccessPolicy, MappingPolicy) for one in self._entries)
        disclosure = configuration.centre.disclosure
        self._all_is_told = was_public or by_the_same_rules
        self._types_are_told = self._all_is_told or disclosure.private_instance_types == "communities"
        self._images_are_told = self._all_is_told or disclosure.private_images == "communities"

    def records(self) -> Iterator[ldif.Record]:
        """What is left, in the order of the text, without references to what is not."""
        gone: dict[str, str] = {}
        kept = []
        for one in self._entries:
            if ldif.parent_of(one.dn) in gone or self._has_expired(one) or not self._is_disclosed(one):
                gone[one.dn] = one.id
            else:
                kept.append(one)
        for one in kept:
            yield ldif.Record(one.dn, self._attributes(one, set(gone.values())))

    # --- age ---------------------------------------------------------------------------------------------------------

    def _expired(self, one: _Entry) -> frozenset[str]:
        """The facets that would be withheld by now if they were observed when the entry was."""
        stamps = one.values("GLUE2EntityCreationTime")
        if not stamps or not one.defining:
            return frozenset()
        observed_at = datetime.fromisoformat(stamps[0])
        ages = self._configuration.freshness_of
        return frozenset(facet for facet in Facet if ages(facet).expires_at(observed_at) <= self._now)

    def _has_expired(self, one: _Entry) -> bool:
        return bool(one.defining) and self._expired(one).issuperset(one.defining)

    # --- disclosure --------------------------------------------------------------------------------------------------

    def _is_disclosed(self, one: _Entry) -> bool:
        """Whether it is sure that the rules in force allow an entry: whether it was private is not written in it.

        What a share that is still allowed names is public, or private to a project that is still mapped.
        """
        if one.cls is ComputingShare:
            return one in self._shares
        if one.cls is AccessPolicy:
            return self._rules.issuperset(one.values("GLUE2PolicyRule"))
        if self._all_is_told:
            return True
        if one.is_type:
            named = {id_ for share in self._shares for id_ in share.values("GLUE2ShareResourceForeignKey")}
            return self._types_are_told and one.id in named
        if one.cls is ApplicationEnvironment:
            named = {value for share in self._shares for value in share.values(_INFO)}
            words = (*one.values("GLUE2ApplicationEnvironmentRepository"), *one.values("GLUE2EntityName"))
            return self._images_are_told and any(f"Image={word}" in named for word in words)
        return True

    # --- what an entry still says ------------------------------------------------------------------------------------

    def _attributes(self, one: _Entry, gone: set[str]) -> dict[str, list[str]]:
        expired = self._expired(one)
        known = {attribute.ldap: attribute for attribute in attributes_of(one.cls)}
        found: dict[str, list[str]] = {}
        for name, values in one.attributes.items():
            attribute = known.get(name)
            if name == _INFO:
                found[name] = [value for value in values if self._is_told(one, value.partition("=")[0], expired)]
            elif attribute is not None and attribute.target:
                found[name] = [value for value in values if value not in gone]
            elif attribute is None or attribute.must or not _is_made_of(one, attribute.name, expired, is_key=False):
                found[name] = values
        if one.cls is ComputingEndpoint and self._instance.block.health is None:
            told = one.values("GLUE2EntityCreationTime")[:1]
            found["GLUE2EndpointHealthState"] = ["unknown"]
            found["GLUE2EndpointHealthStateInfo"] = [f"nothing is known of it since {' '.join(told)}"]
        return {name: values for name, values in found.items() if values}

    def _is_told(self, one: _Entry, key: str, expired: frozenset[str]) -> bool:
        if one.cls is ComputingShare:
            group = key.partition(".")[0]
            if (group == "FreeInstances" and not self._types_are_told) or (
                group == "Image" and not self._images_are_told
            ):
                return False
        return not _is_made_of(one, key, expired, is_key=True)


def _is_made_of(one: _Entry, name: str, facets: frozenset[str], *, is_key: bool) -> bool:
    """Whether a value was made of nothing but these facets; what a site's template added is its own affair."""
    try:
        place = place_of(one.cls.__name__, name, is_key=is_key)
    except KeyError:
        return False
    told = set(place.facets) - {"configuration"}
    return bool(told) and told <= facets
