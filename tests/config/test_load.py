"""The configuration file: what is read from a right one, and the whole message for a wrong one."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infoprovider.config.load import load
from infoprovider.config.model import Configuration
from infoprovider.errors import ConfigError, PluginError
from infoprovider.inventory.freshness import Freshness
from infoprovider.inventory.model import Facet, Price, Prices, Quotas, TrustPolicy
from infoprovider.providers.static import StaticSettings
from infoprovider.publishers.bdii import BdiiSettings
from infoprovider.publishers.stdout import StdoutSettings
from infoprovider.secret import Secret
from infoprovider.settings import Duration, Mebibytes, Settings

WRONG = Path(__file__).parent / "wrong"
EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class GuardedSettings(Settings):
    """The settings of a provider that wants a password."""

    password: Secret
    user: str
    api_token: Duration | None = None
    size: Mebibytes | None = None
    passes: Secret | None = None


PROVIDERS = {"static": StaticSettings, "guarded": GuardedSettings}
PUBLISHERS = {"stdout": StdoutSettings, "bdii": BdiiSettings}


def settings_of(known: dict[str, type[Settings]]) -> Callable[[str], type[Settings]]:
    """From a kind to its settings class, as the plug-ins do it."""

    def find(kind: str) -> type[Settings]:
        if kind not in known:
            raise PluginError(f"there is no plug-in of kind {kind}", remedy=f"write one of {', '.join(sorted(known))}")
        return known[kind]

    return find


def read(path: Path) -> Configuration:
    """The configuration in a file, by the clock of these tests."""
    return load(path, settings_of(PROVIDERS), settings_of(PUBLISHERS), lambda: NOW)


@pytest.mark.parametrize("file", sorted(WRONG.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_mistake_is_told_with_place_reason_and_remedy(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole message for each wrong file is the one that was reviewed."""
    monkeypatch.chdir(WRONG)
    with pytest.raises(ConfigError) as caught:
        read(Path(file.name))
    assert f"{caught.value}\n" == file.with_suffix(".txt").read_text()


def write(folder: Path, text: str) -> Path:
    """A configuration file with this text after its centre."""
    file = folder / "infoprovider.yaml"
    file.write_text("centre: { name: RC-ONE }\n" + text)
    return file


def test_relative_paths_are_seen_from_the_folder_of_the_file(tmp_path: Path) -> None:
    """Wherever the command is run, a relative path means the same file; an absolute one stays."""
    configuration = read(
        write(
            tmp_path,
            """
instances:
  - { name: north, kind: static, settings: { file: inventory/north.yaml } }
  - { name: south, kind: static, settings: { file: /srv/south.yaml } }
channels:
  - { name: site-bdii, kind: bdii, templates: ours, settings: { folder: ../bdii } }
state: var/state
""",
        )
    )
    assert [instance.settings for instance in configuration.instances] == [
        StaticSettings(file=tmp_path / "inventory/north.yaml"),
        StaticSettings(file=Path("/srv/south.yaml")),
    ]
    assert configuration.channels[0].settings == BdiiSettings(folder=tmp_path / "../bdii")
    assert configuration.channels[0].block.templates == tmp_path / "ours"
    assert (configuration.state, configuration.public) == (tmp_path / "var/state", tmp_path / "run/public")


def test_what_is_left_out_has_its_documented_value(tmp_path: Path) -> None:
    """Intervals, disclosure and health have defaults, and an unnamed facet its usual freshness."""
    configuration = read(write(tmp_path, "instances: [{ name: north, kind: static, settings: { file: a } }]"))
    block = configuration.instances[0].block
    assert (block.every, block.deadline, block.health, block.serving_state) == (None, 60.0, None, "production")
    assert configuration.centre.disclosure.private_images == "communities"
    assert configuration.freshness_of(Facet.CAPACITY) == Freshness(fresh_for=300.0, publish_for=21600.0)
    assert configuration.loaded_at == NOW


def test_durations_and_moments_are_understood_with_their_units(tmp_path: Path) -> None:
    """`5m` is 300 seconds, and a moment is kept in UTC whatever zone it was written in."""
    configuration = read(
        write(
            tmp_path,
            """
instances:
  - name: north
    kind: static
    every: 5m
    deadline: 90
    downtime: { start: 2030-01-31T12:00:00+01:00 }
    settings: { file: a }
freshness: { prices: { fresh_for: 12h } }
""",
        )
    )
    block = configuration.instances[0].block
    assert (block.every, block.deadline) == (300.0, 90.0)
    assert block.downtime is not None
    assert block.downtime.start == datetime(2030, 1, 31, 11, 0, tzinfo=UTC)
    assert configuration.freshness_of(Facet.PRICES) == Freshness(fresh_for=43200.0, publish_for=604800.0)


def test_the_pace_of_a_facet_is_its_own_else_the_instances_else_the_usual_one(tmp_path: Path) -> None:
    """Prices that change once a day need not be asked for at the pace of capacity."""
    configuration = read(
        write(
            tmp_path,
            """
instances:
  - { name: north, kind: static, every: 5m, settings: { file: a } }
  - { name: south, kind: static, settings: { file: b } }
freshness: { prices: { every: 24h }, usage: { fresh_for: 4m } }
""",
        )
    )
    north, south = configuration.instances
    facets = (Facet.PRICES, Facet.USAGE, Facet.IMAGES, Facet.TRUST)
    assert [configuration.every_of(north, facet) for facet in facets] == [86400.0, 300.0, 300.0, 300.0]
    assert [configuration.every_of(south, facet) for facet in facets] == [86400.0, 120.0, 600.0, 3600.0]


def test_included_files_are_part_of_the_configuration(tmp_path: Path) -> None:
    """Instances of several files stand side by side; relative paths are seen from the first file's folder."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "south.yaml").write_text(
        "instances: [{ name: south, kind: static, settings: { file: south.yaml } }]\n"
        "freshness: { prices: { fresh_for: 2d } }\nstate: kept\n"
    )
    configuration = read(
        write(
            tmp_path,
            """
include: [conf.d/*.yaml]
instances: [{ name: north, kind: static, settings: { file: a } }]
freshness: { prices: { every: 1d } }
""",
        )
    )
    assert [instance.name for instance in configuration.instances] == ["north", "south"]
    assert configuration.instances[1].settings == StaticSettings(file=tmp_path / "south.yaml")
    assert configuration.freshness_of(Facet.PRICES).fresh_for == 172800.0
    assert configuration.every == {Facet.PRICES: 86400.0}
    assert configuration.state == tmp_path / "kept"


def test_declared_facets_become_values_of_the_inventory(tmp_path: Path) -> None:
    """What an operator declares has the type that a provider would have given."""
    configuration = read(
        write(
            tmp_path,
            """
instances:
  - name: north
    kind: static
    settings: { file: a }
    declared:
      trust: { model: site, user_upload: false }
      prices: { prices: [{ resource: cpu, consumption_fee: 0.01, currency: EUR }] }
""",
        )
    )
    assert configuration.instances[0].declared == {
        Facet.TRUST: TrustPolicy(model="site", user_upload=False),
        Facet.PRICES: Prices(prices=(Price(resource="cpu", consumption_fee=0.01, currency="EUR"),)),
    }


def test_quotas_are_declared_by_project(tmp_path: Path) -> None:
    """Which they need not repeat."""
    configuration = read(
        write(
            tmp_path,
            """
instances:
  - name: north
    kind: static
    settings: { file: a }
    declared:
      quotas: { biology: { instances: 20, memory_mib: 64 GiB }, climate: { vcpus: unlimited } }
""",
        )
    )
    (instance,) = configuration.instances
    assert instance.declared == {}
    assert instance.quotas == {
        "biology": Quotas(project="biology", instances=20, memory_mib=65536),
        "climate": Quotas(project="climate", vcpus="unlimited"),
    }


def test_a_community_may_work_in_one_project_through_several_groups(tmp_path: Path) -> None:
    """Groups of one community may share a project: only another community may not."""
    configuration = read(
        write(
            tmp_path,
            """
communities:
  - name: vo.example.org
    projects: [{ instance: north, project: a, group: /vo/x }, { instance: north, project: a, group: /vo/y }]
instances: [{ name: north, kind: static, settings: { file: a } }]
""",
        )
    )
    assert [mapping.group for mapping in configuration.communities[0].projects] == ["/vo/x", "/vo/y"]


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """A wrong path on the command line is answered like any mistake of the operator."""
    file = tmp_path / "nowhere.yaml"
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(caught.value) == (
        f"{file}: cannot be read (No such file or directory); name a file that exists and that this user may read"
    )


def test_the_demonstration_centre_is_a_right_configuration() -> None:
    """The shipped example loads, and shows two instances, four communities and a channel."""
    configuration = read(EXAMPLES / "demo.yaml")
    assert [instance.name for instance in configuration.instances] == ["demo-north", "demo-south"]
    assert len(configuration.communities) == 4
    assert [channel.block.kind for channel in configuration.channels] == ["stdout"]
    assert set(configuration.instances[1].declared) == {Facet.TRUST, Facet.PRICES}
