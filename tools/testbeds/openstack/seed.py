"""Fill the testbed: `seed.py hosts DIR HOSTS` before it runs, `seed.py content DIR PORT` when it does.

Only what is missing is made. DIR/clouds.yaml has the accounts, DIR/content.json what tests must know: the projects that
may be published, and under `secrets` the names and ids of what must be found nowhere.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import content
import requests

ROLES = ("keystone", "placement", "glance", "nova", "neutron")
PASSWORD = "testbed"  # noqa: S105  (of a cloud that only this machine can reach)
NUMBERS = {"PROJECTS": 3, "FLAVORS": 6, "IMAGES": 6, "SERVERS": 6, "ODD": 1}
BUILD_SECONDS = 60
THREADS = 3


class Account:
    """A user in a project, who asks by plain HTTP; raises RuntimeError for whatever is refused."""

    def __init__(self, port, user, project):
        """Sign in."""
        self.port, self.session = port, requests.Session()
        self.session.headers["OpenStack-API-Version"] = "compute 2.87"
        domain = {"domain": {"id": "default"}}
        who = {"methods": ["password"], "password": {"user": {"name": user, "password": PASSWORD} | domain}}
        auth = {"identity": who, "scope": {"project": {"name": project} | domain}}
        answer = self.call("POST", "keystone", "/v3/auth/tokens", {"auth": auth})
        self.session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        self.user_id = answer.json()["token"]["user"]["id"]

    def call(self, method, role, path, body=None, *, data=None, **headers):
        """One request."""
        url = f"http://127.0.0.1:{self.port + ROLES.index(role)}{path}"
        answer = self.session.request(method, url, json=body, data=data, headers=headers)
        if not answer.ok:
            raise RuntimeError(f"{method} {url} {body}: {answer.status_code} {answer.text[:500]}")
        return answer

    def get(self, role, path, what):
        """One value of the answer."""
        return self.call("GET", role, path).json()[what]

    def put(self, role, path, body=None):
        """Change something."""
        self.call("PUT", role, path, body)

    def post(self, role, path, what, **body):
        """The thing that is made."""
        return self.call("POST", role, path, {what: body}).json()[what]

    def ids(self, role, path, what):
        """What there is already: id by name."""
        return {one["name"]: one["id"] for one in self.get(role, path, what)}


class Seed:
    """Makes what is missing, one kind of thing after the other."""

    def __init__(self, folder, port):
        """Sign in and look at what there is already."""
        self.folder, self.port = Path(folder), port
        self.numbers = {name.lower(): int(os.environ.get(name, number)) for name, number in NUMBERS.items()}
        self.hosts = json.loads((self.folder / "hosts.json").read_text())
        self.projects = content.projects(self.numbers["projects"], self.numbers["odd"])
        self.numbered = [project.name for project in self.projects if project.name.startswith("vo")]
        self.is_hidden = {project.name: project.reader is None for project in self.projects}
        self.admin = Account(port, "admin", "admin")
        self.roles = self.admin.ids("keystone", "/v3/roles", "roles")
        self.users = self.admin.ids("keystone", "/v3/users", "users")
        self.project_ids = self.admin.ids("keystone", "/v3/projects", "projects")
        self.accounts = {}

    def account(self, project):
        """Somebody who may start machines in this project."""
        if project not in self.accounts:
            user = "stranger" if self.is_hidden[project] else "member"
            self.accounts[project] = Account(self.port, user, project)
        return self.accounts[project]

    def make_projects(self):
        """Each with a reader of its own; one account is a member of all that are not hidden."""
        for project in self.projects:
            if project.name in self.project_ids:
                continue
            options = {"name": project.name, "domain_id": "default", "description": project.description}
            id_ = self.admin.post("keystone", "/v3/projects", "project", **options)["id"]
            members = {project.reader: "reader", "member": "member"} if project.reader else {"stranger": "member"}
            for user, role in members.items():
                self.admin.put("keystone", f"/v3/projects/{id_}/users/{self.user(user)}/roles/{self.roles[role]}")
            self.admin.put("nova", f"/v2.1/os-quota-sets/{id_}", {"quota_set": project.quotas})
            self.project_ids[project.name] = id_

    def user(self, name):
        """The id of a user, who is made where there is none."""
        if name not in self.users:
            options = {"name": name, "password": PASSWORD, "domain_id": "default"}
            self.users[name] = self.admin.post("keystone", "/v3/users", "user", **options)["id"]
        return self.users[name]

    def set_hosts(self):
        """Ratios and states that the descriptions of hosts ask for."""
        providers = self.admin.get("placement", "/resource_providers", "resource_providers")
        ids = {provider["name"]: provider["uuid"] for provider in providers}
        for service in self.admin.get("nova", "/v2.1/os-services?binary=nova-compute", "services"):
            name, host = service["host"], self.hosts[service["host"]]
            if "cpu_ratio" in host:
                path = f"/resource_providers/{ids[name]}/inventories/VCPU"
                inventory = self.admin.call("GET", "placement", path).json()
                self.admin.put("placement", path, inventory | {"allocation_ratio": host["cpu_ratio"]})
            wishes = {"disabled": {"status": "disabled"}, "down": {"forced_down": True}}
            if host.get("state") in wishes:
                self.admin.put("nova", f"/v2.1/os-services/{service['id']}", wishes[host["state"]])

    def wake(self):
        """Ask each service something, one after the other.

        The first requests to neutron after a start may be answered with an empty list when there are several at a time.
        """
        first = {"neutron": "/v2.0/networks", "glance": "/v2/images", "placement": "/resource_providers"}
        for role, path in first.items():
            self.admin.call("GET", role, path)
        self.admin.call("GET", "neutron", f"/v2.0/quotas/{self.project_ids['admin']}/details")

    def wait_for_hosts(self):
        """Return when all are up that are to be: after a restart nova takes them for dead until they report."""
        expected = {name for name, host in self.hosts.items() if host.get("state") != "down"}
        deadline = time.monotonic() + BUILD_SECONDS
        while missing := expected - self.living_hosts():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not up after {BUILD_SECONDS} s: {', '.join(sorted(missing))}")
            time.sleep(0.5)

    def living_hosts(self):
        """The hosts that nova takes for up, and those that somebody made dead."""
        services = self.admin.get("nova", "/v2.1/os-services?binary=nova-compute", "services")
        return {service["host"] for service in services if service["state"] == "up" or service["forced_down"]}

    def make_networks(self):
        """One that leads outside, with addresses of both families, of which two projects have got one."""
        if self.admin.get("neutron", "/v2.0/networks?name=outside", "networks"):
            return
        external = {"router:external": True, "provider:network_type": "flat", "provider:physical_network": "outside"}
        id_ = self.admin.post("neutron", "/v2.0/networks", "network", name="outside", shared=True, **external)["id"]
        for version, cidr in ((4, "192.0.2.0/26"), (6, "2001:db8::/64")):
            self.admin.post("neutron", "/v2.0/subnets", "subnet", network_id=id_, ip_version=version, cidr=cidr)
        for name in self.numbered[:2]:
            address = {"floating_network_id": id_, "project_id": self.project_ids[name]}
            self.admin.post("neutron", "/v2.0/floatingips", "floatingip", **address)

    def make_flavors(self):
        """Public unless they have an owner."""
        have = self.admin.ids("nova", "/v2.1/flavors/detail?is_public=None", "flavors")
        for flavor in content.flavors(self.numbers["flavors"], self.numbers["odd"], self.numbered[0]):
            if flavor.name in have:
                continue
            options = {"name": flavor.name, "os-flavor-access:is_public": flavor.owner is None} | flavor.size
            path = f"/v2.1/flavors/{self.admin.post('nova', '/v2.1/flavors', 'flavor', **options)['id']}"
            if flavor.specs:
                self.admin.call("POST", "nova", f"{path}/os-extra_specs", {"extra_specs": flavor.specs})
            if flavor.owner:
                access = {"addTenantAccess": {"tenant": self.project_ids[flavor.owner]}}
                self.admin.call("POST", "nova", f"{path}/action", access)

    def image_ids(self):
        """What the image service has for anybody: id by name."""
        found, page = {}, "/v2/images?visibility=all&limit=500"
        while page:
            answer = self.admin.call("GET", "glance", page).json()
            found |= {image["name"]: image["id"] for image in answer["images"]}
            page = answer.get("next")
        return found

    def make_images(self):
        """Those that are not there yet."""
        first, second = self.numbered[0], self.numbered[min(1, len(self.numbered) - 1)]
        have = self.image_ids()
        for image in content.images(self.numbers["images"], self.numbers["odd"], first, second):
            if image.name not in have:
                self.make_image(image)

    def make_image(self, image):
        """Its owner uploads it and shares it."""
        owner = self.account(image.owner) if image.owner else self.admin
        options = {"name": image.name, "visibility": image.visibility, "container_format": "bare"} | image.properties
        path = f"/v2/images/{owner.call('POST', 'glance', '/v2/images', options).json()['id']}"
        if not image.is_signed:
            file = {"data": content.data_of(image.name), "Content-Type": "application/octet-stream"}
            owner.call("PUT", "glance", f"{path}/file", **file)
        if image.shared_with:
            other = self.project_ids[image.shared_with]
            owner.call("POST", "glance", f"{path}/members", {"member": other})
            self.account(image.shared_with).put("glance", f"{path}/members/{other}", {"status": "accepted"})

    def machines(self):
        """Those that are asked for."""
        flavor = next(iter(content.SPECS)) + ".01"
        return content.machines(self.numbers["servers"], self.numbers["odd"], self.numbered, flavor)

    def make_machines(self):
        """Each on the network of its project."""
        have = self.admin.ids("nova", "/v2.1/servers?all_tenants=1", "servers")
        missing = [machine for machine in self.machines() if machine.name not in have]
        if not missing:
            return
        flavors = self.admin.ids("nova", "/v2.1/flavors", "flavors")
        public = self.admin.get("glance", "/v2/images?visibility=public&disk_format=raw&status=active", "images")
        networks = {project: self.network(project) for project in {machine.project for machine in missing}}

        def make(machine):
            account = self.account(machine.project)
            where = [{"uuid": networks[machine.project]}]
            options = {"imageRef": public[0]["id"], "flavorRef": flavors[machine.flavor], "networks": where}
            self.finish(account, machine, account.post("nova", "/v2.1/servers", "server", name=machine.name, **options))

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(make, missing))

    @staticmethod
    def finish(account, machine, server):
        """Wait until it is built; then do to it what is to be done."""
        path, deadline = f"/v2.1/servers/{server['id']}", time.monotonic() + BUILD_SECONDS
        while (server := account.get("nova", path, "server"))["status"] == "BUILD":
            if time.monotonic() > deadline:
                raise RuntimeError(f"{machine.name} is not built after {BUILD_SECONDS} s")
            time.sleep(0.5)
        if (server["status"] == "ACTIVE") != machine.finds_a_host:
            raise RuntimeError(f"{machine.name} is {server['status']}: {server.get('fault')}")
        if machine.action:
            account.call("POST", "nova", f"{path}/action", {machine.action: None})
            while account.get("nova", path, "server")["status"] != content.ENDING_AS[machine.action]:
                time.sleep(0.5)

    def network(self, project):
        """The project's own network, which is made where there is none."""
        account = self.account(project)
        own = f"/v2.0/networks?name=net&project_id={self.project_ids[project]}"
        found = account.get("neutron", own, "networks")
        if found:
            return found[0]["id"]
        id_ = account.post("neutron", "/v2.0/networks", "network", name="net")["id"]
        account.post("neutron", "/v2.0/subnets", "subnet", network_id=id_, ip_version=4, cidr="10.0.0.0/16")
        return id_

    def clouds(self):
        """The accounts, as clients read them."""
        domain = {"user_domain_id": "default", "project_domain_id": "default"}
        identity = {"auth_url": f"http://127.0.0.1:{self.port}/v3"}

        def cloud(user, project):
            auth = identity | {"username": user, "password": PASSWORD, "project_name": project} | domain
            return {"auth": auth, "region_name": "RegionOne"}

        credential = {"auth_type": "v3applicationcredential", "auth": identity | self.application_credential()}
        return {
            "admin": cloud("admin", "admin"),
            "member": cloud("member", self.numbered[0]),
            "application": credential | {"region_name": "RegionOne"},
            **{project.reader: cloud(project.reader, project.name) for project in self.projects if project.reader},
        }

    def application_credential(self):
        """One of the administrator, with a secret that is known."""
        path = f"/v3/users/{self.admin.user_id}/application_credentials"
        have = self.admin.ids("keystone", path, "application_credentials")
        if "testbed" not in have:
            options = {"name": "testbed", "secret": PASSWORD}
            have["testbed"] = self.admin.post("keystone", path, "application_credential", **options)["id"]
        return {"application_credential_id": have["testbed"], "application_credential_secret": PASSWORD}

    def secrets(self):
        """Names, ids and texts of what is hidden; the names of machines and hosts."""
        hidden = [project for project in self.projects if self.is_hidden[project.name]]
        found = [self.project_ids[project.name] for project in hidden]
        found += [text for project in hidden for text in (project.name, project.description)]
        found += ["hidden flavor description", "hidden_key", "hidden extra spec", "hidden image description"]
        flavors = self.admin.ids("nova", "/v2.1/flavors/detail?is_public=None", "flavors")
        machines = self.admin.ids("nova", "/v2.1/servers?all_tenants=1", "servers")
        for name, id_ in (flavors | self.image_ids()).items():
            found += [name, id_] * name.startswith("hidden ")
        return sorted({*found, *machines, *machines.values(), *self.hosts})

    def run(self):
        """Everything."""
        self.make_projects()
        self.set_hosts()
        self.make_networks()
        self.make_flavors()
        self.make_images()
        self.make_machines()
        published = {project.name: self.project_ids[project.name] for project in self.projects if project.reader}
        # JSON is YAML too.
        (self.folder / "clouds.yaml").write_text(json.dumps({"clouds": self.clouds()}, indent=1))
        told = {"asked": self.asked(), "projects": published, "secrets": self.secrets()}
        (self.folder / "content.json").write_text(json.dumps(told, indent=1))

    def asked(self):
        """What all this was made for."""
        return self.numbers | {"hosts": self.hosts, "port": self.port}

    def is_done(self):
        """Whether just this was asked for the last time."""
        told = self.folder / "content.json"
        return told.exists() and json.loads(told.read_text())["asked"] == self.asked()


def write_hosts(folder, asked):
    """So many, or those of a file."""
    hosts = content.hosts(int(asked)) if asked.isdigit() else json.loads(Path(asked).read_text())
    Path(folder, "hosts.json").write_text(json.dumps(hosts, indent=1))


if __name__ == "__main__":
    if sys.argv[1] == "hosts":
        write_hosts(*sys.argv[2:])
    else:
        seed = Seed(sys.argv[2], int(sys.argv[3]))
        seed.wake()
        seed.wait_for_hosts()
        if not seed.is_done():
            seed.run()
