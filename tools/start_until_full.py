"""Start machines of a real OpenStack until they are refused, and write the table of docs/startable-now.md.

python -m tools.start_until_full DIR [PORT]    starts the testbed in DIR, measures every state, stops it

It takes ten minutes. The states of the tests come first; in the others there are types that cannot be told exactly,
and a project without a quota.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.system import openstack
from tests.system.filling import ADMINISTRATOR, FIVE, READER, TYPES, Filling, Row, State, hosts_file

PAGE = Path(__file__).parents[1] / "docs" / "startable-now.md"
MADE = re.compile(r"(<!-- made: measured -->\n).*?(<!-- end -->\n)", re.DOTALL)
HEADER = (
    *("state", "refused by", "type", "project", "all hosts as one"),
    *("administrator", "reader", "started", "verdicts"),
)

A_FEW = {"vo001": {"instances": 6}}
BUSY = (("vo001", "fast", 2), ("vo001", "disk", 2), ("vo002", "vgpu", 2), ("vo002", "slow", 1))
ON_HOSTS = ("mem", "disk", "wide", "vgpu", "fast")
FURTHER = (
    State("empty", None, tuple(type_ for type_ in TYPES if type_ not in ("tiny", "cpu")), {"vo001": {"instances": 2}}),
    State("half full", None, ON_HOSTS, A_FEW, running=BUSY),
    State("half full, one host disabled", None, ON_HOSTS, A_FEW, disabled="large", running=BUSY),
    State("half full, one host dead", None, ON_HOSTS, A_FEW, dead="medium", running=BUSY),
    State("half full, one disabled, one dead", None, ON_HOSTS, A_FEW, disabled="small", dead="other", running=BUSY),
)


def table(rows: Iterable[Row]) -> Iterator[str]:
    """One line for each project and type of a state: what both accounts published, and what started."""
    yield f"| {' | '.join(HEADER)} |"
    yield "| --- " * len(HEADER) + "|"
    by_account: dict[tuple[str, str, str], dict[str, Row]] = {}
    for row in rows:
        by_account.setdefault((row.state.name, row.type, row.project), {})[row.account] = row
    for (state, type_, project), told in by_account.items():
        administrator, reader = told[ADMINISTRATOR], told[READER]
        filled = administrator.filled
        verdicts = ", ".join(row.verdict for row in (administrator, reader) if row.verdict)
        refused_by = filled.refused_by if filled.refused_by == "hosts" else f"quota, {filled.refused_by}"
        cells = (state, refused_by, type_, project, administrator.in_one_piece, said(administrator), said(reader))
        yield f"| {' | '.join(map(str, (*cells, filled.started, verdicts)))} |"


def said(row: Row) -> str:
    """A number as it is published, with its label."""
    if row.published is None:
        return row.label
    return f"{'≤ ' if row.is_upper_bound else ''}{row.published}"


def main(folder: Path, *port: str) -> None:
    """Measure all of it, and put the table where the page has its place."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers: dict[str, Any] = {
        "HOSTS": hosts_file(folder),
        "PROJECTS": 2,
        "FLAVORS": 1,
        "IMAGES": 1,
        "SERVERS": 0,
        "ODD": 0,
    }
    if port:
        numbers["port"] = int(port[0])
    rows: list[Row] = []
    with ExitStack() as running:
        filling = Filling(openstack.start_until(running, folder / "cloud", **numbers), folder)
        for state in (*FIVE, *FURTHER):
            found = filling.measure(state)
            rows += found
            print(*table(found), sep="\n", flush=True)
    text = "\n".join(table(rows))
    PAGE.write_text(MADE.sub(lambda match: f"{match[1]}{text}\n{match[2]}", PAGE.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
