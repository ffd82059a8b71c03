"""A certificate of the loopback address that nobody signed but itself."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def self_signed(certificate: Path) -> ssl.SSLContext:
    """Make one in this file, its key in another beside it; what a server needs to show it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    key = certificate.with_suffix(".key")
    named = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(
        [openssl, "req", *kind, *named, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
