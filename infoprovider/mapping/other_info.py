"""Writes `OtherInfo: Key=value`: keys come from the table of places, each value is said once, none is unknown."""

from collections.abc import Iterable
from datetime import datetime

from infoprovider.mapping.places import place_of

MAX_VALUES = 500
"""An entity carries at most so many; what is cut is said by `<Key>.More=<n>` (cloud-mapping 0.3)."""

InfoValue = str | int | float | bool | datetime | None


def number_text(value: float) -> str:
    """A number without a needless fraction or exponent, at most three decimals: `20`, `1.5`, `0.042`."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return text or "0"


def timestamp(moment: datetime) -> str:
    """A moment as GLUE writes it: UTC, whole seconds, `YYYY-MM-DDThh:mm:ssZ`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(value: str | float | bool | datetime) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value)
    return value if isinstance(value, str) else number_text(value)


class OtherInfo:
    """Collects the `OtherInfo` values of one entity, in the order in which they are added."""

    __slots__ = ("_entity", "_values")

    def __init__(self, entity: str) -> None:
        self._entity = entity
        self._values: dict[str, str] = {}

    def add(self, key: str, value: InfoValue) -> None:
        """Add one value; None and empty text are not known and are left out.

        Raises KeyError for a key that the table of places does not give to this entity.
        """
        place_of(self._entity, key, is_key=True)
        if value is not None and value != "":
            self._values.setdefault(f"{key}={_text(value)}", key)

    def add_each(self, key: str, values: Iterable[InfoValue]) -> None:
        """Add a key that repeats."""
        for value in values:
            self.add(key, value)

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> tuple[str, ...]:
        """All values; where there are too many, the keys with most of them give way and say by how many."""
        if len(self._values) <= MAX_VALUES:
            return tuple(self._values)
        families: dict[str, list[str]] = {}
        for text, key in self._values.items():
            families.setdefault(key.partition(".")[0], []).append(text)
        most = _most_of_each([len(texts) for texts in families.values()])
        cut = {family: texts[most:] for family, texts in families.items() if len(texts) > most}
        dropped = {text for texts in cut.values() for text in texts}
        kept = (text for text in self._values if text not in dropped)
        return (*kept, *(f"{family}.More={len(texts)}" for family, texts in cut.items()))


def _most_of_each(counts: list[int]) -> int:
    """How many values each key may keep, so that all fit together with what says how many were cut."""
    return max(most for most in range(MAX_VALUES) if sum(min(n, most) + (n > most) for n in counts) <= MAX_VALUES)
