"""Trees of a centre, of any shape, as tests give them to a server."""

from collections.abc import Iterable

from hypothesis import strategies as st

from infoprovider import ldif

CENTRE = "RC-ONE"
ROOT = f"GLUE2DomainID={CENTRE},o=glue"

_CLASSES = {
    "GLUE2Group": "GLUE2GroupID",
    "GLUE2UserDomain": "GLUE2DomainID",
    "GLUE2AdminDomain": "GLUE2DomainID",
}


def entry(dn: str, *lines: str, classes: Iterable[str] = ("GLUE2Group",)) -> bytes:
    """The lines of an entry; its naming attribute is added."""
    name = dn.partition("=")[0]
    [(_, value), *_] = ldif.split_dn(dn)
    head = [f"dn: {dn}", *(f"objectClass: {one}" for one in classes), ldif.line(name, value)]
    return "\n".join([*head, *lines]).encode()


def domain(*lines: str, centre: str = CENTRE) -> bytes:
    """A centre's first entry."""
    return entry(f"GLUE2DomainID={centre},o=glue", *lines, classes=("GLUE2Domain", "GLUE2AdminDomain"))


def node(dn: str, kind: str, words: Iterable[str]) -> bytes:
    """An entry of one of the classes; only domains can say anything."""
    if kind == "GLUE2Group":
        return entry(dn)
    lines = [ldif.line("GLUE2EntityOtherInfo", word) for word in ldif.safe_values(words)]
    return entry(dn, *lines, classes=("GLUE2Entity", "GLUE2Domain", kind))


_VALUES = st.lists(st.text(max_size=8), max_size=3)
_NAMES = st.sampled_from(["a", "b", "c d", "e,f", "g=h", "i+j", "K"])
_NODES = st.tuples(st.integers(0, 99), _NAMES, st.sampled_from(sorted(_CLASSES)), _VALUES)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, bytes]:
    """Entries of a centre: no tree at all, or one of up to a dozen entries, each below an earlier one."""
    if draw(st.integers(0, 9)) == 0:
        return {}
    found = {ROOT: domain(*(ldif.line("GLUE2EntityOtherInfo", one) for one in ldif.safe_values(draw(_VALUES))))}
    for above, name, kind, words in draw(st.lists(_NODES, max_size=12)):
        dn = f"{ldif.rdn(_CLASSES[kind], name)},{list(found)[above % len(found)]}"
        found[dn] = node(dn, kind, words)
    return found
