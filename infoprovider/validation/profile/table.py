"""All rules of the profile, and what runs them over the entries of a text."""

from datetime import datetime

from infoprovider.validation.profile import levels, other_info, together, types, values
from infoprovider.validation.profile.levels import Levels
from infoprovider.validation.profile.other_info import OtherInfo
from infoprovider.validation.profile.together import Together
from infoprovider.validation.profile.types import Types
from infoprovider.validation.profile.values import Values
from infoprovider.validation.rule import Rule, Selection

RULES: tuple[Rule, ...] = (
    *levels.RULES,
    *types.RULES,
    *together.RULES,
    *values.RULES,
    *other_info.RULES,
)
"""Without those on CreationTime and Validity, which are in `freshness`."""


def checks(selection: Selection, now: datetime) -> tuple[Levels | Types | Together | Values | OtherInfo, ...]:
    """Whatever has a chosen rule."""
    made = (
        (levels.RULES, Levels(selection)),
        (types.RULES, Types(selection)),
        (together.RULES, Together(selection)),
        (values.RULES, Values(selection, now)),
        (other_info.RULES, OtherInfo(selection)),
    )
    return tuple(check for rules, check in made if any(selection.has(rule) for rule in rules))
