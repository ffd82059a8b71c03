"""Settings of brokers."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from infoprovider.messaging.broker import BrokerSettings, host_and_port

GIVEN = {"brokers": ["mq.example.org:61612"]}


def settings(**given: Any) -> BrokerSettings:
    """As from a file."""
    return BrokerSettings.model_validate_json(json.dumps(GIVEN | given))


def test_one_address_is_enough_and_means_tls_judged_by_the_system() -> None:
    """What is left out is the safe way."""
    assert not settings().plain
    assert settings().ca_file is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"brokers": []}, "at least 1"),
        ({"brokers": ["mq.example.org"]}, "match pattern"),
        ({"brokers": ["stomp://mq.example.org:61612"]}, "match pattern"),
        ({"brokers": ["mq.example.org:70000"]}, "beyond 65535"),
        ({"user": "me"}, "user and password belong together"),
        ({"password": {"environment": "X"}}, "user and password belong together"),
        ({"key": "k.pem"}, "a key without a certificate"),
        ({"ca_file": "a.pem", "ca_path": "folder"}, "the same in two ways"),
        ({"plain": True, "certificate": "c.pem"}, "without TLS, where certificates mean nothing"),
        ({"password": "abc", "user": "me"}, "no secret's place"),
        ({"user": "a\nb", "password": {"environment": "X"}}, "match pattern"),
        ({"heartbeat": 0.1}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], why: str) -> None:
    """Half of a way in, two ways at once, passwords in the open and addresses without a port are mistakes."""
    with pytest.raises(ValidationError, match=why):
        settings(**given)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("mq.example.org:61612", ("mq.example.org", 61612)), ("[2001:db8::1]:61612", ("2001:db8::1", 61612))],
)
def test_an_address_is_a_host_and_a_port(address: str, expected: tuple[str, int]) -> None:
    """An IPv6 address stands in brackets, which are none of the host's name."""
    assert settings(brokers=[address]).brokers == (address,)
    assert host_and_port(address) == expected
