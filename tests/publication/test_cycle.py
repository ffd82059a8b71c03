"""The current document rendered, proven, kept and delivered: each step whole, or the former one stays."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infoprovider.config.model import Channel, ChannelBlock, Configuration, TemplateSet
from infoprovider.deadline import Deadline
from infoprovider.errors import PluginError, Refused, RenderError, StoreError
from infoprovider.glue.document import Made, Quarantined
from infoprovider.glue.entities import ApplicationEnvironment
from infoprovider.inventory.model import Facet, Image
from infoprovider.inventory.observation import Observed, Outcome
from infoprovider.ldif import read
from infoprovider.mapping import application, endpoint
from infoprovider.mapping.context import InstanceFacts
from infoprovider.publication.changes import Changes
from infoprovider.publication.cycle import Tree, deliver_all, tree_of, trees_of, update
from infoprovider.publishers.contract import AnyChannelSpec, Delivery, Format, PublisherSpec, Receipt, Rendering
from infoprovider.query.json_entities import read_json
from infoprovider.query.xml_entities import read_xml
from infoprovider.settings import Settings
from infoprovider.store.document import DocumentStore
from infoprovider.store.facets import MemoryFacets
from tests.publication.demo import NOON, OBSERVED, changing, configuration, facets


class NoSettings(Settings):
    """A channel that needs none."""


class Taken:
    """A publisher that keeps what it is given, or refuses it."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.renderings: list[Rendering] = []
        self.refusal = refusal

    def probe(self, _deadline: Deadline, /) -> None:
        """Always possible."""

    def former(self, _deadline: Deadline, /) -> bytes | None:
        """Nothing is known of what it handed out."""
        return None

    def publish(self, rendering: Rendering, _deadline: Deadline, /) -> Receipt:
        """Keep the rendering."""
        if self.refusal is not None:
            raise self.refusal
        self.renderings.append(rendering)
        return Receipt(delivery=Delivery.ACCEPTED, at=NOON, reference="here")

    @property
    def spec(self) -> AnyChannelSpec:
        """What would be registered."""

        @contextmanager
        def opened(_settings: NoSettings, _deadline: Deadline, /) -> Iterator["Taken"]:
            yield self

        return PublisherSpec(kind="taken", settings=NoSettings, accepts=frozenset(Format), open=opened)


def channel(name: str, **about: object) -> Channel:
    """A channel of a kind that is called as itself."""
    return Channel(block=ChannelBlock(name=name, kind=name, **about), settings=NoSettings())  # type: ignore[arg-type]


def of(*channels: Channel) -> Configuration:
    """The demonstration centre with these channels."""
    return replace(configuration(), channels=channels)


@pytest.fixture
def store(tmp_path: Path) -> DocumentStore:
    """An empty store."""
    return DocumentStore(tmp_path / "state", tmp_path / "public")


def stamps(store: DocumentStore) -> dict[str, datetime]:
    """What is remembered of the published stamps."""
    return {id_: entry.creation_time for id_, entry in store.read().entries.items()}


def test_every_tree_that_somebody_hands_out_is_rendered_once(tmp_path: Path) -> None:
    """`resource` always, because views and the hook read it; a channel with templates of its own has its own tree."""
    channels = [
        channel("a"),
        channel("b", template_set=TemplateSet.SITE),
        channel("c", template_set=TemplateSet.SITE),
        channel("d", template_set=TemplateSet.SITE, templates=tmp_path),
    ]
    assert [tree.name for tree in trees_of(channels)] == ["resource", "site", "site.d"]
    assert [tree.name for tree in trees_of([])] == ["resource"]
    assert tree_of(channels[3].block) == Tree(TemplateSet.SITE, tmp_path, "d")


def test_the_document_is_kept_with_its_renderings(store: DocumentStore) -> None:
    """Both sets that are handed out, and the stamp and digest of every entity."""
    current = update(of(channel("a", template_set=TemplateSet.SITE)), facets(), store, NOON)
    assert set(current.renderings) == {"resource", "site"}
    for name, body in current.renderings.items():
        assert store.rendering(name) == body
    assert set(stamps(store)) == set(current.composition.document.by_id)
    assert len(list(read(store.rendering("site")))) == len(stamps(store)) + 1  # the group


def test_a_format_is_rendered_where_a_channel_hands_it_out(store: DocumentStore) -> None:
    """Each in a file of its own that goes when nobody wants it any more; the channel gets its bytes and their name."""
    taken = {name: Taken() for name in ("xml", "json", "glue21")}
    centre = of(*(channel(name, format=name) for name in taken))
    current = update(centre, facets(), store, NOON)
    assert set(current.renderings) == {"resource", "xml", "json", "glue21"}
    deliver_all(centre, current, lambda kind: taken[kind].spec, lambda _: False)
    for name, file in (("xml", "current.xml"), ("json", "current.json"), ("glue21", "current.glue21.json")):
        [handed_out] = taken[name].renderings
        assert (handed_out.format, handed_out.body) == (Format(name), store.rendering(name))
        assert store.rendering_path(name).name == file
    entities = {one.id: one for one in current.composition.document.entities}
    assert {one.id: one for one in read_xml(store.rendering("xml"))} == entities
    assert {one.id: one for one in read_json(store.rendering("json"))} == entities
    update(of(), facets(), store, NOON)
    assert {path.name for path in store.rendering_path("xml").parent.iterdir()} == {
        "current.resource.ldif",
        "current.expires",
    }


def test_a_format_that_cannot_be_rendered_stays_as_it_was(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else goes on, and the channel that hands it out is told why."""
    centre = of(channel("a", format="xml"), channel("b"))
    update(centre, facets(), store, NOON)
    before = store.rendering("xml")
    monkeypatch.setattr("infoprovider.render.xml.render_xml", lambda _: b"<GLUE2/>")
    taken = {"a": Taken(), "b": Taken()}
    current = update(centre, facets(), store, NOON + timedelta(minutes=5))
    assert store.rendering("xml") == before
    first, second = deliver_all(centre, current, lambda kind: taken[kind].spec, lambda _: False)
    assert "No matching global declaration" in str(first.error)
    assert (taken["a"].renderings, len(taken["b"].renderings), second.error) == ([], 1, None)


def test_what_ldif_cannot_take_is_in_no_other_format(store: DocumentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """All renderings say the same."""
    document = update(of(), facets(), store, NOON).composition.document
    unfit = document.of(ApplicationEnvironment)[0].id
    monkeypatch.setattr(
        "infoprovider.publication.cycle.rendered",
        lambda *_, **__: (b"", (Quarantined("ApplicationEnvironment", unfit, "it is too long"),)),
    )
    update(of(channel("a", format="json")), facets(), store, NOON)
    ids = {one.id for one in read_json(store.rendering("json"))}
    assert ids == set(document.by_id) - {unfit}


def test_an_unchanged_document_keeps_its_stamps(store: DocumentStore) -> None:
    """Capacity and use observed a little later: what says the same stands as it is, what changed moves."""
    update(of(), facets(), store, NOON)
    before = stamps(store)
    later = changing(Facet.QUOTAS, lambda quotas: replace(quotas, instances=81), "5f1c7c1e9d0a4a7f8a7d3c1b2e604001")
    moved = MemoryFacets()
    for instance in configuration().instances:
        for one in later.observations(instance.name):
            delay = timedelta(seconds=one.facet in (Facet.CAPACITY, Facet.QUOTAS, Facet.USAGE, Facet.MANAGER))
            moved.keep(instance.name, replace(one, observed_at=OBSERVED + delay))
        moved.conclude(instance.name, later.outcome(instance.name))  # type: ignore[arg-type]
    update(of(), moved, store, NOON + timedelta(seconds=1))
    after = stamps(store)
    share = "urn:glue2:ComputingShare:rc-demo:demo-north:5f1c7c1e9d0a4a7f8a7d3c1b2e604001"
    assert {id_ for id_ in after if after[id_] != before[id_]} == {share}
    assert after[share] == OBSERVED + timedelta(seconds=1)


def test_moments_of_other_facts_are_remembered(store: DocumentStore) -> None:
    """So that the next process keeps them as well: prices that were told anew change nothing at once."""
    update(of(), facets(), store, NOON)
    entries = store.read().entries.values()
    assert any(one.moments for one in entries)
    at = timedelta(seconds=30)
    later = facets(lambda one: replace(one, observed_at=one.observed_at + at) if one.facet is Facet.PRICES else one)
    assert update(of(), later, store, NOON).changes == Changes()


def nonsense(tmp_path: Path, **about: object) -> Channel:
    """A channel with a template of the site's own that fails."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "computing_share.ldif").write_text("{{ nonsense }}\n")
    return channel("a", templates=tmp_path / "ours", **about)


def test_a_template_that_fails_keeps_no_other_tree_from_going_out(store: DocumentStore, tmp_path: Path) -> None:
    """Its own tree stays as it was and is not handed out anew; the error names the template."""
    whole = of(channel("a", templates=tmp_path), channel("b"))
    update(whole, facets(), store, NOON)
    former = store.rendering("resource.a")
    broken = of(nonsense(tmp_path), channel("b"))
    changed = changing(Facet.MANAGER, lambda manager: replace(manager, version="9"))
    current = update(broken, changed, store, NOON + timedelta(minutes=9))
    assert set(current.renderings) == {"resource"}
    assert "computing_share.ldif:1" in str(current.failed_trees["resource.a"])
    assert store.rendering("resource.a") == former != store.rendering("resource")
    taken = {"a": Taken(), "b": Taken()}
    first, second = deliver_all(broken, current, lambda kind: taken[kind].spec, lambda _: True)
    assert (first.receipt, first.error) == (None, current.failed_trees["resource.a"])
    assert (second.error, taken["a"].renderings, len(taken["b"].renderings)) == (None, [], 1)


def test_a_tree_without_a_former_rendering_can_only_fail(store: DocumentStore, tmp_path: Path) -> None:
    """There is nothing that could stay."""
    current = update(of(nonsense(tmp_path)), facets(), store, NOON)
    assert set(current.failed_trees) == {"resource.a"}
    assert store.former("resource.a") is None


def test_where_no_tree_can_be_rendered_everything_stays_as_it_was(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither stamps nor renderings are replaced."""
    update(of(), facets(), store, NOON)
    before = (stamps(store), store.rendering("resource"))

    def broken(*_: object) -> bytes:
        raise RenderError("a fault of ours")

    monkeypatch.setattr("infoprovider.render.ldif.LdifRenderer.render", broken)
    changed = changing(Facet.MANAGER, lambda manager: replace(manager, version="9"))
    with pytest.raises(RenderError, match="a fault of ours"):
        update(of(), changed, store, NOON + timedelta(minutes=9))
    assert (stamps(store), store.rendering("resource")) == before


def test_what_a_composition_changed_is_counted(store: DocumentStore) -> None:
    """In the tree that views and the hook read: entries, not attributes."""
    first = update(of(), facets(), store, NOON)
    entries = len(list(read(first.renderings["resource"])))
    assert first.changes == Changes(added=entries)
    assert update(of(), facets(), store, NOON).changes == Changes()
    changed = changing(Facet.QUOTAS, lambda quotas: replace(quotas, instances=81), "5f1c7c1e9d0a4a7f8a7d3c1b2e604001")
    assert update(of(), changed, store, NOON).changes == Changes(modified=1)


def test_an_entity_that_is_left_out_is_said_and_remembered(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the composition and by the store, from which `show` has it."""
    real = application.to_application

    def broken(facts: InstanceFacts, image: Image) -> Made:
        if image.name == "AlmaLinux 9":
            raise ZeroDivisionError("strange")
        return real(facts, image)

    assert update(of(), facets(), store, NOON).quarantined == ()
    monkeypatch.setattr(application, "to_application", broken)
    current = update(of(), facets(), store, NOON)
    assert {(one.entity, one.why) for one in current.quarantined} == {
        ("ApplicationEnvironment", "ZeroDivisionError: strange")
    }
    assert store.read().quarantined == current.quarantined
    assert current.changes == Changes(modified=current.changes.modified, deleted=len(current.quarantined))


def test_an_instance_that_cannot_be_mapped_stays_as_it_was(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is withheld by name, its former entries are carried over, and the other instance goes on."""
    former = update(of(), facets(), store, NOON)
    real = endpoint.to_endpoint

    def broken(facts: InstanceFacts, *others: object) -> Made:
        if facts.block.name == "demo-north":
            raise KeyError("strange")
        return real(facts, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(endpoint, "to_endpoint", broken)
    later = NOON + timedelta(minutes=9)
    changed = changing(Facet.MANAGER, lambda manager: replace(manager, version="9"), instance="demo-south")
    current = update(of(), changed, store, later)
    (withheld,) = [one for one in current.composition.document.withheld if one.entity == "ComputingService"]
    assert withheld.id == "urn:glue2:ComputingService:rc-demo:demo-north"
    assert "KeyError: 'strange'" in withheld.why

    def north(body: bytes) -> dict[str, dict[str, list[str]]]:
        return {one.dn: one.attributes for one in read(body) if ":demo-north" in one.dn}

    before, after = north(former.renderings["resource"]), north(current.renderings["resource"])
    assert after == {dn: before[dn] for dn in after}
    # Which images are private is not written in them: those that no share offers may be.
    assert {dn.partition("=")[0] for dn in before.keys() - after.keys()} <= {"GLUE2ApplicationEnvironmentID"}
    assert len(after) >= 0.9 * len(before)
    assert b"Version: 9\n" in current.renderings["resource"]


def test_state_that_cannot_be_read_keeps_nobody_from_publishing(
    store: DocumentStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It is set aside, which the log says, and stamps begin anew."""
    update(of(), facets(), store, NOON)
    store.path.write_text("{")
    update(of(), facets(), store, NOON)
    assert set(stamps(store).values())
    assert store.path.with_name("document.json.unreadable").read_text() == "{"
    assert "is now" in caplog.text


def test_state_that_cannot_be_written_is_said_and_holds_nothing_up(tmp_path: Path) -> None:
    """A channel would else go on handing out what is to be withdrawn, for as long as our disk is full."""
    (tmp_path / "state").write_text("a file")
    taken = Taken()
    configured = of(channel("a"))
    current = update(configured, facets(), DocumentStore(tmp_path / "state", tmp_path / "public"), NOON)
    assert "cannot" in str(current.not_kept)
    deliver_all(configured, current, lambda _: taken.spec, lambda _: True)
    assert [one.body for one in taken.renderings] == [current.renderings["resource"]]


def test_state_that_can_be_neither_read_nor_set_aside_holds_nothing_up(
    store: DocumentStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system that has become read-only; that it is still there is said."""
    update(of(), facets(), store, NOON)
    store.path.write_text("{")

    def read_only(_self: Path, _target: Path) -> Path:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "replace", read_only)
    current = update(of(), facets(), store, NOON)
    assert "read-only file system" in str(current.not_kept)
    assert current.renderings["resource"] == store.rendering("resource")
    assert "it is now still there: cannot rename" in caplog.text


class HalfLegible(MemoryFacets):
    """Facets of which one instance's cannot be read."""

    def __init__(self, whole: MemoryFacets, illegible: str) -> None:
        super().__init__()
        self._whole, self._illegible = whole, illegible

    def observations(self, instance: str) -> Sequence[Observed]:
        """What is kept, unless it cannot be read."""
        if instance == self._illegible:
            raise StoreError("cannot read demo-north/usage.json: permission denied")
        return self._whole.observations(instance)

    def outcome(self, instance: str) -> Outcome | None:
        """How the last attempts went."""
        return self._whole.outcome(instance)


def test_an_instance_whose_facts_cannot_be_read_stays_as_it_was(store: DocumentStore) -> None:
    """And the others go on."""
    before = update(of(), facets(), store, NOON)
    after = update(of(), HalfLegible(facets(), "demo-north"), store, NOON)
    assert [one.why for one in after.composition.document.withheld if "demo-north" in one.id] == [
        "what is known of instance demo-north cannot be read: cannot read demo-north/usage.json: permission denied"
    ]
    was, now = (b"\n".join(sorted(one.renderings["resource"].split(b"\n"))) for one in (before, after))
    assert was == now


def test_each_channel_gets_the_tree_that_it_hands_out(store: DocumentStore) -> None:
    """With what it needs to know of it: format, digest, age and expiry."""
    taken = {"a": Taken(), "b": Taken()}
    configured = of(channel("a"), channel("b", template_set=TemplateSet.CLOUD))
    current = update(configured, facets(), store, NOON)
    delivered = deliver_all(configured, current, lambda kind: taken[kind].spec, lambda _: True)
    assert [(one.channel, one.error) for one in delivered] == [("a", None), ("b", None)]
    (first,), (second,) = (one.renderings for one in taken.values())
    assert (first.body, second.body) == (current.renderings["resource"], current.renderings["cloud"])
    assert first.digest != second.digest
    assert first.expires_at == current.composition.expires_at > NOON
    assert first.oldest_observation == current.composition.oldest_observation


@pytest.mark.parametrize("failure", [Refused("no"), ZeroDivisionError("a fault of the publisher")])
def test_a_channel_that_fails_keeps_no_other_from_its_own(store: DocumentStore, failure: Exception) -> None:
    """Whether it refuses or breaks its contract."""
    taken = {"a": Taken(failure), "b": Taken()}
    configured = of(channel("a"), channel("b"))
    current = update(configured, facets(), store, NOON)
    first, second = deliver_all(configured, current, lambda kind: taken[kind].spec, lambda _: True)
    assert (first.receipt, type(first.error)) == (None, Refused if isinstance(failure, Refused) else PluginError)
    assert (second.error, len(taken["b"].renderings)) == (None, 1)
