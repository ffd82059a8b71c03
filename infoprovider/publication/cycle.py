"""Composes the current document, renders what the channels hand out, proves it, keeps it, and delivers it."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from infoprovider.config.model import Channel, ChannelBlock, Configuration, TemplateSet
from infoprovider.errors import InfoproviderError, RenderError, StoreError, ValidationFailed
from infoprovider.glue.document import Document, Quarantined, without
from infoprovider.publication.carry import carried_over, rules_in_force, services_in
from infoprovider.publication.changes import Changes, changes_between
from infoprovider.publication.compose import Composition, compose
from infoprovider.publication.delivery import deliver, former
from infoprovider.publication.formats import formats_of, render_format
from infoprovider.publication.quarantine import rendered
from infoprovider.publication.stamps import Former, Stamp
from infoprovider.publication.stream import deliver_stream
from infoprovider.publishers.contract import AnyChannelSpec, Format, MessengerSpec, Receipt, Rendering
from infoprovider.render.ldif import LdifRenderer
from infoprovider.store.document import DocumentStore, Remembered
from infoprovider.store.facets import Facets

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one channel: its receipt, or why there is none."""

    channel: str
    receipt: Receipt | None
    error: InfoproviderError | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """Which LDIF is rendered: a template set, and before it a site's own templates where `overrides` names a folder."""

    template_set: TemplateSet
    overrides: Path | None = None
    channel: str = ""

    @property
    def name(self) -> str:
        """What its file is called: the set, with the channel where that has templates of its own."""
        return f"{self.template_set}.{self.channel}" if self.overrides else str(self.template_set)


@dataclass(frozen=True, slots=True)
class Current:
    """The current document and its renderings, by name of their tree or by their format.

    `quarantined` is what was left out because it fails its checks, `failed_trees` why a tree or a format could not be
    rendered (what was handed out of it before stays), `changes` how the tree `resource` differs from what it was
    before, `not_kept` why our own folders do not hold it.
    """

    composition: Composition
    renderings: Mapping[str, bytes]
    quarantined: tuple[Quarantined, ...]
    failed_trees: Mapping[str, InfoproviderError]
    changes: Changes
    not_kept: StoreError | None = None


def tree_of(channel: ChannelBlock) -> Tree:
    """The tree that a channel hands out."""
    if channel.templates is None:
        return Tree(channel.template_set)
    return Tree(channel.template_set, channel.templates, channel.name)


def trees_of(channels: Iterable[Channel]) -> tuple[Tree, ...]:
    """Every tree that is rendered: `resource` always, because views and the hook read it, and each channel's own."""
    wanted = (tree_of(one.block) for one in channels if one.block.format == "ldif")
    return tuple(dict.fromkeys([Tree(TemplateSet.RESOURCE), *wanted]))


def rendering_of(channel: ChannelBlock) -> str:
    """The name of what a channel hands out: its tree's, or its format."""
    return tree_of(channel).name if channel.format == "ldif" else channel.format


@dataclass(frozen=True, slots=True)
class Rendered:
    """One tree as LDIF, and what was left out of it because it fails there."""

    body: bytes
    quarantined: tuple[Quarantined, ...]


def render(composition: Composition, tree: Tree, boolean_case: str) -> Rendered:
    """One tree as LDIF, read back and checked; single entities that fail are left out.

    Raises RenderError where a template cannot be used, ValidationFailed where its text breaks the schema or leaves out
    what it must carry.
    """
    renderer = LdifRenderer(tree.template_set, overrides=tree.overrides, boolean_case=boolean_case)
    return Rendered(*rendered(composition.document, renderer.render, tree.name, overridden=tree.overrides is not None))


def update(configuration: Configuration, facets: Facets, store: DocumentStore, now: datetime) -> Current:
    """Compose, render, check and keep the current document.

    A tree or format that cannot be rendered stays as it was, until that expires; all others go on. Raises what the last
    of them says where no tree can be rendered. What cannot be kept is handed out all the same: a full disk of ours must
    not leave old facts with a channel for ever.
    """
    before = _remembered(store)
    composition = compose(configuration, facets, _former(before), now)
    rules = rules_in_force(configuration)
    good: dict[str, Rendered] = {}
    failed: dict[str, InfoproviderError] = {}
    for tree in trees_of(configuration.channels):
        try:
            good[tree.name] = render(composition, tree, configuration.publication.boolean_case)
        except (RenderError, ValidationFailed) as error:
            log.error("tree %s stays as it was: %s", tree.name, error)  # noqa: TRY400  (the traceback says no more)
            failed[tree.name] = error
    if not good:
        raise next(reversed(failed.values()))
    renderings = {
        name: _completed(
            one.body,
            partial(store.former, name),
            configuration,
            composition,
            by_the_same_rules=before.composed_by == rules,
        )
        for name, one in good.items()
    }
    left_out = (*composition.document.quarantined, *(one for tree in good.values() for one in tree.quarantined))
    resource = Tree(TemplateSet.RESOURCE).name
    unfit = good[resource].quarantined if resource in good else ()
    for format_ in formats_of(configuration.channels):
        try:
            renderings[format_] = _in_format(composition.document, unfit, format_)
        except (RenderError, ValidationFailed) as error:
            log.error("format %s stays as it was: %s", format_, error)  # noqa: TRY400
            failed[format_] = error
    changes = changes_between(store.former(resource), renderings[resource]) if resource in renderings else Changes()
    digests = {id_: stamp.digest for id_, stamp in composition.stamps.items()}
    kept = replace(composition.document, quarantined=left_out)
    unchanged = {name: str(error) for name, error in failed.items()}
    not_kept = None
    try:
        store.keep(kept, digests, renderings, composition.composed_at, composition.expires_at, unchanged, rules)
    except StoreError as error:
        not_kept = error
    return Current(composition, renderings, left_out, failed, changes, not_kept)


def _in_format(document: Document, unfit: tuple[Quarantined, ...], format_: Format) -> bytes:
    """The document in a format beside LDIF, without what LDIF could not take: all renderings say the same."""
    gone = {one.id: one.why for one in unfit}
    return render_format((without(document, gone) if gone else document).entities, format_)


def _completed(
    body: bytes,
    former: Callable[[], bytes | None],
    configuration: Configuration,
    composition: Composition,
    *,
    by_the_same_rules: bool = False,
) -> bytes:
    """A rendering with the entries of managers of which nothing is known, as they were handed out before.

    `former` reads what that was; it is asked only where something is missing. What is known and has expired is not
    carried: it is withdrawn.
    """
    unknown = frozenset(
        one.id for one in composition.document.withheld if one.entity == "ComputingService" and not one.expired
    )
    missing = unknown - services_in(body, unknown)
    before = former() if missing else None
    if before is None:
        return body
    now = composition.composed_at
    return body + carried_over(before, missing, configuration, now, by_the_same_rules=by_the_same_rules)


def _remembered(store: DocumentStore) -> Remembered:
    """The former document; nothing where it cannot be read, which keeps nobody from publishing."""
    try:
        return store.read()
    except StoreError as error:
        log.error("%s; it is now %s", error, _set_aside(store))  # noqa: TRY400  (the traceback says no more)
        return Remembered()


def _former(remembered: Remembered) -> Former:
    stamps = {id_: Stamp(entry.digest, entry.creation_time, entry.moments) for id_, entry in remembered.entries.items()}
    return Former(stamps, remembered.composed_at)


def _set_aside(store: DocumentStore) -> str:
    """Where the document of before is now, in words."""
    try:
        return str(store.set_aside())
    except StoreError as error:
        return f"still there: {error}"


def deliver_all(
    configuration: Configuration,
    current: Current,
    publisher: Callable[[str], AnyChannelSpec],
    wait: Callable[[float], bool],
) -> tuple[Delivered, ...]:
    """Hand each channel its rendering; a channel that fails keeps no other from its own."""
    return tuple(deliver_one(channel, configuration, current, publisher, wait) for channel in configuration.channels)


def deliver_one(
    channel: Channel,
    configuration: Configuration,
    current: Current,
    publisher: Callable[[str], AnyChannelSpec],
    wait: Callable[[float], bool],
) -> Delivered:
    """Hand one channel its rendering. `wait` is that of `delivery.deliver`."""
    name = rendering_of(channel.block)
    if name in current.failed_trees:
        return Delivered(channel.name, None, current.failed_trees[name])
    body = current.renderings[name]
    try:
        spec = publisher(channel.block.kind)
        if isinstance(spec, MessengerSpec):
            composition = current.composition
            receipt = deliver_stream(
                channel, spec, configuration, composition.document, body, composition.expires_at, wait=wait
            )
            return Delivered(channel.name, receipt)
        if channel.block.format == "ldif":
            # What the channel itself hands out survives the loss of our own folders.
            body = _completed(body, partial(former, channel, spec), configuration, current.composition)
        rendering = Rendering(
            format=Format(channel.block.format),
            body=body,
            digest=hashlib.sha256(body).hexdigest(),
            oldest_observation=current.composition.oldest_observation,
            expires_at=current.composition.expires_at,
        )
        return Delivered(channel.name, deliver(channel, spec, rendering, wait=wait))
    except InfoproviderError as error:
        return Delivered(channel.name, None, error)
