"""The table of places: every attribute and key once, on a class that has it, with the facets that it is made of."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from infoprovider.config.model import ConfigurationFile
from infoprovider.glue.names import ENTITY_CLASSES, attributes_of
from infoprovider.inventory.model import Facet
from infoprovider.mapping.places import CONFIGURATION, OUTCOME, PLACES, keys_of, place_of

KNOWN_SOURCES = {*Facet, CONFIGURATION, OUTCOME, "defining"}


def test_every_place_stands_once() -> None:
    """One fact, one place."""
    counts = Counter((place.entity, place.place, place.is_key) for place in PLACES)
    assert [place for place, count in counts.items() if count > 1] == []


def test_every_attribute_is_one_that_its_class_has() -> None:
    """Names are GLUE's own, spelt as in the model."""
    for place in PLACES:
        names = {attribute.name for attribute in attributes_of(ENTITY_CLASSES[place.entity])}
        assert place.is_key or place.place in names, place


def test_every_place_says_what_it_states_and_what_of() -> None:
    """No empty cell, no facet that there is not, and nothing of what is never published."""
    for place in PLACES:
        assert place.fact
        assert place.facets
        assert set(place.facets) <= KNOWN_SOURCES, place
        assert Facet.MACHINES not in place.facets


def test_no_key_has_the_name_of_an_attribute_of_its_class() -> None:
    """What GLUE 2.0 has an attribute for stands there and nowhere else."""
    for place in PLACES:
        names = {attribute.name for attribute in attributes_of(ENTITY_CLASSES[place.entity])}
        assert not place.is_key or place.place not in names, place


@pytest.mark.parametrize(
    ("entity", "key", "place"),
    [
        ("ComputingShare", "ProjectID", "ProjectID"),
        ("ComputingShare", "FreeInstances.c1.tiny", "FreeInstances."),
        ("ComputingShare", "FreeInstances.2", "FreeInstances."),
        ("ComputingShare", "FreeInstances.UpperBound", "FreeInstances.UpperBound"),
        ("ComputingShare", "Price.Resource.2", "Price.Resource"),
        ("ExecutionEnvironment", "AcceleratorType.3", "AcceleratorType"),
        ("ComputingShare", "Image.More", "Image"),
        ("ComputingShare", "FreeInstances.More", "FreeInstances."),
        ("ApplicationEnvironment", "Image.Checksum.SHA512", "Image.Checksum."),
        ("ApplicationEnvironment", "Image.Endorser.ObservedAt", "Image.Endorser.ObservedAt"),
    ],
)
def test_numbered_keys_and_families_have_the_place_of_their_table_row(entity: str, key: str, place: str) -> None:
    """`.2` repeats a group of keys; a family is completed by an id."""
    assert place_of(entity, key, is_key=True).place == place


@pytest.mark.parametrize(
    "key", ["Colour", "Price", "FreeInstances", "Price.Resource.two", "ProjectID.x", "Colour.More", "More"]
)
def test_a_key_without_a_row_has_no_place(key: str) -> None:
    """Near a row is not in it."""
    with pytest.raises(KeyError):
        place_of("ComputingShare", key, is_key=True)
    assert key not in keys_of("ComputingShare")


def keys(schema: dict[str, Any], node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every key of the configuration file, with those above it before a dot."""
    node = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    for option in node.get("anyOf", ()):
        yield from keys(schema, option, path)
    if "items" in node:
        yield from keys(schema, node["items"], path)
    for name, inner in node.get("properties", {}).items():
        yield path + name
        yield from keys(schema, inner, f"{path}{name}.")


MADE_BY_THE_PROGRAM = {"Scheme", "InfoProviderName", "InfoProviderVersion"}


def test_what_the_operator_says_names_its_settings() -> None:
    """Keys that the configuration has; only what the program itself decides has none."""
    schema = TypeAdapter(ConfigurationFile).json_schema()
    known = set(keys(schema, schema))
    for place in PLACES:
        assert set(place.settings) <= known, place
        configured = CONFIGURATION in place.facets and place.place not in MADE_BY_THE_PROGRAM
        assert bool(place.settings) is configured, place
