"""The names of a centre's entries: as it publishes them, and as a top-level index has them."""

from collections.abc import Iterable, Mapping

from infoprovider import ldif
from infoprovider.errors import Refused

PUBLISHED, SERVED = ",o=glue", ",GLUE2GroupID=grid,o=glue"
"""The ends of a centre's names in the text that it publishes, and in a top-level index."""


def root_of(centre: str) -> str:
    """The relative name of a centre's first entry. Raises RenderError for a name that none can have."""
    return ldif.rdn("GLUE2DomainID", centre)


def served(dn: str) -> str:
    """A name of the published text, as a top-level index has it."""
    return dn.removesuffix(PUBLISHED) + SERVED


def published(dn: str) -> str:
    """A name of a top-level index, as the published text would have it."""
    return dn.removesuffix(SERVED) + PUBLISHED


def fold(dn: str) -> str:
    """A name as one compares it: blanks beside separators, escapes and the case of attributes mean nothing."""
    return ",".join(f"{attribute.lower()}={value!r}" for attribute, value in ldif.split_dn(dn))


def check_shape(centre: str, names: Iterable[str]) -> None:
    """Raises Refused where these are not the names of a centre's tree."""
    root = root_of(centre) + PUBLISHED
    below = f",{root}"
    strange = next((dn for dn in names if not dn.endswith(below) and dn != root), None)
    if strange is not None:
        raise Refused(
            f"the tree of {centre} cannot be served: {strange} is not below {root}; "
            "let the centre publish JSON, or LDIF of the template set site"
        )


def all_served(centre: str, entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """The entries under the names of a top-level index; those outside of the centre's tree keep theirs."""
    return _renamed(entries, root_of(centre), PUBLISHED, SERVED)


def all_published(centre: str, entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """The opposite."""
    return _renamed(entries, root_of(centre), SERVED, PUBLISHED)


def _renamed(entries: Mapping[str, bytes], root: str, former: str, new: str) -> dict[str, bytes]:
    whole, below = f"{root}{former}", f",{root}{former}"
    cut, end = len(former), new.encode()
    found = {}
    for dn, text in entries.items():
        if dn.endswith(below) or dn == whole:
            head = len(b"dn: ") + len(dn.encode())
            found[dn[:-cut] + new] = text[: head - cut] + end + text[head:]
        else:
            found[dn] = text
    return found
