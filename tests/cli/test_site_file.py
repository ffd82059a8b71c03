"""`infoprovider init --from`: a federated site's own file becomes a configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infoprovider.cli import main, site

SITE = """---
gocdb: RC-ONE
endpoint: https://cloud.example.org:5000/v3/
protocol: oidc
region: north
images:
  sync: true
vos:
- name: vo.one.example.org
  auth:
    project_id: 0123abcd
- name: ops
  defaultNetwork: private
  auth:
    project_id: 4567ef
"""


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs `init` in an empty folder, with these site files by name."""
    (tmp_path / "machine").mkdir()
    monkeypatch.chdir(tmp_path)

    def run(**files: str) -> Any:
        options = []
        for name, text in files.items():
            Path(f"{name}.yaml").write_text(text)
            options += ["--from", f"{name}.yaml"]
        return CliRunner().invoke(main.app, ["init", f"--root={tmp_path / 'machine'}", "--yes", *options, "new.yaml"])

    return run


def with_secrets(*names: str) -> None:
    """Put a secret into each file that the configuration names."""
    Path("secrets").mkdir()
    for name in names:
        path = Path("secrets") / name
        path.touch(mode=0o600)
        path.write_text("a secret of no worth\n")


def test_a_site_file_is_taken_unchanged(init: Callable[..., Any]) -> None:
    """Name, endpoint, sign-in, communities and projects come from the file; the configuration passes the check."""
    result = init(site=SITE)
    assert (result.exit_code, result.stdout.splitlines()[1]) == (
        0,
        "expected: a secret in secrets/access-token, for this user alone",
    )
    with_secrets("access-token")
    assert CliRunner().invoke(main.app, ["check", "new.yaml"]).exit_code == 0
    configuration = site.read_configuration(Path("new.yaml"))
    assert configuration.centre.name == "RC-ONE"
    assert [(one.name, one.projects[0].instance, one.projects[0].project) for one in configuration.communities] == [
        ("vo.one.example.org", "openstack", "0123abcd"),
        ("ops", "openstack", "4567ef"),
    ]
    settings: Any = configuration.instances[0].settings
    assert settings.region == "north"
    assert [one.auth["project_id"] for one in settings.projects] == ["0123abcd", "4567ef"]
    assert {one.auth["protocol"] for one in settings.projects} == {"oidc"}
    assert {one.auth["auth_url"] for one in settings.projects} == {"https://cloud.example.org:5000/v3/"}


def test_what_is_not_taken_over_is_named(init: Callable[..., Any]) -> None:
    """Keys for other programs are allowed, and told with their place."""
    init(site=SITE)
    text = Path("new.yaml").read_text()
    assert "# - line 7: images\n" in text
    assert "# - line 13: defaultNetwork of ops\n" in text


def test_a_project_of_two_communities_is_published_for_the_first(init: Callable[..., Any]) -> None:
    """A share serves one community; the other is named, so that somebody decides."""
    assert init(site=SITE.replace("4567ef", "0123abcd")).exit_code == 0
    with_secrets("access-token")
    assert [one.name for one in site.read_configuration(Path("new.yaml")).communities] == ["vo.one.example.org"]
    assert "ops works in the same project as vo.one.example.org: a share serves one" in Path("new.yaml").read_text()


def test_a_site_with_two_clouds_has_two_files(init: Callable[..., Any]) -> None:
    """Each becomes an instance, and a community works in both."""
    assert init(north=SITE, south=SITE.replace("north", "south")).exit_code == 0
    with_secrets("access-token")
    configuration = site.read_configuration(Path("new.yaml"))
    assert [one.name for one in configuration.instances] == ["openstack", "openstack-2"]
    assert {one.instance for one in configuration.communities[0].projects} == {"openstack", "openstack-2"}


def test_files_of_two_sites_are_refused(init: Callable[..., Any]) -> None:
    """One configuration is of one centre."""
    result = init(north=SITE, south=SITE.replace("ONE", "TWO"))
    assert result.exit_code != 0
    what = "south.yaml:2:8: gocdb: is RC-TWO, and another file's is RC-ONE; name files of one site"
    assert what in str(result.exception)


def test_application_credentials_have_files_of_their_own(init: Callable[..., Any]) -> None:
    """Where a site takes no tokens, each project has a credential."""
    result = init(site=SITE + "auth_type: v3applicationcredential\n")
    assert result.exit_code == 0
    with_secrets("0123abcd.id", "0123abcd.secret", "4567ef.id", "4567ef.secret")
    assert CliRunner().invoke(main.app, ["check", "new.yaml"]).exit_code == 0


@pytest.mark.parametrize(
    ("former", "new", "what"),
    [
        ("gocdb: RC-ONE\n", "gocdb_site: RC-ONE\n", "gocdb is missing"),
        ("https://cloud", "cloud", "write the URL of the site's keystone"),
        ("project_id: 4567ef", "project: 4567ef", "site.yaml:15:5: vos[1].auth.project_id: project_id is missing"),
        ("RC-ONE", "RC ONE", "write up to 127 letters"),
        ("oidc", "saml", 'found the text "saml"'),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(init: Callable[..., Any], former: str, new: str, what: str) -> None:
    """Nothing is written from a file with a mistake."""
    result = init(site=SITE.replace(former, new))
    assert result.exit_code != 0
    assert what in str(result.exception)
    assert not Path("new.yaml").exists()
