"""The whole centre: calls the mappers for all instances and closes the document."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from infoprovider.glue.document import Document, Made, Withheld, close
from infoprovider.mapping.application import map_applications
from infoprovider.mapping.context import CentreContext, InstanceFacts
from infoprovider.mapping.domain import map_domains
from infoprovider.mapping.endpoint import map_endpoints
from infoprovider.mapping.environment import map_environments
from infoprovider.mapping.service import map_service
from infoprovider.mapping.share import map_shares, share_id


def map_centre(context: CentreContext, instances: Iterable[InstanceFacts], withheld: Iterable[Withheld]) -> Document:
    """The document of a centre; `withheld` names what could not even be tried.

    Raises MappingError where two entities have one ID.
    """
    facts = list(instances)
    left_out = [*withheld, *(one for instance in facts for one in _projects_not_there(instance))]
    document = close(_map_all(context, facts), left_out)
    return replace(document, withheld=tuple(_with_remedy(one) for one in document.withheld))


def _with_remedy(withheld: Withheld) -> Withheld:
    """What the operator can do about an attribute that neither hypervisors nor images tell."""
    key = {"Platform": "platform", "OSFamily": "os_family"}.get(withheld.lacks or "")
    if key is None:
        return withheld
    return replace(withheld, why=f"{withheld.why}; declare it as `defaults: {{ {key}: … }}` of the instance")


def _map_all(context: CentreContext, instances: Iterable[InstanceFacts]) -> Iterator[Made]:
    yield from map_domains(context)
    for facts in instances:
        yield from map_service(facts)
        yield from map_endpoints(facts)
        yield from map_environments(facts)
        yield from map_applications(facts)
        yield from map_shares(facts)


def _projects_not_there(facts: InstanceFacts) -> Iterator[Withheld]:
    """Shares that cannot be published because the manager says nothing of the project."""
    for mapped in facts.mapped:
        if mapped.project not in facts.projects:
            yield Withheld(
                "ComputingShare",
                share_id(facts, mapped.project),
                f"community {mapped.community.name} is mapped to project {mapped.project} of instance "
                f"{facts.block.name}, and the manager knows no such project; correct the id under `communities`, or "
                "give the account the right to see it",
            )
