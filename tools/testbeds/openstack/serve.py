"""One OpenStack service in this process, on loopback: `serve.py ROLE DIR PORT`, PORT being the first of the five.

What is served is the WSGI application that the project itself ships. Ours are these few things:

* a database that is not there yet is made, and keystone's is given the accounts and the catalogue;
* each request from outside is a line `METHOD PATH STATUS MILLISECONDS AGENT` in DIR/log/access-ROLE.log; what the five
  ask one another is left out;
* the role `nova` is API, conductor, scheduler and one compute service for each host in DIR/hosts.json, as threads that
  talk over oslo.messaging's transport inside a process. A compute service has nova's own fake hypervisor driver, with
  the host's sizes.
"""

import importlib
import json
import os
import socket
import sqlite3
import sys
import time
import traceback
import uuid
from pathlib import Path
from types import SimpleNamespace

import requests
import sqlalchemy
import waitress
from sqlalchemy.orm import Session

APPLICATIONS = {
    "keystone": "keystone.wsgi.api",
    "placement": "placement.wsgi.api",
    "glance": "glance.wsgi.api",
    "nova": "nova.wsgi.osapi_compute",
    "neutron": "neutron.wsgi.api",
}
"""In the order of their ports."""

CATALOGUE = {
    "identity": ("keystone", "/v3"),
    "placement": ("placement", ""),
    "image": ("glance", ""),
    "compute": ("nova", "/v2.1"),
    "network": ("neutron", ""),
}
IMAGE_TYPES = {
    "QEMU": ("ami", "iso", "qcow2", "raw"),
    "VMware vCenter Server": ("iso", "vmdk"),
}
"""Disk formats that nova's drivers of these hypervisors boot."""

PASSWORD = "testbed"  # noqa: S105  (of a cloud that only this machine can reach)
FROM_INSIDE = "X-Testbed-Service"
START_SECONDS = 120


# --- requests ---------------------------------------------------------------------------------------------------------


def mark_own_requests():
    """Let what this service asks of the others be told from what clients ask."""
    send = requests.Session.send

    def marked(session, request, **options):
        request.headers[FROM_INSIDE] = "1"
        return send(session, request, **options)

    requests.Session.send = marked


def counted(application, log):
    """The application, with a line in the log for each request from outside."""
    inside = "HTTP_" + FROM_INSIDE.upper().replace("-", "_")

    def call(environ, start_response):
        if inside in environ:
            return application(environ, start_response)
        begun, answered = time.monotonic(), []

        def remember(status, headers, exc_info=None):
            answered.append(status.split()[0])
            return start_response(status, headers, exc_info)

        try:
            return application(environ, remember)
        finally:
            path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            query = environ.get("QUERY_STRING")
            agent = environ.get("HTTP_USER_AGENT", "-").replace(" ", "_")
            milliseconds = round(1000 * (time.monotonic() - begun))
            words = [environ["REQUEST_METHOD"], path + ("?" + query if query else ""), *answered[-1:]]
            # Appending one line is a single write, so that threads do not mix theirs.
            os.write(log, f"{' '.join(words)} {milliseconds} {agent}\n".encode())

    return call


# --- databases --------------------------------------------------------------------------------------------------------


def make_sqlite_concurrent():
    """Let threads share an SQLite file.

    A transaction that will write takes the lock when it begins, and waits for it, instead of failing half-way; should
    SQLite say all the same that the file is locked, oslo.db hears a deadlock, which OpenStack's own code tries again.
    """
    from oslo_db import exception
    from oslo_db.sqlalchemy import enginefacade, exc_filters

    factory = enginefacade._TransactionFactory
    create = factory._create_session

    def create_session(self, mode, bind=None):
        if mode is enginefacade._WRITER and bind is None:
            if not self._started:
                self._start()
            bind = self._writer_engine.execution_options(will_write=True)
        return create(self, mode, bind)

    factory._create_session = create_session

    @sqlalchemy.event.listens_for(sqlalchemy.Engine, "before_cursor_execute", retval=True)
    def begin(conn, _cursor, statement, parameters, _context, _executemany):
        if statement == "BEGIN" and conn.get_execution_options().get("will_write"):
            statement = "BEGIN IMMEDIATE"
        return statement, parameters

    @exc_filters.filters("sqlite", sqlalchemy.exc.OperationalError, r".*database is locked")
    def locked(error, _match, _engine_name, _is_disconnect):
        raise exception.DBDeadlock(error)


def make_database(name, metadata=None):
    """An SQLite file that readers and a writer can use side by side; the tables of the metadata in it."""
    sqlite3.connect(f"db/{name}.sqlite").execute("pragma journal_mode = wal")
    engine = sqlalchemy.create_engine(f"sqlite:///db/{name}.sqlite")
    if metadata is not None:
        metadata.create_all(engine)
    return engine


def nova_databases():
    """The tables of the models, and the two cells that every nova has."""
    from nova.db.api import models as api
    from nova.db.main import models as main

    cells = {"cell0": ("00000000-0000-0000-0000-000000000000", "none:///"), "cell1": (str(uuid.uuid4()), "fake:/")}
    with Session(make_database("nova_api", api.BASE.metadata)) as session:
        for name, (id_, transport) in cells.items():
            make_database(f"nova_{name}", main.BASE.metadata)
            url = f"sqlite:///db/nova_{name}.sqlite?timeout=60"
            session.add(api.CellMapping(uuid=id_, name=name, transport_url=transport, database_connection=url))
        session.commit()


def glance_databases():
    """The tables of the models."""
    from glance.db.sqlalchemy import models, models_metadef

    for base in (models.BASE, models_metadef.BASE_DICT):
        make_database("glance", base.metadata)


def neutron_databases():
    """The tables of the models: neutron's migrations do not run on SQLite."""
    from neutron.db.migration.models import head

    make_database("neutron", head.get_metadata())


def placement_databases():
    """An empty file: placement makes its tables itself."""
    make_database("placement")


def keystone_databases():
    """Keys and an empty file; keystone's migrations need its configuration and come later."""
    from cryptography.fernet import Fernet

    for folder in ("fernet", "credential"):
        for number in "01":
            key = Path("state", folder, number)
            key.parent.mkdir(mode=0o700, exist_ok=True)
            key.write_bytes(Fernet.generate_key())
            key.chmod(0o600)
    make_database("keystone")


def fill_keystone(first_port):
    """The administrator, the account of the services, and the catalogue."""
    from keystone.cmd import bootstrap
    from keystone.common import provider_api
    from keystone.common.sql import upgrades

    upgrades.offline_sync_database_to_version()
    bootstrap.backends.load_backends = lambda: None  # the application has done that, and it can be done once only
    api = provider_api.ProviderAPIs
    for name in ("admin", "service"):
        account = bootstrap.Bootstrapper()
        account.admin_username = account.project_name = name
        account.admin_password = PASSWORD
        account.admin_role_name = "admin"
        account.region_id = "RegionOne"
        account.immutable_roles = True
        account.bootstrap()
    api.assignment_api.add_role_to_user_and_project(account.admin_user_id, account.project_id, account.service_role_id)
    for kind, (role, path) in CATALOGUE.items():
        service, url = uuid.uuid4().hex, f"http://127.0.0.1:{port_of(role, first_port)}{path}"
        api.catalog_api.create_service(service, {"id": service, "name": role, "type": kind, "enabled": True})
        # keystonemiddleware looks for the internal endpoint of identity.
        for interface in ("public", "internal"):
            id_ = uuid.uuid4().hex
            endpoint = {"id": id_, "interface": interface, "url": url, "service_id": service, "enabled": True}
            api.catalog_api.create_endpoint(id_, endpoint | {"region_id": "RegionOne"})


# --- hosts ------------------------------------------------------------------------------------------------------------


def hosts():
    """Each host's sizes, by its name."""
    return json.loads(Path("hosts.json").read_text())


def node_id(node):
    """The id of a hypervisor, which must outlive this process."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, node))


def define_driver():
    """The fake driver of nova with sizes of our own; nova.conf names it `fake.TestbedDriver`."""
    from nova import context, objects
    from nova.virt import fake

    sizes = hosts()

    class TestbedDriver(fake.FakeDriver):
        def init_host(self, host):
            super().init_host(host)
            self.size = SimpleNamespace(**{"vgpu": 0, "cpu_info": {}} | sizes[host])
            self.vcpus, self.memory_mb, self.local_gb = self.size.vcpus, self.size.memory_mb, self.size.local_gb
            self.resources = fake.Resources(self.vcpus, self.memory_mb, self.local_gb)
            self.host_status_base.update(hypervisor_type=self.size.type, hypervisor_version=self.size.version)
            bootable = IMAGE_TYPES.get(self.size.type, ("raw",))
            images = {f"supports_image_type_{name}": name in bootable for name in ("raw", *bootable)}
            self.capabilities = self.capabilities | images
            # The fake driver keeps its machines in memory; after a restart the database has them.
            for machine in objects.InstanceList.get_by_host(context.get_admin_context(), host):
                self.instances[machine.uuid] = fake.FakeInstance(machine.name, machine.power_state, machine.uuid)

        def get_nodenames_by_uuid(self, refresh=False):  # noqa: ARG002  (nova's own signature)
            return {node_id(node): node for node in self.get_available_nodes()}

        def get_available_resource(self, nodename):
            own = {"uuid": node_id(nodename), "cpu_info": json.dumps(self.size.cpu_info)}
            return super().get_available_resource(nodename) | own

        def update_provider_tree(self, provider_tree, nodename, allocations=None):
            super().update_provider_tree(provider_tree, nodename, allocations)
            if self.size.vgpu:
                one = {"min_unit": 1, "max_unit": 1, "step_size": 1, "allocation_ratio": 1.0, "reserved": 0}
                inventory = dict(provider_tree.data(nodename).inventory) | {"VGPU": {"total": self.size.vgpu} | one}
                provider_tree.update_inventory(nodename, inventory)

    fake.TestbedDriver = TestbedDriver


def start_computes():
    """Conductor, scheduler and the compute services, as threads; the first two are returned with the others."""
    import os_vif
    from nova import context, objects, service
    from nova.compute import rpcapi
    from nova.objects import host_mapping

    os_vif.initialize()
    objects.Service.enable_min_version_cache()
    wanted = [
        {"binary": "nova-conductor", "topic": "conductor"},
        {"binary": "nova-scheduler", "topic": "scheduler"},
        *(
            {"binary": "nova-compute", "host": host, "topic": rpcapi.RPC_TOPIC, "topic_alt": rpcapi.RPC_TOPIC_ALT}
            for host in hosts()
        ),
    ]
    running = []
    for options in wanted:
        running.append(service.Service.create(**options))
        running[-1].start()
    host_mapping.discover_hosts(context.get_admin_context())
    return running


def register_agents():
    """Tell neutron of a switch on each host, so that it binds ports there."""
    from neutron_lib import context
    from neutron_lib.plugins import directory
    from oslo_utils import timeutils

    for host in hosts():
        agent = {
            "binary": "neutron-openvswitch-agent",
            "host": host,
            "topic": "N/A",
            "agent_type": "Open vSwitch agent",
            "start_flag": True,
            "configurations": {"tunnel_types": ["vxlan"], "tunneling_ip": "127.0.0.1", "bridge_mappings": {}},
        }
        directory.get_plugin().create_or_update_agent(context.get_admin_context(), agent, timeutils.utcnow())


# --- the service ------------------------------------------------------------------------------------------------------


def port_of(role, first_port):
    """Each role has its own port."""
    return first_port + list(APPLICATIONS).index(role)


def wait_for(role, first_port):
    """Return when the service answers; raises TimeoutError where it does not."""
    deadline = time.monotonic() + START_SECONDS
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port_of(role, first_port))):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{role} does not answer")
            time.sleep(0.2)


def main(role, folder, first_port):
    """Make what is missing, start what belongs to the role, and serve until this process is ended."""
    os.chdir(folder)
    sys.argv = [role]  # the services read it too
    os.environ[f"OS_{role.upper()}_CONFIG_DIR"] = str(Path("etc").resolve())
    os.environ["OS_NEUTRON_CONFIG_FILES"] = "neutron.conf"
    made = Path("state", f"{role}-database")
    is_new = not made.exists()
    if is_new:
        for file in Path("db").glob(f"{role}*"):  # of a start that did not get far
            file.unlink()
        globals()[f"{role}_databases"]()
    mark_own_requests()
    make_sqlite_concurrent()
    application = importlib.import_module(APPLICATIONS[role]).application
    if role == "keystone" and is_new:
        fill_keystone(first_port)
    made.touch()
    threads = []
    if role == "nova":
        define_driver()
        for other in ("keystone", "placement"):
            wait_for(other, first_port)
        threads = start_computes()
    elif role == "neutron":
        register_agents()
    log = os.open(f"log/access-{role}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    port = port_of(role, first_port)
    waitress.serve(counted(application, log), host="127.0.0.1", port=port, threads=8, ident=None)
    del threads


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # nova's threads would keep a process alive that has failed
