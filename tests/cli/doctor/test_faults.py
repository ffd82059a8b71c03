"""Every fault of the catalogue: its true cause is told first, with at most one finding more."""

import pytest

from tests.cli.doctor.faults import FAULTS, Fault
from tests.cli.doctor.ward import Ward


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.inject.__name__ for fault in FAULTS])
def test_the_true_cause_comes_first(fault: Fault, request: pytest.FixtureRequest) -> None:
    """With the remedy, and nearly alone: what follows from it is not told as a finding of its own."""
    ward: Ward = request.getfixturevalue(fault.ward)
    fault.inject(ward)
    found = ward.examined().causes
    told = [(one.kind, one.cause, one.seen, one.remedy) for one in found]
    assert found, "nothing was found"
    assert found[0].kind == fault.kind, told
    assert fault.said in found[0].cause, told
    assert fault.remedy in found[0].remedy, told
    assert len(found) <= 2, told
