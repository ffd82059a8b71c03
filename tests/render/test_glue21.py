"""GLUE 2.1 JSON of cloud sites: as its readers take it, and true."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infoprovider.glue import entities as glue
from infoprovider.glue.entities import Entity
from infoprovider.glue.vocabulary import ExtendedBoolean
from infoprovider.render.glue21 import render_glue21
from tests.publication.demo import NOON, document_of_the_demo
from tests.render.documents import MOMENT

ARRAYS = {
    "CloudComputingService",
    "CloudComputingManager",
    "CloudComputingEndpoint",
    "Share",
    "CloudComputingInstanceType",
    "CloudComputingVirtualAccelerator",
    "CloudComputingImage",
    "MappingPolicy",
    "AccessPolicy",
}
STAMPS: dict[str, Any] = {"creation_time": MOMENT, "validity": 1200}


def cloud(**changes: Entity) -> list[Entity]:
    """A small cloud; each entity goes by the word that a test changes it by."""
    made: dict[str, Entity] = {
        "service": glue.ComputingService(
            id="urn:c",
            name="north",
            type="IaaS",
            admin_domain_foreign_key=("RC",),
            running_jobs=3,
            waiting_jobs=1,
            staging_jobs=1,
            suspended_jobs=0,
            total_jobs=5,
            other_info=("gocdb_id=12249G0", "VMHalted=2", "VMError=1"),
            **STAMPS,
        ),
        "manager": glue.ComputingManager(
            id="urn:m",
            service_foreign_key="urn:c",
            product_name="openstack",
            total_logical_cpus=64,
            other_info=("HypervisorName=KVM", "HypervisorName=QEMU", "TotalMemory=1024", "LiveMigration=true"),
        ),
        "endpoint": glue.ComputingEndpoint(
            id="urn:e",
            url="https://nova/v2.1",
            service_foreign_key="urn:c",
            other_info=("Authn=OIDC", "Authn.URL=https://keys/v3", "Issuer=https://a/", "Issuer=https://b/"),
        ),
        "share": glue.ComputingShare(
            id="urn:s",
            name="vo.bio",
            service_foreign_key="urn:c",
            computing_endpoint_foreign_key=("urn:e",),
            execution_environment_foreign_key=("urn:t:1",),
            max_total_jobs=10,
            max_running_jobs=10,
            max_slots_per_job=8,
            other_info=("ProjectID=p1", "QuotaCPU=20", "Image=https://market/1", "Image=i2", "HostPool=urn:x"),
        ),
        "gpu": glue.ExecutionEnvironment(
            id="urn:t:1",
            name="1",
            virtual_machine=ExtendedBoolean.TRUE,
            manager_foreign_key="urn:m",
            logical_cpus=8,
            main_memory_size=4096,
            connectivity_in=ExtendedBoolean.UNDEFINED,
            connectivity_out=ExtendedBoolean.TRUE,
            other_info=(
                *(
                    "disk=20",
                    "TemplateName=g1",
                    "AcceleratorType=GPU",
                    "AcceleratorNumber=2",
                    "AcceleratorVendor=NVIDIA",
                ),
                *("AcceleratorType.2=FPGA", "AcceleratorNumber.2=1", "EphemeralStorage=1.5", "HostPool=urn:x"),
            ),
            **STAMPS,
        ),
        "small": glue.ExecutionEnvironment(
            id="urn:t:2",
            name="2",
            virtual_machine=ExtendedBoolean.TRUE,
            manager_foreign_key="urn:m",
            logical_cpus=1,
            main_memory_size=512,
        ),
        "pool": glue.ExecutionEnvironment(id="urn:x", virtual_machine=ExtendedBoolean.FALSE, logical_cpus=64),
        "listed": glue.ApplicationEnvironment(
            id="urn:i:1",
            name="i1",
            app_name="Ubuntu",
            app_version="24.04",
            repository="https://market/1",
            computing_manager_foreign_key="urn:m",
        ),
        "plain": glue.ApplicationEnvironment(id="urn:i:2", name="i2", computing_manager_foreign_key="urn:m"),
        "idle": glue.ApplicationEnvironment(id="urn:i:3", name="i3", computing_manager_foreign_key="urn:m"),
        "mapping": glue.MappingPolicy(
            id="urn:s:policy",
            scheme="org.glite.standard",
            rule=("VO:vo.bio",),
            share_foreign_key=("urn:s",),
            user_domain_foreign_key=("vo.bio",),
        ),
        "access": glue.AccessPolicy(id="urn:e:policy", rule=("VO:vo.bio",), endpoint_foreign_key=("urn:e",)),
    }
    return list((made | changes).values())


def written(entities: list[Entity] | tuple[Entity, ...]) -> dict[str, dict[str, dict[str, Any]]]:
    """The objects of each array by their IDs, each of which stands once."""
    arrays = json.loads(render_glue21(entities))
    found = {name: {one["ID"]: one for one in objects} for name, objects in arrays.items()}
    assert {name: len(objects) for name, objects in arrays.items()} == {name: len(one) for name, one in found.items()}
    return found


def test_every_array_is_there_also_for_an_empty_centre() -> None:
    """Readers take them by subscript."""
    assert written([]) == {name: {} for name in ARRAYS}


def test_machines_are_counted_by_state() -> None:
    """The sum is that of the states: cloud-info-provider calls running what waits and what failed."""
    service = written(cloud())["CloudComputingService"]["urn:c"]
    assert {key: value for key, value in service.items() if key.endswith("VM")} == {
        "TotalVM": 7,
        "RunningVM": 3,
        "PendingVM": 2,
        "SuspendedVM": 0,
        "HaltedVM": 2,
    }
    assert service["OtherInfo"] == {"site_name": "RC", "gocdb_id": "12249G0", "VMError": "1"}
    assert (service["CreationTime"], service["Validity"]) == ("2026-01-15T12:00:00Z", 1200)


def test_a_sum_of_what_is_not_known_is_not_known() -> None:
    """Nor is it zero."""
    share = written(cloud(share=glue.ComputingShare(id="urn:s", name="v", running_jobs=3)))["Share"]["urn:s"]
    assert [key for key in share if key.endswith("VM")] == ["RunningVM"]
    assert "OtherInfo" not in share


def test_a_manager_says_the_least_and_the_most_of_all_its_types() -> None:
    """Hosts do not count; what has several values is one text, as the format has no lists there."""
    manager = written(cloud())["CloudComputingManager"]["urn:m"]
    assert [manager[f"Instance{bound}"] for bound in ("MaxCPU", "MinCPU", "MaxRAM", "MinRAM")] == [8, 1, 4096, 512]
    assert (manager["HypervisorName"], manager["TotalRAM"], manager["TotalCPUs"]) == ("KVM,QEMU", 1024, 64)
    assert manager["ManagerLiveMigration"] is True
    assert "ManagerFailover" not in manager


def test_an_endpoint_is_where_users_sign_in() -> None:
    """As readers of this format expect; the interface itself is told beside."""
    endpoint = written(cloud())["CloudComputingEndpoint"]["urn:e"]
    assert (endpoint["URL"], endpoint["Authentication"]) == ("https://keys/v3", "oidc")
    assert endpoint["OtherInfo"] == {"InterfaceURL": "https://nova/v2.1", "Issuer": ["https://a/", "https://b/"]}
    plain = glue.ComputingEndpoint(id="urn:e", url="https://one/", service_foreign_key="urn:c", downtime_start=MOMENT)
    endpoint = written(cloud(endpoint=plain))["CloudComputingEndpoint"]["urn:e"]
    assert (endpoint["URL"], endpoint["DowntimeStart"]) == ("https://one/", "2026-01-15T12:00:00Z")
    assert "OtherInfo" not in endpoint


def test_a_share_names_its_community_and_project() -> None:
    """Quotas are an object in OtherInfo; what only links to other objects is said by those."""
    share = written(cloud())["Share"]["urn:s"]
    assert (share["Name"], share["ProjectID"], share["MaxVM"]) == ("vo.bio - p1 share", "p1", 10)
    assert share["OtherInfo"] == {"quotas": {"instances": 10, "cores": 20}}
    assert share["Associations"] == {"CloudComputingService": ["urn:c"], "CloudComputingEndpoint": ["urn:e"]}


def test_instance_types_go_by_the_manager_s_ids_and_names() -> None:
    """With the shares that may start them; host classes are no instance types."""
    types = written(cloud())["CloudComputingInstanceType"]
    assert types.keys() == {"1", "2"}
    found = types["1"]
    assert {key: found[key] for key in ("Name", "CPU", "RAM", "Disk", "NetworkIn", "NetworkOut")} == {
        "Name": "g1",
        "CPU": 8,
        "RAM": 4096,
        "Disk": 20,
        "NetworkIn": "UNKNOWN",
        "NetworkOut": True,
    }
    assert found["OtherInfo"] == {"EphemeralStorage": "1.5"}
    assert found["Associations"] == {
        "Share": ["urn:s"],
        "CloudComputingEndpoint": ["urn:e"],
        "CloudComputingManager": ["urn:m"],
        "CloudComputingVirtualAccelerator": ["1_gpu", "1_fpga.2"],
    }
    assert types["2"]["Associations"]["Share"] == []


def test_devices_are_objects_of_their_own() -> None:
    """One for each kind, with its number as a number."""
    devices = written(cloud())["CloudComputingVirtualAccelerator"]
    assert devices == {
        "1_gpu": {
            "ID": "1_gpu",
            "Validity": 1200,
            "CreationTime": "2026-01-15T12:00:00Z",
            "Name": "g1_gpu",
            "Associations": {"CloudComputingInstanceType": ["1"]},
            "Type": "GPU",
            "Number": 2,
            "Vendor": "NVIDIA",
        },
        "1_fpga.2": {
            "ID": "1_fpga.2",
            "Validity": 1200,
            "CreationTime": "2026-01-15T12:00:00Z",
            "Name": "g1_fpga.2",
            "Associations": {"CloudComputingInstanceType": ["1"]},
            "Type": "FPGA",
            "Number": 1,
        },
    }


def test_images_have_the_shares_that_start_them() -> None:
    """Found by their marketplace's URI or by their own ids; one that nobody may start has none."""
    images = written(cloud())["CloudComputingImage"]
    assert {id_: one["Associations"]["Share"] for id_, one in images.items()} == {
        "i1": ["urn:s"],
        "i2": ["urn:s"],
        "i3": [],
    }
    assert (images["i1"]["Name"], images["i1"]["MarketplaceURL"]) == ("Ubuntu", "https://market/1")
    assert (images["i1"]["Version"], images["i1"]["OtherInfo"]) == ("24.04", {"eu.egi.cloud.tag": "24.04"})
    assert not {"MarketplaceURL", "Version", "OtherInfo"} & images["i2"].keys()


def test_an_id_that_two_managers_use_names_neither() -> None:
    """Both go by their GLUE 2.0 IDs then, so that no ID stands twice."""
    twin = glue.ExecutionEnvironment(id="urn:t:3", name="1", virtual_machine=ExtendedBoolean.TRUE)
    found = written([*cloud(), twin])
    assert found["CloudComputingInstanceType"].keys() == {"urn:t:1", "urn:t:3", "2"}
    assert found["CloudComputingVirtualAccelerator"].keys() == {"urn:t:1_gpu", "urn:t:1_fpga.2"}


def test_policies_say_whom_they_let_where() -> None:
    """Readers take the community from the association, not from the rule."""
    found = written(cloud())
    assert found["MappingPolicy"]["urn:s:policy"]["Associations"] == {
        "Share": ["urn:s"],
        "PolicyUserDomain": ["vo.bio"],
    }
    assert found["AccessPolicy"]["urn:e:policy"]["Associations"] == {"CloudComputingEndpoint": ["urn:e"]}
    assert found["AccessPolicy"]["urn:e:policy"]["Rule"] == ["VO:vo.bio"]


# --- as a reader takes it ---------------------------------------------------------------------------------------------


def sites_as_read(body: bytes, now: datetime) -> dict[str, Any]:
    """What the federation's own reader makes of a document, by the keys that it takes without asking."""
    arrays = json.loads(body)
    service, endpoint = arrays["CloudComputingService"][0], arrays["CloudComputingEndpoint"][0]
    until = datetime.fromisoformat(service["CreationTime"]) + timedelta(seconds=int(service["Validity"]))
    shares = {}
    for share in arrays["Share"]:
        [policy] = [one for one in arrays["MappingPolicy"] if share["ID"] in one["Associations"]["Share"]]
        offered = {
            name: {one["ID"]: one["Name"] for one in arrays[name] if share["ID"] in one["Associations"]["Share"]}
            for name in ("CloudComputingImage", "CloudComputingInstanceType")
        }
        shares[policy["Associations"]["PolicyUserDomain"][0], share["ProjectID"]] = offered
    return {
        "is_valid": now <= until,
        "name": service["Associations"]["AdminDomain"][0],
        "gocdb_id": service["OtherInfo"]["gocdb_id"],
        "url": endpoint["URL"],
        "shares": shares,
    }


def test_the_federation_s_reader_finds_what_it_takes() -> None:
    """Site, address, and for each community its project with the images and types that it can start."""
    assert sites_as_read(render_glue21(cloud()), MOMENT) == {
        "is_valid": True,
        "name": "RC",
        "gocdb_id": "12249G0",
        "url": "https://keys/v3",
        "shares": {
            ("vo.bio", "p1"): {
                "CloudComputingImage": {"i1": "Ubuntu", "i2": "i2"},
                "CloudComputingInstanceType": {"1": "g1"},
            }
        },
    }
    assert not sites_as_read(render_glue21(cloud()), MOMENT + timedelta(seconds=1201))["is_valid"]


@pytest.mark.parametrize("array", sorted(ARRAYS))
def test_associations_of_the_demo_centre_lead_somewhere(array: str) -> None:
    """Every ID that an object names is that of an object in the array of that name; domains are registered names."""
    document = document_of_the_demo()
    body = render_glue21(document.entities)
    assert render_glue21(document.entities) == body
    arrays = json.loads(body)
    there = {name: {one["ID"] for one in objects} for name, objects in arrays.items()}
    there |= {"AdminDomain": {"RC-DEMO"}, "PolicyUserDomain": {one.id for one in document.of(glue.UserDomain)}}
    assert arrays[array]
    for one in arrays[array]:
        for name, ids in one["Associations"].items():
            assert set(ids) <= there[name], one["ID"]
        assert datetime.fromisoformat(one["CreationTime"]) <= NOON


def test_a_number_with_a_fraction_stays_one() -> None:
    """Half a gigabyte of disk is neither none nor a text."""
    [small] = [one for one in cloud() if one.id == "urn:t:2"]
    changed = replace(small, other_info=("disk=0.5",))
    assert written(cloud(small=changed))["CloudComputingInstanceType"]["2"]["Disk"] == 0.5
