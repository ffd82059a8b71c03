"""The lists of words that the EGI profile takes, where they differ from the vocabulary of GLUE 2.0.

They date from 2014. They are written here as differences, so that each word stands once in the project.
"""

from infoprovider.glue.vocabulary import (
    APPLICATION_HANDLE_TYPE,
    CAPABILITY,
    CLOSED_ENUMERATIONS,
    INTERFACE_NAME,
    JOB_DESCRIPTION,
    OPEN_ENUMERATIONS,
    OS_NAME,
    SERVICE_TYPE,
    STORAGE_ACCESS_PROTOCOL_TYPE,
    OpenEnumeration,
)


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


URL_SCHEMES = word_set("http ftp https ftps sftp gsiftp xroot dcap gsidcap httpg ldap voms myproxy lfc gsissh rfio")

_LATER_SERVICE_TYPES = """
    ch.cern.cvmfs.stratum.0 ch.cern.cvmfs.stratum.1 com.aws.s3 com.ceph.object-storage es.upv.grycap.im
    eu.egi.cloud.dyndns eu.egi.cloud.infoProvider eu.egi.datatransfer.fts eu.egi.datatransfer.webfts eu.egi.dodas
    eu.egi.notebooks.jupyterhub eu.egi.storage.accounting eu.eudat.itsm.spmt hu.guse.ws-pgrade org.cloud.iaas
    org.cloud.saas org.glite.Argus.PAP org.glite.Argus.PDP org.glite.Argus.PEP org.globus.gram org.globus.gsissh
    org.irods.irods3.icat org.irods.irods3.resource org.irods.irods4 org.irods.irods4.icat org.irods.irods4.resource
    org.nordugrid.egiis org.onedata.oneprovider org.onedata.onezone org.opensciencegrid.htcondorce
    org.openstack.keystone org.openstack.nova org.openstack.swift uk.ac.gridpp.vac uk.ac.gridpp.vcycle webdav xrootd
    xrootd.redirector
"""
_OF_OGF_ALONE = {"org.nordugrid.execution.arex", "org.glite.fts", "org.glite.lb", "org.glite.wms"}


def _service_types() -> frozenset[str]:
    listed = frozenset(SERVICE_TYPE.values) & _OF_OGF_ALONE
    return listed | frozenset(SERVICE_TYPE.also) - word_set(_LATER_SERVICE_TYPES)


_INTERFACES = """
    ogf.bes ogf.srm org.ogf.bes org.ogf.glue.emies.activitycreation org.ogf.glue.emies.activitymanagement
    org.ogf.glue.emies.resourceinfo org.ogf.glue.emies.activityinfo org.ogf.glue.emies.delegation
    org.glite.Argus.PDP org.glite.Argus.PAP org.glite.Argus.PEP org.glite.ce.ApplicationPublisher
    org.nordugrid.ldapglue1 org.nordugrid.wsrfglue2 org.nordugrid.ldapglue2 org.nordugrid.gridftpjob
    org.nordugrid.ldapng org.qcg.broker org.oasis.notification webdav xroot rfio
"""


def _without(words: OpenEnumeration, left_out: str) -> frozenset[str]:
    return frozenset(words.known) - word_set(left_out)


ACCEPTED: dict[str, frozenset[str]] = {
    **{name: frozenset(words.known) for name, words in OPEN_ENUMERATIONS.items()},
    **{name: frozenset(word.value for word in words) for name, words in CLOSED_ENUMERATIONS.items()},
    APPLICATION_HANDLE_TYPE.name: _without(APPLICATION_HANDLE_TYPE, "path"),
    CAPABILITY.name: _without(
        CAPABILITY,
        "data.management.diskimage data.management.file data.management.genericobject security.identymapping",
    ),
    INTERFACE_NAME.name: word_set(_INTERFACES) | _service_types() | URL_SCHEMES,
    JOB_DESCRIPTION.name: _without(JOB_DESCRIPTION, "condor:classad emi:adl ogf:jsdl"),
    OS_NAME.name: frozenset(OS_NAME.also),
    SERVICE_TYPE.name: _service_types(),
    STORAGE_ACCESS_PROTOCOL_TYPE.name: _without(STORAGE_ACCESS_PROTOCOL_TYPE, "uftp xrootd"),
}
"""Name of an enumeration → the words that pass."""

UNCHECKED = word_set("NetworkInfo_t ComputingActivityState_t AccessMode_t ComputingManagerType_t StorageManagerType_t")
"""Enumerations in which every value passes."""

IN_ANY_CASE = frozenset({"ExtendedBoolean_t", "ContactType_t"})
"""Enumerations that are compared in lower case."""

GRIDS = word_set("""
    AEGIS BIGGRID D-Grid EGI EELA EUMED GILDA GISELA GRIDPP GRISU LondonGrid NDGF NEUGRID NORTHGRID RDIG SOUTHGRID
    SCOTGRID SEE-GRID OSG UKNGS WLCG
    """) | {"Academic Grid Malaysia", "Consorzio Cometa", "UPM Campus Grid"}

NGIS = word_set("""
    AsiaPacific CERN EGI.eu NGI_AEGIS NGI_AL NGI_ARMGRID NGI_BA NGI_BG NGI_BY NGI_CH NGI_CYGRID NGI_CZ NGI_DE NGI_FI
    NGI_FRANCE NGI_GE NGI_GRNET NGI_HR NGI_HU NGI_IBERGRID NGI_IE NGI_IL NGI_IT NGI_MARGI NGI_MD NGI_ME NGI_NDGF NGI_NL
    NGI_PL NGI_RO NGI_SI NGI_SK NGI_TR NGI_UA NGI_UK NGI_ZA ROC_Canada ROC_IGALC ROC_LA Russia
    """)
CONFIGURED_BY = frozenset({"yaim", "puppet", "quattor"})
MIDDLEWARE = frozenset({"EMI", "UMD"})
TIERS = frozenset("0123")
BENCHMARKS = frozenset({"SI00", "HS06", "SI2K"})
