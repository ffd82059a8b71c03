"""What can be wrong, as a table: in which layer, with which exit code, and what follows from it.

The order is that of causes: what stands further up is told first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from infoprovider.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of fault. `explains` are the sorts that follow from it; what follows from those follows too."""

    name: str
    layer: str
    code: ExitCode
    explains: frozenset[str] = frozenset()


def _kind(name: str, layer: str, code: ExitCode, explains: str = "") -> Kind:
    return Kind(name, layer, code, frozenset(explains.split()))


_UNPUBLISHED = "document-late delivery-late rendering-expired"
_UNSERVED = "bdii-without-ours bdii-partly bdii-old"
_TABLE = (
    _kind("python", "software", ExitCode.PLUGIN, "library asking"),
    _kind("library", "software", ExitCode.PLUGIN, "asking facets"),
    _kind("plug-in", "software", ExitCode.PLUGIN, "configuration-not-taken asking facets"),
    _kind("configuration", "configuration", ExitCode.CONFIG, "configuration-not-taken settings asking facets channel"),
    _kind("secret", "credentials", ExitCode.CONFIG, "asking facets"),
    _kind("settings", "configuration", ExitCode.CONFIG, "asking facets left-out"),
    _kind(
        "disk",
        "machine",
        ExitCode.STORE,
        f"folder set-aside state-unreadable channel bdii-database not-kept daemon-died {_UNPUBLISHED}",
    ),
    _kind("descriptors", "machine", ExitCode.STORE, f"asking facets daemon-hangs metrics {_UNPUBLISHED}"),
    _kind("boot-id", "machine", ExitCode.STORE, "rendering-expired daemon-died"),
    _kind("clock", "machine", ExitCode.STORE, "tls asking facets clock-jumped bdii-old certificate-ends"),
    _kind("clock-jumped", "machine", ExitCode.STORE, "bdii-old bdii-hangs rendering-expired delivery-late"),
    _kind("foreign-files", "state", ExitCode.STORE, f"state-unreadable folder {_UNPUBLISHED} facets daemon-died"),
    _kind("folder", "state", ExitCode.STORE, f"daemon-died not-kept state-unreadable facets {_UNPUBLISHED}"),
    _kind("state-unreadable", "state", ExitCode.STORE, f"facets {_UNPUBLISHED}"),
    _kind("set-aside", "state", ExitCode.STORE),
    _kind("lock", "state", ExitCode.STORE, f"not-kept daemon-died daemon-hangs facets {_UNPUBLISHED}"),
    _kind("daemon-died", "daemon", ExitCode.STORE, f"facets metrics {_UNPUBLISHED}"),
    _kind("not-kept", "daemon", ExitCode.STORE, f"facets metrics {_UNPUBLISHED}"),
    _kind("daemon-hangs", "daemon", ExitCode.STORE, f"facets metrics {_UNPUBLISHED}"),
    _kind("daemon-outdated", "daemon", ExitCode.PARTLY),
    _kind("configuration-not-taken", "daemon", ExitCode.CONFIG),
    _kind("proxy", "network", ExitCode.COLLECT, "asking facets"),
    _kind("dns", "network", ExitCode.COLLECT, "asking facets"),
    _kind("port", "network", ExitCode.COLLECT, "asking facets"),
    _kind("authorities", "network", ExitCode.COLLECT, "tls asking facets"),
    _kind("tls", "network", ExitCode.COLLECT, "asking facets"),
    _kind("silent", "network", ExitCode.COLLECT, "asking facets"),
    _kind("certificate-ends", "network", ExitCode.PARTLY),
    _kind("certificate-unchecked", "network", ExitCode.PARTLY),
    _kind("asking", "manager", ExitCode.COLLECT, "facets project-unseen"),
    _kind("project-unseen", "rights", ExitCode.COLLECT),
    _kind("right-lost", "rights", ExitCode.COLLECT, "facets"),
    _kind("facets", "publication", ExitCode.PARTLY, "left-out"),
    _kind("document-late", "publication", ExitCode.PUBLISH, "rendering-expired delivery-late"),
    _kind("left-out", "publication", ExitCode.PARTLY),
    _kind("tree-unchanged", "publication", ExitCode.MAPPING, "rendering-expired delivery"),
    _kind("rendering-missing", "publication", ExitCode.PUBLISH, "delivery hook-tree bdii-reader"),
    _kind("rendering-expired", "publication", ExitCode.PUBLISH, "bdii-without-ours bdii-old"),
    _kind("channel", "channels", ExitCode.PUBLISH, "delivery delivery-late bdii-wrong-folder bdii-unfed"),
    _kind("delivery", "channels", ExitCode.PUBLISH, "delivery-late"),
    _kind("delivery-late", "channels", ExitCode.PUBLISH, "bdii-old bdii-without-ours"),
    _kind("metrics", "metrics", ExitCode.PARTLY),
    _kind(
        "bdii-settings", "BDII", ExitCode.PUBLISH, f"bdii-user bdii-folder bdii-silent bdii-wrong-folder {_UNSERVED}"
    ),
    _kind("bdii-folder", "BDII", ExitCode.PUBLISH, f"channel bdii-silent bdii-hangs bdii-unfed {_UNSERVED}"),
    _kind("bdii-user", "BDII", ExitCode.PUBLISH, f"bdii-reader bdii-silent bdii-hangs {_UNSERVED}"),
    _kind("bdii-twice", "BDII", ExitCode.PUBLISH),
    _kind("bdii-wrong-folder", "BDII", ExitCode.PUBLISH, f"bdii-unfed {_UNSERVED}"),
    _kind("hook", "BDII", ExitCode.PUBLISH, f"bdii-unfed bdii-reader channel {_UNSERVED}"),
    _kind("hook-tree", "BDII", ExitCode.PUBLISH, _UNSERVED),
    _kind("bdii-unfed", "BDII", ExitCode.PUBLISH, _UNSERVED),
    _kind("bdii-reader", "BDII", ExitCode.PUBLISH, _UNSERVED),
    _kind("bdii-updater", "BDII", ExitCode.PUBLISH, f"bdii-hangs bdii-database {_UNSERVED}"),
    _kind("bdii-silent", "BDII", ExitCode.PUBLISH, f"bdii-hangs {_UNSERVED}"),
    _kind("bdii-database", "BDII", ExitCode.PUBLISH, _UNSERVED),
    _kind("bdii-hangs", "BDII", ExitCode.PUBLISH, _UNSERVED),
    _kind("bdii-without-ours", "BDII", ExitCode.PUBLISH, "bdii-old bdii-partly"),
    _kind("bdii-partly", "BDII", ExitCode.PUBLISH),
    _kind("bdii-old", "BDII", ExitCode.PUBLISH),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _TABLE})

RANK: Mapping[str, int] = MappingProxyType({kind.name: number for number, kind in enumerate(_TABLE)})
"""How far up in the order of causes a kind stands, 0 first."""


def consequences(name: str) -> frozenset[str]:
    """Every kind that follows from a kind, at first, second or any hand."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        new = KINDS[ahead.pop()].explains - found
        found |= new
        ahead += new
    return frozenset(found)
