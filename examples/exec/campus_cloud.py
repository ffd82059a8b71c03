#!/usr/bin/env python3
"""What a campus cloud writes into its daily export, for the provider `exec` (docs/providers/exec.md).

The cloud is made up: it has no API, and exports two tables into a folder, `projects.csv` and `sizes.csv`. The folder is
this program's only argument. An empty cell is not known and is left out. Nothing but Python's own library is needed.
"""

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MANAGER = {
    "product": "campuscloud",
    "endpoints": [
        {
            "url": "https://cloud.campus.example.org/portal",
            "interface": "campuscloud",
            "sign_in": [{"method": "saml2", "issuers": ["https://idp.campus.example.org/"]}],
        }
    ],
}
"""What whoever wrote this program knows of the cloud."""

UNKNOWN = ("hypervisors", "capacity", "images", "networks", "trust", "endorsements", "prices", "machines")

Value = dict[str, Any]


def say(answer: str, facet: str, **keys: Any) -> None:
    """Print one line, at once: what was printed before the deadline counts."""
    print(json.dumps({"answer": answer, "facet": facet} | keys), flush=True)


def known(keys: Value) -> Value:
    """Without what is not known."""
    return {key: value for key, value in keys.items() if value is not None}


def limit(cell: str) -> int | str | None:
    """A quota: a number, `unlimited`, or not known."""
    return cell if cell == "unlimited" else count(cell)


def count(cell: str, unit: int = 1) -> int | None:
    """A whole number of units, or not known. Raises ValueError for anything else."""
    return int(cell) * unit if cell.strip() else None


def to_size(row: dict[str, str]) -> Value:
    """An instance type."""
    return known(
        {
            "id": row["id"],
            "vcpus": count(row["vcpus"]),
            "memory_mib": count(row["memory_gib"], 1024),
            "disk_gib": count(row["disk_gib"]),
        }
    )


def to_quotas(row: dict[str, str]) -> Value:
    """What a project may hold at most."""
    return known(
        {
            "project": row["project"],
            "project_name": row["name"] or None,
            "instances": limit(row["machines_max"]),
            "vcpus": limit(row["vcpus_max"]),
            "memory_mib": count(row["memory_gib_max"], 1024),
        }
    )


def to_usage(row: dict[str, str]) -> Value:
    """What a project holds now."""
    return known(
        {
            "project": row["project"],
            "instances": count(row["machines"]),
            "vcpus": count(row["vcpus"]),
            "memory_mib": count(row["memory_gib"], 1024),
        }
    )


def rows(table: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """A table, with what every answer made of it says of its origin: it is as old as the export, not as this moment."""
    exported_at = datetime.fromtimestamp(table.stat().st_mtime, UTC)
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file)), {"observed_at": exported_at.isoformat(), "calls": [f"read {table.name}"]}


def answer_sizes(table: Path) -> None:
    """The facet without parts."""
    sizes, origin = rows(table)
    say("observed", "instance_types", value={"instance_types": [to_size(row) for row in sizes]}, **origin)


def answer_projects(table: Path, wanted: list[str]) -> None:
    """The facets with one part per project; a row that cannot be read fails alone. The last line names all parts."""
    projects, origin = rows(table)
    for facet, to_value in (("quotas", to_quotas), ("usage", to_usage)):
        if facet not in wanted:
            continue
        for row in projects:
            try:
                say("observed", facet, part=row["project"], value=to_value(row), **origin)
            except ValueError as error:
                say("failed", facet, part=row["project"], reason=f"{table.name}: {error}", retryable=False)
        say("parts", facet, parts=[row["project"] for row in projects])


def main() -> None:
    """Read what is wanted, and answer each of it once."""
    wanted = json.load(sys.stdin)["wanted"]
    folder = Path(sys.argv[1])
    if "manager" in wanted:
        say("observed", "manager", value=MANAGER, observed_at=datetime.now(UTC).isoformat(), calls=["this program"])
    answer_projects(folder / "projects.csv", wanted)
    if "instance_types" in wanted:
        answer_sizes(folder / "sizes.csv")
    for facet in UNKNOWN:
        if facet in wanted:
            say("not_offered", facet, reason="the export does not tell it")


if __name__ == "__main__":
    try:
        main()
    except (OSError, LookupError, ValueError) as error:
        sys.exit(f"the export cannot be read: {error}")  # on standard error, with exit code 1
