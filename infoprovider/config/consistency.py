"""What is right in itself and wrong together: double names, clashes of identifiers, names of what is not there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infoprovider.config.model import Community, FreshnessBlock, InstanceBlock
from infoprovider.errors import Finding
from infoprovider.inventory.model import Facet
from infoprovider.yamlcheck import choice, value_at
from infoprovider.yamlfile import Document, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The blocks of a configuration that are right in themselves, by their position in the file."""

    document: Document
    instances: Mapping[int, InstanceBlock]
    communities: Mapping[int, Community]
    freshness: Mapping[str, FreshnessBlock]


def check_all(draft: Draft) -> list[Finding]:
    """Every contradiction between parts of the file."""
    return [
        *_double_names(draft.document, "instances"),
        *_double_names(draft.document, "communities"),
        *_double_names(draft.document, "channels"),
        *_centre_named_like_a_community(draft),
        *_unknown_instances(draft),
        *_shared_projects(draft),
        *_downtimes(draft),
        *_freshness(draft),
    ]


def _names(document: Document, section: str) -> dict[int, str]:
    """Every name that was written, also in blocks in which something else is wrong, by position."""
    blocks = value_at(document.data, (section,))
    named = enumerate(blocks if isinstance(blocks, list) else [])
    return {
        index: block["name"] for index, block in named if isinstance(block, dict) and isinstance(block.get("name"), str)
    }


def _double_names(document: Document, section: str) -> Iterator[Finding]:
    """Identifiers are compared in lower case by aggregators, so names that differ only in case clash as well."""
    first: dict[str, tuple[int, str]] = {}
    for index, name in _names(document, section).items():
        other, other_name = first.setdefault(name.lower(), (index, name))
        if other == index:
            continue
        line = document.line((section, other, "name"), seen_from=(section, index, "name"))
        why = ""
        what, remedy = f"the name {name} stands here twice, first in {line}", "give each its own name"
        if other_name != name:
            what = f"the name {name} clashes with {other_name} in {line}"
            why = "names become identifiers, and those are compared in lower case"
            remedy = "choose a name that differs in more than case"
        yield document.finding((section, index, "name"), what, why=why, remedy=remedy)


def _centre_named_like_a_community(draft: Draft) -> Iterator[Finding]:
    centre = value_at(draft.document.data, ("centre", "name"))
    for index, community in draft.communities.items():
        if isinstance(centre, str) and community.name.lower() == centre.lower():
            yield draft.document.finding(
                ("communities", index, "name"),
                f"the community {community.name} has the name of the centre",
                why="both become a GLUE2DomainID, and an identifier stands for one thing",
                remedy="write the community's registered name",
            )


def _mappings(draft: Draft) -> Iterator[tuple[Steps, Community, int]]:
    for index, community in draft.communities.items():
        for position in range(len(community.projects)):
            yield ("communities", index, "projects", position), community, position


def _unknown_instances(draft: Draft) -> Iterator[Finding]:
    names = _names(draft.document, "instances").values()
    for steps, community, position in _mappings(draft):
        name = community.projects[position].instance
        if name not in names:
            what = f"there is no instance {name}"
            yield draft.document.finding((*steps, "instance"), what, remedy=choice(name, names))


def _shared_projects(draft: Draft) -> Iterator[Finding]:
    """A share serves one community: readers of its policy keep one name only."""
    owners: dict[tuple[str, str], tuple[str, Steps]] = {}
    entitled: dict[tuple[str, str, str | None, str | None], Steps] = {}
    for steps, community, position in _mappings(draft):
        mapping = community.projects[position]
        owner, first = owners.setdefault((mapping.instance, mapping.project), (community.name, steps))
        if owner != community.name:
            line = draft.document.line(first, seen_from=steps)
            yield draft.document.finding(
                (*steps, "project"),
                f"project {mapping.project} of {mapping.instance} belongs to {owner} already, in {line}",
                why="a share serves one community",
                remedy="give each community a project of its own",
            )
            continue
        same = entitled.setdefault((mapping.instance, mapping.project, mapping.group, mapping.role), steps)
        if same != steps:
            line = draft.document.line(same, seen_from=steps)
            yield draft.document.finding(
                steps,
                f"project {mapping.project} of {mapping.instance} is mapped twice, first in {line}",
                remedy="remove one of the two, or tell them apart by group or role",
            )


def _downtimes(draft: Draft) -> Iterator[Finding]:
    for index, instance in draft.instances.items():
        downtime = instance.downtime
        if downtime and downtime.end and downtime.end <= downtime.start:
            yield draft.document.finding(
                ("instances", index, "downtime", "end"),
                "the downtime ends before it starts",
                remedy="write an end that lies after the start, or leave it out while it is not known",
            )


def _freshness(draft: Draft) -> Iterator[Finding]:
    for facet, block in draft.freshness.items():
        freshness = block.completed(Facet(facet))
        if freshness.publish_for < freshness.fresh_for:
            yield draft.document.finding(
                ("freshness", facet),
                f"{facet} is fresh for {freshness.fresh_for:g} s but withheld after {freshness.publish_for:g} s",
                remedy="write a publish_for that is not shorter than fresh_for",
                at_key=True,
            )
