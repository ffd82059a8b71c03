"""A configuration in several files: what is read, in which order, and how often."""

from pathlib import Path
from typing import Any

import pytest

from infoprovider.config.include import read_with_includes
from infoprovider.errors import ConfigError, Finding


def write(folder: Path, **texts: str) -> None:
    """Files of these names with these contents."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)


def data(path: Path) -> Any:
    """What all files say together; two of them say nothing twice."""
    findings: list[Finding] = []
    document = read_with_includes(path, findings)
    assert findings == []
    return document.data


def test_files_are_read_in_the_order_of_patterns_and_names(tmp_path: Path) -> None:
    """The file itself comes first, then what it includes, whatever order the disk has; hidden files are no part."""
    (tmp_path / "conf.d").mkdir()
    write(tmp_path, site='include: [conf.d/*.yaml, last.yaml]\nn: ["site"]\n', last="n: [last]\n")
    write(tmp_path / "conf.d", b="n: [b]\n", a="n: [a]\ninclude: [a.d/*.yaml]\n")
    write(tmp_path / "conf.d", **{".hidden": "n: [hidden]\n"})
    (tmp_path / "conf.d" / "a.yaml~").write_text("n: [backup]\n")
    (tmp_path / "conf.d" / "a.d").mkdir()
    write(tmp_path / "conf.d" / "a.d", inner="n: [inner]\n")
    assert data(tmp_path / "site.yaml") == {"n": ["site", "a", "inner", "b", "last"]}


def test_a_file_counts_once_however_often_it_is_named(tmp_path: Path) -> None:
    """Overlapping patterns, a second includer and a link repeat nothing."""
    write(tmp_path, site="include: [a.yaml, '?.yaml', b.yaml]\n", a="n: [a]\ninclude: [b.yaml]\n", b="n: [b]\n")
    (tmp_path / "c.yaml").symlink_to("b.yaml")
    assert data(tmp_path / "site.yaml") == {"n": ["a", "b"]}


def test_an_empty_folder_and_a_file_of_comments_are_no_mistake(tmp_path: Path) -> None:
    """An instance may be switched off by commenting out its file."""
    write(tmp_path, site="include: [conf.d/*.yaml, off.yaml]\nn: [1]\n", off="# n: [2]\n")
    assert data(tmp_path / "site.yaml") == {"n": [1]}


def test_five_files_may_stand_one_inside_the_other(tmp_path: Path) -> None:
    """A sixth is refused."""
    write(tmp_path, **{f"f{level}": f"include: [f{level + 1}.yaml]\nn: [{level}]\n" for level in range(5)})
    write(tmp_path, f5="n: [5]\n")
    assert data(tmp_path / "f0.yaml") == {"n": [0, 1, 2, 3, 4, 5]}
    write(tmp_path, f5="n: [5]\ninclude: [f6.yaml]\n", f6="n: [6]\n")
    with pytest.raises(ConfigError, match="this is nested more than 5 files deep"):
        data(tmp_path / "f0.yaml")


def test_relative_paths_work_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern is seen from the file that has it, an absolute one from the root."""
    (tmp_path / "conf.d").mkdir()
    write(tmp_path, site=f"include: [conf.d/a.yaml, {tmp_path}/b.yaml]\n", b="n: [b]\n")
    write(tmp_path / "conf.d", a="n: [a]\ninclude: [../c.yaml]\n")
    write(tmp_path, c="n: [c]\n")
    monkeypatch.chdir(tmp_path / "conf.d")
    assert data(Path("../site.yaml")) == {"n": ["a", "c", "b"]}
