"""A centre in a folder of its own."""

from pathlib import Path

import pytest

from tests.views.centre import Kept


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A centre of which nothing is kept yet."""
    return Kept(tmp_path)
