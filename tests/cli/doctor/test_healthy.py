"""Ten healthy set-ups, in which the doctor finds nothing."""

from datetime import timedelta

import pytest
import yaml

from tests.cli.doctor.faults import certified
from tests.cli.doctor.ward import HOOK, Ward, free_port


def nothing(ward: Ward) -> None:
    """Nothing is the matter."""
    assert ward.examined().causes == []


def test_a_described_centre_with_a_timer(described: Ward) -> None:
    """No daemon, a document of some minutes ago."""
    nothing(described)


def test_a_project_of_which_little_is_described(described: Ward) -> None:
    """Others have quotas: that this one has none is no loss."""
    path = described.folder / "north.yaml"
    written = yaml.safe_load(path.read_text())
    written["projects"].append({"id": "p9"})
    path.write_text(yaml.safe_dump(written, allow_unicode=True))
    nothing(described)
    assert any("quotas of project p9" in note for note in described.examined().notes)


def test_a_described_centre_with_a_daemon(described: Ward) -> None:
    """It runs and answers."""
    described.daemon()
    nothing(described)


def test_a_cloud_that_is_asked(asked: Ward) -> None:
    """It answers everything."""
    asked.daemon()
    nothing(asked)


def test_a_cloud_behind_tls(asked: Ward) -> None:
    """Its certificate is good and lasts, and the authority is named."""
    certified(asked)
    nothing(asked)


def test_a_centre_before_its_first_document(described: Ward) -> None:
    """Nothing was published yet: worth a note and no more."""
    for path in (described.state, described.public):
        path.rename(path.with_name(f"former-{path.name}"))
    described.rendering.unlink()
    found = described.examined()
    assert found.causes == []
    assert any("nothing was published yet" in note for note in found.notes)


def test_a_hook_in_place_of_a_channel(described: Ward) -> None:
    """A script of two lines in the folder of providers."""
    described.by_hook()
    nothing(described)


def test_a_hook_that_is_a_link(described: Ward) -> None:
    """Where the public folder is the usual one."""
    usual = described.root / "var/lib/infoprovider/public"
    described.by_hook().unlink()
    (described.gip / "provider" / "infoprovider").symlink_to(HOOK)
    usual.parent.mkdir(parents=True)
    described.public.rename(usual)
    described.change(public=str(usual))
    described.bdii.file = usual / "current.resource.ldif"
    nothing(described)


def test_a_machine_without_a_bdii(described: Ward) -> None:
    """The folder is mounted from elsewhere, so there is nothing to look at."""
    (described.root / "etc/bdii/bdii.conf").unlink()
    nothing(described)


def test_a_bdii_that_lags_by_a_cycle(described: Ward) -> None:
    """Its stamps are two minutes older than ours, and the old updater does load by stand-ins."""
    described.bdii.older = timedelta(seconds=120)
    described.write("usr/sbin/bdii-update", 'os.popen("ldapadd -x -c -h %s -p %s")\n')
    nothing(described)


@pytest.mark.parametrize("daemon", [True, False])
def test_metrics(described: Ward, daemon: bool) -> None:
    """A file for the node exporter, and, while nothing runs, a port that is free."""
    port = {} if daemon else {"port": free_port()}
    described.change(metrics={"textfile": "infoprovider.prom"} | port)
    if daemon:
        described.daemon()
    nothing(described)


def test_a_manager_that_failed_and_answers_again(asked: Ward) -> None:
    """What is over is a note."""
    path = asked.state / "snapshots" / "cloud" / "outcome.json"
    problem = '"failed":[{"facet":"images","part":"","reason":"it was down","plug_in":false}]'
    images = path.read_text().partition('"facet":"images"')
    path.write_text(images[0] + images[1] + images[2].replace('"failed":[]', problem, 1))
    found = asked.examined()
    assert found.causes == []
    assert "cloud: images failed last time, and is answered now" in found.notes
