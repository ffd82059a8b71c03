"""Signatures in CMS (RFC 5652) around what is sent, made and checked by the program `openssl`.

The content is inside the signature, in DER. Keys are named by their files: no key and no password is ever an argument
of a program, and a key that is encrypted is refused.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import model_validator

from infoprovider.deadline import Deadline
from infoprovider.errors import ConfigError, Finding, MessageRefused, Refused
from infoprovider.files import fault
from infoprovider.settings import FilePath, FolderPath, Settings

OPENSSL = "openssl"

_MOST_WORDS = 300
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_SUBJECT = ("x509", "-noout", "-subject", "-nameopt", "RFC2253")


class SignatureSettings(Settings):
    """The certificate of whoever signs, usually of the host, and its key: files in PEM."""

    certificate: FilePath
    key: FilePath


class TrustSettings(Settings):
    """The authorities whose certificates are believed: a file with them, or a folder with a hashed name for each."""

    ca_file: FilePath | None = None
    ca_path: FolderPath | None = None

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.ca_file is None) == (self.ca_path is None):
            raise ValueError("write either ca_file or ca_path")
        return self


@dataclass(frozen=True, slots=True)
class Opened:
    """What was signed, and the subject of the certificate that it was signed with, as RFC 2253 writes it."""

    frame: bytes
    signer: str


def sign(frame: bytes, settings: SignatureSettings, deadline: Deadline) -> bytes:
    """The frame with its signature around it. Raises Refused where it cannot be signed."""
    files = ("-signer", str(settings.certificate), "-inkey", str(settings.key))
    words = ("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-md", "sha256", "-outform", "DER", *files)
    what = f"cannot sign with {settings.certificate} and {settings.key}"
    try:
        with _authorities_in(settings.certificate) as above:
            done = _run((*words, *above), frame, deadline)
    except subprocess.TimeoutExpired:
        raise Refused(f"{what}: openssl had not ended in time; give the channel a longer deadline") from None
    except ConfigError as error:
        raise Refused(f"{what}: {error}") from error
    except OSError as error:
        raise Refused(f"{what}: {fault(error)}") from error
    if done.returncode:
        remedy = "name a certificate in PEM and its key, not encrypted and readable for this user"
        why = "the key is encrypted" if _is_encrypted(settings.key) else _reason(done.stderr)
        raise Refused(f"{what}: {why}; {remedy}")
    return done.stdout


def check_signer(settings: SignatureSettings, deadline: Deadline) -> None:
    """Prove that something could be signed so that others believe it. Raises Refused."""
    sign(b"", settings, deadline)
    try:
        done = _run(("x509", "-noout", "-checkend", "0", "-in", str(settings.certificate)), b"", deadline)
    except subprocess.TimeoutExpired:
        return
    if done.returncode:
        raise Refused(f"the certificate {settings.certificate} to sign with has expired; renew it")


def opened(body: bytes, trust: TrustSettings, deadline: Deadline) -> Opened:
    """What is inside a signature that holds, and who signed it.

    Raises MessageRefused where it does not hold, or nobody vouches for the signer; ConfigError where the authorities
    cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="signer-") as folder:
        signer = Path(folder) / "signer.pem"
        # Certificates of hosts are not made out for mail, which is what openssl would look for.
        words = ("cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-signer", str(signer))
        try:
            done = _run((*words, *_authorities(trust)), body, deadline)
            if done.returncode:
                raise MessageRefused(f"has a signature that does not hold: {_reason(done.stderr)}")
            if signer.read_bytes().count(b"-----BEGIN CERTIFICATE-----") != 1:
                raise MessageRefused("is not signed by exactly one")
            named = _run((*_SUBJECT, "-in", str(signer)), b"", deadline)
        except subprocess.TimeoutExpired:
            raise MessageRefused("has a signature that could not be checked in time") from None
    return Opened(done.stdout, named.stdout.decode().strip().removeprefix("subject="))


def _authorities(trust: TrustSettings) -> tuple[str, ...]:
    place = trust.ca_file or trust.ca_path
    if place is None or not place.exists():
        remedy = "name a file with certificates of authorities, or a folder with a hashed name for each"
        raise ConfigError([Finding(file=str(place), what="is not there", remedy=remedy)])
    if trust.ca_file is not None:
        return ("-CAfile", str(place), "-no-CApath", "-no-CAstore")
    return ("-CApath", str(place), "-no-CAfile", "-no-CAstore")


@contextmanager
def _authorities_in(certificate: Path) -> Iterator[tuple[str, ...]]:
    """The words that add the authorities in a file behind its first certificate; that one itself must not be twice."""
    try:
        above = _CERTIFICATE.findall(certificate.read_bytes())[1:]
    except OSError:  # openssl will say so
        above = []
    if not above:
        yield ()
        return
    with tempfile.NamedTemporaryFile(prefix="above-", suffix=".pem") as file:
        file.write(b"\n".join(above))
        file.flush()
        yield "-certfile", file.name


def _run(words: tuple[str, ...], given: bytes, deadline: Deadline) -> "subprocess.CompletedProcess[bytes]":
    """Run openssl without a terminal at which it could ask for a password. Raises ConfigError, TimeoutExpired."""
    try:
        return subprocess.run(  # noqa: S603  (no shell, and the words are ours)
            [OPENSSL, *words],
            input=given,
            capture_output=True,
            timeout=max(deadline.remaining(), 0.01),
            check=False,
            start_new_session=True,
        )
    except OSError as error:
        finding = Finding(file=OPENSSL, what=f"cannot be run: {error.strerror}", remedy="install the package openssl")
        raise ConfigError([finding]) from error


def _is_encrypted(key: Path) -> bool:
    """What openssl says of such a key depends on where it would have asked."""
    try:
        return b"ENCRYPTED" in key.read_bytes()
    except OSError:
        return False


def _reason(stderr: bytes) -> str:
    """The words of openssl that say most: why a certificate is not believed, else the reason in its last line."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    told = re.search(r"Verify error: *(.+)", "\n".join(lines))
    if told:
        return told[1][:_MOST_WORDS]
    # 40C7B3F1D37F0000:error:17000064:CMS routines:CMS_verify:content verify error:../crypto/cms/cms_smime.c:418:
    reasons = [parts[5] for line in lines if len(parts := line.split(":")) > 5 and parts[1] == "error"]
    return (reasons or lines or ["openssl says nothing"])[-1][:_MOST_WORDS]
