"""The profile's rules on single values of managers, environments and storage."""

from datetime import datetime

from infoprovider import ldif
from infoprovider.glue.vocabulary import OS_FAMILY, OS_NAME, PLATFORM
from infoprovider.validation.freshness import moment_of
from infoprovider.validation.profile.row import Check, Row, above, against, at_least, below, equal, row, sizes, value_of
from infoprovider.validation.profile.words import ACCEPTED

_MILLION = 1000000
_SMALL = "small centres, and rare instance types of large ones, are no mistake"
_FULL = "a cloud that is exactly full is no mistake"
_FACTOR = "a factor compares hosts of one centre; of a virtual machine it says nothing"


def _factor(code: str, attribute: str, broken: str, check: Check) -> Row:
    return row(
        code,
        f"ExecutionEnvironment.{attribute}",
        broken,
        check,
        why="factors are meant between the slowest and the fastest host of a centre",
        remedy="look how the factor was found, or leave it out",
        wrong=_FACTOR,
        known_issue=True,
    )


def _above_one(value: str, *_: object) -> str | None:
    return f"is {value}" if float(value) > 1 else None


def _whole_above_one(value: str, *_: object) -> str | None:
    # glue-validator reads an integer here, and does not judge what is none.
    return f"is {value}" if int(value) > 1 else None


def _at_most_a_tenth(value: str, *_: object) -> str | None:
    return f"is {value}" if float(value) <= 0.1 else None


def _unlisted(code: str, attribute: str, words: str, wrong: str = "") -> Row:
    accepted = ACCEPTED[words]
    return row(
        code,
        f"ExecutionEnvironment.{attribute}",
        f"it is no word of the profile's {words}",
        lambda value, *_: None if value in accepted else f"is {value!r}",
        why="brokers of the profile choose by these words",
        remedy="write the word of the list, where it has one",
        wrong=wrong,
    )


def _is_expected(value: str, record: ldif.Record, now: datetime) -> str | None:
    del record
    moment = moment_of(value)
    return f"is {value}, not yet past" if moment is not None and moment >= now else None


def _served(form: Row) -> Row:
    """The same row, of storage that is online or nearline only."""

    def check(value: str, record: ldif.Record, now: datetime) -> str | None:
        kind = value_of(record, "GLUE2StorageServiceCapacityType")
        return form.check(value, record, now) if kind in ("online", "nearline") else None

    return row(
        form.id.removeprefix("egi."),
        form.subject,
        f"{form.broken}, of online or nearline storage",
        check,
        why=form.why,
        remedy=form.remedy,
    )


ROWS: tuple[Row, ...] = (
    below("I051", "ComputingManager.TotalLogicalCPUs", 10, wrong=_SMALL),
    at_least("I052", "ComputingManager.TotalLogicalCPUs", _MILLION),
    against("W030", "ComputingManager.TotalPhysicalCPUs", "above", "TotalLogicalCPUs"),
    below("I053", "ComputingManager.TotalPhysicalCPUs", 10, wrong=_SMALL),
    at_least("I054", "ComputingManager.TotalPhysicalCPUs", _MILLION),
    against(
        "W031",
        "ComputingManager.TotalSlots",
        "above",
        "TotalLogicalCPUs",
        times=2,
        wrong="clouds overcommit processors by more than 2, OpenStack by 4 unless it is told otherwise",
    ),
    below("I055", "ComputingManager.TotalSlots", 10, wrong=_SMALL),
    at_least("I056", "ComputingManager.TotalSlots", _MILLION),
    against("W032", "ComputingManager.SlotsUsedByLocalJobs", "not below", "TotalSlots", wrong=_FULL),
    against("W033", "ComputingManager.SlotsUsedByGridJobs", "not below", "TotalSlots", wrong=_FULL),
    at_least("I057", "ComputingManager.WorkingAreaTotal", _MILLION),
    at_least("I058", "ComputingManager.WorkingAreaFree", _MILLION),
    at_least("I059", "ComputingManager.WorkingAreaMultiSlotTotal", _MILLION),
    at_least("I060", "ComputingManager.WorkingAreaMultiSlotFree", _MILLION),
    at_least("I061", "ComputingManager.CacheTotal", _MILLION),
    at_least("I062", "ComputingManager.CacheFree", _MILLION),
    _unlisted("W042", "Platform", PLATFORM.name, "it has no platform of 64-bit ARM, POWER or RISC-V"),
    _unlisted("W043", "OSFamily", OS_FAMILY.name, "GLUE's list is open, and BSD systems are none of its four"),
    _unlisted(
        "W044", "OSName", OS_NAME.name, "its names of distributions are in capitals, GLUE 2.0's in small letters"
    ),
    below("I063", "ExecutionEnvironment.TotalInstances", 10, wrong=_SMALL, known_issue=True),
    at_least("I064", "ExecutionEnvironment.TotalInstances", _MILLION, known_issue=True),
    against(
        "I065",
        "ExecutionEnvironment.UsedInstances",
        "not below",
        "TotalInstances",
        wrong=_FULL,
        known_issue=True,
    ),
    against(
        "I066",
        "ExecutionEnvironment.UnavailableInstances",
        "not below",
        "TotalInstances",
        wrong="a pool of hosts that are all in maintenance is no mistake",
        known_issue=True,
    ),
    above(
        "I067",
        "ExecutionEnvironment.PhysicalCPUs",
        10,
        wrong="machines of more than 10 sockets are no mistake",
        known_issue=True,
    ),
    at_least("I068", "ExecutionEnvironment.LogicalCPUs", 1000, known_issue=True),
    above("I069", "ExecutionEnvironment.CPUClockSpeed", 10000, unit=" MHz"),
    below("I070", "ExecutionEnvironment.CPUClockSpeed", 100, unit=" MHz"),
    _factor("I071", "CPUTimeScalingFactor", "it is above 1", _above_one),
    _factor("I072", "CPUTimeScalingFactor", "it is not above 0.1", _at_most_a_tenth),
    _factor("I073", "WallTimeScalingFactor", "it is a whole number above 1", _whole_above_one),
    _factor("I074", "WallTimeScalingFactor", "it is not above 0.1", _at_most_a_tenth),
    at_least(
        "I075",
        "ExecutionEnvironment.MainMemorySize",
        _MILLION,
        wrong="machines of more than a terabyte of memory are no mistake any more",
    ),
    below("I076", "ExecutionEnvironment.MainMemorySize", 100, unit=" MB"),
    at_least(
        "I077",
        "ExecutionEnvironment.VirtualMemorySize",
        _MILLION,
        wrong="machines of more than a terabyte of memory are no mistake any more",
    ),
    below("I078", "ExecutionEnvironment.VirtualMemorySize", 100, unit=" MB"),
    row(
        "I079",
        "ApplicationEnvironment.RemovalDate",
        "it is now or in the future",
        _is_expected,
        why="a date of removal is a date in the past, says the validator",
        remedy="nothing: an image may well say when it will go",
        wrong="it is inverted: images that are still to be removed are flagged, those that should be gone are not",
    ),
    equal("I080", "ApplicationEnvironment.MaxSlots", 0),
    equal("I081", "ApplicationEnvironment.MaxJobs", 0),
    equal("I082", "ApplicationEnvironment.MaxUserSeats", 0),
    against("I083", "ApplicationEnvironment.FreeSlots", "above", "MaxSlots"),
    against("I084", "ApplicationEnvironment.FreeJobs", "above", "MaxJobs"),
    against("I085", "ApplicationEnvironment.FreeUserSeats", "above", "MaxUserSeats"),
    sizes("E014", "StorageServiceCapacity", without_equal_reserve=False),
    _served(below("I086", "StorageServiceCapacity.TotalSize", 1000, unit=" GB")),
    _served(above("I087", "StorageServiceCapacity.TotalSize", 1000000000, unit=" GB")),
    against("E015", "StorageServiceCapacity.FreeSize", "above", "TotalSize", known_issue=True),
    against("E016", "StorageServiceCapacity.UsedSize", "above", "TotalSize", known_issue=True),
    against("E017", "StorageServiceCapacity.ReservedSize", "above", "TotalSize", known_issue=True),
    row(
        "I088",
        "StorageShare.AccessLatency",
        "it is offline",
        lambda value, *_: "is offline" if value == "offline" else None,
        why="nobody can use the share without asking somebody",
        remedy="publish how it is reached while it is in service",
    ),
    below("I089", "StorageShare.DefaultLifeTime", 100000, known_issue=True, unit=" s"),
    below("I090", "StorageShare.MaximumLifeTime", 100000, known_issue=True, unit=" s"),
    sizes("E018", "StorageShareCapacity", without_equal_reserve=True),
    below("I091", "StorageShareCapacity.TotalSize", 1000, unit=" GB"),
    above("I092", "StorageShareCapacity.TotalSize", 1000000000, unit=" GB"),
    against("E019", "StorageShareCapacity.FreeSize", "above", "TotalSize", known_issue=True),
    against("E020", "StorageShareCapacity.UsedSize", "above", "TotalSize", known_issue=True),
    below("I093", "ToComputingService.Bandwidth", 100, unit=" Mb/s"),
    above("I094", "ToComputingService.Bandwidth", 100000, unit=" Mb/s"),
)
