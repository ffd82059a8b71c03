"""`infoprovider show --nagios`: whatever happens, one line and a code from 0 to 3."""

import logging
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from infoprovider.cli import site
from infoprovider.errors import ConfigError, InfoproviderError
from infoprovider.settings import Duration
from infoprovider.views.nagios import Limits, Verdict, judge, unknown
from infoprovider.views.overview import overview_of

_DURATION: TypeAdapter[float] = TypeAdapter(Duration)

log = logging.getLogger(__name__)


def probe(config: Path, warning: str | None, critical: str | None) -> Verdict:
    """Look at what is kept; raises nothing, for what is raised would be taken for a state of the centre."""
    try:
        limits = Limits(
            warning=_seconds("--warning", warning) or 0.0,
            critical=_seconds("--critical", critical),
        )
        configuration = site.read_configuration(config)
        return judge(configuration, overview_of(configuration, site.clock), limits)
    except ConfigError as error:
        return unknown(f"the configuration cannot be used: {error.findings[0]}")
    except (InfoproviderError, _WrongWord) as error:
        return unknown(str(error))
    except Exception as error:
        log.info("the fault in full", exc_info=error)
        return unknown(f"a fault of this program: {type(error).__name__}: {error}")


class _WrongWord(Exception):
    """A word of the command line that is no duration."""


def _seconds(option: str, text: str | None) -> float | None:
    """Seconds that were written as a number or as a duration."""
    if text is None:
        return None
    try:
        return _DURATION.validate_python(float(text) if text.replace(".", "", 1).isdigit() else text, strict=True)
    except ValidationError as error:
        raise _WrongWord(f"{option} {text} is no duration such as 90s, 5m or 2h") from error
