"""A centre that is kept in a folder: one manager that is measured, two channels, and what became of all that."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from infoprovider.clock import Clock, Reading
from infoprovider.config.model import Channel, ChannelBlock, Community, Configuration, ProjectMapping
from infoprovider.glue.document import Made, Quarantined, Source, Withheld, close
from infoprovider.glue.entities import AdminDomain, UserDomain
from infoprovider.inventory.model import Facet, Images
from infoprovider.inventory.observation import Attempt, Observed, Outcome, Problem
from infoprovider.publishers.bdii import BdiiSettings
from infoprovider.store.deliveries import DeliveryStore
from infoprovider.store.document import DocumentStore
from infoprovider.store.snapshots import SnapshotStore
from tests.mapping.example import usage
from tests.publication.demo import LOADED, NOON, configuration

MANAGER = "demo-north"
NAMED, UNNAMED = "p-named", "secret-project-of-nobody"


class Clocks(Clock):
    """Both clocks, which go on by hand."""

    def __init__(self) -> None:
        self.reading = Reading(NOON, 100_000.0, "boot")

    def read(self) -> Reading:
        """The moment that was set."""
        return self.reading

    def ago(self, seconds: float) -> Reading:
        """A moment so many seconds before."""
        return self.reading.after(-seconds)


class Kept:
    """The centre's folders, filled step by step; ages in seconds."""

    def __init__(self, folder: Path) -> None:
        settings = BdiiSettings(folder=folder, file="infoprovider.ldif")
        community = Community(name="vo.bio", projects=(ProjectMapping(instance=MANAGER, project=NAMED),))
        self.clock = Clocks()
        self.configuration: Configuration = replace(
            configuration(),
            instances=(replace(configuration().instances[0], declared={}),),
            communities=(community,),
            channels=tuple(
                Channel(block=ChannelBlock(name=name, kind="bdii"), settings=settings) for name in ("bdii", "broker")
            ),
            freshness={},
            state=folder / "state",
            public=folder / "public",
            loaded_at=LOADED,
        )
        self.state = self.configuration.state
        self.deliveries = DeliveryStore(self.state)

    def observe(self, age: float, facet: Facet = Facet.IMAGES, part: str = "") -> None:
        """A part was observed so long ago."""
        value = usage(part) if facet is Facet.USAGE else Images(images=())
        observed = Observed(facet=facet, part=part, value=value, observed_at=NOON - timedelta(seconds=age))
        SnapshotStore(self.state, self.clock).keep(MANAGER, observed)

    def attempt(
        self, *failed: Problem, not_offered: tuple[Problem, ...] = (), answered: int = 1, age: float = 0
    ) -> Outcome:
        """The last attempt at images ended so long ago, and this failed; an earlier one at prices went well."""
        outcome = Outcome(
            measured=True,
            attempts=(
                Attempt(
                    facet=Facet.IMAGES,
                    at=self.clock.ago(age),
                    answered=answered,
                    failed=failed,
                    not_offered=not_offered,
                ),
                Attempt(facet=Facet.PRICES, at=self.clock.ago(age + 600), answered=1),
            ),
        )
        SnapshotStore(self.state, self.clock).conclude(MANAGER, outcome)
        return outcome

    def compose(self, age: float, *, withheld: int = 0, quarantined: int = 0, **unchanged: str) -> None:
        """A document of two entries was composed so long ago, but of these trees, each for its reason."""
        at = NOON - timedelta(seconds=age)
        source = (Source(facet="configuration", observed_at=LOADED),)
        domains = (AdminDomain(id="RC-ONE", creation_time=at), UserDomain(id="vo.bio", creation_time=at))
        document = close(
            (Made(domain, source) for domain in domains),
            [Withheld("ComputingShare", f"share-{number}", "it lacks its services") for number in range(withheld)],
        )
        document = replace(
            document,
            quarantined=tuple(
                Quarantined("ApplicationEnvironment", f"image-{number}", "too long") for number in range(quarantined)
            ),
        )
        store = DocumentStore(self.state, self.configuration.public)
        digests = {one.id: "d" for one in domains}
        store.keep(document, digests, {"resource": b""}, at, at + timedelta(hours=6), unchanged)

    def deliver(self, age: float, *channels: str) -> None:
        """These channels, or all, took a document so long ago."""
        for name in channels or ("bdii", "broker"):
            self.deliveries.succeeded(name, self.clock.ago(age), "accepted", "the file")

    def settle(self) -> None:
        """All is well: observed, composed and delivered just now."""
        self.observe(60)
        self.attempt()
        self.compose(30)
        self.deliver(20)
