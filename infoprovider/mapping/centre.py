"""The whole centre: calls the mappers for all instances and closes the document."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from infoprovider.glue.document import Document, Made, Quarantined, Withheld, close
from infoprovider.mapping.application import map_applications
from infoprovider.mapping.context import CentreContext, InstanceFacts
from infoprovider.mapping.domain import map_domains
from infoprovider.mapping.endpoint import map_endpoints
from infoprovider.mapping.environment import map_environments
from infoprovider.mapping.service import map_service
from infoprovider.mapping.share import map_shares, share_id


def map_centre(
    context: CentreContext,
    instances: Iterable[Iterable[Made]],
    withheld: Iterable[Withheld],
    quarantined: Iterable[Quarantined] = (),
) -> Document:
    """The document of a centre and of what `map_instance` made of its instances.

    `withheld` and `quarantined` name what could not even be tried, and what was left out because it cannot be mapped.
    """
    document = close(chain(map_domains(context), *instances), withheld, quarantined)
    return replace(document, withheld=tuple(_with_remedy(one) for one in document.withheld))


def map_instance(facts: InstanceFacts) -> tuple[tuple[Made, ...], tuple[Withheld, ...]]:
    """The entities of one instance, and the shares that it cannot have."""
    made = chain(
        map_service(facts), map_endpoints(facts), map_environments(facts), map_applications(facts), map_shares(facts)
    )
    return tuple(made), tuple(_projects_not_there(facts))


def _with_remedy(withheld: Withheld) -> Withheld:
    """What the operator can do about an attribute that neither hypervisors nor images tell."""
    key = {"Platform": "platform", "OSFamily": "os_family"}.get(withheld.lacks or "")
    if key is None:
        return withheld
    return replace(withheld, why=f"{withheld.why}; declare it as `defaults: {{ {key}: … }}` of the instance")


def _projects_not_there(facts: InstanceFacts) -> Iterator[Withheld]:
    """Shares that cannot be published because nothing may be said of the project, or the manager says nothing of it."""
    for mapped in facts.mapped:
        why = facts.withheld_projects.get(mapped.project)
        if mapped.project not in facts.projects:
            why = (
                "the manager knows no such project; correct the id under `communities`, or give the account the right "
                "to see it"
            )
        if why:
            yield Withheld(
                "ComputingShare",
                share_id(facts, mapped.project),
                f"community {mapped.community.name} is mapped to project {mapped.project} of instance "
                f"{facts.block.name}, and {why}",
            )
