"""What a broker will see: read from published entries alone, unknown kept apart from none."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infoprovider.glue.entities import (
    ApplicationEnvironment,
    ComputingEndpoint,
    ComputingManager,
    ComputingService,
    ComputingShare,
    Entry,
    ExecutionEnvironment,
    Location,
)
from infoprovider.glue.vocabulary import EndpointHealthState, ExtendedBoolean
from infoprovider.views.offers import EndpointView, Offer, ServiceView, info, info_value, offers_of, services_of

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SERVICE = ComputingService(id="service", name="north", running_jobs=7, creation_time=MOMENT)


def manager(*values: str, **changes: Any) -> ComputingManager:
    """The service's manager."""
    return ComputingManager(id="manager", computing_service_foreign_key="service", other_info=values, **changes)


def environment(id_: str, *values: str, **changes: Any) -> ExecutionEnvironment:
    """An instance type of the manager, or a host class."""
    about = {"virtual_machine": ExtendedBoolean.TRUE, "name": id_.rpartition(":")[2]} | changes
    return ExecutionEnvironment(id=id_, computing_manager_foreign_key="manager", other_info=values, **about)


def share(*values: str, **changes: Any) -> ComputingShare:
    """A share of the service for the type small."""
    about = {"execution_environment_foreign_key": ("urn:small",), "name": "vo.bio"} | changes
    return ComputingShare(id="share", computing_service_foreign_key="service", other_info=values, **about)


def test_values_of_a_key_are_found_by_the_whole_key() -> None:
    """`Price` does not find `Price.Resource`; what follows the first equals sign is the value."""
    entity = share("Image=a=b", "Image=c", "Image.More=3", "Images=d")
    assert info(entity, "Image") == ("a=b", "c")
    assert (info_value(entity, "Image"), info_value(entity, "ProjectID")) == ("a=b", None)


def test_a_service_is_summed_up_from_what_stands_below_it() -> None:
    """Manager, host classes, types, images and ways in; its age is that of its oldest entry."""
    entries: list[Entry] = [
        SERVICE,
        manager(
            "HypervisorName=KVM",
            "HypervisorName=Xen",
            "TotalMemory=2048",
            "FreeMemory=1024",
            product_name="openstack",
            product_version="2024.2",
            total_slots=100,
            slots_used_by_grid_jobs=30,
            slots_used_by_local_jobs=12,
        ),
        ComputingEndpoint(
            id="endpoint",
            url="https://cloud/",
            interface_name="OCCI",
            health_state=EndpointHealthState.OK,
            computing_service_foreign_key="service",
            other_info=("Authn=OIDC",),
        ),
        environment("urn:host-pool:a", virtual_machine=ExtendedBoolean.FALSE, total_instances=3),
        environment("urn:host-pool:b", virtual_machine=ExtendedBoolean.FALSE, total_instances=4),
        environment("urn:small", creation_time=MOMENT - timedelta(minutes=9)),
        ApplicationEnvironment(id="image", computing_manager_foreign_key="manager"),
        ApplicationEnvironment(id="other", computing_manager_foreign_key="elsewhere"),
        share(creation_time=MOMENT - timedelta(minutes=10)),
        ComputingService(id="south"),
        Location(id="location"),
    ]
    north, south = services_of(entries)
    assert north == ServiceView(
        id="service",
        name="north",
        product="openstack",
        version="2024.2",
        hypervisors=("KVM", "Xen"),
        endpoints=(EndpointView(interface="OCCI", sign_in="OIDC", url="https://cloud/", health="ok"),),
        hosts=7,
        slots=100,
        slots_used=42,
        memory=2048,
        memory_free=1024,
        running=7,
        instance_types=1,
        images=1,
        observed_at=MOMENT - timedelta(minutes=10),
    )
    assert (south.id, south.instance_types, south.images, south.endpoints) == ("south", 0, 0, ())


def test_the_known_part_of_a_sum_is_not_shown_as_the_whole() -> None:
    """Of one host class or one half of the projects alone nothing is said."""
    entries: list[Entry] = [
        SERVICE,
        manager(slots_used_by_grid_jobs=30),
        environment("urn:host-pool:a", virtual_machine=ExtendedBoolean.FALSE, total_instances=3),
        environment("urn:host-pool:b", virtual_machine=ExtendedBoolean.FALSE),
    ]
    (found,) = services_of(entries)
    assert (found.slots_used, found.hosts, found.memory, found.observed_at) == (None, None, None, MOMENT)


def offer(*said: str, **changes: Any) -> Offer:
    """The one offer of a share that says this."""
    (found,) = offers_of([SERVICE, environment("urn:small", **changes), share(*said)])
    return found


def test_an_offer_is_a_type_for_a_community() -> None:
    """Sizes, accelerators and price of the type, and the number from the share."""
    type_ = environment(
        "urn:small",
        "disk=20",
        "TemplateName=Small",
        "AcceleratorType=GPU",
        "AcceleratorNumber=2",
        "AcceleratorModel=A100",
        "Price.ConsumptionFee=0.05",
        "Price.ConsumptionFeePeriod=hourly",
        "Price.Currency=EUR",
        logical_cpus=2,
        main_memory_size=4096,
    )
    (found,) = offers_of([SERVICE, type_, share("FreeInstances.small=3", "Image=a", "Image=b")])
    assert found == Offer(
        community="vo.bio",
        service="north",
        share="share",
        instance_type="small",
        name="Small",
        vcpus=2,
        memory=4096,
        disk="20",
        accelerators="2 GPU A100",
        startable=3,
        is_upper_bound=False,
        images=2,
        price="0.05 EUR hourly",
    )


def test_no_number_is_not_none() -> None:
    """A type without a number is unknown; 0 is a number; an upper bound says so."""
    assert (offer().startable, offer().is_upper_bound) == (None, False)
    assert offer("FreeInstances.small=0").startable == 0
    bound = offer("FreeInstances.UpperBound=small", "FreeInstances.small=5")
    assert (bound.startable, bound.is_upper_bound) == (5, True)
    assert offer("FreeInstances.UpperBound=smaller", "FreeInstances.small=5").is_upper_bound is False
    assert offer("FreeInstances.small=many").startable is None


def test_what_is_not_said_of_a_type_is_not_known() -> None:
    """No size, no accelerator, no price."""
    found = offer()
    assert (found.vcpus, found.memory, found.disk, found.accelerators, found.price) == (None,) * 5


def test_a_type_that_is_not_published_is_no_offer() -> None:
    """A share may name what a template left out."""
    assert offers_of([SERVICE, share()]) == ()
