r"""How a document of GLUE 2.0 JSON is laid out: by class, one line for each entity.

    {
    "ComputingShare": [
    {"ID":"urn:…",…},
    {"ID":"urn:…",…}
    ]
    }

So one entity can be found, compared and replaced without reading the others.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from infoprovider.glue.names import ENTITY_CLASSES

CLASS_ORDER = {name: position for position, name in enumerate(ENTITY_CLASSES)}
"""Where a class stands in a document."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def as_text(plain: object) -> str:
    r"""JSON in one line, without needless blanks, that can be encoded as UTF-8: a lone surrogate is spelt `\uD83D`."""
    line = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return line if line.isascii() else _SURROGATE.sub(lambda match: f"\\\\u{ord(match[0]):04X}", line)


def laid_out(lines: Iterable[tuple[str, bytes]]) -> bytes:
    """The document of these lines, each with its class; those of one class stand together."""
    classes = []
    for name, members in groupby(lines, key=itemgetter(0)):
        classes.append(b'"%s": [\n%s\n]' % (name.encode(), b",\n".join(line for _, line in members)))
    return b"{\n" + b",\n".join(classes) + b"\n}\n" if classes else b"{\n}\n"


def lines_of(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Every line of a document of our own, with its class; what others wrote must be parsed."""
    name = ""
    for line in body.split(b"\n"):
        if line.startswith(b'{"'):
            yield name, line.removesuffix(b",")
        elif line.startswith(b'"'):
            name = line[1 : line.index(b'"', 1)].decode()
