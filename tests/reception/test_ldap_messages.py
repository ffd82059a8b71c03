"""LDAP messages as bytes: what is sent is what RFC 4511 says, as ldap3's own decoder reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber import decoder, encoder

from infoprovider.reception import ldap_messages as ldap
from infoprovider.reception.ldap_messages import Incoming, NotLdap

SIZES = st.sampled_from([0, 1, 127, 128, 255, 256, 70_000])


def decoded(message: bytes) -> LDAPMessage:
    """A message as the general ASN.1 library reads it."""
    found, rest = decoder.decode(message, asn1Spec=LDAPMessage())
    assert not rest
    return found


@given(number=st.integers(1, 2**31 - 1), size=SIZES)
def test_an_addition_is_read_as_it_was_meant(number: int, size: int) -> None:
    """Name, attributes and values come out as they went in, whatever their length."""
    values = ["é" * size, "b"]
    sent = decoded(ldap.message(number, ldap.add("cn=a,o=b", {"cn": ["a"], "x": values})))
    assert int(sent["messageID"]) == number
    request = sent["protocolOp"]["addRequest"]
    assert str(request["entry"]) == "cn=a,o=b"
    read = {str(one["type"]): [bytes(value) for value in one["vals"]] for one in request["attributes"]}
    assert {name: set(values) for name, values in read.items()} == {
        "cn": {b"a"},
        "x": {value.encode() for value in values},
    }


def test_a_modification_replaces() -> None:
    """Each attribute is replaced; one without values is thereby removed."""
    request = decoded(ldap.message(5, ldap.modify("o=b", {"x": ["1"], "y": ()})))["protocolOp"]["modifyRequest"]
    changes = [(int(one["operation"]), str(one["modification"]["type"])) for one in request["changes"]]
    assert changes == [(2, "x"), (2, "y")]
    assert [len(one["modification"]["vals"]) for one in request["changes"]] == [1, 0]


def test_a_deletion_names_the_entry() -> None:
    """It is nothing but the name."""
    assert str(decoded(ldap.message(5, ldap.delete("cn=a,o=b")))["protocolOp"]["delRequest"]) == "cn=a,o=b"


def test_a_search_asks_for_a_page() -> None:
    """Base, scope and attributes, and the control with size and cookie."""
    sent = decoded(ldap.message(7, ldap.search("o=b", ldap.SUBTREE, ["*"]), ldap.page(1000, b"\x01\x02")))
    request = sent["protocolOp"]["searchRequest"]
    assert (str(request["baseObject"]), int(request["scope"])) == ("o=b", 2)
    assert [str(name) for name in request["attributes"]] == ["*"]
    [control] = sent["controls"]
    assert str(control["controlType"]) == "1.2.840.113556.1.4.319"
    assert bytes(control["controlValue"]).endswith(b"\x04\x02\x01\x02")


def test_answers_are_cut_out_of_what_comes() -> None:
    """A result is found in whatever pieces it comes, with its number, code and words."""
    answer = LDAPMessage()
    answer["messageID"] = 300
    result = answer["protocolOp"]["modifyResponse"]
    result["resultCode"], result["matchedDN"], result["diagnosticMessage"] = 32, "o=b", "gone"
    body = encoder.encode(answer) * 2
    incoming = Incoming()
    found = [one for byte in body for one in incoming.feed(bytes([byte]))]
    assert [(one.number, one.result()) for one in found] == [(300, (32, "gone"))] * 2


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH", b"\x30\x84\xff\xff\xff\xff", b"\x30\x85\x01\x01\x01\x01\x01"])
def test_what_is_no_ldap_is_refused(garbage: bytes) -> None:
    """Another protocol, and a message of a size that no server sends, end the reading."""
    with pytest.raises(NotLdap):
        list(Incoming().feed(garbage))


@given(st.binary(max_size=60))
def test_no_bytes_bring_the_reader_down(garbage: bytes) -> None:
    """Whatever comes, it is a message, not yet a whole one, or refused."""
    try:
        for answer in Incoming().feed(b"\x30" + bytes([len(garbage)]) + garbage):
            answer.result()
            answer.cookie()
    except (NotLdap, ValueError):
        pass
