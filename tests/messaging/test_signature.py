"""Signatures: made and checked with the real openssl."""

import os
import subprocess
from pathlib import Path

import pytest

from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, MessageRefused, Refused
from infoprovider.messaging.signature import Opened, SignatureSettings, TrustSettings, check_signer, opened, sign

CERTIFICATE = Path(__file__).parents[2] / "tools" / "testbeds" / "activemq" / "certificate"
HOST = "/DC=org/DC=example/OU=Hosts/CN=ui.rc-one.example.org"
SUBJECT = "CN=ui.rc-one.example.org,OU=Hosts,DC=example,DC=org"
FRAME = b'{"version":1}\n\0\x1f\x8b\r\n.\n' + bytes(range(256)) * 40


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities, hosts of the first (one of them with an RSA key, one expired) and a stranger of the second."""
    folder = tmp_path_factory.mktemp("pki")
    made = {
        "authority": ("/DC=org/DC=example/CN=Authority",),
        "other": ("/DC=org/DC=elsewhere/CN=Authority",),
        "host": (HOST, "--authority", "authority"),
        "rsa": (HOST, "--authority", "authority", "--rsa"),
        "expired": (HOST, "--authority", "authority", "--expired"),
        "stranger": (HOST, "--authority", "other"),
    }
    for name, words in made.items():
        subprocess.run([CERTIFICATE, folder, name, *words], check=True, capture_output=True)
    subprocess.run(
        ["openssl", "ec", "-in", "host.key", "-aes128", "-passout", "pass:x", "-out", "locked.key"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def soon() -> Deadline:
    """Long enough for a busy machine."""
    return Deadline.after(60)


def signer(pki: Path, name: str, key: str = "") -> SignatureSettings:
    """Who signs."""
    return SignatureSettings(certificate=pki / f"{name}.pem", key=pki / f"{key or name}.key")


def trust(pki: Path, name: str = "authority") -> TrustSettings:
    """Whom the receiver believes."""
    return TrustSettings(ca_file=pki / f"{name}.pem")


@pytest.mark.parametrize("name", ["host", "rsa"])
def test_what_was_signed_comes_out_byte_for_byte_with_its_signer(pki: Path, name: str) -> None:
    """Line ends, NULs and empty frames survive, and the signer is named as RFC 2253 writes it."""
    for frame in (FRAME, b""):
        assert opened(sign(frame, signer(pki, name), soon()), trust(pki), soon()) == Opened(frame, SUBJECT)


def test_a_folder_of_authorities_is_as_good_as_a_file(pki: Path, tmp_path: Path) -> None:
    """The folder has a link for each authority, named by the hash of its subject, as grids have it."""
    certificate = pki / "authority.pem"
    hashed = subprocess.run(
        ["openssl", "x509", "-noout", "-hash", "-in", certificate], check=True, capture_output=True, text=True
    )
    (tmp_path / f"{hashed.stdout.strip()}.0").symlink_to(certificate)
    body = sign(FRAME, signer(pki, "host"), soon())
    assert opened(body, TrustSettings(ca_path=tmp_path), soon()).signer == SUBJECT


@pytest.mark.parametrize(
    ("name", "why"), [("stranger", "unable to get local issuer certificate"), ("expired", "certificate has expired")]
)
def test_a_signer_for_whom_nobody_vouches_is_refused(pki: Path, name: str, why: str) -> None:
    """A certificate of an unknown authority, even with the same subject, and one that has ended prove nothing."""
    with pytest.raises(MessageRefused, match=f"a signature that does not hold: .*{why}"):
        opened(sign(FRAME, signer(pki, name), soon()), trust(pki), soon())


def test_a_byte_that_was_changed_is_seen(pki: Path) -> None:
    """Whatever byte of the content was changed, nothing comes out."""
    body = bytearray(sign(FRAME, signer(pki, "host"), soon()))
    body[body.index(b'"version":1') + 10] ^= 1
    with pytest.raises(MessageRefused, match="does not hold"):
        opened(bytes(body), trust(pki), soon())


@pytest.mark.parametrize("body", [b"", b"\0", FRAME, os.urandom(1000), b"\x30\x80" + b"\x30" * 500])
def test_what_is_no_signature_is_refused(pki: Path, body: bytes) -> None:
    """Unsigned frames and rubbish are told from signed ones."""
    with pytest.raises(MessageRefused, match="does not hold"):
        opened(body, trust(pki), soon())


def test_a_signature_that_is_cut_off_is_refused(pki: Path) -> None:
    """Half a message is none."""
    body = sign(FRAME, signer(pki, "host"), soon())
    with pytest.raises(MessageRefused, match="does not hold"):
        opened(body[: len(body) // 2], trust(pki), soon())


def test_a_signature_beside_its_content_is_refused(pki: Path) -> None:
    """A signature of something that is not in the message says nothing about the message."""
    words = ["cms", "-sign", "-binary", "-outform", "DER", "-signer", "host.pem", "-inkey", "host.key"]
    made = subprocess.run(["openssl", *words], input=FRAME, check=True, capture_output=True, cwd=pki)
    with pytest.raises(MessageRefused, match="does not hold"):
        opened(made.stdout, trust(pki), soon())


def test_two_signers_are_none(pki: Path) -> None:
    """With two there would be two subjects to believe."""
    words = ["cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", "host.pem", "-inkey", "host.key"]
    more = ["-signer", "rsa.pem", "-inkey", "rsa.key"]
    made = subprocess.run(["openssl", *words, *more], input=FRAME, check=True, capture_output=True, cwd=pki)
    with pytest.raises(MessageRefused, match="exactly one"):
        opened(made.stdout, trust(pki), soon())


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("host", "rsa", "private key does not match certificate"),
        ("host", "locked", "the key is encrypted"),
        ("host", "missing", "No such file or directory"),
        ("missing", "host", "No such file or directory"),
    ],
)
def test_what_cannot_be_signed_is_told(pki: Path, name: str, key: str, why: str) -> None:
    """A key of another certificate, an encrypted one and files that are not there; nobody is asked for a password."""
    with pytest.raises(Refused, match=f"cannot sign with .*: .*{why}; name a certificate in PEM"):
        sign(FRAME, signer(pki, name, key), soon())


def test_a_signer_is_checked_before_anybody_relies_on_him(pki: Path) -> None:
    """A signature with an expired certificate can be made, and nobody would believe it."""
    check_signer(signer(pki, "host"), soon())
    with pytest.raises(Refused, match=r"expired\.pem to sign with has expired; renew it"):
        check_signer(signer(pki, "expired"), soon())


def test_authorities_that_are_not_there_are_the_operators_business(pki: Path, tmp_path: Path) -> None:
    """It is no fault of the message that nothing can be checked."""
    body = sign(FRAME, signer(pki, "host"), soon())
    with pytest.raises(ConfigError, match="nowhere: is not there"):
        opened(body, TrustSettings(ca_file=tmp_path / "nowhere"), soon())


def test_neither_signing_nor_checking_takes_longer_than_it_may(
    pki: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that hangs is ended at the deadline."""
    (tmp_path / "openssl").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Refused, match="had not ended in time"):
        sign(FRAME, signer(pki, "host"), Deadline.after(0.2))
    with pytest.raises(MessageRefused, match="could not be checked in time"):
        opened(FRAME, trust(pki), Deadline.after(0.2))


def test_a_missing_openssl_is_told(pki: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who signs learns it as a refusal of the channel, who checks as something to be mended here."""
    body = sign(FRAME, signer(pki, "host"), soon())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match=r"cannot sign with .*openssl: cannot be run: .*; install the package openssl"):
        sign(FRAME, signer(pki, "host"), soon())
    with pytest.raises(ConfigError, match="install the package openssl"):
        opened(body, trust(pki), soon())


def test_no_key_and_no_content_is_an_argument_of_a_program(
    pki: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process list shows are names of files."""
    said = tmp_path / "said"
    (tmp_path / "openssl").write_text(f'#!/bin/sh\necho "$@" >>{said}\nexec /usr/bin/openssl "$@"\n')
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    opened(sign(b"content", signer(pki, "host"), soon()), trust(pki), soon())
    secret = (pki / "host.key").read_text().splitlines()[1]
    assert "-sign " in said.read_text()
    assert "content" not in said.read_text()
    assert secret not in said.read_text()
