"""The profile's rules on keys in OtherInfo: `Key=value`, and the shares of communities `Share=community:percent`."""

import re
from collections.abc import Callable, Iterator

from infoprovider import ldif
from infoprovider.validation.profile.types import URL
from infoprovider.validation.profile.words import BENCHMARKS, CONFIGURED_BY, GRIDS, MIDDLEWARE, NGIS, TIERS
from infoprovider.validation.report import Finding, Level
from infoprovider.validation.rule import Rule, Selection

OTHER_INFO = "GLUE2EntityOtherInfo"
_COMMUNITY = re.compile(r"[a-z0-9_-]{1,255}|([a-z0-9_-]{1,63}\.)+[a-z]{2,63}")


def _rule(code: str, broken: str, why: str, remedy: str, off: str = "") -> Rule:
    level = {"E": Level.ERROR, "W": Level.WARNING, "I": Level.INFO}[code[0]]
    return Rule(
        id=f"egi.{code}",
        subject="Entity.OtherInfo",
        level=level,
        broken=broken,
        why=why,
        remedy=remedy,
        off=off,
        wrong=bool(off),
    )


_KNOWN = "readers of the profile know only these"
_WORD = "write a word of the list, or leave the key out"
_FIXED = "the list is of 2014, and lacks what has come since"


def _listed(
    code: str, key: str, words: frozenset[str], off: str = ""
) -> tuple[str, tuple[Rule, Callable[[str], bool]]]:
    shown = ", ".join(sorted(words)) if len(words) < 5 else f"the profile's list of {len(words)}"
    return key, (_rule(code, f"{key}=x, and x is none of {shown}", _KNOWN, _WORD, off), words.__contains__)


def _filled(code: str, key: str) -> tuple[str, tuple[Rule, Callable[[str], bool]]]:
    return key, (_rule(code, f"{key}= has no value", "the key says nothing", "write the value, or no key"), bool)


def _url(code: str, key: str) -> tuple[str, tuple[Rule, Callable[[str], bool]]]:
    rule = _rule(code, f"{key}=x, and x is no URL as W037 takes it", "nobody can follow it", "write the whole URL")
    return key, (rule, lambda value: URL.match(value) is not None)


_KEYS = dict(
    (
        _listed("W003", "ProfileName", frozenset({"EGI"})),
        _filled("W004", "ProfileVersion"),
        _listed("I001", "GRID", GRIDS, _FIXED),
        _listed("I002", "CONFIG", CONFIGURED_BY, "sites are configured by other tools too"),
        _listed("I003", "EGI_NGI", NGIS, _FIXED),
        _url("I004", "BLOG"),
        _url("I005", "ICON"),
        _listed("I006", "WLCG_TIER", TIERS),
        _url("I008", "WLCG_NAMEICON"),
        _listed("I009", "MiddlewareName", MIDDLEWARE, "cloud sites run other software"),
        _filled("I010", "MiddlewareVersion"),
        _filled("I011", "HostDN"),
    )
)

_SCALING = "CPUScalingReference"
SCALING = _rule(
    "I013", f"{_SCALING}X=…, and X is none of {', '.join(sorted(BENCHMARKS))}", _KNOWN, "name one of these benchmarks"
)
COMMUNITY = _rule(
    "I012",
    "Share=community:percent, and the community's name is none that a community can have",
    "nobody knows whose share it is",
    "write the community's registered name",
)
PERCENT = _rule(
    "E003",
    "Share=community:percent, and percent is not from 0 to 100",
    "it is no share of a whole",
    "write a whole number from 0 to 100",
)
TWICE = _rule("E004", "two Share= name one community", "nobody knows which of them counts", "write one of them")
COLON = _rule("E005", "Share= has no colon", "it names no percentage", "write Share=community:percent")
WHOLE = _rule(
    "E007", "all Share= together are above 100", "more than all is given away", "write percentages of the whole"
)
RULES = (*(rule for rule, _ in _KEYS.values()), COMMUNITY, PERCENT, TWICE, COLON, SCALING, WHOLE)


class OtherInfo:
    """Judges the keys that the profile knows; all others are free."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._keys = {key: test for key, test in _KEYS.items() if selection.has(test[0])}

    def of_entry(self, record: ldif.Record) -> Iterator[Finding]:
        """What is wrong with the keys of an entry."""
        shares = []
        for value in record.attributes.get(OTHER_INFO, ()):
            key, equals, text = value.partition("=")
            if not equals:
                continue
            if key in self._keys:
                rule, passes = self._keys[key]
                if not passes(text):
                    yield rule.found(record.dn, f"is {value[:80]!r}", OTHER_INFO)
            elif key == "Share":
                shares.append(text)
            elif key.startswith(_SCALING) and key.removeprefix(_SCALING) not in BENCHMARKS:
                yield from self._if_chosen(SCALING, record, f"is {value[:80]!r}")
        if shares:
            yield from self._of_shares(record, shares)

    def _of_shares(self, record: ldif.Record, shares: list[str]) -> Iterator[Finding]:
        seen, whole = set(), 0
        for share in shares:
            community, colon, percent = share.partition(":")
            if not colon:
                yield from self._if_chosen(COLON, record, f"is {share[:80]!r}")
                continue
            if not _COMMUNITY.fullmatch(community):
                yield from self._if_chosen(COMMUNITY, record, f"is of {community[:80]!r}")
            if community in seen:
                yield from self._if_chosen(TWICE, record, f"names {community[:80]!r} again")
            seen.add(community)
            number = int(percent) if re.fullmatch(r"-?[0-9]{1,9}", percent) else None
            if number is None or not 0 <= number <= 100:
                yield from self._if_chosen(PERCENT, record, f"is {share[:80]!r}")
            whole += number or 0
        if whole > 100:
            yield from self._if_chosen(WHOLE, record, f"are {whole} % together")

    def _if_chosen(self, rule: Rule, record: ldif.Record, what: str) -> Iterator[Finding]:
        if self._selection.has(rule):
            yield rule.found(record.dn, what, OTHER_INFO)
