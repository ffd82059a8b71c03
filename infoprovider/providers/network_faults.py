"""TLS and its faults, for providers that speak HTTP by the standard library: who is trusted, and what went wrong."""

import http.client
import re
import ssl
from pathlib import Path

from infoprovider.errors import CollectError, ConfigError, DeadlineExceeded, Finding, Unreachable

_STATUS = re.compile(r"([1-5][0-9]{2})\b")


def of_network(server: str, call: str, error: OSError | http.client.HTTPException) -> CollectError:
    """What was asked of which server, what was seen, and what to do; the server's own texts are not passed on.

    Of an HTTPException only a status is told that its message begins with, as those of SOAP clients do.
    """
    match error:
        case ssl.SSLCertVerificationError():
            do = "name the authority that issued its certificate as ca_file"
            return Unreachable(f"{server} is not trusted: {error.verify_message}; {do}")
        case TimeoutError():
            do = "see whether it hangs or a firewall drops what comes, or give the instance a longer deadline"
            return DeadlineExceeded(f"{server} did not answer in time ({call}); {do}")
        case OSError():
            why = error.strerror or "the connection broke"
            return Unreachable(f"{server} cannot be reached: {why}; check the address and that the service runs")
    status = _STATUS.match(str(error))
    seen = f"status {status[1]}" if status else "half an answer"
    return Unreachable(f"{server} answered {call} with {seen}; check where url leads to, and see the server's log")


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """What verifies servers, on loopback as well: by the authorities in a file, else by the system's.

    Raises ConfigError where the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        what = f"cannot be used: {error.strerror or error.__class__.__name__}"
        remedy = "name a file of certificates in PEM as ca_file"
        raise ConfigError([Finding(file=str(ca_file), what=what, remedy=remedy)]) from error
