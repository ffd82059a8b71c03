"""An LDAP server on loopback that answers searches as it is told, encoded by ldap3's own definitions (RFC 4511)."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ldap3.protocol import rfc4511
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type.namedtype import NamedType, NamedTypes
from pyasn1.type.univ import Any as AnyValue

from infoprovider import ldif

Answer = Callable[[Any, Callable[[bytes], None]], None]
"""From the message that was read, with a way to send bytes."""


def _replaced(types: NamedTypes, name: str, by: Any) -> NamedTypes:
    """The components of a type, one of them read as something else."""
    return NamedTypes(*(NamedType(name, by) if one.name == name else one for one in types.namedTypes))


class _SearchRequest(rfc4511.SearchRequest):
    """With its filter as bytes: the definitions cannot decode one within another."""

    componentType = _replaced(rfc4511.SearchRequest.componentType, "filter", AnyValue())  # noqa: N815  (its own name)


class _Operation(rfc4511.ProtocolOp):
    componentType = _replaced(rfc4511.ProtocolOp.componentType, "searchRequest", _SearchRequest())  # noqa: N815  (its own name)


class _Message(rfc4511.LDAPMessage):
    componentType = _replaced(rfc4511.LDAPMessage.componentType, "protocolOp", _Operation())  # noqa: N815  (its own name)


def entry(number: Any, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> bytes:
    """One result of a search."""
    found = rfc4511.SearchResultEntry()
    found["object"] = rfc4511.LDAPDN(dn)
    listed = rfc4511.PartialAttributeList()
    for name, values in attributes.items():
        one = rfc4511.PartialAttribute()
        one["type"] = rfc4511.AttributeDescription(name)
        kept = rfc4511.Vals()
        for value in values:
            kept.setComponentByPosition(len(kept), rfc4511.AttributeValue(value))
        one["vals"] = kept
        listed.setComponentByPosition(len(listed), one)
    found["attributes"] = listed
    return _message(number, "searchResEntry", found)


def done(number: Any, code: int = 0, said: str = "") -> bytes:
    """The end of a search."""
    result = rfc4511.SearchResultDone()
    result["resultCode"] = rfc4511.ResultCode(code)
    result["matchedDN"] = rfc4511.LDAPDN("")
    result["diagnosticMessage"] = rfc4511.LDAPString(said)
    return _message(number, "searchResDone", result)


def referral(number: Any, url: str) -> bytes:
    """A result that sends the reader elsewhere."""
    found = rfc4511.SearchResultReference()
    found.setComponentByPosition(0, rfc4511.URI(url))
    return _message(number, "searchResRef", found)


def _message(number: Any, name: str, operation: Any) -> bytes:
    message = rfc4511.LDAPMessage()
    message["messageID"] = rfc4511.MessageID(int(number))
    message["protocolOp"] = rfc4511.ProtocolOp().setComponentByName(name, operation)
    return bytes(encoder.encode(message))


def answering(body: bytes, above: str = "") -> Answer:
    """With all entries of a text of LDIF, moved below another one, whatever is asked."""

    def answer(message: Any, send: Callable[[bytes], None]) -> None:
        number = message["messageID"]
        for record in ldif.read(body):
            dn = record.dn.removesuffix("o=glue") + above + "o=glue"
            send(entry(number, dn, {name: [one.encode() for one in ones] for name, ones in record.attributes.items()}))
        send(done(number))

    return answer


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """The port of a server that answers every search so, until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def talk(line: socket.socket) -> None:
        with line:
            try:
                while received := line.recv(65536):
                    message, _ = decoder.decode(received, asn1Spec=_Message())
                    if message["protocolOp"].getName() == "searchRequest":
                        answer(message, line.sendall)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=talk, args=(line,), daemon=True))
            threads[-1].start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for one in threads:
            one.join(5)
