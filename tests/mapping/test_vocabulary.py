"""Neutral words become GLUE's and the brokers', and what is not known becomes nothing."""

import pytest

from infoprovider.config.model import Vocabulary
from infoprovider.glue.vocabulary import ExtendedBoolean
from infoprovider.inventory.model import SignInMethod
from infoprovider.mapping.vocabulary import (
    AUTHN,
    INTERFACES,
    capabilities,
    interface,
    known_boolean,
    mandatory_boolean,
    platform,
    service_type,
)

URL = "https://cloud.example.org/"


@pytest.mark.parametrize(
    ("neutral", "name", "technology"),
    [
        ("openstack", "org.openstack.nova", "webservice"),
        ("opennebula", "OpenNebula", "webservice"),
        ("occi", "OCCI", "REST"),
        ("ec2", "EC2", "webservice"),
        ("stratuslab", "StratusLab", "webservice"),
        ("vsphere", "com.vmware.vsphere", "webservice"),
        ("libvirt", "org.libvirt", "webservice"),
        ("azure", "com.microsoft.azure", "webservice"),
        ("hyperv", "com.microsoft.hyperv", "webservice"),
        ("cloudsigma", "com.cloudsigma", "webservice"),
        ("slurm", "org.schedmd.slurm", "webservice"),
        ("htcondor", "org.htcondor", "webservice"),
    ],
)
def test_interfaces_have_the_names_that_brokers_filter_on(neutral: str, name: str, technology: str) -> None:
    """The table of interface names, and REST for OCCI."""
    published = interface(neutral, URL, Vocabulary.FEDCLOUD)
    assert (published.name, published.technology) == (name, technology)


def test_every_interface_can_end_an_endpoints_identifier() -> None:
    """One large broker fails for a whole site where an endpoint's identifier has no dot."""
    assert all("." in one.dotted for one in INTERFACES.values())
    assert "." in interface("homegrown", URL, Vocabulary.FEDCLOUD).dotted


def test_an_interface_that_is_not_in_the_table_keeps_its_name() -> None:
    """An open list: a new manager needs no new table to be published."""
    assert interface("org.example.api", URL, Vocabulary.FEDCLOUD).name == "org.example.api"


def test_the_strict_vocabulary_knows_only_the_scheme() -> None:
    """`egi-strict` publishes the URL's scheme as interface, and only two capabilities at most."""
    assert interface("openstack", URL, Vocabulary.EGI_STRICT).name == "https"
    assert service_type(Vocabulary.EGI_STRICT) == "other"
    assert capabilities(Vocabulary.EGI_STRICT, image_upload=True) == ("executionmanagement.dynamicvmdeploy",)


def test_the_default_vocabulary_is_that_of_the_federated_clouds() -> None:
    """Upload is a capability only where users can do it."""
    assert service_type(Vocabulary.FEDCLOUD) == "IaaS"
    assert capabilities(Vocabulary.FEDCLOUD) == ("cloud.managementSystem", "executionmanagement.dynamicvmdeploy")
    assert "cloud.vm.uploadImage" in capabilities(Vocabulary.FEDCLOUD, image_upload=True)


def test_every_sign_in_method_has_its_word() -> None:
    """`Authn=` says one of the words that readers know."""
    assert {str(AUTHN[method]) for method in SignInMethod} == {
        "X509-VOMS",
        "X509",
        "User/Password",
        "OIDC",
        "SAML2",
        "Token",
        "None",
    }


@pytest.mark.parametrize(
    ("told", "published"),
    [("x86_64", "amd64"), ("X86_64", "amd64"), ("aarch64", "aarch64"), ("arm64", "aarch64"), ("s390x", "s390x")],
)
def test_architectures_become_platforms(told: str, published: str) -> None:
    """GLUE's words where it has one, else the manager's own."""
    assert platform(told) == published


def test_an_unknown_boolean_is_left_out_or_undefined_where_the_schema_demands_one() -> None:
    """Unknown is never false."""
    assert known_boolean(None) is None
    assert known_boolean(False) is ExtendedBoolean.FALSE
    assert mandatory_boolean(None) is ExtendedBoolean.UNDEFINED
    assert mandatory_boolean(True) is ExtendedBoolean.TRUE
