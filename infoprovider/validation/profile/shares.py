"""The profile's rules on single values of a computing service, its endpoints and its shares."""

from infoprovider.validation.profile.row import Row, against, at_least, below, equal, total_jobs

_LARGE = "machines of more than 100 GB of memory are no mistake any more"
_NINES = 999999999
_MILLION = 1000000


def _counts(codes: int, entity: str, attributes: str) -> tuple[Row, ...]:
    """Rows of consecutive codes: counters below a million."""
    return tuple(
        at_least(f"I{code:03d}", f"{entity}.{attribute}", _MILLION)
        for code, attribute in enumerate(attributes.split(), start=codes)
    )


_JOBS = "RunningJobs WaitingJobs StagingJobs SuspendedJobs PreLRMSWaitingJobs"

ROWS: tuple[Row, ...] = (
    total_jobs("W005", "ComputingService"),
    *_counts(14, "ComputingService", _JOBS),
    total_jobs("W013", "ComputingEndpoint"),
    *_counts(21, "ComputingEndpoint", _JOBS),
    *(
        equal(f"I{code:03d}", f"ComputingShare.{attribute}", _NINES)
        for code, attribute in enumerate(
            ("MaxWallTime", "MaxMultiSlotWallTime", "DefaultWallTime", "MaxCPUTime", "MaxTotalCPUTime")
            + ("DefaultCPUTime", "MaxTotalJobs", "MaxRunningJobs", "MaxWaitingJobs"),
            start=26,
        )
    ),
    against("W014", "ComputingShare.MinWallTime", "above", "MaxWallTime"),
    against("W015", "ComputingShare.DefaultWallTime", "above", "MaxWallTime"),
    against("W016", "ComputingShare.DefaultWallTime", "below", "MinWallTime"),
    against("W017", "ComputingShare.MinCPUTime", "above", "MaxCPUTime"),
    against("W018", "ComputingShare.DefaultCPUTime", "above", "MaxCPUTime"),
    against("W019", "ComputingShare.DefaultCPUTime", "below", "MinCPUTime"),
    equal("W020", "ComputingShare.MaxTotalJobs", 0),
    against("W021", "ComputingShare.MaxTotalJobs", "below", "MaxRunningJobs"),
    against("W021", "ComputingShare.MaxTotalJobs", "below", "MaxWaitingJobs"),
    equal("W022", "ComputingShare.MaxUserRunningJobs", 0),
    against("W023", "ComputingShare.MaxUserRunningJobs", "above", "MaxRunningJobs"),
    equal("W024", "ComputingShare.MaxSlotsPerJob", 0),
    total_jobs("W025", "ComputingShare"),
    *_counts(35, "ComputingShare", "RunningJobs LocalRunningJobs WaitingJobs LocalWaitingJobs SuspendedJobs"),
    *_counts(40, "ComputingShare", "LocalSuspendedJobs StagingJobs PreLRMSWaitingJobs"),
    equal("E022", "ComputingShare.WaitingJobs", 444444),
    below("W026", "ComputingShare.MaxMainMemory", 100, unit=" MB"),
    at_least("I043", "ComputingShare.MaxMainMemory", 100000, wrong=_LARGE),
    equal("I096", "ComputingShare.MaxMainMemory", 444444),
    against("W027", "ComputingShare.GuaranteedMainMemory", "above", "MaxMainMemory"),
    at_least("I044", "ComputingShare.GuaranteedMainMemory", 100000, wrong=_LARGE),
    against("W028", "ComputingShare.MaxVirtualMemory", "below", "MaxMainMemory"),
    at_least("I045", "ComputingShare.MaxVirtualMemory", 100000, wrong=_LARGE),
    equal("I097", "ComputingShare.MaxVirtualMemory", 444444),
    against("W029", "ComputingShare.GuaranteedVirtualMemory", "above", "MaxVirtualMemory"),
    at_least("I046", "ComputingShare.GuaranteedVirtualMemory", 100000, wrong=_LARGE),
    at_least("I046", "ComputingShare.EstimatedAverageWaitingTime", _MILLION),
    equal("E023", "ComputingShare.EstimatedAverageWaitingTime", 2146660842),
    at_least("I047", "ComputingShare.EstimatedWorstWaitingTime", _MILLION),
    equal("E024", "ComputingShare.EstimatedWorstWaitingTime", 2146660842),
    *_counts(48, "ComputingShare", "FreeSlots UsedSlots RequestedSlots"),
)
