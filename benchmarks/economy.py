"""What a delta costs beside the snapshot: bytes as they are sent, and the time to make it.

    python benchmarks/economy.py [--entities 100903] [--changed 8251] [--short]

A large federation has about 100,903 entries, of which 8,251 change in six minutes; here they are uniformly drawn from
a synthetic centre of that size, each with a newer stamp and another number. The delta's share is what the changed
entities would take of the compressed snapshot. The time to make a delta is from the rendering to compressed parts: all
units are cut out, recognised and compared. The peer compresses the changed entities in one piece, and nothing else.

Ends with 1 where a goal is missed, or where the delta does not make the former document the new one.
"""

import argparse
import gzip
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import synthetic
from infoprovider.glue.entities import Entity
from infoprovider.messaging.amendments import amended
from infoprovider.messaging.content import LEVEL, Content, in_parts, packed, unpacked
from infoprovider.messaging.envelope import Compression
from infoprovider.messaging.stream_settings import StreamSettings
from infoprovider.messaging.units import ContentType, Units, digests_of, units_of
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.publication.stream import next_revision
from infoprovider.render.json import render_json
from infoprovider.render.ldif import LdifRenderer
from infoprovider.store.acknowledged import StreamRecord

MOST_OF_ITS_SHARE = 1.3
MOST_SECONDS = 1.0
LATER = timedelta(minutes=6)

T = TypeVar("T")


def changed(entity: Entity, number: int) -> Entity:
    """The entity six minutes later: a newer stamp, and one more fact that is a number."""
    then = entity.creation_time or synthetic.NOW
    return replace(entity, creation_time=then + LATER, other_info=(*entity.other_info, f"Changed={number}"))


def drawn(entities: tuple[Entity, ...], count: int) -> tuple[Entity, ...]:
    """The entities with so many of them changed, uniformly drawn."""
    chosen = set(random.Random(7).sample(range(len(entities)), count))
    return tuple(changed(one, place) if place in chosen else one for place, one in enumerate(entities))


def rendered(entities: tuple[Entity, ...], content_type: ContentType) -> bytes:
    """The document in the format of a stream."""
    if content_type is ContentType.JSON:
        return render_json(entities)
    return LdifRenderer("resource").render(SimpleNamespace(entities=entities))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """The fastest of three attempts, in seconds of the processor."""
    times = []
    for _ in range(3):
        began = time.process_time()
        result = work()
        times.append(time.process_time() - began)
    return min(times), result


def made(record: StreamRecord, base: Units, body: bytes, content_type: ContentType) -> tuple[Content, list[bytes]]:
    """A delta from a rendering: what it carries, and its compressed parts."""

    def base_units(keys: Iterable[str]) -> Units:
        return {key: base[key] for key in keys}

    revision = next_revision(record, units_of(body, content_type), content_type, base_units, whole=False)
    if revision is None:
        raise RuntimeError("nothing has changed")
    parts = in_parts(revision.content, StreamSettings().part_bytes)
    return revision.content, [packed(part, content_type) for part in parts]


def leads_there(before: Units, after: Units, parts: list[bytes], content_type: ContentType) -> bool:
    """Whether the parts make of the units of before those of after."""
    units = dict(before)
    for part in parts:
        content = unpacked(part, content_type, Compression.GZIP, 2**30)
        units.update(content.present)
        units |= {key: amended(units.get(key), unit, content_type) for key, unit in content.amended.items()}
        for key in content.removed:
            del units[key]
    return units == dict(after)


def measure(entities: tuple[Entity, ...], count: int, content_type: ContentType, most_seconds: float) -> bool:
    """One row of the table; whether its goals are held."""
    before = rendered(entities, content_type)
    after = rendered(drawn(entities, count), content_type)
    units = units_of(before, content_type)
    record = StreamRecord(stream="a" * 32, epoch=1, base=1, revision=1, digests=digests_of(units))
    newer = units_of(after, content_type)
    snapshot = sum(len(packed(one, content_type)) for one in in_parts(Content(newer), StreamSettings().part_bytes))
    seconds, (content, parts) = timed(lambda: made(record, units, after, content_type))
    delta = sum(map(len, parts))
    touched = [newer[key] for key in (*content.present, *content.amended)]
    share = snapshot * sum(map(len, touched)) / sum(map(len, newer.values()))
    alone, _ = timed(lambda: gzip.compress(b"\n".join(touched), LEVEL))
    held = delta <= MOST_OF_ITS_SHARE * share and seconds <= most_seconds
    held = held and leads_there(units, newer, parts, content_type)
    print(
        f"| {content_type} | {len(newer):,} | {len(touched):,} | {snapshot / 1e6:.2f} "
        f"| {delta / 1e6:.3f} | {delta / share:.2f} | {seconds:.2f} | {seconds / alone:.1f} "
        f"| {'held' if held else 'MISSED'} |",
        flush=True,
    )
    return held


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entities", type=int, default=100_903)
    parser.add_argument("--changed", type=int, default=8_251)
    parser.add_argument("--short", action="store_true", help="a fifth of it")
    given = parser.parse_args()
    size, count = (given.entities // 5, given.changed // 5) if given.short else (given.entities, given.changed)
    configuration, facets = synthetic.centre(size)
    entities = compose(configuration, facets, Former(), synthetic.NOW).document.entities
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; CPU time of one core")
    print(f"goals: a delta of at most {MOST_OF_ITS_SHARE} x its share, made in at most {MOST_SECONDS} s\n")
    print("| | units | touched | snapshot MB | delta MB | x its share | s to make | x compressing alone | |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    # A short run has its share of the time, and some more for what is no work of its own.
    most_seconds = MOST_SECONDS * (0.4 if given.short else 1.0)
    held = [measure(entities, count, one, most_seconds) for one in ContentType]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
