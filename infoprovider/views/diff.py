"""Where two accounts of a centre differ, entry by entry and attribute by attribute.

How old the facts of an entry are is told apart: what a BDII serves is always a little older than what we have, and that
is no difference unless somebody asks for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from infoprovider.query.said import Account, Said
from infoprovider.query.values import UNREADABLE, to_datetime
from infoprovider.views.tables import length, new_table, printable

NOT_HANDED_ON = frozenset({"ApplicationEnvironment"})
"""Classes that the pullers of site and top BDIIs leave out: too many entries, which no broker searches from above."""

_ROWS_PER_CLASS = 20
_VALUES = 3
_LETTERS = 80


@dataclass(frozen=True, slots=True)
class Change:
    """An attribute with other values there: all values of both, sorted."""

    cls: str
    id: str
    attribute: str
    here: tuple[str, ...]
    there: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lag:
    """An entry whose facts were observed at another moment: by how many seconds it is older there, below 0 newer.

    None where one of the two does not tell a moment.
    """

    cls: str
    id: str
    attribute: str
    here: tuple[str, ...]
    there: tuple[str, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything in which two accounts differ.

    `not_handed_on` are classes, with the number of their entries here, that are not served there because what is served
    there was pulled from below. `others` counts entries there that are not this centre's, by class.
    """

    here: Account
    there: Account
    compared: int
    missing_there: tuple[Said, ...]
    missing_here: tuple[Said, ...]
    changes: tuple[Change, ...]
    lags: tuple[Lag, ...]
    not_handed_on: Mapping[str, int]
    others: Mapping[str, int]

    def is_equal(self, *, stamps: bool = False) -> bool:
        """Whether there is nothing to tell; `stamps` says that other moments are a difference too.

        What cannot be read is not known to be equal.
        """
        sides = (self.here, self.there)
        unknown = any(one.unreadable or one.repeated for one in sides)
        return not (unknown or self.missing_there or self.missing_here or self.changes or (stamps and self.lags))


def difference(here: Account, there: Account, is_ours: Callable[[Said], bool] = lambda _: True) -> Difference:
    """Compare two accounts; `is_ours` tells of an entry that only the other has whether it should be here."""
    common = [(one, there.said[key]) for key, one in here.said.items() if key in there.said]
    absent = [one for key, one in here.said.items() if key not in there.said]
    foreign = [one for key, one in there.said.items() if key not in here.said]
    surplus = [one for one in foreign if is_ours(one)]
    others = Counter(one.cls for one in foreign if not is_ours(one))
    not_handed_on = _not_handed_on(common, absent, surplus)
    return Difference(
        here=here,
        there=there,
        compared=len(common),
        missing_there=_sorted(one for one in absent if one.cls not in not_handed_on),
        missing_here=_sorted(surplus),
        changes=tuple(change for one, other in common for change in _changes(one, other)),
        lags=tuple(lag for one, other in common for lag in _lags(one, other)),
        not_handed_on=not_handed_on,
        others=others,
    )


def _not_handed_on(
    common: Sequence[tuple[Said, Said]], absent: Iterable[Said], surplus: Iterable[Said]
) -> Mapping[str, int]:
    """The classes that pulling lost: nothing of them is there, and what is there has another place in the tree."""
    pulled = any(one.dn and other.dn and one.dn.lower() != other.dn.lower() for one, other in common)
    served = {other.cls for _, other in common} | {one.cls for one in surplus}
    lost = Counter(one.cls for one in absent if one.cls in NOT_HANDED_ON - served)
    return lost if pulled else {}


def _sorted(said: Iterable[Said]) -> tuple[Said, ...]:
    return tuple(sorted(said, key=lambda one: (one.cls, one.id)))


def _changes(one: Said, other: Said) -> Iterator[Change]:
    if one.cls != other.cls:
        yield Change(one.cls, one.id, "objectClass", (one.cls,), (other.cls,))
    if one.values == other.values:
        return
    for name in dict.fromkeys((*one.values, *other.values)):
        here, there = one.values.get(name, ()), other.values.get(name, ())
        if here != there:
            yield Change(one.cls, one.id, name, here, there)


def _lags(one: Said, other: Said) -> Iterator[Lag]:
    for name in dict.fromkeys((*one.moments, *other.moments)):
        here, there = one.moments.get(name, ()), other.moments.get(name, ())
        if here != there:
            yield Lag(one.cls, one.id, name, here, there, _seconds(here, there))


def _seconds(here: Sequence[str], there: Sequence[str]) -> float | None:
    try:
        (one,), (other,) = map(to_datetime, here), map(to_datetime, there)
    except UNREADABLE:
        return None
    return (one - other).total_seconds()


# --- for programs ---------------------------------------------------------------------------------------------------


def plain(found: Difference, *, stamps: bool) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "equal": found.is_equal(stamps=stamps),
        "here": _plain_account(found.here),
        "there": _plain_account(found.there),
        "compared": found.compared,
        "missing_there": [_plain_said(one) for one in found.missing_there],
        "missing_here": [_plain_said(one) for one in found.missing_here],
        "different": [_plain_values(one) for one in found.changes],
        "stamps": [_plain_values(one) | {"older_there_by": one.seconds} for one in found.lags],
        "not_handed_on": dict(found.not_handed_on),
        "others_there": dict(found.others),
    }


def _plain_account(account: Account) -> dict[str, Any]:
    return {
        "source": account.name,
        "entries": len(account.said),
        "unreadable": account.unreadable,
        "repeated": [_plain_said(one) for one in account.repeated],
    }


def _plain_said(one: Said) -> dict[str, str]:
    return {"class": one.cls, "id": one.id, "dn": one.dn}


def _plain_values(one: Change | Lag) -> dict[str, Any]:
    return {"class": one.cls, "id": one.id, "attribute": one.attribute, "here": one.here, "there": one.there}


# --- for people -----------------------------------------------------------------------------------------------------


def print_difference(console: Console, found: Difference, *, stamps: bool) -> None:
    """The counts by class, then what is missing and what differs, class by class; at the end what is no difference."""
    is_equal = found.is_equal(stamps=stamps)
    console.print(printable(f"here: {found.here.name}"))
    console.print(printable(f"there: {found.there.name}"))
    if not is_equal:
        _print_counts(console, found)
        _print_rows(console, _rows(found, stamps=stamps))
    for note in _notes(found, stamps=stamps):
        console.print(printable(note))
    verdict = "equal" if is_equal else "different"
    console.print(f"{verdict}: {_number(found.compared, 'entry', 'entries')} compared")


def _print_counts(console: Console, found: Difference) -> None:
    table = new_table("How many")
    counts = {
        "here": Counter(one.cls for one in found.here.said.values()),
        "there": Counter(one.cls for one in found.there.said.values()) - Counter(found.others),
        "missing there": Counter(one.cls for one in found.missing_there),
        "missing here": Counter(one.cls for one in found.missing_here),
        "different": Counter(cls for cls, _ in {(one.cls, one.id) for one in found.changes}),
    }
    table.add_column("class")
    for heading in counts:
        table.add_column(heading, justify="right")
    for cls in sorted(set().union(*counts.values())):
        table.add_row(cls, *(str(count[cls] or "") for count in counts.values()))
    table.add_section()
    table.add_row("all", *(str(count.total()) for count in counts.values()))
    console.print(table)


@dataclass(frozen=True, slots=True)
class _Row:
    cls: str
    what: str
    id: str
    attribute: str = ""
    here: str = ""
    there: str = ""


def _rows(found: Difference, *, stamps: bool) -> Iterator[_Row]:
    for one in found.missing_there:
        yield _Row(one.cls, "missing there", one.id)
    for one in found.missing_here:
        yield _Row(one.cls, "missing here", one.id)
    for change in found.changes:
        both = set(change.here) & set(change.there)
        here, there = (_values(value for value in side if value not in both) for side in (change.here, change.there))
        yield _Row(change.cls, "different", change.id, change.attribute, here, there)
    for lag in found.lags if stamps else ():
        yield _Row(lag.cls, _age(lag.seconds), lag.id, lag.attribute, _values(lag.here), _values(lag.there))


def _print_rows(console: Console, rows: Iterable[_Row]) -> None:
    by_class: dict[str, list[_Row]] = {}
    for row in rows:
        by_class.setdefault(row.cls, []).append(row)
    for cls, ones in sorted(by_class.items()):
        table = new_table(cls)
        for heading in ("", "ID", "attribute", "only here", "only there"):
            table.add_column(heading, overflow="fold", no_wrap=not heading)
        for row in ones[:_ROWS_PER_CLASS]:
            table.add_row(row.what, row.id, row.attribute, row.here, row.there)
        if len(ones) > _ROWS_PER_CLASS:
            table.add_row("", f"and {len(ones) - _ROWS_PER_CLASS} more; all of them with --json")
        console.print(table)


def _values(values: Iterable[str]) -> str:
    ones = list(values)
    shown = [one if len(one) <= _LETTERS else f"{one[:_LETTERS]}…" for one in ones[:_VALUES]]
    if len(ones) > _VALUES:
        shown.append(f"and {len(ones) - _VALUES} more")
    return "\n".join(map(printable, shown))


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "other moment"
    return f"{'older' if seconds > 0 else 'newer'} by {abs(seconds):.0f} s"


def _notes(found: Difference, *, stamps: bool) -> Iterator[str]:
    for account in (found.here, found.there):
        for what in account.unreadable[:_ROWS_PER_CLASS]:
            yield f"{account.name}: not compared: {what}"
        if len(account.unreadable) > _ROWS_PER_CLASS:
            yield f"{account.name}: not compared: {len(account.unreadable) - _ROWS_PER_CLASS} more"
        for one in account.repeated[:_ROWS_PER_CLASS]:
            yield f"{account.name}: {one.cls} {one.id} stands there more than once; the first was compared"
    for cls, number in found.not_handed_on.items():
        yield (
            f"{cls}: none of {number} is served there, for what pulls from below leaves them out; "
            "compare with the server of the resource to see them"
        )
    if found.others:
        classes = ", ".join(f"{number} {cls}" for cls, number in sorted(found.others.items()))
        yield f"not compared, for others publish it there: {classes}"
    if found.lags and not stamps:
        yield _on_stamps(found.lags)


def _on_stamps(lags: Sequence[Lag]) -> str:
    """`CreationTime: 120 entries are older there, by 35 s to 59 min; no difference unless --stamps`."""
    entries = len({(one.cls, one.id) for one in lags})
    told = [one.seconds for one in lags if one.seconds is not None]
    parts = []
    for word, ones in (("older", [one for one in told if one > 0]), ("newer", [-one for one in told if one < 0])):
        if ones:
            least, most = length(min(ones)), length(max(ones))
            parts.append(f"{len(ones)} {word} there by {least if least == most else f'{least} to {most}'}")
    if len(told) < len(lags):
        parts.append(f"{len(lags) - len(told)} on one side only")
    number = _number(entries, "entry was", "entries were")
    return f"{number} observed at another moment ({', '.join(parts)}): no difference unless --stamps"


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
