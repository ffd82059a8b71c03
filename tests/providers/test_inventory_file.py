"""The inventory file: the whole message for each kind of mistake in it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.errors import ConfigError
from infoprovider.providers.inventory_file import to_inventory_file
from infoprovider.yamlfile import read_file

WRONG = Path(__file__).parent / "wrong"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("file", sorted(WRONG.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_mistake_is_told_with_place_reason_and_remedy(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole message for each wrong inventory file is the one that was reviewed."""
    monkeypatch.chdir(WRONG)
    with pytest.raises(ConfigError) as caught:
        to_inventory_file(read_file(Path(file.name)), NOW)
    assert f"{caught.value}\n" == file.with_suffix(".txt").read_text()
