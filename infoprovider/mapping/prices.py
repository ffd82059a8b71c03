"""Prices as `OtherInfo`: the fields of the GLUE 2.1 draft's CloudServicePrice; further ones are numbered `.2`."""

from collections.abc import Iterable
from decimal import Decimal

from infoprovider.inventory.model import Price, Prices
from infoprovider.mapping.context import Known, when_observed
from infoprovider.mapping.other_info import InfoValue, OtherInfo


def add_prices(info: OtherInfo, known: Known[Prices] | None, instance_type: str | None) -> None:
    """Add the prices of one instance type, or those of the service itself where None is given."""
    if known is None:
        return
    prices = [price for price in known.value.prices if price.instance_type == instance_type]
    for number, price in enumerate(prices, start=1):
        suffix = f".{number}" if number > 1 else ""
        for key, value in _fields(price):
            info.add(f"Price.{key}{suffix}", value)
    if prices:
        info.add("Price.ObservedAt", when_observed(known.source))


def _fields(price: Price) -> Iterable[tuple[str, InfoValue]]:
    yield "Resource", price.resource
    yield "FixFee", _amount(price.fix_fee)
    yield "FixFeePeriod", price.fix_fee_period
    yield "ConsumptionFee", _amount(price.consumption_fee)
    yield "ConsumptionFeePeriod", price.consumption_fee_period
    yield "Currency", price.currency
    yield "Scope", price.scope
    yield "ValidFrom", price.valid_from
    yield "ValidUntil", price.valid_until


def _amount(fee: float | None) -> str | None:
    """A fee with all its decimals and no exponent: a price is not rounded."""
    return None if fee is None else format(Decimal(repr(fee)), "f")
