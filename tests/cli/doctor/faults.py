"""The catalogue of faults: what is done to a healthy centre, and what the doctor has to say first."""

import fcntl
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import Any

import yaml

from infoprovider import plugins
from infoprovider.cli import site
from infoprovider.cli.doctor import machine, network, software
from infoprovider.store.deliveries import DeliveryStore
from tests.cli.doctor.certificates import Authority
from tests.cli.doctor.ward import HOOK, SLAPD_CONF, UPDATER, Ward, free_port
from tests.providers.openstack_recorded import Fault as Answer
from tests.providers.openstack_recorded import serving


@dataclass(frozen=True)
class Fault:
    """A row: what is wrong, done by `inject` to a centre (`ward` says which), what is said first, and what to do."""

    name: str
    ward: str
    kind: str
    said: str
    remedy: str
    inject: Callable[[Ward], None]


FAULTS: list[Fault] = []


def fault(kind: str, said: str, remedy: str, ward: str = "described") -> Callable[..., Any]:
    """Put a row into the catalogue: the function makes the fault, its docstring is what the fault is called."""

    def add(inject: Callable[[Ward], None]) -> Callable[[Ward], None]:
        FAULTS.append(Fault((inject.__doc__ or "").rstrip("."), ward, kind, said, remedy, inject))
        return inject

    return add


# --- software ------------------------------------------------------------------------------------------------------


@fault("python", "is older than 3.99", "-m venv")
def old_python(ward: Ward) -> None:
    """Python is too old."""
    ward.patch.setattr(software, "OLDEST_PYTHON", (3, 99))


@fault("library", "the library pydantic 2.0 is older than 2.10", "pip install 'pydantic>=2.10'")
def old_library(ward: Ward) -> None:
    """A library is too old."""
    version = metadata.version
    ward.patch.setattr(software.metadata, "version", lambda name: "2.0" if name == "pydantic" else version(name))


@fault(
    "plug-in",
    "the kind openstack needs the Python package keystoneauth1",
    "pip install",
    "asked",
)
def no_client(ward: Ward) -> None:
    """The client of a VM manager is not installed."""
    ward.patch.setattr(plugins, "_is_installed", lambda name: name != "keystoneauth1")


@fault("plug-in", "there is no provider of kind openstak", "write openstack")
def unknown_kind(ward: Ward) -> None:
    """A kind is misspelt."""
    ward.block(kind="openstak")


# --- configuration and credentials ---------------------------------------------------------------------------------


@fault("configuration", "is not YAML (did not find expected", "mend the YAML")
def no_yaml(ward: Ward) -> None:
    """The configuration is no YAML."""
    ward.config.write_text(ward.config.read_text() + "channels: [\n")


@fault("configuration", "site.yaml cannot be read (No such file", "name a file that exists")
def no_file(ward: Ward) -> None:
    """There is no configuration."""
    ward.config.unlink()


@fault("configuration", "comunities is not known here", "remove it")
def unknown_key(ward: Ward) -> None:
    """A key is misspelt."""
    ward.change(comunities=[])


@fault("configuration", "there is no instance west", "write one of north")
def unknown_instance(ward: Ward) -> None:
    """A community works in an instance that is not there."""
    ward.change(communities=[{"name": "vo.bio", "projects": [{"instance": "west", "project": "p"}]}])


@fault("settings", "north.yaml cannot be read (No such file or directory)", "name a file that exists")
def no_description(ward: Ward) -> None:
    """A description is not there."""
    (ward.folder / "north.yaml").unlink()


@fault("settings", "imags is not known here", "remove it")
def wrong_description(ward: Ward) -> None:
    """A description has a mistake."""
    path = ward.folder / "north.yaml"
    path.write_text(path.read_text() + "\nimags: []\n")


@fault(
    "configuration",
    "images of cloud",
    "write",
    "asked",
)
def withheld_between(ward: Ward) -> None:
    """Facets grow too old before they are asked for again."""
    ward.change(freshness={"images": {"every": "2h", "fresh_for": "10m", "publish_for": "1h"}})


@fault("configuration", "replaces no template of this set", "perhaps computing_service.ldif is meant")
def misnamed_template(ward: Ward) -> None:
    """A template has the wrong name."""
    (ward.folder / "templates").mkdir()
    (ward.folder / "templates" / "ComputingService.ldif").write_text("dn: x\n")
    channels = yaml.safe_load(ward.config.read_text())["channels"]
    ward.change(channels=[channels[0] | {"templates": "templates"}])


@fault("configuration", "computing_service.ldif:1: Expected an expression", "correct the template")
def broken_template(ward: Ward) -> None:
    """A template cannot be used."""
    (ward.folder / "templates").mkdir()
    (ward.folder / "templates" / "computing_service.ldif").write_text("{% if %}\n")
    channels = yaml.safe_load(ward.config.read_text())["channels"]
    ward.change(channels=[channels[0] | {"templates": "templates"}])


@fault("secret", "cannot be read: No such file", "name a file that exists", "asked")
def no_secret(ward: Ward) -> None:
    """A secret is not there."""
    ward.auth(password={"file": "secret"})


@fault("secret", "is open to other users (mode 644)", "chmod 600", "asked")
def open_secret(ward: Ward) -> None:
    """A secret can be read by everybody."""
    (ward.folder / "secret").write_text("right-horse\n")
    (ward.folder / "secret").chmod(0o644)
    ward.auth(password={"file": "secret"})


@fault("secret", "RECORDED_PASSWORD is not set", "set it for the user", "asked")
def unset_variable(ward: Ward) -> None:
    """A secret's variable is not set."""
    ward.patch.delenv("RECORDED_PASSWORD")


@fault("settings", "has no usable cloud west", "write the name of an entry", "asked")
def no_cloud(ward: Ward) -> None:
    """The file clouds.yaml has no such cloud."""
    (ward.folder / "clouds.yaml").write_text("clouds: { north: { auth: { auth_url: 'http://127.0.0.1/v3' } } }\n")
    ward.block(settings={"cloud": "west", "clouds_file": "clouds.yaml"})


@fault("asking", "was refused: user, secret or token are wrong", "correct what", "asked")
def wrong_password(ward: Ward) -> None:
    """The password is wrong."""
    ward.patch.setenv("RECORDED_PASSWORD", "wrong-horse")


@fault("asking", "was refused: user, secret or token are wrong", "correct", "asked")
def changed_password(ward: Ward) -> None:
    """The password was changed a day ago."""
    ward.daemon()
    wrong_password(ward)
    ward.grow_old(25, names="snapshots/*/*.json")


# --- rights --------------------------------------------------------------------------------------------------------


@fault("asking", "gives this user no role", "correct what", "asked")
def no_role(ward: Ward) -> None:
    """The account was taken out of its project."""
    assert ward.cloud is not None
    ward.cloud.refused_projects.update(ward.cloud.projects().values())


@fault(
    "project-unseen",
    "the project 0815 of vo.bio is not among",
    "correct the project's id",
    "asked",
)
def unseen_project(ward: Ward) -> None:
    """A community's project is not among the account's."""
    ward.change(communities=[{"name": "vo.bio", "projects": [{"instance": "cloud", "project": "0815"}]}])


@fault("right-lost", "cloud no longer tells capacity, hypervisors", "give the account a role", "asked")
def lost_right(ward: Ward) -> None:
    """The account lost its right to hypervisors."""
    cloud = ward.rest.enter_context(serving("member"))
    ward.settings(auth=cloud.settings("vo001")["auth"])
    mapping = {"instance": "cloud", "project": cloud.projects()["vo001"]}
    ward.change(communities=[{"name": "vo.bio", "projects": [mapping]}])


# --- network -------------------------------------------------------------------------------------------------------


@fault("dns", "the name nowhere.invalid cannot be resolved", "getent hosts nowhere.invalid", "asked")
def no_name(ward: Ward) -> None:
    """A name is unknown."""
    ward.auth(auth_url="https://nowhere.invalid:5000/v3")


@fault("dns", "the name nowhere.invalid cannot be", "getent hosts", "asked")
def no_name_for_long(ward: Ward) -> None:
    """A name has been unknown for a day."""
    no_name(ward)
    ward.daemon()
    ward.grow_old(25, names="snapshots/*/*.json")


@fault("port", "nobody listens there", "see that the service runs", "asked")
def closed_port(ward: Ward) -> None:
    """Nobody listens at the port."""
    ward.auth(auth_url=f"http://127.0.0.1:{free_port()}/v3")


@fault("port", "nobody takes the connection", "firewalls", "asked")
def dropped(ward: Ward) -> None:
    """A firewall drops what we send."""
    listening = ward.rest.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    port = listening.getsockname()[1]
    for _ in range(2):  # fill its queue: what comes then is dropped
        line = ward.rest.enter_context(socket.socket())
        line.setblocking(False)
        line.connect_ex(("127.0.0.1", port))
    ward.patch.setattr(network, "CONNECT_WITHIN", 0.3)
    ward.auth(auth_url=f"http://127.0.0.1:{port}/v3")


@fault("proxy", "through the proxy 127.0.0.1:", "no_proxy=127.0.0.1", "asked")
def dead_proxy(ward: Ward) -> None:
    """A proxy of the environment is gone."""
    ward.patch.setenv("http_proxy", f"http://somebody:secret@127.0.0.1:{free_port()}")


@fault("silent", "does not answer", "restart the service", "asked")
def hanging(ward: Ward) -> None:
    """The manager takes the connection and hangs."""
    listening = ward.rest.enter_context(socket.create_server(("127.0.0.1", 0)))
    ward.patch.setattr(network, "ANSWER_WITHIN", 0.3)
    ward.auth(auth_url=f"http://127.0.0.1:{listening.getsockname()[1]}/v3")


@fault("silent", "does not speak HTTP", "correct the port", "asked")
def other_protocol(ward: Ward) -> None:
    """Something else listens at the port."""
    port = ward.rest.enter_context(greeting(b"SSH-2.0-OpenSSH_9.2\r\n"))
    ward.auth(auth_url=f"http://127.0.0.1:{port}/v3")


@fault("tls", "has expired", "-dates", "asked")
def expired_certificate(ward: Ward) -> None:
    """The certificate has expired."""
    certified(ward, begins=-20, ends=-1)


@fault("tls", "is not valid yet", "date -u", "asked")
def early_certificate(ward: Ward) -> None:
    """The certificate is not valid yet."""
    certified(ward, begins=2, ends=90)


@fault("tls", "is made out to another name than 127.0.0.1", "subjectAltName", "asked")
def other_host(ward: Ward) -> None:
    """The certificate is another host's."""
    certified(ward, name="cloud.example.org")


@fault("tls", "the authority that issued the certificate", "ca_file", "asked")
def unknown_authority(ward: Ward) -> None:
    """The certificate's authority is unknown."""
    certified(ward)
    ward.settings(ca_file=None)


@fault("authorities", "the file of authorities", "openssl x509", "asked")
def no_authorities(ward: Ward) -> None:
    """The file of authorities is gone."""
    certified(ward)
    (ward.folder / "authority.pem").unlink()


@fault("authorities", "the file of authorities", "certificates in PEM", "asked")
def wrong_authorities(ward: Ward) -> None:
    """The file of authorities is none."""
    certified(ward)
    (ward.folder / "authority.pem").write_text("nothing\n")


@fault("tls", "speaks no TLS", "write http://", "asked")
def no_tls(ward: Ward) -> None:
    """The address has https where there is no TLS."""
    assert ward.cloud is not None
    ward.auth(auth_url=ward.cloud.auth_url.replace("http:", "https:"))


@fault("certificate-ends", "ends in 2 days", "renew it", "asked")
def ending_certificate(ward: Ward) -> None:
    """The certificate ends in three days."""
    certified(ward, ends=3)


@fault("certificate-unchecked", "is not checked", "ca_file", "asked")
def unchecked_certificate(ward: Ward) -> None:
    """Certificates are not checked."""
    url = certified(ward)
    auth = {"auth_url": url, "username": "somebody", "password": "right-horse", "project_name": "admin"}
    clouds = {
        "clouds": {"c": {"auth": auth | {"user_domain_id": "default", "project_domain_id": "default"}, "verify": False}}
    }
    (ward.folder / "clouds.yaml").write_text(yaml.safe_dump(clouds))
    ward.block(settings={"cloud": "c", "clouds_file": "clouds.yaml"})


# --- the manager itself --------------------------------------------------------------------------------------------


@fault("asking", "identity answered with error 503", "its log says why", "asked")
def failing_keystone(ward: Ward) -> None:
    """Keystone fails."""
    answering(ward, "POST .*auth/tokens", Answer(status=503))


@fault("asking", "compute answered with error 500", "its log says why", "asked")
def failing_nova(ward: Ward) -> None:
    """Nova fails."""
    answering(ward, "compute/", Answer(status=500))


@fault("asking", "the answer is no JSON", "look at what stands between", "asked")
def garbled_glance(ward: Ward) -> None:
    """Glance answers with an error page."""
    answering(ward, "GET image/v2/images", Answer(text="<html>"))


@fault("asking", "no keystone is there", "correct auth_url", "asked")
def wrong_path(ward: Ward) -> None:
    """The path of auth_url is wrong."""
    assert ward.cloud is not None
    ward.auth(auth_url=f"{ward.cloud.url}/keystone/v3")


@fault("asking", "in time", "longer deadline", "asked")
def slow_cloud(ward: Ward) -> None:
    """The cloud takes too long for the deadline."""
    answering(ward, "compute/", Answer(takes=6))
    ward.block(deadline="5s")


# --- clocks --------------------------------------------------------------------------------------------------------


@fault("clock", "this machine's clock is wrong", "timedatectl set-ntp", "asked")
def wrong_clock(ward: Ward) -> None:
    """The clock of this machine is an hour behind."""
    ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    port = ward.rest.enter_context(greeting(f"HTTP/1.1 200 OK\r\nDate: {ahead}\r\nContent-Length: 0\r\n\r\n".encode()))
    ward.auth(auth_url=f"http://127.0.0.1:{port}/v3")


@fault("clock-jumped", "the wall clock was set back by 2 h", "timedatectl set-ntp")
def set_back(ward: Ward) -> None:
    """The clock was set back."""
    ward.grow_old(-3)


@fault("boot-id", "neither infoprovider nor its hook can tell ages", "mount -t proc")
def no_boot_id(ward: Ward) -> None:
    """The id of the boot cannot be read."""
    (ward.root / "proc/sys/kernel/random/boot_id").unlink()


# --- the machine ---------------------------------------------------------------------------------------------------


@fault("disk", "is full", "df -h")
def full_disk(ward: Ward) -> None:
    """The disk is full."""
    disk(ward, f_bfree=10, f_bavail=0)
    ward.daemon()
    ward.grow_old(1, names="document.json")
    failed(ward, f"cannot write {ward.rendering}: no space left on device; free some space there")


@fault("disk", "has no inodes left", "df -i")
def no_inodes(ward: Ward) -> None:
    """The disk has no inodes left."""
    disk(ward, f_ffree=3, f_favail=3)


@fault("descriptors", "may open only 40 files", "LimitNOFILE=4096")
def few_descriptors(ward: Ward) -> None:
    """Too few files may be opened."""
    ward.patch.setattr(machine.resource, "getrlimit", lambda _: (40, resource.RLIM_INFINITY))


# --- what is kept, and who keeps it --------------------------------------------------------------------------------


@fault("folder", "cannot write below", "name a folder")
def state_is_file(ward: Ward) -> None:
    """The state folder is a file."""
    ward.state.rename(ward.folder / "former")
    ward.state.write_text("")


@fault("foreign-files", "belong to another user than the folder", "chown -R")
def foreign_files(ward: Ward) -> None:
    """A command was run as another user."""
    for path in (ward.state, *ward.state.rglob("*")):
        os.chown(path, 4711, -1)
    os.chown(ward.state / "document.json", os.geteuid(), -1)


@fault("state-unreadable", "document.json is no JSON", "`infoprovider publish`")
def garbled_document(ward: Ward) -> None:
    """The document's memory is garbled."""
    (ward.state / "document.json").write_text('{"version"')


@fault("set-aside", "could not be used and were set aside", ".unreadable")
def garbled_facet(ward: Ward) -> None:
    """A facet's file was garbled."""
    (ward.state / "snapshots" / "north" / "images.json").write_text("[")


@fault("lock", "another process holds the state folder", "ps -fp")
def held_lock(ward: Ward) -> None:
    """Another process holds the state folder."""
    file = ward.rest.enter_context((ward.state / "lock").open("w"))
    fcntl.flock(file, fcntl.LOCK_EX)
    ward.grow_old(2, names="document.json")


@fault("daemon-died", "infoprovider run died", "systemctl restart infoprovider")
def dead_daemon(ward: Ward) -> None:
    """The daemon died."""
    ward.dead_daemon()


@fault("daemon-died", "infoprovider run died", "systemctl restart", "asked")
def long_dead_daemon(ward: Ward) -> None:
    """The daemon died two days ago."""
    ward.dead_daemon()
    ward.grow_old(48)
    ward.expire()
    ward.rendering.unlink()
    ward.by_hook()
    ward.bdii.keep_every = 0


@fault("not-kept", "nobody keeps the centre current", "systemctl enable --now")
def nobody(ward: Ward) -> None:
    """Nobody keeps the centre current."""
    ward.grow_old(3)
    ward.expire()


@fault("daemon-hangs", "lives and does not answer", "systemctl restart infoprovider")
def hanging_daemon(ward: Ward) -> None:
    """The daemon hangs."""
    ward.grow_old(3)
    ward.daemon(answers=False)
    ward.grow_old(1, names="daemon.json")


@fault("document-late", "has composed nothing for", "journalctl")
def idle_daemon(ward: Ward) -> None:
    """The daemon composes nothing."""
    ward.daemon()
    ward.grow_old(1)


@fault("configuration-not-taken", "keeps to its former", "systemctl reload")
def faulty_reload(ward: Ward) -> None:
    """The daemon did not take the configuration."""
    ward.daemon(faults=("site.yaml:3: there is no key chanels; write channels",))


@fault("configuration-not-taken", "has changed since", "systemctl reload")
def no_reload(ward: Ward) -> None:
    """The configuration was not reloaded."""
    ward.daemon()
    os.utime(ward.config, (datetime.now(UTC).timestamp() + 60,) * 2)


@fault("daemon-outdated", "installed anew", "systemctl restart")
def no_restart(ward: Ward) -> None:
    """Infoprovider was updated and not restarted."""
    ward.daemon()
    os.utime(ward.program, (datetime.now(UTC).timestamp() + 60,) * 2)


# --- what is published ---------------------------------------------------------------------------------------------


@fault("facets", "stale", "infoprovider poke", "asked")
def stale_facets(ward: Ward) -> None:
    """Facets are stale although the manager answers."""
    ward.daemon()
    ward.grow_old(2, names="snapshots/*/*.json")


@fault("rendering-missing", "is not there, although a document was composed", "publish")
def removed_rendering(ward: Ward) -> None:
    """A rendering was removed."""
    (ward.public / "current.resource.ldif").unlink()


@fault("rendering-expired", "has expired", "infoprovider publish")
def expired_rendering(ward: Ward) -> None:
    """A rendering has expired."""
    ward.expire()


@fault("left-out", "ApplicationEnvironment i1 cannot be published", "show --left-out")
def quarantined(ward: Ward) -> None:
    """An entry cannot be published."""
    ward.remembered(quarantined=[["ApplicationEnvironment", "i1", "its name is no text", ""]])


@fault("tree-unchanged", "stays as it was", "mend its template")
def unchanged_tree(ward: Ward) -> None:
    """A tree could not be rendered anew."""
    ward.remembered(unchanged={"resource": "Endpoint.ldif, line 3: there is no field colour"})


@fault("delivery", "does not take the document", "start the broker")
def failing_channel(ward: Ward) -> None:
    """A channel does not take the document."""
    failed(ward, "the broker said no; start the broker")


@fault("channel", "cannot read", "create the folder", "asked")
def no_channel_folder(ward: Ward) -> None:
    """A channel's folder is not there."""
    (ward.root / "etc/bdii/bdii.conf").unlink()
    ward.rendering.unlink()
    ward.rendering.parent.rmdir()
    failed(ward, f"cannot write {ward.rendering}: no such file or directory; create the folder or name another one")


@fault("delivery-late", "was given nothing for", "infoprovider publish")
def late_channel(ward: Ward) -> None:
    """A channel is given nothing."""
    ward.grow_old(5, names="deliveries/*.json")


@fault("metrics", "belongs to another program", "ss -tlnp")
def taken_port(ward: Ward) -> None:
    """The port for metrics is taken."""
    listening = ward.rest.enter_context(socket.create_server(("127.0.0.1", 0)))
    ward.change(metrics={"port": listening.getsockname()[1]})


@fault("metrics", "metrics cannot be written into", "create the folder")
def no_textfile_folder(ward: Ward) -> None:
    """Metrics cannot be written."""
    ward.change(metrics={"textfile": "nowhere/infoprovider.prom"})


# --- the BDII of the machine ---------------------------------------------------------------------------------------


@fault("bdii-settings", "does not say BDII_PLUGIN_DIR", "systemctl restart bdii")
def no_line(ward: Ward) -> None:
    """Bdii.conf lacks a line."""
    ward.bdii_conf(BDII_PLUGIN_DIR=None, BDII_PORT=str(free_port()))


@fault("bdii-folder", "the BDII_PLUGIN_DIR of the BDII, is not there", "mkdir -p")
def no_plugin_folder(ward: Ward) -> None:
    """A folder of the BDII is not there."""
    (ward.gip / "plugin").rmdir()
    ward.bdii_conf(BDII_PORT=str(free_port()))


@fault("bdii-user", "the user of the BDII, ldap, does not exist", "getent passwd")
def no_user(ward: Ward) -> None:
    """The BDII's user does not exist."""
    ward.bdii_conf(BDII_USER="ldap", BDII_PORT=str(free_port()))


@fault("bdii-wrong-folder", "which the BDII does not read", "write folder:")
def wrong_folder(ward: Ward) -> None:
    """The channel writes beside the BDII."""
    (ward.folder / "beside").mkdir()
    channel = {"name": "site-bdii", "kind": "bdii", "settings": {"folder": "beside"}}
    ward.change(channels=[channel])


@fault("channel", "looks like a BDII's folder of providers", "BDII_LDIF_DIR")
def among_providers(ward: Ward) -> None:
    """The channel writes among the providers."""
    (ward.gip / "provider" / "glite").write_text("#!/bin/sh\n")
    (ward.gip / "provider" / "glite").chmod(0o755)
    channel = {"name": "site-bdii", "kind": "bdii", "settings": {"folder": "root/var/lib/bdii/gip/provider"}}
    ward.change(channels=[channel])


@fault("hook", "is not executable", "chmod 755")
def not_executable(ward: Ward) -> None:
    """The hook is not executable."""
    ward.by_hook().chmod(0o644)
    ward.bdii.keep_every = 0


@fault("hook", "leads nowhere", "ln -sf")
def dangling_hook(ward: Ward) -> None:
    """The hook leads nowhere."""
    hook = ward.by_hook()
    hook.unlink()
    hook.symlink_to("/opt/infoprovider/gone/infoprovider-hook")
    ward.bdii.keep_every = 0


@fault("hook", "which is the BDII_LDIF_DIR", "mv")
def misplaced_hook(ward: Ward) -> None:
    """The hook lies in the folder of LDIF."""
    hook = ward.by_hook()
    hook.rename(ward.gip / "ldif" / "infoprovider")


@fault("hook", "cannot run the hook for its name", "mv")
def badly_named_hook(ward: Ward) -> None:
    """The hook's name is passed over."""
    ward.by_hook("infoprovider~")
    ward.bdii.keep_every = 0


@fault("hook", "the hook reads /srv/other", "write public:")
def other_public(ward: Ward) -> None:
    """The hook reads another folder."""
    ward.by_hook("infoprovider", "/srv/other")
    ward.bdii.keep_every = 0


@fault("hook-tree", "the tree cloud, which is not rendered", "template_set")
def other_tree(ward: Ward) -> None:
    """The hook wants a tree that is not rendered."""
    ward.by_hook("infoprovider", ward.public, "cloud")


@fault("bdii-twice", "by the hook and by the channel", "rm ")
def twice(ward: Ward) -> None:
    """Everything is published twice."""
    hook = ward.gip / "provider" / "infoprovider"
    hook.write_text(f"#!/bin/sh\nexec {HOOK} {ward.public}\n")
    hook.chmod(0o755)


@fault("bdii-unfed", "there is neither a channel nor a hook", "ln -s")
def unfed(ward: Ward) -> None:
    """The BDII is given nothing."""
    ward.by_hook().unlink()


@fault("bdii-reader", "may not read", "chmod o+rx")
def closed_public(ward: Ward) -> None:
    """The BDII's user may not read our folder."""
    ward.change(public="root/srv/public")
    (ward.root / "srv").mkdir()
    ward.public.rename(ward.root / "srv" / "public")
    ward.by_hook("infoprovider", ward.root / "srv" / "public")
    (ward.root / "srv").chmod(0o700)
    ward.bdii.file = None


@fault("bdii-reader", "may not read", "chmod o+r ")
def closed_file(ward: Ward) -> None:
    """The BDII's user may not read the file."""
    ward.rendering.chmod(0o600)
    ward.bdii.file = None


@fault("bdii-updater", "with -h and -p", "install bdii 6.0.2")
def broken_updater(ward: Ward) -> None:
    """Debian's bdii-update calls ldapadd as it was."""
    ward.write("usr/sbin/bdii-update", UPDATER.format(options="-h %s -p %s"))
    ward.bdii.file = None


@fault("bdii-database", "too small", "maxsize 1073741824")
def small_database(ward: Ward) -> None:
    """The BDII's database is too small."""
    ward.write("etc/bdii/bdii-slapd.conf", SLAPD_CONF.format(size="maxsize 16384"))
    ward.bdii.keep_every = 3


@fault("bdii-database", "fit into 10 MiB", "maxsize 1073741824")
def packaged_database(ward: Ward) -> None:
    """The database of the package would be too small."""
    ward.write("etc/bdii/bdii-slapd.conf", SLAPD_CONF.format(size=""))
    body = ward.rendering.read_text()
    more = "".join(f"\ndn: GLUE2ShareID=s{n},o=glue\nGLUE2ShareID: s{n}\n" for n in range(7000))
    ward.rendering.write_text(body.rstrip("\n") + "\n" + more)
    ward.bdii.keep_every = 1


@fault("bdii-silent", "does not answer at 127.0.0.1", "systemctl restart bdii")
def no_slapd(ward: Ward) -> None:
    """Slapd does not run."""
    ward.bdii_conf(BDII_PORT=str(free_port()))


@fault("bdii-hangs", "the BDII's updater hangs", "systemctl restart bdii")
def hanging_updater(ward: Ward) -> None:
    """The BDII's updater hangs."""
    ward.bdii.cycle = datetime.now(UTC) - timedelta(hours=2)
    ward.bdii.older = timedelta(hours=3)


@fault("bdii-without-ours", "serves none of our entries", "ldapsearch -x")
def without_ours(ward: Ward) -> None:
    """The BDII serves nothing of ours."""
    ward.bdii.keep_every = 0


@fault("bdii-partly", "only in part", "bdii-update.log")
def partly(ward: Ward) -> None:
    """The BDII serves a part of ours."""
    ward.bdii.keep_every = 2


@fault("bdii-old", "serves old entries of ours", "systemctl restart bdii")
def old_entries(ward: Ward) -> None:
    """The BDII serves old entries."""
    ward.bdii.older = timedelta(days=2)


# --- means ---------------------------------------------------------------------------------------------------------


def answering(ward: Ward, pattern: str, answer: Answer) -> None:
    """Let the cloud answer so to what fits a pattern."""
    assert ward.cloud is not None
    ward.cloud.faults[pattern] = answer


def certified(ward: Ward, *, name: str = "127.0.0.1", begins: float = -1, ends: float = 90) -> str:
    """Put the cloud behind TLS, with a certificate of an authority that the settings name; where it signs in."""
    authority = Authority(ward.folder / "authority.pem")
    context = authority.server(name, begins=begins, ends=ends)
    cloud = ward.rest.enter_context(serving("admin", context))
    ward.auth(auth_url=cloud.auth_url)
    ward.settings(ca_file="authority.pem")
    return cloud.auth_url


@contextmanager
def greeting(text: bytes) -> Iterator[int]:
    """The port of a server that says this to everybody."""
    listening = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                line.sendall(text)
                line.recv(65536)

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def disk(ward: Ward, **amounts: int) -> None:
    """Let the disk have so little left."""
    real = os.statvfs(ward.folder)
    names = [name for name in dir(real) if name.startswith("f_")]
    fields = {name: getattr(real, name) for name in names} | amounts
    ward.patch.setattr(machine.os, "statvfs", lambda _: type("Disk", (), fields))


def failed(ward: Ward, why: str) -> None:
    """Let the channel have failed."""
    DeliveryStore(ward.state).failed("site-bdii", site.clock.read(), why)
