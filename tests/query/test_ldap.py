"""Reading a live LDAP server: all of it or an error that says why, within the time, and nothing else is asked."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from infoprovider.errors import QueryError
from infoprovider.ldif import Located, Record, Unreadable
from infoprovider.query.ldap import Server, read_server
from tests.fakes.ldap_server import Answer, done, entry, referral, serving

Send = Callable[[bytes], None]


def read(answer: Answer, timeout: float = 10) -> list[Located | Unreadable]:
    """What is read of a server that answers so."""
    with serving(answer) as port:
        return list(read_server(Server("127.0.0.1", port, timeout=timeout)))


def refusal(answer: Answer, timeout: float = 10) -> str:
    """Why it cannot be read, without the server's address."""
    with pytest.raises(QueryError) as caught:
        read(answer, timeout)
    return str(caught.value).partition(": ")[2]


def test_every_entry_is_read_and_no_referral_is_followed() -> None:
    """A server without pages sends all at once; a value that is no text is told with its entry."""

    def answer(message: Any, send: Send) -> None:
        number = message["messageID"]
        assert str(message["protocolOp"].getComponent()["baseObject"]) == "o=glue"
        send(entry(number, "o=glue", {"objectClass": [b"organization"], "o": [b"glue"]}))
        send(referral(number, "ldap://127.0.0.1:1/o=elsewhere"))
        send(entry(number, "GLUE2DomainID=\u00e9,o=glue", {"GLUE2DomainID": ["\u00e9".encode()]}))
        send(entry(number, "GLUE2DomainID=b,o=glue", {"GLUE2DomainID": [b"\xff"]}))
        send(done(number))

    assert read(answer) == [
        Located(0, Record("o=glue", {"objectClass": ["organization"], "o": ["glue"]})),
        Located(0, Record("GLUE2DomainID=\u00e9,o=glue", {"GLUE2DomainID": ["\u00e9"]})),
        Unreadable(0, "GLUE2DomainID=b,o=glue has a value that is not UTF-8"),
    ]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (4, "it stopped at its size limit after 1 entries; ask below a smaller base"),
        (3, "it stopped at its time limit after 1 entries; ask below a smaller base"),
        (32, "there is no such entry; correct the base"),
        (50, "it answered 50, not you; see whether it lets anybody read"),
    ],
)
def test_less_than_all_is_an_error(code: int, why: str) -> None:
    """A part of a tree would be judged as if it were the whole."""

    def answer(message: Any, send: Send) -> None:
        send(entry(message["messageID"], "o=glue", {"o": [b"glue"]}))
        send(done(message["messageID"], code, "not you"))

    assert refusal(answer) == why


def test_a_server_that_is_not_there_is_told() -> None:
    """With its address, and what to look at."""
    with serving(lambda *_: None) as port:
        pass
    with pytest.raises(QueryError, match=rf"cannot read ldap://127.0.0.1:{port}/o=glue: .*; see whether it runs"):
        list(read_server(Server("127.0.0.1", port)))


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    """After the time that was given, not later."""
    before = time.monotonic()
    assert refusal(lambda *_: None, 1).startswith("no whole answer within 1 s; allow more time with -t")
    assert time.monotonic() - before < 4


def test_a_server_that_sends_a_byte_now_and_then_is_given_up_in_time() -> None:
    """Each byte comes before any wait has ended, the whole never."""

    def answer(message: Any, send: Send) -> None:
        with contextlib.suppress(OSError):
            for byte in entry(message["messageID"], "o=glue", {"o": [b"glue" * 1000]}):
                send(bytes([byte]))
                time.sleep(0.05)

    before = time.monotonic()
    assert refusal(answer, 1).startswith("no whole answer within 1 s")
    assert time.monotonic() - before < 4


def test_a_server_that_breaks_off_is_told() -> None:
    """What had come by then is not taken for the whole."""

    def answer(message: Any, send: Send) -> None:
        send(entry(message["messageID"], "o=glue", {"o": [b"glue"]})[:-2])
        raise OSError

    assert refusal(answer)


def test_an_address_is_spelt_as_a_url() -> None:
    """IPv6 in brackets."""
    assert str(Server("::1", 2170)) == "ldap://[::1]:2170/o=glue"
