"""What channels hand out that is no LDIF: the whole document, in formats of their own."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from infoprovider.config.model import Channel
from infoprovider.glue.entities import Entity
from infoprovider.publishers.contract import Format


def formats_of(channels: Iterable[Channel]) -> tuple[Format, ...]:
    """The formats beside LDIF that channels hand out, each once."""
    wanted = dict.fromkeys(Format(channel.block.format) for channel in channels)
    return tuple(format_ for format_ in wanted if format_ is not Format.LDIF)


def render_format(entities: Sequence[Entity], format_: Format) -> bytes:
    """The entities of a document in a format beside LDIF; XML is held against its schema.

    Raises ValidationFailed where the schema refuses it.
    """
    return _RENDERERS[format_](entities)


def _xml(entities: Sequence[Entity]) -> bytes:
    # Where nobody wants XML, its library is not loaded.
    from infoprovider.render.xml import render_xml
    from infoprovider.validation.xsd import check_xml

    body = render_xml(entities)
    check_xml(body)
    return body


def _json(entities: Sequence[Entity]) -> bytes:
    from infoprovider.render.json import render_json

    return render_json(entities)


def _glue21(entities: Sequence[Entity]) -> bytes:
    from infoprovider.render.glue21 import render_glue21

    return render_glue21(entities)


_RENDERERS: Mapping[Format, Callable[[Sequence[Entity]], bytes]] = {
    Format.XML: _xml,
    Format.JSON: _json,
    Format.GLUE21: _glue21,
}
