"""Facets to and from JSON, by pydantic's TypeAdapter; the format version is part of what is written."""

import functools
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from infoprovider.inventory.model import FACET_TYPES, Facet, FacetValue, Quotas

FORMAT_VERSION = 1
"""Raised whenever an older reader would misunderstand what is written."""


def _with_their_projects(written: Any) -> Any:
    if not isinstance(written, dict):
        return written
    return {name: {"project": name, **one} if isinstance(one, dict) else one for name, one in written.items()}


QUOTAS_BY_PROJECT: TypeAdapter[dict[str, Quotas]] = TypeAdapter(
    Annotated[dict[str, Quotas], BeforeValidator(_with_their_projects)]
)
"""The quotas of several projects as an operator writes them: by the project, which the quotas need not repeat."""


@functools.cache
def adapter(facet: Facet) -> TypeAdapter[FacetValue]:
    """The validator and serialiser of one facet's value."""
    return TypeAdapter(FACET_TYPES[facet])


def to_plain(facet: Facet, value: FacetValue) -> Any:
    """A facet's value as plain data of JSON types."""
    return adapter(facet).dump_python(value, mode="json")


def to_json(facet: Facet, value: FacetValue) -> bytes:
    """A facet's value as one JSON object, without line breaks."""
    return adapter(facet).dump_json(value)


def from_json(facet: Facet, text: bytes | str) -> FacetValue:
    """A facet's value from its JSON object.

    Raises pydantic's ValidationError where the text is not what this facet says.
    """
    return adapter(facet).validate_json(text)
