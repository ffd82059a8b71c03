"""Certificates of the loopback address: one that nobody signed but itself, and those of an authority."""

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


class Authority:
    """An authority, whose own certificate is `certificate`, and a server that it signed one for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "authority.pem"
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        own = ["-subj", "/CN=authority", "-days", "2", "-keyout", "authority.key", "-out", self.certificate.name]
        self._openssl("req", "-x509", *kind, *own)
        named = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        self._openssl("req", *kind, *named, "-keyout", "server.key", "-out", "server.csr")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.sign(days=2)

    def sign(self, days: int) -> None:
        """Let the server show a certificate that ends in so many days, at the next connection."""
        signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-copy_extensions", "copy"]
        self._openssl("x509", "-req", "-in", "server.csr", *signed, "-days", str(days), "-out", "server.pem")
        self.context.load_cert_chain(self._folder / "server.pem", self._folder / "server.key")

    def _openssl(self, *words: str) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("needs openssl")
        subprocess.run([openssl, *words], check=True, capture_output=True, cwd=self._folder)
