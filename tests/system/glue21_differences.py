"""What differs between two GLUE 2.1 documents of one cloud, whoever wrote them and whatever they call their objects."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Json = Any
Object = dict[str, Json]
Objects = dict[str, dict[str, Object]]
"""Array → what an object is about → the object."""

ONLY_ONE = ("CloudComputingService", "CloudComputingManager", "CloudComputingEndpoint", "AccessPolicy")
"""Arrays of which a cloud with one way in has one object."""


def differences(theirs: Mapping[str, Json], ours: Mapping[str, Json]) -> dict[tuple[str, str], set[str]]:
    """Array and key → how they differ there: `theirs`, `ours` (only one has it), `differs` (both, with other values).

    A key in `OtherInfo` or `Associations` has that before it; the key of a whole object is empty.
    """
    left, right = about(theirs), about(ours)
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for array in left.keys() | right.keys():
        one, other = left.get(array, {}), right.get(array, {})
        for name in one.keys() | other.keys():
            if name not in one or name not in other:
                found[array, ""].add("theirs" if name in one else "ours")
                continue
            a, b = one[name], other[name]
            for key in a.keys() | b.keys():
                if key not in a or key not in b:
                    found[array, key].add("theirs" if key in a else "ours")
                elif a[key] != b[key]:
                    found[array, key].add("differs")
    return dict(found)


def about(document: Mapping[str, Json]) -> Objects:
    """Each object by what it is about, its keys flat; what refers to others says what those are about."""
    names = {
        (array, one["ID"]): _subject(array, one, document) for array, objects in document.items() for one in objects
    }
    found: Objects = {}
    for array, objects in document.items():
        known = found.setdefault(array, {})
        for one in objects:
            flat = dict(_flat(one, names))
            earlier = known.setdefault(names[array, one["ID"]], flat)
            for key, value in flat.items():
                # cloud-info-provider writes an image once for each share: together they say through which it is had.
                if key.startswith("Associations.") and key in earlier:
                    earlier[key] = sorted({*earlier[key], *value})
    return found


def _subject(array: str, one: Object, document: Mapping[str, Json]) -> str:
    if array in ONLY_ONE:
        return ""
    if array == "Share":
        return str(one["ProjectID"])
    if array == "MappingPolicy":
        [share] = [share for share in document["Share"] if share["ID"] in one["Associations"]["Share"]]
        return str(share["ProjectID"])
    return str(one["ID"])


def _flat(one: Object, names: Mapping[tuple[str, str], str]) -> Iterator[tuple[str, Json]]:
    for key, value in one.items():
        if key == "OtherInfo":
            yield from ((f"OtherInfo.{inner}", said) for inner, said in value.items())
        elif key == "Associations":
            for target, ids in value.items():
                yield f"Associations.{target}", sorted(names.get((target, id_), id_) for id_ in ids)
        else:
            yield key, value
