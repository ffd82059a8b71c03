"""The text of a first configuration, with a word on each thing, and of the inventory file that it may name."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A VM manager as it is to be written.

    `settings` are keys with their values; where `why_not` says something, it is written as a comment.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A community and the project of an instance that it works in."""

    community: str
    instance: str
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is known of the centre; `left_out` is what another program's file says beyond it."""

    centre: str
    instances: tuple[Proposal, ...]
    served: tuple[Served, ...] = ()
    bdii_folder: Path | None = None
    bdii_is_there: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """The instance that can be asked as it stands, or the first one."""
        return next((one.name for one in self.instances if not one.why_not), self.instances[0].name)


def configuration_text(answers: Answers, schema: Path) -> str:
    """The configuration file; `schema` is what editors check it with."""
    return "\n".join(
        [
            f"# yaml-language-server: $schema={schema}",
            "#",
            "# The configuration of infoprovider. Every key is explained in docs/configuration.md.",
            "# After each change: infoprovider check, then infoprovider try, then infoprovider publish.",
            *_centre(answers),
            *_communities(answers),
            *_instances(answers),
            *_channels(answers),
            *_rest(),
            *_left_out(answers),
        ]
    )


def inventory_text(project: str) -> str:
    """A description to be filled in: it is right as it stands, and says nothing that is not known."""
    projects = [
        "",
        "# What each project may hold and holds. Without numbers its community is published as served, and no more.",
        "projects:",
        f"  - id: {_quoted(project)}",
        "    quotas: {}      # { instances: 50, vcpus: 200, memory_mib: 800 GiB }",
        "    usage: {}       # { instances: 12, vcpus: 40, memory_mib: 160 GiB }",
    ]
    return "\n".join(
        [
            "# A VM manager as its operator describes it. Every key is explained in docs/providers/static.md;",
            "# examples/demo/north.yaml uses nearly all of them. What you leave out is not published.",
            "",
            "manager:",
            "  product: openstack              # or opennebula, cloudstack, ...",
            "  endpoints:",
            "    - url: https://cloud.example.org:5000/v3",
            "      interface: openstack",
            "      sign_in:",
            "        - method: oidc",
            *(projects if project else []),
            "",
            "# What users can start:",
            "# instance_types:",
            "#   - { id: m1.small, name: m1.small, vcpus: 1, memory_mib: 2 GiB, disk_gib: 20, architecture: x86_64 }",
            "",
            "# What they can start it from:",
            "# images:",
            "#   - { id: debian-12, name: Debian 12, architecture: x86_64 }",
            "",
        ]
    )


def _centre(answers: Answers) -> list[str]:
    return [
        "",
        "# Who you are.",
        "centre:",
        f"  name: {_quoted(answers.centre)}      # as your federation registers it",
        "  # description: A sentence about the centre",
        "  # web_page: https://cloud.example.org/",
        "  # location: { place: Geneva, country: CH, latitude: 46.2, longitude: 6.1 }",
        "  # contacts:",
        '  #   - { type: general, detail: "mailto:cloud@example.org" }',
        '  #   - { type: security, detail: "mailto:csirt@example.org" }',
    ]


def _communities(answers: Answers) -> list[str]:
    text = [
        "",
        "# Who works in which project. What belongs to a project that is named nowhere here is never published.",
    ]
    if not answers.served:
        return [
            *text,
            "# communities:",
            "#   - name: vo.example.org      # the virtual organisation as it is registered",
            f"#     projects: [{{ instance: {answers.first}, project: the manager's own id of it }}]",
        ]
    text.append("communities:")
    names = dict.fromkeys(one.community for one in answers.served)
    for name in names:
        text += [f"  - name: {_quoted(name)}      # the virtual organisation as it is registered", "    projects:"]
        text += [
            f"      - {{ instance: {one.instance}, project: {_quoted(one.project)} }}"
            for one in answers.served
            if one.community == name
        ]
    return text


def _instances(answers: Answers) -> list[str]:
    text = [
        "",
        "# Your VM managers. A name becomes part of identifiers: choose it to stay.",
        "instances:",
    ]
    for one in answers.instances:
        block = [
            f"- name: {one.name}",
            f"  kind: {one.kind}",
            "  # every: 2m             # else each facet has its own pace, see docs/freshness.md",
            "  deadline: 60s           # how long an answer may take",
            "  defaults: { platform: amd64, os_family: linux }      # where hypervisors and images do not tell",
            "  settings:",
            *(line for key, value in one.settings.items() for line in _setting(key, value)),
        ]
        text += [f"  # {one.why_not}"] if one.why_not else []
        text += [f"  # {line}" if one.why_not else f"  {line}" for line in block]
    return text


def _channels(answers: Answers) -> list[str]:
    text = ["", "# Where the document goes."]
    if answers.bdii_folder is None:
        return [
            *text,
            "channels:",
            "  - { name: screen, kind: stdout }",
            "  # - name: site-bdii",
            "  #   kind: bdii",
            "  #   settings: { folder: /var/lib/bdii/gip/ldif }      # BDII_LDIF_DIR of the BDII's settings",
        ]
    block = ["- name: site-bdii", "  kind: bdii", f"  settings: {{ folder: {_quoted(str(answers.bdii_folder))} }}"]
    if answers.bdii_is_there:
        return [*text, "channels:", *(f"  {line}" for line in block)]
    why_not = "This folder could not be written when this file was: make it, or name the BDII_LDIF_DIR of your BDII."
    return [
        *text,
        "channels:",
        "  - { name: screen, kind: stdout }",
        f"  # {why_not}",
        *(f"  # {line}" for line in block),
    ]


def _rest() -> Iterable[str]:
    return [
        "",
        "# How often each facet is asked for and how old it may get; docs/freshness.md says what is usual.",
        "# freshness:",
        "#   prices: { every: 24h, fresh_for: 3d }",
        "",
        "# Further files, one per VM manager for example.",
        "# include: [conf.d/*.yaml]",
        "",
        "# What infoprovider keeps for itself, and what a BDII's user reads.",
        "state: run/state",
        "public: run/public",
        "",
    ]


def _left_out(answers: Answers) -> list[str]:
    if not answers.left_out:
        return []
    return [
        "# The site's file also says this, which was not taken over:",
        *(f"# - {one}" for one in answers.left_out),
        "",
    ]


def _setting(key: str, value: Any) -> Iterable[str]:
    """A key of settings with its value; a list of mappings has a line for each."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [f"    {key}:", *(f"      - {_written(one)}" for one in value)]
    return [f"    {key}: {_written(value)}"]


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key}: {_written(inner)}' for key, inner in value.items())} }}"
    return f"[{', '.join(map(_quoted, value))}]" if isinstance(value, list) else _quoted(str(value))


def _quoted(text: str) -> str:
    """Text as YAML reads it back whatever is in it: JSON's quotes are YAML's."""
    return json.dumps(text, ensure_ascii=False)
