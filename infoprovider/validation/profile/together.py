"""E025: classes that the profile wants to see together in one text."""

from collections.abc import Iterator

from infoprovider import ldif
from infoprovider.validation.report import Finding
from infoprovider.validation.rule import Rule, Selection

_TOGETHER = (
    ("Domain", "Location"),
    ("Domain", "Contact"),
    ("ComputingService", "Service"),
    ("StorageService", "Service"),
    ("ComputingEndpoint", "Endpoint"),
    ("StorageEndpoint", "Endpoint"),
    ("ComputingShare", "Share"),
    ("StorageShare", "Share"),
    ("Share", "MappingPolicy"),
    ("Endpoint", "AccessPolicy"),
    ("ComputingService", "ComputingManager"),
    ("ComputingManager", "ExecutionEnvironment"),
    ("StorageShareCapacity", "StorageShare"),
    ("StorageService", "StorageAccessProtocol"),
)
_OF_ANY_DOMAIN = (
    "it counts communities, which have no location and no contact of their own; a resource's tree has the communities "
    "that it serves, and not its site"
)
RULES = tuple(
    Rule(
        id="egi.E025",
        subject=f"{present} without {wanted}",
        broken=f"there is an entry of the class {present} and none of {wanted}",
        why="readers that go from one to the other find nothing",
        remedy=f"publish the {wanted}, or list the class {wanted} of those that are one",
        off=_OF_ANY_DOMAIN if present == "Domain" else "",
        wrong=present == "Domain",
    )
    for present, wanted in _TOGETHER
)


class Together:
    """Remembers the classes that were listed."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._listed: set[str] = set()

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """Nothing can be said of a single entry."""
        self._listed.update(record.attributes.get("objectClass", ()))
        return iter(())

    def at_the_end(self) -> Iterator[Finding]:
        """The classes that are missing."""
        for rule, (present, wanted) in zip(RULES, _TOGETHER, strict=True):
            if self._selection.has(rule) and f"GLUE2{present}" in self._listed and f"GLUE2{wanted}" not in self._listed:
                yield rule.found("", f"there is a {present} and no {wanted}", "objectClass")
