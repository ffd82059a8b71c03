"""What can be validated: the current rendering, a file of anybody in LDIF, XML or JSON, a live LDAP server or BDII."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from infoprovider import ldif
from infoprovider.cli import site
from infoprovider.config.model import Configuration
from infoprovider.errors import QueryError
from infoprovider.files import fault
from infoprovider.glue.entities import Entity, Entry
from infoprovider.glue.names import attributes_of, object_classes_of
from infoprovider.publication.cycle import trees_of
from infoprovider.publication.formats import formats_of
from infoprovider.publishers.contract import Format
from infoprovider.query.entities import to_entity
from infoprovider.query.json_entities import read_json
from infoprovider.query.ldap import Server, read_server
from infoprovider.query.lenient import read_ldif
from infoprovider.query.xml_entities import read_xml
from infoprovider.store.document import DocumentStore
from infoprovider.validation.engine import is_root

STANDARD_INPUT = Path("-")
MOST_BYTES = 2**29
"""What is read of a file that must be held whole: XML of 100,000 entities is a quarter of it."""
_PIECE = 2**20
_CONFIGURATION = frozenset({".yaml", ".yml"})


Entities: TypeAlias = Callable[[], Sequence[Entry]]
Reader: TypeAlias = Callable[[bytes], Sequence[Entity]]

_WHOLE: Mapping[bytes, Reader] = {b"<": read_xml, b"{": read_json}
"""By their first character, the formats that are read whole or not at all."""
_PLAIN: Mapping[Format, Reader] = {Format.XML: read_xml, Format.JSON: read_json}
"""The formats of GLUE 2.0 in which we publish the whole document."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something to validate: how it is called, its entries as they stand, and as entities where it can be compared.

    Both raise QueryError where the source cannot be read. `is_part` says that it may leave entities out, as a tree of
    templates may.
    """

    name: str
    read: Callable[[], Iterable[ldif.Located | ldif.Unreadable]]
    entities: Entities | None = None
    is_part: bool = False


def sources_of(path: Path) -> list[Source]:
    """What a path stands for: a configuration for what it publishes, any other file for itself.

    Raises ConfigError, StoreError, or QueryError where a file cannot be opened.
    """
    if is_configuration(path):
        return _published(path)
    name = "standard input" if path == STANDARD_INPUT else str(path)
    reader = _WHOLE.get(_beginning(path))
    if reader is not None:
        return [Source(name, lambda: _from_whole(lambda: _whole(path), reader), lambda: reader(_whole(path)))]
    return [Source(name, lambda: _from_ldif(path), lambda: _entities(_whole(path)))]


def is_configuration(path: Path) -> bool:
    """Whether a path stands for a configuration."""
    return path.suffix.lower() in _CONFIGURATION


def live(server: Server) -> Source:
    """A live server; it is asked once, and so not compared."""
    return Source(str(server), lambda: read_server(server))


def _published(path: Path) -> list[Source]:
    configuration = site.read_configuration(path)
    return [rendering(configuration, name) for name in renderings_of(configuration)]


def renderings_of(configuration: Configuration) -> list[str]:
    """The names of what a configuration publishes and can be read back: its trees, XML and JSON of GLUE 2.0."""
    trees = [tree.name for tree in trees_of(configuration.channels)]
    return trees + [name for name in formats_of(configuration.channels) if name in _PLAIN]


def rendering(configuration: Configuration, name: str) -> Source:
    """One of them as it stands now. Raises StoreError where there is none yet."""
    store = DocumentStore(configuration.state, configuration.public)
    return _document(store, Format(name)) if name in _PLAIN else _tree(store, name)


def _tree(store: DocumentStore, name: str) -> Source:
    body = store.rendering(name)
    path = str(store.rendering_path(name))
    return Source(path, lambda: read_ldif(io.BytesIO(body)), lambda: _entities(body), is_part=True)


def _document(store: DocumentStore, name: Format) -> Source:
    body, reader = store.rendering(name), _PLAIN[name]
    path = str(store.rendering_path(name))
    return Source(path, lambda: _from_whole(lambda: body, reader), lambda: reader(body))


def _entities(body: bytes) -> tuple[Entry, ...]:
    """All of LDIF but the root of the tree."""
    return tuple(to_entity(one.dn, one.attributes) for one in ldif.read(body) if not is_root(one))


def _from_ldif(path: Path) -> Iterator[ldif.Located | ldif.Unreadable]:
    with closing(_opened(path)) as stream:
        yield from read_ldif(stream)


def _from_whole(body: Callable[[], bytes], reader: Reader) -> Iterator[ldif.Located | ldif.Unreadable]:
    """Entities as the records that LDAP would have of them, without a place in a tree."""
    try:
        entities = reader(body())
    except QueryError as error:
        yield ldif.Unreadable(0, str(error))
        return
    for entity in entities:
        yield ldif.Located(0, record_of(entity))


def record_of(entity: Entity) -> ldif.Record:
    """An entity as LDAP would have it, in no tree."""
    attributes = {"objectClass": list(object_classes_of(type(entity)))}
    for attribute in attributes_of(type(entity)):
        value = getattr(entity, attribute.field)
        values = value if attribute.multiple else () if value is None else (value,)
        if values and attribute.ldap:
            attributes[attribute.ldap] = [ldif.text(one) for one in values]
    return ldif.Record("", attributes)


def _beginning(path: Path) -> bytes:
    """The first character of a file, by which formats are told apart; standard input is LDIF."""
    if path == STANDARD_INPUT:
        return b""
    with closing(_opened(path)) as stream:
        return stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]


def _opened(path: Path) -> BinaryIO:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise QueryError(f"cannot read {path}: {fault(error)}; correct the name or the rights") from error


def _whole(path: Path) -> bytes:
    too_much = QueryError(f"{path} has more than {MOST_BYTES} bytes, which no centre needs; look at what it is")
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise too_much
    body = bytearray()
    with closing(_opened(path)) as stream:
        while piece := stream.read(_PIECE):
            body += piece
            if len(body) > MOST_BYTES:
                raise too_much
    return bytes(body)
