"""From neutral words to GLUE's and to the words that brokers filter on: one table for each."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from infoprovider.config.model import Vocabulary
from infoprovider.glue.vocabulary import ExtendedBoolean
from infoprovider.inventory.model import SignInMethod


@dataclass(frozen=True, slots=True)
class InterfaceName:
    """How an API is published; `dotted` ends the endpoint's identifier, where one large broker looks for a dot."""

    name: str
    dotted: str
    technology: str = "webservice"


INTERFACES = {
    "openstack": InterfaceName("org.openstack.nova", "org.openstack.nova"),
    "opennebula": InterfaceName("OpenNebula", "org.opennebula"),
    "occi": InterfaceName("OCCI", "org.ogf.occi", technology="REST"),
    "ec2": InterfaceName("EC2", "com.amazon.ec2"),
    "stratuslab": InterfaceName("StratusLab", "eu.stratuslab"),
    "vsphere": InterfaceName("com.vmware.vsphere", "com.vmware.vsphere"),
    "libvirt": InterfaceName("org.libvirt", "org.libvirt"),
    "azure": InterfaceName("com.microsoft.azure", "com.microsoft.azure"),
    "hyperv": InterfaceName("com.microsoft.hyperv", "com.microsoft.hyperv"),
    "cloudsigma": InterfaceName("com.cloudsigma", "com.cloudsigma"),
    "slurm": InterfaceName("org.schedmd.slurm", "org.schedmd.slurm"),
    "htcondor": InterfaceName("org.htcondor", "org.htcondor"),
}
"""Neutral interface name → what is published (cloud-mapping 0.13)."""

AUTHN = {
    SignInMethod.X509_VOMS: "X509-VOMS",
    SignInMethod.X509: "X509",
    SignInMethod.PASSWORD: "User/Password",
    SignInMethod.OIDC: "OIDC",
    SignInMethod.SAML2: "SAML2",
    SignInMethod.TOKEN: "Token",
    SignInMethod.NONE: "None",
}
"""Sign-in method → value of the endpoint's `Authn=` (cloud-mapping 0.13)."""

PLATFORMS = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "i386": "i386",
    "i686": "i386",
    "ia64": "itanium",
    "ppc": "powerpc",
    "ppc64": "powerpc",
    "ppc64le": "powerpc",
    "sparc": "sparc",
    "sparc64": "sparc",
    "arm64": "aarch64",
}
"""Processor architecture → GLUE Platform_t, an open list: what is not here is published as the manager spells it."""


def platform(architecture: str) -> str:
    """GLUE's word for a processor architecture."""
    return PLATFORMS.get(architecture.lower(), architecture.lower())


def interface(name: str, url: str, vocabulary: Vocabulary) -> InterfaceName:
    """How an API is published; one that is not in the table keeps its name, `egi-strict` knows only the URL scheme."""
    known = INTERFACES.get(name) or InterfaceName(name, name if "." in name else f"{name}.api")
    if vocabulary is Vocabulary.EGI_STRICT:
        return InterfaceName(urlsplit(url).scheme, known.dotted, known.technology)
    return known


def service_type(vocabulary: Vocabulary) -> str:
    """The Type of a ComputingService (cloud-mapping, principles)."""
    return "other" if vocabulary is Vocabulary.EGI_STRICT else "IaaS"


def capabilities(vocabulary: Vocabulary, *, image_upload: bool = False) -> tuple[str, ...]:
    """The Capability values of a service or an endpoint that starts machines."""
    if vocabulary is Vocabulary.EGI_STRICT:
        return ("executionmanagement.dynamicvmdeploy",)
    upload = ("cloud.vm.uploadImage",) if image_upload else ()
    return ("cloud.managementSystem", *upload, "executionmanagement.dynamicvmdeploy")


def known_boolean(value: bool | None) -> ExtendedBoolean | None:
    """A boolean that is left out where it is not known."""
    return None if value is None else ExtendedBoolean.TRUE if value else ExtendedBoolean.FALSE


def mandatory_boolean(value: bool | None) -> ExtendedBoolean:
    """A boolean that the LDAP schema demands: `undefined` where it is not known."""
    return known_boolean(value) or ExtendedBoolean.UNDEFINED
