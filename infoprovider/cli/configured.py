"""The configuration that is in force while infoprovider runs, and what has become of its file since."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError, Finding

log = logging.getLogger(__name__)


class Configured:
    """Holds the configuration in force. `faults` are the mistakes for which the file was not taken when last read.

    `is_outdated` is whether the file says something else, which nobody has asked to be taken.
    """

    def __init__(self, path: Path, configuration: Configuration, read: Callable[[Path], Configuration]) -> None:
        self._path = path
        self._read = read
        self.configuration = configuration
        self.faults: tuple[str, ...] = ()
        self.is_outdated = False

    def reload(self) -> bool:
        """Take what the file says now; whether that is done. One that cannot be used changes nothing, and says why."""
        configuration = self._usable()
        if configuration is None:
            return False
        self.configuration = configuration
        self.is_outdated = False
        log.info("%s is in force", self._path)
        return True

    def confirm(self) -> bool:
        """Look whether the file still says the same: then it is as if it had been read just now; whether it does."""
        configuration = self._usable()
        if configuration is None:
            return False
        confirmed = replace(self.configuration, loaded_at=configuration.loaded_at)
        self.is_outdated = confirmed != configuration
        if self.is_outdated:
            log.warning("%s has changed and is not in force; reload infoprovider (SIGHUP) to take it", self._path)
            return False
        self.configuration = confirmed
        return True

    @property
    def remark(self) -> str:
        """What the operator should know of the file, or nothing."""
        if self.faults:
            return f"{self._path} cannot be used ({len(self.faults)} mistakes); the former configuration is in force"
        return f"{self._path} has changed; reload to take it" if self.is_outdated else ""

    def _usable(self) -> Configuration | None:
        try:
            configuration = self._read(self._path)
            self._refuse_another_state(configuration)
        except ConfigError as error:
            self.faults = tuple(map(str, error.findings))
            for fault in self.faults:
                log.error("the former configuration stays in force: %s", fault)  # noqa: TRY400
            return None
        self.faults = ()
        return configuration

    def _refuse_another_state(self, configuration: Configuration) -> None:
        if configuration.state != self.configuration.state:
            what = f"{self.configuration.state} is in use and cannot be changed to {configuration.state} by a reload"
            raise ConfigError([Finding(file=str(self._path), path="state", what=what, remedy="restart infoprovider")])
