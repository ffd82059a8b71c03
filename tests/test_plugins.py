"""From a kind to its spec: what is found, imported and refused."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from infoprovider import plugins
from infoprovider.errors import PluginError
from infoprovider.providers.contract import ProviderSpec
from infoprovider.publishers.contract import ChannelSpec

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
GROUP = "orchard.fruits"
CONTRACTS: dict[str, type[object]] = {plugins.PROVIDERS: ProviderSpec, plugins.PUBLISHERS: ChannelSpec}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Installer":
    """Installs packages with plug-ins for one test."""
    monkeypatch.syspath_prepend(tmp_path)
    return Installer(tmp_path)


class Installer:
    """A folder of installed packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, package: str, source: str, *kinds: str, extras: tuple[str, ...] = ()) -> None:
        """A package of one module, with an entry point `<kind> = <package>:SPEC` for each kind."""
        (self.folder / f"{package}.py").write_text(source)
        about = self.folder / f"{package}-1.0.dist-info"
        about.mkdir()
        provides = "".join(f"Provides-Extra: {extra}\n" for extra in extras)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n{provides}")
        points = "".join(f"{kind} = {package}:SPEC\n" for kind in kinds)
        (about / "entry_points.txt").write_text(f"[{GROUP}]\n{points}")


def fruit(kind: str, needs: tuple[str, ...] = ()) -> str:
    """The source of a module whose SPEC is a namespace, the contract of these tests."""
    return f"from types import SimpleNamespace\nSPEC = SimpleNamespace(kind={kind!r}, needs={needs!r})\n"


def refusal(kind: str) -> str:
    """The whole message for a kind that cannot be used."""
    with pytest.raises(PluginError) as caught:
        plugins.load(GROUP, kind, SimpleNamespace)
    return str(caught.value)


def test_a_kind_leads_to_its_spec(install: Installer) -> None:
    """The object that the entry point names, if it is what the contract wants."""
    install("orchard_apple", fruit("apple"), "apple")
    assert plugins.load(GROUP, "apple", SimpleNamespace) == SimpleNamespace(kind="apple", needs=())
    assert plugins.kinds(GROUP) == ("apple",)


def test_only_the_plug_in_that_is_used_is_imported(install: Installer) -> None:
    """A broken package must not stop those who do not use it."""
    install("orchard_rotten", "raise RuntimeError('rotten')", "rotten")
    install("orchard_pear", fruit("pear"), "pear")
    assert plugins.kinds(GROUP) == ("pear", "rotten")
    assert plugins.load(GROUP, "pear", SimpleNamespace).kind == "pear"


def test_an_unknown_kind_is_answered_with_the_nearest(install: Installer) -> None:
    """A slip of the finger is corrected; for anything else all kinds are named."""
    install("orchard_both", fruit("apple"), "apple", "pear")
    assert refusal("aple") == "there is no plug-in of kind aple; write apple"
    assert refusal("fig") == "there is no plug-in of kind fig; write one of apple, pear"


def test_the_groups_have_names_that_operators_know() -> None:
    """A message speaks of providers and publishers."""
    with pytest.raises(PluginError, match="there is no provider of kind ,; "):
        plugins.load(plugins.PROVIDERS, ",", ProviderSpec)
    with pytest.raises(PluginError, match="there is no publisher of kind ,; "):
        plugins.load(plugins.PUBLISHERS, ",", ChannelSpec)


def test_a_kind_nobody_provides_asks_for_an_installation() -> None:
    """Without a single plug-in there is nothing to choose from."""
    assert refusal("fig") == "there is no plug-in of kind fig; install one"


def test_a_kind_is_provided_once(install: Installer) -> None:
    """Which of two would be used is chance, so neither is."""
    install("orchard_one", fruit("apple"), "apple")
    install("orchard_two", fruit("apple"), "apple")
    assert refusal("apple") == (
        "the plug-in kind apple is provided twice, by orchard_one and orchard_two; uninstall one of them"
    )


def test_a_missing_package_is_named_with_the_extra_that_brings_it(install: Installer) -> None:
    """Whether the import fails or the spec says what it needs, the operator reads what to install."""
    install("orchard_a", fruit("plum", needs=("no_such_sdk.client",)), "plum", extras=("plum",))
    assert refusal("plum") == (
        "the kind plum needs the Python package no_such_sdk.client, which is not installed; "
        "install it: pip install 'orchard_a[plum]'"
    )
    install("orchard_b", "import no_such_sdk\nSPEC = None", "cherry")
    assert refusal("cherry") == (
        "the kind cherry needs the Python package no_such_sdk, which is not installed; "
        "install it: pip install 'no_such_sdk'"
    )


def test_a_package_that_is_there_is_enough(install: Installer) -> None:
    """What a spec needs is looked for, not imported."""
    install("orchard_c", fruit("quince", needs=("json.decoder",)), "quince")
    assert plugins.load(GROUP, "quince", SimpleNamespace).kind == "quince"


def test_a_plug_in_that_fails_to_import_is_told_without_a_traceback(install: Installer) -> None:
    """Its own error is quoted, and its package named."""
    install("orchard_d", "raise TypeError('made for another version')", "medlar")
    assert refusal("medlar") == (
        "orchard_d:SPEC cannot be imported: TypeError: made for another version; "
        "install a version of orchard_d that fits this one"
    )


def test_what_is_no_spec_is_refused(install: Installer) -> None:
    """An entry point that leads to something else, or to a spec of another kind, is a mistake of its author."""
    install("orchard_e", "SPEC = 'a string'", "sloe")
    assert refusal("sloe") == "orchard_e:SPEC is no SimpleNamespace, but str; correct the entry point sloe of orchard_e"
    install("orchard_f", fruit("lime"), "lemon")
    assert refusal("lemon") == (
        "orchard_f:SPEC says that it is of kind lime, but is registered as lemon; "
        "correct the entry point lemon of orchard_f"
    )


def registered() -> list[EntryPoint]:
    """Every plug-in that this project registers."""
    groups = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]
    return [
        EntryPoint(name, value, group) for group in CONTRACTS for name, value in sorted(groups.get(group, {}).items())
    ]


@pytest.mark.parametrize("point", registered(), ids=lambda point: f"{point.group}:{point.name}")
def test_what_the_project_registers_is_what_it_says(point: EntryPoint) -> None:
    """Each entry point leads to a spec of its group's contract and of its own name."""
    spec = point.load()
    assert isinstance(spec, CONTRACTS[point.group])
    assert spec.kind == point.name  # type: ignore[attr-defined]  # both contracts have it
