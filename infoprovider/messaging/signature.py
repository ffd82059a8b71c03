"""CMS signatures around messages, made and proved by `openssl cms`: every host has it, and keys stay in their files."""

import subprocess

from infoprovider.deadline import Deadline
from infoprovider.errors import Refused
from infoprovider.settings import FilePath, Settings


class SignatureSettings(Settings):
    """With what messages are signed: a certificate and its key as PEM files, the host's as a rule."""

    certificate: FilePath
    key: FilePath


def sign(frame: bytes, settings: SignatureSettings, deadline: Deadline) -> bytes:
    """The frame inside a CMS SignedData in DER. Raises Refused where it cannot be signed."""
    words = ["openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER"]
    words += ["-signer", str(settings.certificate), "-inkey", str(settings.key)]
    try:
        done = subprocess.run(  # noqa: S603
            words, input=frame, capture_output=True, check=False, timeout=deadline.remaining()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"cannot sign with {settings.certificate}: {error}; install openssl") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(f"cannot sign with {settings.certificate}: {said[:1]}; name a certificate and its key")
    return done.stdout
