"""Who may do something, as rules of the scheme that grid brokers match on."""

from infoprovider.mapping.context import Mapped

SCHEME = "org.glite.standard"


def rules_of(mapped: Mapped) -> tuple[str, ...]:
    """`VO:<community>`, on which brokers search, and `VOMS:<group and role>` for each mapping that is narrower.

    Never the basic form with a distinguished name: aggregators cut an entry at it.
    """
    rules = [f"VO:{mapped.community.name}"]
    for mapping in mapped.mappings:
        if mapping.group or mapping.role:
            group = "/".join(part for part in (mapping.group or "").split("/") if part)
            rules.append(f"VOMS:{_fqan(mapped.community.name, group, mapping.role)}")
    return tuple(dict.fromkeys(rules))


def _fqan(community: str, group: str, role: str | None) -> str:
    fqan = f"/{community}"
    if group and group != community:
        fqan += f"/{group.removeprefix(community + '/')}"
    return f"{fqan}/Role={role}" if role else fqan
