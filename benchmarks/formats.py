"""Rendering XML and JSON beside the plain use of their libraries: seconds, ratios and memory for a synthetic centre.

    python benchmarks/formats.py [--entities 30000] [--rounds 3] [--short]

The peer of XML is lxml with the same elements in one tree, written when it is whole; the peer of JSON is json.dumps.
Both are given what they write as ready nested lists or objects of texts, ours begins with the entities. All run in
turn, round by round; a ratio is the median over the rounds, of CPU time. Memory is the most that a process of its own
takes for it, the result included.

Ends with 1 where a ratio is missed, or where a document does not come back as it was.
"""

import argparse
import ctypes
import gc
import json
import multiprocessing
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

sys.path.insert(0, str(Path(__file__).parents[1]))

from lxml import etree

from benchmarks import synthetic
from benchmarks.rendering import measure
from infoprovider.glue.entities import Entity
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.query.json_entities import read_json
from infoprovider.query.xml_entities import read_xml
from infoprovider.render.glue21 import render_glue21
from infoprovider.render.json import render_json, to_json
from infoprovider.render.xml import render_xml
from infoprovider.validation.xsd import check_xml

PEERS = {"XML": ("XML, lxml in one tree", 0.8), "JSON": ("JSON, json.dumps", 0.3)}
"""Each with its peer, and how many times as fast it is at least."""

Ready: TypeAlias = tuple[str, list[tuple[str, str]], str | None, list[Any]]
"""An element: tag, attributes, text, children."""


def ready(element: etree._Element) -> Ready:
    """An element as nothing but texts."""
    return element.tag, list(element.items()), element.text, [ready(child) for child in element]


def in_one_tree(document: Ready) -> bytes:
    """The whole as lxml makes it when it is told nothing else."""
    tag, _, _, children = document
    root = etree.Element(tag, nsmap={None: tag[1:].partition("}")[0]})

    def add(parent: etree._Element, one: Ready) -> None:
        element = etree.SubElement(parent, one[0], dict(one[1]))
        element.text = one[2]
        for child in one[3]:
            add(element, child)

    for child in children:
        add(root, child)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def highest() -> float:
    """The most memory that this process had at a time, in MB."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def megabytes(work: Callable[[], Any]) -> float:
    """What a process that has everything ready takes more, at most, to do this."""

    def run(sent: Any) -> None:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # what earlier rounds left free would count for nothing
        Path("/proc/self/clear_refs").write_text("5")  # the highest is now
        before = highest()
        work()
        sent.send(highest() - before)

    forked = multiprocessing.get_context("fork")
    received, sent = forked.Pipe(duplex=False)
    child = forked.Process(target=run, args=(sent,))
    child.start()
    taken: float = received.recv()
    child.join()
    return taken


def works_of(entities: Sequence[Entity]) -> dict[str, Callable[[], Any]]:
    """What is measured, with all that it needs."""
    xml, plain = render_xml(entities), render_json(entities)
    tree = ready(etree.fromstring(xml, etree.XMLParser(remove_blank_text=True, huge_tree=True)))
    objects = [to_json(entity) for entity in entities]
    return {
        "XML": lambda: render_xml(entities),
        PEERS["XML"][0]: lambda: in_one_tree(tree),
        "XML, validated": lambda: check_xml(xml),
        "XML, read back": lambda: read_xml(xml),
        "JSON": lambda: render_json(entities),
        PEERS["JSON"][0]: lambda: json.dumps(objects, ensure_ascii=False, separators=(",", ":")).encode(),
        "JSON, read back": lambda: read_json(plain),
        "GLUE 2.1": lambda: render_glue21(entities),
    }


def report(times: dict[str, list[float]], works: dict[str, Callable[[], Any]], entities: int) -> bool:
    """Print the table; whether all ratios are held."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; CPU time of one core")
    print(f"{entities:,} entities\n\n| | seconds | entities/s | peak MB |\n| --- | ---: | ---: | ---: |")
    for name, measured in times.items():
        seconds = statistics.median(measured)
        print(f"| {name} | {seconds:.1f} | {entities / seconds:,.0f} | {megabytes(works[name]):,.0f} |", flush=True)
    print()
    held = True
    for name, (peer, least) in PEERS.items():
        ratio = statistics.median(theirs / ours for theirs, ours in zip(times[peer], times[name], strict=True))
        held = held and ratio >= least
        print(
            f"{'ok    ' if ratio >= least else 'MISSED'}  {name}: {ratio:.2f} x as fast as {peer}, at least {least} x"
        )
    return held


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="10,000 entities")
    options = parser.parse_args()
    configuration, facets = synthetic.centre(10_000 if options.short else options.entities)
    entities = compose(configuration, facets, Former(), synthetic.NOW).document.entities
    del configuration, facets
    by_id = {one.id: one for one in entities}
    for read, body in ((read_xml, render_xml(entities)), (read_json, render_json(entities))):
        if {one.id: one for one in read(body)} != by_id:
            print(f"{read.__name__}: the document does not come back as it was", file=sys.stderr)
            return 1
    works = works_of(entities)
    gc.freeze()  # what is ready is no garbage, and looking at it again and again takes minutes
    held = report(measure(works, options.rounds), works, len(entities))
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
