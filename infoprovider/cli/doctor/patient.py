"""What the doctor looks at: a configuration, what is kept of its centre, and the machine around it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from infoprovider.cli.doctor.diagnosis import Finding
from infoprovider.config.load import Loaded
from infoprovider.config.model import Configuration
from infoprovider.store.document import DocumentStore
from infoprovider.views.overview import Overview


@dataclass(frozen=True, slots=True)
class Patient:
    """A centre and its machine; `root` is where the machine's own files are found, `path` the configuration's file.

    `notes` gathers what is worth knowing and is no fault.
    """

    path: Path
    loaded: Loaded
    overview: Overview
    root: Path = Path("/")
    notes: list[str] = field(default_factory=list)

    @property
    def configuration(self) -> Configuration:
        """The operator's configuration."""
        return self.loaded.configuration

    @property
    def documents(self) -> DocumentStore:
        """Where the document is kept."""
        return DocumentStore(self.configuration.state, self.configuration.public)

    def below_root(self, path: str) -> Path:
        """A path of the machine's own."""
        return self.root / path.lstrip("/")


Findings = Iterator[Finding]


def instance(name: str) -> frozenset[str]:
    """What a finding about one instance is about."""
    return frozenset({f"instance {name}"})


def channel(name: str) -> frozenset[str]:
    """What a finding about one channel is about."""
    return frozenset({f"channel {name}"})


def told(message: str, usual: str) -> tuple[str, str]:
    """What an error saw, and what it says is to be done; what is usual where it says nothing."""
    what, _, remedy = message.partition("; ")
    return what, remedy or usual
