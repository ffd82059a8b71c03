"""A provider from outside the package, which does in a collection's process what its settings say."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from infoprovider.inventory.model import Capacity, Facet, Images
from infoprovider.providers.contract import Answer, CollectContext, NotOffered, Observed, ProviderSpec
from infoprovider.secret import Secret
from infoprovider.settings import Duration, FilePath, Settings


class FakeSettings(Settings):
    """What the provider does after its first answer, and things that have to arrive as they were sent."""

    way: str = "well"
    password: Secret | None = None
    file: FilePath | None = None
    pause: Duration = 60.0


def collect(settings: FakeSettings, context: CollectContext) -> Iterator[Answer]:
    """The capacity, then what the settings say."""
    now = context.now()
    yield Observed(facet=Facet.CAPACITY, value=Capacity(vcpus=4), observed_at=now)
    match settings.way:
        case "well" | "waits for threads":
            yield Observed(facet=Facet.IMAGES, value=Images(images=()), observed_at=now)
        case "tells":  # what it was given, and how it may be seen from outside
            assert settings.password is not None
            given = (settings.password.reveal()[::-1], str(settings.file), f"{settings.pause:g}", *sorted(os.environ))
            yield NotOffered(facet=Facet.IMAGES, reason=" ".join(given))
            time.sleep(settings.pause)
        case "prints":
            print("a library that prints")
            os.write(1, b"past Python, too\n")
            subprocess.run([sys.executable, "-I", "-S", "-c", "print('a program that prints')"], check=True)
            logging.getLogger("library").warning("a library that warns")
            context.log.info("an answer is coming")
            yield Observed(facet=Facet.IMAGES, value=Images(images=()), observed_at=now)
        case "hangs":
            assert settings.file is not None
            try:
                time.sleep(settings.pause)
            finally:
                settings.file.write_text("the session is closed")
        case "dies":
            os._exit(7)
        case "ends":
            sys.exit("a library that ends the program")
    if settings.way == "waits for threads":
        threading.Thread(target=time.sleep, args=(60,)).start()


SPEC = ProviderSpec(
    kind="fake", settings=FakeSettings, facets=frozenset({Facet.CAPACITY, Facet.IMAGES}), collect=collect
)
