"""Prices as OtherInfo, unrounded, each group of keys numbered."""

from dataclasses import replace

import pytest

from infoprovider.inventory.model import Price, Prices
from infoprovider.mapping.other_info import OtherInfo
from infoprovider.mapping.prices import add_prices
from tests.mapping.example import NOW, known


def added(prices: Prices | None, instance_type: str | None) -> tuple[str, ...]:
    """What these prices add to a share or to a type."""
    info = OtherInfo("ExecutionEnvironment" if instance_type else "ComputingShare")
    add_prices(info, None if prices is None else known(prices, age=30), instance_type)
    return info.values()


def price(**changes: object) -> Price:
    """A price of a vCPU of which nothing but its currency is known."""
    return Price(**({"resource": "cpu", "currency": "EUR"} | changes))  # type: ignore[arg-type]


def test_a_price_says_what_for_how_much_and_when_it_was_observed() -> None:
    """Every field has its key; what is not known is left out."""
    full = price(
        fix_fee=2.5,
        fix_fee_period="once",
        consumption_fee=0.05,
        consumption_fee_period="hourly",
        scope="members",
        valid_from=NOW,
        valid_until=NOW,
    )
    assert added(Prices(prices=(full,)), None) == (
        "Price.Resource=cpu",
        "Price.FixFee=2.5",
        "Price.FixFeePeriod=once",
        "Price.ConsumptionFee=0.05",
        "Price.ConsumptionFeePeriod=hourly",
        "Price.Currency=EUR",
        "Price.Scope=members",
        "Price.ValidFrom=2026-11-21T12:00:00Z",
        "Price.ValidUntil=2026-11-21T12:00:00Z",
        "Price.ObservedAt=2026-11-21T11:59:30Z",
    )
    assert added(Prices(prices=(price(),)), None) == (
        "Price.Resource=cpu",
        "Price.Currency=EUR",
        "Price.ObservedAt=2026-11-21T11:59:30Z",
    )


def test_further_prices_are_numbered() -> None:
    """The second group of keys ends in `.2`; a price of nothing is a price."""
    prices = Prices(prices=(price(), price(resource="storage", consumption_fee=0.0)))
    assert [value for value in added(prices, None) if ".2=" in value] == [
        "Price.Resource.2=storage",
        "Price.ConsumptionFee.2=0.0",
        "Price.Currency.2=EUR",
    ]


def test_a_price_stands_where_it_belongs() -> None:
    """A type's price on the type, the others on the share; where there is none, nothing is said."""
    prices = Prices(prices=(price(resource="flavour", instance_type="small"),))
    assert added(prices, "small")[0] == "Price.Resource=flavour"
    assert added(prices, "large") == ()
    assert added(prices, None) == ()
    assert added(None, None) == ()


def test_a_declared_price_has_no_moment_of_observation() -> None:
    """It stands as long as the configuration says so; a moment that moves at every run would change the entry."""
    info = OtherInfo("ComputingShare")
    told = known(Prices(prices=(price(),)))
    add_prices(info, replace(told, source=replace(told.source, declared=True)), None)
    assert info.values() == ("Price.Resource=cpu", "Price.Currency=EUR")


@pytest.mark.parametrize(("fee", "text"), [(0.00042, "0.00042"), (1e-07, "0.0000001"), (12345678.91, "12345678.91")])
def test_a_price_is_not_rounded(fee: float, text: str) -> None:
    """All decimals, no exponent."""
    assert f"Price.ConsumptionFee={text}" in added(Prices(prices=(price(consumption_fee=fee),)), None)
