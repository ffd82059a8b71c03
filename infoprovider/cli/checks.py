"""What `infoprovider check` looks at beyond the words of the file.

No VM manager is asked, and no network is used but to sign in at the brokers of channels.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import TypeAlias

from infoprovider.cli import site
from infoprovider.collection.child import collect
from infoprovider.collection.cycle import collect_all
from infoprovider.config.load import Loaded
from infoprovider.config.model import Channel, Configuration, Instance
from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, Finding, InfoproviderError, StoreError
from infoprovider.files import check_writable, fault
from infoprovider.inventory.freshness import Freshness
from infoprovider.inventory.model import Facet
from infoprovider.publication.chain import LEVELS, PAUSE, Way, ways
from infoprovider.publication.compose import Composition, compose
from infoprovider.publication.cycle import render, trees_of
from infoprovider.publication.stamps import Former
from infoprovider.secret import secrets_in
from infoprovider.store.document import DocumentStore
from infoprovider.store.facets import MemoryFacets

Steps: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Report:
    """What must be mended, and what is only worth knowing."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


def examine(loaded: Loaded) -> Report:
    """Everything that can be known before anything is asked or published."""
    report = Report()
    checking = _Checking(loaded)
    for check in (
        checking.secrets,
        checking.age_at_the_top,
        checking.withheld_between_collections,
        checking.folders,
        checking.channels,
    ):
        report.findings += check()
    unsound: set[str] = set()
    for instance in loaded.configuration.instances:
        mistakes = list(checking.plug_in(instance))
        report.findings += mistakes
        unsound.update({instance.name} if mistakes else ())
    report.findings += checking.trial(unsound)
    report.notes += checking.stale_between_collections()
    report.notes += checking.renamed()
    return report


class _Checking:
    """One configuration, looked at from several sides."""

    def __init__(self, loaded: Loaded) -> None:
        self._configuration = loaded.configuration
        self._finding = loaded.document.finding
        self._specs = {one.name: site.provider(one.block.kind) for one in loaded.configuration.instances}

    def plug_in(self, instance: Instance) -> Iterable[Finding]:
        """What the provider itself says of its settings: mistakes in files that they name."""
        check = self._specs[instance.name].check
        return check(instance.settings) if check is not None else ()

    def secrets(self) -> Iterator[Finding]:
        """Secrets that are not where they should be, or that others can read."""
        blocks: list[tuple[Steps, Instance | Channel]] = [
            *((("instances", index), one) for index, one in enumerate(self._configuration.instances)),
            *((("channels", index), one) for index, one in enumerate(self._configuration.channels)),
        ]
        for steps, block in blocks:
            for way, secret in secrets_in(block.settings):
                try:
                    secret.reveal()
                except ConfigError as error:
                    for one in error.findings:
                        yield self._finding((*steps, "settings", *way), f"{one.file} {one.what}", remedy=one.remedy)

    # --- freshness -------------------------------------------------------------------------------------------------

    def age_at_the_top(self) -> Iterator[Finding]:
        """Settings with which a healthy entity could be past its Validity at the top of a chain of BDIIs."""
        for index, instance in self._measured():
            late: dict[tuple[Steps, int], list[Way]] = {}
            for way in ways(self._configuration, instance, self._specs[instance.name].facets):
                if way.age > way.validity:
                    late.setdefault((self._pace(index, way.facet), way.validity), []).append(way)
            for (steps, _), together in late.items():
                yield self._late(steps, instance, together)

    def _late(self, steps: Steps, instance: Instance, together: list[Way]) -> Finding:
        way = together[0]
        options = {"an every": way.left - way.deadline, "a deadline": way.left - way.every}
        fitting = [f"{name} of at most {most:g}s" for name, most in options.items() if most >= 1]
        return self._finding(
            steps,
            f"{_listed(one.facet for one in together)} of {instance.name}: up to {way.age:g} s old at the top of "
            f"{LEVELS} BDIIs, and valid for {way.validity} s",
            why=f"{way.refresh} s till the stamp moves, {way.every:g} s every, {way.deadline:g} s deadline, "
            f"{LEVELS} times {PAUSE} s in BDIIs",
            remedy=f"write {' or '.join(fitting)}" if fitting else f"shorten both, to {way.left:g}s together",
        )

    def withheld_between_collections(self) -> Iterator[Finding]:
        """Facets that are withheld before they are asked for again."""
        for steps, who, limit, least in self._ends_too_soon(attrgetter("publish_for")):
            what = f"{who}: withheld after {limit:g} s, and told anew only after up to {least:g} s"
            yield self._finding(
                steps, what, remedy=f"write a shorter every, or a publish_for of at least {least:g}s for each"
            )

    def stale_between_collections(self) -> Iterator[Finding]:
        """Facets that count as stale before they are asked for again, although nothing is wrong."""
        for steps, who, limit, least in self._ends_too_soon(attrgetter("fresh_for")):
            what = f"{who}: stale after {limit:g} s, and told anew only after up to {least:g} s"
            yield self._finding(steps, what, remedy=f"a fresh_for of {least:g}s for each would say what is usual here")

    def _ends_too_soon(self, limit: Callable[[Freshness], float]) -> Iterator[tuple[Steps, str, float, float]]:
        """Where a limit of freshness is shorter than the time till a facet is told anew, and whose facets these are."""
        for index, instance in self._measured():
            short: dict[tuple[Steps, float, float], list[Facet]] = {}
            for facet in self._specs[instance.name].facets - set(instance.declared):
                end = limit(self._configuration.freshness_of(facet))
                least = self._configuration.every_of(instance, facet) + instance.block.deadline
                if end < least:
                    short.setdefault((self._pace(index, facet), end, least), []).append(facet)
            for (steps, end, least), facets in sorted(short.items(), key=str):
                yield steps, f"{_listed(facets)} of {instance.name}", end, least

    def _measured(self) -> Iterator[tuple[int, Instance]]:
        """The instances that are asked; a description holds until it is changed."""
        for index, instance in enumerate(self._configuration.instances):
            if self._specs[instance.name].measures:
                yield index, instance

    def _pace(self, index: int, facet: Facet) -> Steps:
        """Where it is written how often a facet is asked for; the deadline where nothing is."""
        if facet in self._configuration.every:
            return ("freshness", str(facet), "every")
        every = self._configuration.instances[index].block.every
        return ("instances", index, "deadline" if every is None else "every")

    # --- where things go -------------------------------------------------------------------------------------------

    def folders(self) -> Iterator[Finding]:
        """Folders of our own that cannot be made or written."""
        for name in ("state", "public"):
            folder = getattr(self._configuration, name)
            try:
                check_writable(_nearest(folder))
            except OSError as error:
                what, remedy = _told(f"cannot write below {_nearest(folder)}: {fault(error)}")
                yield self._finding((name,), what, remedy=remedy)

    def channels(self) -> Iterator[Finding]:
        """Formats that a channel does not take, and channels that could not be served."""
        for index, channel in enumerate(self._configuration.channels):
            spec = site.publisher(channel.block.kind)
            if channel.block.format not in spec.accepts:
                what = f"a channel of kind {spec.kind} does not take {channel.block.format}"
                yield self._finding(
                    ("channels", index, "format"), what, remedy=f"write {_listed(map(str, spec.accepts), 'or')}"
                )
            deadline = Deadline.after(channel.block.deadline)
            try:
                with spec.open(channel.settings, deadline) as publisher:
                    publisher.probe(deadline)
            except InfoproviderError as error:
                what, remedy = _told(str(error))
                yield self._finding(("channels", index, "settings"), what, remedy=remedy)

    def renamed(self) -> Iterator[Finding]:
        """Instances that are new while others have gone: a new name makes new identifiers."""
        store = DocumentStore(self._configuration.state, self._configuration.public)
        try:
            entries = store.read().entries
        except StoreError as error:
            what, remedy = _told(str(error))
            yield self._finding(("state",), what, remedy=remedy)
            return
        before = {source.instance for entry in entries.values() for source in entry.made_of} - {""}
        names = [instance.name for instance in self._configuration.instances]
        gone = sorted(before.difference(names))
        for index, name in enumerate(names):
            if gone and name not in before:
                yield self._finding(
                    ("instances", index, "name"),
                    f"{name} is new, and {_listed(gone)} {'are' if len(gone) > 1 else 'is'} gone",
                    why="another name makes other identifiers of everything in it",
                    remedy="keep the former name where it is the same VM manager",
                )

    # --- what would be published -----------------------------------------------------------------------------------

    def trial(self, unsound: Iterable[str]) -> Iterator[Finding]:
        """What of the described managers would be left out, and templates that cannot be used."""
        described = [
            (index, instance)
            for index, instance in enumerate(self._configuration.instances)
            if not self._specs[instance.name].measures and instance.name not in unsound
        ]
        try:
            for index, instance in described:
                composition = self._composed([instance])
                yield from self._left_out(index, composition)
            whole = self._composed([instance for _, instance in described])
        except InfoproviderError as error:
            what, remedy = _told(str(error))
            yield self._finding((), what, remedy=remedy)
            return
        yield from self._unusable_templates(whole)

    def _composed(self, instances: list[Instance]) -> Composition:
        """What these described instances alone would be: reading a file asks no manager."""
        configuration: Configuration = replace(self._configuration, instances=tuple(instances))
        facets = MemoryFacets()
        collect_all(
            configuration,
            site.provider,
            lambda instance, spec, _: spec.facets - frozenset(instance.declared),
            facets,
            collect,
            site.clock,
        )
        return compose(configuration, facets, Former(), site.now())

    def _left_out(self, index: int, composition: Composition) -> Iterator[Finding]:
        causes: dict[tuple[str, str, str], list[str]] = {}
        document = composition.document
        for how, found in (("withheld", document.withheld), ("left out", document.quarantined)):
            for one in found:
                causes.setdefault((one.entity, how, one.why), []).append(one.id)
        for (entity, how, why), ids in causes.items():
            what, remedy = _told(why)
            first = ids[0] if len(ids) == 1 else f"{len(ids)} of them, the first {ids[0]}"
            yield self._finding(("instances", index), f"{entity} is {how} ({first}): {what}", remedy=remedy)

    def _unusable_templates(self, composition: Composition) -> Iterator[Finding]:
        positions = {channel.name: index for index, channel in enumerate(self._configuration.channels)}
        for tree in trees_of(self._configuration.channels):
            steps: Steps = ("channels", positions[tree.channel], "templates") if tree.channel else ()
            try:
                found = render(composition, tree, self._configuration.publication.boolean_case).quarantined
            except InfoproviderError as error:
                what, remedy = _told(str(error))
                yield self._finding(steps, what, remedy=remedy)
                continue
            for one in found:
                what, remedy = _told(one.why)
                yield self._finding(steps, f"{one.entity} {one.id} is left out: {what}", remedy=remedy)


def _nearest(folder: Path) -> Path:
    """The folder itself, or the one above it that is there already."""
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)


def _told(message: str) -> tuple[str, str]:
    """What an error saw, and what it says is to be done."""
    what, _, remedy = message.partition("; ")
    return what, remedy or "mend this first"


def _listed(words: Iterable[str], last: str = "and") -> str:
    *several, one = sorted(words)
    return f"{', '.join(several)} {last} {one}" if several else one
