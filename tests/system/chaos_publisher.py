"""A publisher to be killed: composes a centre whose facts change at random, and delivers it by words on its input.

    python -m tests.system.chaos_publisher CONFIG STEP

STEP is how many changes have happened before. Each line of input is the name of a channel to deliver through, after
one more change; `killed NAME` ends this process without any farewell when the broker has confirmed, before that is
recorded. Each line of output is JSON: what the document is (`composed`), and what became of it (`delivered`).
"""

import hashlib
import json
import os
import random
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from infoprovider.cli import site
from infoprovider.inventory.model import Facet, Images, Usage
from infoprovider.inventory.observation import Observed
from infoprovider.publication.cycle import deliver_one, update
from infoprovider.store.acknowledged import AcknowledgedStore
from infoprovider.store.document import DocumentStore
from infoprovider.store.facets import MemoryFacets
from tests.publication.demo import observations, outcome

NAMES = ("demo-north", "demo-south")


class World:
    """The facts of the centre: the same after so many changes, whoever asks."""

    def __init__(self) -> None:
        self._chance = random.Random(20_26)  # noqa: S311
        self._facts: dict[tuple[str, Facet, str], Any] = {}
        self._first = {
            (name, one.facet, one.part): one.value for name, found in observations().items() for one in found
        }

    def change(self) -> None:
        """Let one to three things become something else."""
        usages = [key for key in self._first if key[1] is Facet.USAGE]
        for key in self._chance.sample(usages, self._chance.randint(1, 3)):
            used: Usage = self._first[key]
            self._facts[key] = replace(used, running=self._chance.randrange(60), waiting=self._chance.randrange(9))
        if self._chance.random() < 0.2:
            key = next(key for key in self._first if key[1] is Facet.IMAGES)
            images: Images = self._first[key]
            some = tuple(image for image in images.images if self._chance.random() < 0.8)
            self._facts[key] = replace(images, images=some)

    def facets(self) -> MemoryFacets:
        """What a collection would have found now."""
        kept = MemoryFacets()
        moment = site.now() - timedelta(seconds=1)
        for (name, facet, part), first in self._first.items():
            value = self._facts.get((name, facet, part), first)
            kept.keep(name, Observed(facet=facet, part=part, value=value, observed_at=moment, calls=()))
        for name in NAMES:
            kept.conclude(name, outcome(moment))
        return kept


def killed(*_: object) -> None:
    """End as a crash does."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(config: Path, step: int) -> None:
    """Do as the lines say."""
    configuration = site.read_configuration(config)
    channels = {channel.name: channel for channel in configuration.channels}
    document = DocumentStore(configuration.state, configuration.public)
    world = World()
    for _ in range(step):
        world.change()
    for line in sys.stdin:
        *words, name = line.split()
        if words:
            AcknowledgedStore.acknowledge = killed  # type: ignore[method-assign]
        world.change()
        current = update(configuration, world.facets(), document, site.now())
        print(json.dumps({"composed": hashlib.sha256(current.renderings["json"]).hexdigest()}), flush=True)
        # The record belongs to the stream, whichever way the messages take.
        channel = replace(channels[name], block=channels[name].block.model_copy(update={"name": "stream"}))
        delivered = deliver_one(channel, configuration, current, site.publisher, lambda _: True)
        said = delivered.receipt.reference if delivered.receipt else None
        print(json.dumps({"delivered": said, "error": str(delivered.error or "")}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
