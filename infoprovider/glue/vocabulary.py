"""The words of GLUE 2.0: closed enumerations as enums, open ones as lists of the words that are known.

Spellings are those of the OGF XML schema (2009/03, r1). In an open enumeration any other string is valid too; `also`
holds words that the XML schema lacks and that GLUE 2.1, the OGF registry or the EGI profile have. Values are
case-sensitive everywhere: LDAP searches match GLUE's strings exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEnumeration:
    """A list of recommended words; `name` is the XML schema's."""

    name: str
    values: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Every word that somebody documents."""
        return self.values + self.also


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _open(name: str, values: str, also: str = "") -> OpenEnumeration:
    return OpenEnumeration(name=name, values=_words(values), also=_words(also))


class AccessLatency(StrEnum):
    """How fast stored data can be reached."""

    ONLINE = "online"
    NEARLINE = "nearline"
    OFFLINE = "offline"


class CPUMultiplicity(StrEnum):
    """How many processors and cores a host or a machine has."""

    MULTICPU_MULTICORE = "multicpu-multicore"
    MULTICPU_SINGLECORE = "multicpu-singlecore"
    SINGLECPU_MULTICORE = "singlecpu-multicore"
    SINGLECPU_SINGLECORE = "singlecpu-singlecore"


class ComputingActivityType(StrEnum):
    """What a job is a part of."""

    COLLECTIONELEMENT = "collectionelement"
    PARALLELELEMENT = "parallelelement"
    SINGLE = "single"
    WORKFLOWNODE = "workflownode"


class EndpointHealthState(StrEnum):
    """What monitoring found of an endpoint."""

    CRITICAL = "critical"
    OK = "ok"
    OTHER = "other"
    UNKNOWN = "unknown"
    WARNING = "warning"


class ExpirationMode(StrEnum):
    """What happens to files at the end of their life."""

    NEVEREXPIRE = "neverexpire"
    RELEASEWHENEXPIRED = "releasewhenexpired"
    WARNWHENEXPIRED = "warnwhenexpired"


class ExtendedBoolean(StrEnum):
    """A truth value that may be unknown."""

    TRUE = "true"
    FALSE = "false"
    UNDEFINED = "undefined"


class QualityLevel(StrEnum):
    """How mature a service or an endpoint is."""

    DEVELOPMENT = "development"
    PRE_PRODUCTION = "pre-production"
    PRODUCTION = "production"
    TESTING = "testing"


class ReservationPolicy(StrEnum):
    """Whether a share takes advance reservations."""

    MANDATORY = "mandatory"
    NONE = "none"
    OPTIONAL = "optional"


class ServingState(StrEnum):
    """Whether requests are accepted and served."""

    CLOSED = "closed"
    DRAINING = "draining"
    PRODUCTION = "production"
    QUEUEING = "queueing"


class Staging(StrEnum):
    """Which staging of files an endpoint does."""

    NONE = "none"
    STAGINGIN = "stagingin"
    STAGINGINOUT = "staginginout"
    STAGINGOUT = "stagingout"


APP_ENV_STATE = _open(
    "AppEnvState_t",
    """
    installable installationfailed installedbroken installednotverified installedverified installingautomatically
    installingmanually notinstallable pendingremoval removing
    """,
)
APPLICATION_HANDLE_TYPE = _open(
    "ApplicationHandleType_t",
    "module softenv path executable",
    also="Path",
)
BENCHMARK_TYPE = _open(
    "BenchmarkType_t",
    "bogomips cfp2006 cint2006 linpack specfp2000 specint2000",
    also="hep-spec06",
)
CAPABILITY = _open(
    "Capability_t",
    """
    data.access.flatfiles data.access.relational data.access.xml data.management.replica data.management.storage
    data.management.transfer data.naming.resolver data.naming.scheme data.transfer
    executionmanagement.candidatesetgenerator executionmanagement.dynamicvmdeploy
    executionmanagement.executionandplanning executionmanagement.jobdescription executionmanagement.jobexecution
    executionmanagement.jobmanager executionmanagement.reservation information.discovery information.logging
    information.model information.monitoring information.provenance security.accounting security.attributeauthority
    security.authentication security.authorization security.credentialstorage security.delegation
    security.identymapping
    """,
    also="""
    data.access.sessiondir data.access.stageindir data.access.stageoutdir data.transfer.cepull
    data.transfer.cepull.ftp data.transfer.cepush data.transfer.cepush.srm executionmanagement.jobcreation
    executionmanagement.jobmanagement information.discovery.job information.discovery.resource information.publication
    information.lookup.job information.query information.query.xpath1 security.identitymapping notification
    data.management.diskimage data.management.file data.management.genericobject
    """,
)
COMPUTING_ACTIVITY_STATE = _open(
    "ComputingActivityState_t",
    """
    bes:failed bes:finished bes:pending bes:running bes:terminated unicore:undefined unicore:ready unicore:queued
    unicore:running unicore:successful unicore:failed unicore:stagingin unicore:stagingout nordugrid:accepting
    nordugrid:pending:accepted nordugrid:accepted nordugrid:pending:preparing nordugrid:preparing nordugrid:prepared
    nordugrid:submitting nordugrid:pending:inlrms nordugrid:inlrms:q nordugrid:inlrms:h nordugrid:inlrms:r
    nordugrid:inlrms:s nordugrid:inlrms:e nordugrid:inlrms:o nordugrid:inlrms:executed nordugrid:finishing
    nordugrid:canceling nordugrid:failed nordugrid:killed nordugrid:finished nordugrid:deleted
    """,
)
COMPUTING_MANAGER_TYPE = _open(
    "ComputingManagerType_t",
    "bqs condor fork loadleveler lsf openbps gridengine torque torquemaui slurm",
    also="openstack opennebula wnodes synnefo cloudstack Vcloud",
)
CONTACT_TYPE = _open("ContactType_t", "general security sysadmin usersupport")
DATA_STORE_TYPE = _open("DataStoreType_t", "disk optical tape")
ENDPOINT_TECHNOLOGY = _open("EndpointTechnology_t", "corba jndi webservice")
INTERFACE_NAME = _open(
    "InterfaceName_t",
    "ogf.bes ogf.srm emi.executionservice",
    also="""
    org.ogf.bes org.ogf.glue.emies.activitycreation org.ogf.glue.emies.activitymanagement
    org.ogf.glue.emies.resourceinfo org.ogf.glue.emies.activityinfo org.ogf.glue.emies.delegation org.glite.Argus.PDP
    org.glite.Argus.PAP org.glite.Argus.PEP org.glite.ce.ApplicationPublisher org.nordugrid.ldapglue1
    org.nordugrid.wsrfglue2 org.nordugrid.ldapglue2 org.nordugrid.gridftpjob org.nordugrid.ldapng org.qcg.broker
    org.oasis.notification webdav xroot rfio CISInfoProvider MetadataManagement MyProxy Registry ReservationManagement
    ServiceOrchestrator StorageFactory StorageManagement TargetSystemFactory UVOSAssertionQueryService WorkflowFactory
    dcap file ftp gkftp gsidcap http https hu.guse.ws-pgrade msg.broker.openwire msg.broker.openwire-ssl
    msg.broker.rest msg.broker.stomp msg.broker.stomp-ssl org.edg.gatekeeper org.glite.AMGA org.glite.ChannelAgent
    org.glite.ChannelManagement org.glite.Delegation org.glite.FileTransfer org.glite.FileTransferStats
    org.glite.KeyStore org.glite.RTEPublisher org.glite.ce.CREAM org.glite.ce.Monitor org.glite.lb.Server
    org.glite.rgma.Browser org.glite.rgma.Consumer org.glite.rgma.OnDemandProducer org.glite.rgma.PrimaryProducer
    org.glite.rgma.Registry org.glite.rgma.Schema org.glite.rgma.SecondaryProducer org.glite.voms org.glite.voms-admin
    org.glite.wms.WMProxy org.globus.gram org.globus.gsissh org.lcg.Frontier org.lcg.Squid org.nordugrid.ldapegiis
    org.nordugrid.xbes
    """,
)
JOB_DESCRIPTION = _open(
    "JobDescription_t",
    "condor:classad glite:jdl globus:rsl nordugrid:xrsl ogf:jsdl emi:adl",
    also="condor egee:jdl emies:adl ogf:jsdl:1.0",
)
LICENSE = _open("License_t", "commercial opensource unknown")
NETWORK_INFO = _open("NetworkInfo_t", "100megabitethernet gigabitethernet infiniband myrinet")
OS_FAMILY = _open("OSFamily_t", "linux macosx solaris windows")
OS_NAME = OpenEnumeration(
    name="OSName_t",
    values=_words(
        "aix centos debian fedora gentoo leopard snowleopard mandrake redhatenterprise scientificlinux suse ubuntu "
        "windowsxp windows7"
    ),
    also=(
        "AIX",
        "CentOS",
        "Debian",
        "Fedoracore",
        "Gentoo",
        "Leopard",
        "Linux-rocks",
        "Mandrake",
        "RedhatEnterpriseAS",
        "ScientificSL",
        "ScientificCERNSLC",
        "SUSE LINUX",
        "Ubuntu",
        "Microsoft WINDOWS",
    ),
)
PARALLEL_SUPPORT = _open("ParallelSupport_t", "mpi openmp none")
PLATFORM = _open(
    "Platform_t",
    "amd64 i386 itanium powerpc sparc",
    also="i686 x86_64",
)
POLICY_SCHEME = _open(
    "PolicyScheme_t",
    "basic gacl",
    also="org.glite.standard",
)
RETENTION_POLICY = _open("RetentionPolicy_t", "custodial output replica")
SCHEDULING_POLICY = _open("SchedulingPolicy_t", "fairshare fifo random")
SERVICE_TYPE = _open(
    "ServiceType_t",
    """
    org.ogf.glue org.glite.fts org.glite.lb org.glite.wms org.nordugrid.accounting.mars org.nordugrid.execution.arex
    org.nordugrid.execution.janitor org.nordugrid.execution.paul org.nordugrid.execution.sched
    org.nordugrid.infosys.eils org.nordugrid.infosys.isis org.nordugrid.infosys.rte-catalog
    org.nordugrid.security.charon org.nordugrid.security.delegation org.nordugrid.security.saml
    org.nordugrid.security.slcs org.nordugrid.storage.ahash org.nordugrid.storage.bartender org.nordugrid.storage.hopi
    org.nordugrid.storage.librarian org.nordugrid.storage.shepherd org.nordugrid.tests.echo
    org.nordugrid.tests.echo_java org.nordugrid.tests.echo_python org.nordugrid.tests.isistest org.terragrid.gridftp
    org.terragrid.condor-g org.terragrid.globus-mds4 org.terragrid.gpfs org.terragrid.gsi-openssh
    org.terragrid.prewsgram org.terragrid.rft org.terragrid.srb org.terragrid.ws-delegation org.terragrid.ws-gram
    org.terragrid.ws-ogsadai
    """,
    also="""
    APEL BDII bdii_site bdii_top castor CE dpm DPM egi.GRIDVIEW egi.GSTAT egi.MetricsPortal egi.NetworkPortal
    egi.OpsPortal eos eu.egi.AccountingPortal eu.egi.APELRepository eu.egi.GGUS eu.egi.GOCDB eu.egi.MSGBroker gLExec
    gLite-APEL MDS-GIIS MyProxy ngi.OpsPortal OpenSSH org.dcache.storage org.glite.AMGA org.glite.Argus
    org.glite.argus org.glite.ce.CREAM org.glite.ce.Monitor org.glite.ChannelAgent org.glite.ChannelManagement
    org.glite.Delegation org.glite.FiremanCatalog org.glite.FileTransfer org.glite.FileTransferStats
    org.glite.KeyStore org.glite.lb.Server org.glite.Metadata org.glite.rgma.Registry org.glite.rgma.Schema
    org.glite.rgma.Browser org.glite.rgma.PrimaryProducer org.glite.rgma.SecondaryProducer
    org.glite.rgma.OnDemandProducer org.glite.RTEPublisher org.glite.SEIndex org.glite.voms org.glite.voms-admin
    org.glite.wms.WMProxy org.irods.irods3 org.lcg.Frontier org.lcg.Squid org.nordugrid.arex
    org.nordugrid.information.egiis org.nordugrid.storage org.nordugrid.isis org.qcg.computing org.qcg.notification
    org.qcg.broker org.ogf.bes.BESFactory org.ogf.bes.BESManagement org.ogf.glue.emir pbs.torque.server
    pbs.torque.maui SGAS UI eu.unicore.USE unicore6.Registry unicore6.ServiceOrchestrator unicore6.StorageFactory
    unicore6.StorageManagement unicore6.TargetSystemFactory unicore6.UVOSAssertionQueryService
    unicore6.WorkflowFactory VOBOX xroot SRM storm data-location-interface edu.caltech.cacr.monalisa GridCat
    gridmap-file gsiftp GUMS it.infn.GridICE lcg-file-catalog lcg-local-file-catalog local-data-location-interface
    msg.broker.rest msg.broker.stomp msg.broker.stomp-ssl msg.broker.openwire msg.broker.openwire-ssl Nagios
    National-NAGIOS org.edg.gatekeeper Project-NAGIOS Regional-NAGIOS other org.cloud.iaas org.cloud.saas
    ch.cern.cvmfs.stratum.0 ch.cern.cvmfs.stratum.1 com.aws.s3 com.ceph.object-storage es.upv.grycap.im
    eu.egi.cloud.dyndns eu.egi.cloud.infoProvider eu.egi.datatransfer.fts eu.egi.datatransfer.webfts eu.egi.dodas
    eu.egi.notebooks.jupyterhub eu.egi.storage.accounting eu.eudat.itsm.spmt hu.guse.ws-pgrade org.glite.Argus.PAP
    org.glite.Argus.PDP org.glite.Argus.PEP org.globus.gram org.globus.gsissh org.irods.irods3.icat
    org.irods.irods3.resource org.irods.irods4 org.irods.irods4.icat org.irods.irods4.resource org.nordugrid.egiis
    org.onedata.oneprovider org.onedata.onezone org.opensciencegrid.htcondorce org.openstack.keystone
    org.openstack.nova org.openstack.swift uk.ac.gridpp.vac uk.ac.gridpp.vcycle webdav xrootd xrootd.redirector
    """,
)
STORAGE_ACCESS_PROTOCOL_TYPE = _open(
    "StorageAccessProtocolType_t",
    "afs dcap file gsidcap gsiftp gsirfio http https nfs rfio root xrootd uftp",
    also="xroot webdav",
)
STORAGE_CAPACITY = _open("StorageCapacity_t", "online installedonline nearline installednearline offline cache")
STORAGE_MANAGER_TYPE = _open(
    "StorageManagerType_t",
    "castor dcache enstore gpfs sse tsm",
    also="swift cdmi-proxy",
)
ACCESS_MODE = _open("AccessMode_t", "")

OPEN_ENUMERATIONS: Mapping[str, OpenEnumeration] = MappingProxyType(
    {words.name: words for words in tuple(globals().values()) if isinstance(words, OpenEnumeration)}
)
"""XML type name → its words."""

CLOSED_ENUMERATIONS: Mapping[str, type[StrEnum]] = MappingProxyType(
    {f"{words.__name__}_t": words for words in StrEnum.__subclasses__() if words.__module__ == __name__}
)
"""XML type name → the enum."""
