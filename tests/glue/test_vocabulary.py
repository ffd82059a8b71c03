"""The words of GLUE 2.0."""

import pytest

from infoprovider.glue import vocabulary


def test_closed_and_open_enumerations_are_all_there_under_their_xml_names() -> None:
    """The XML schema has 10 closed lists and 24 open ones, and one string type without words."""
    assert len(vocabulary.CLOSED_ENUMERATIONS) == 10
    assert len(vocabulary.OPEN_ENUMERATIONS) == 25
    assert [name for name, words in vocabulary.OPEN_ENUMERATIONS.items() if not words.values] == ["AccessMode_t"]


@pytest.mark.parametrize("name", vocabulary.OPEN_ENUMERATIONS)
def test_no_word_of_an_open_enumeration_stands_twice(name: str) -> None:
    """What the XML schema lists and what others add is disjoint, and `known` is both."""
    words = vocabulary.OPEN_ENUMERATIONS[name]
    assert len(set(words.known)) == len(words.known) == len(words.values) + len(words.also)


def test_an_extended_boolean_is_written_in_lower_case() -> None:
    """LDAP compares GLUE's truth values letter by letter, and XML knows only these three."""
    assert [str(value) for value in vocabulary.ExtendedBoolean] == ["true", "false", "undefined"]
