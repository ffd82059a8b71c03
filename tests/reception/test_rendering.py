"""A copy as the entries of a tree: rendered in part where that is the same as rendering all."""

import random

import pytest

from benchmarks import synthetic
from infoprovider.messaging.units import ContentType, digests_of, units_of
from infoprovider.publication.compose import compose
from infoprovider.publication.stamps import Former
from infoprovider.reception.rendering import Renderings
from infoprovider.render.json import render_json
from infoprovider.render.ldif import LdifRenderer
from tests.reception.copies import copy_of

CONFIGURATION, FACETS = synthetic.centre(400)
DOCUMENT = compose(CONFIGURATION, FACETS, Former(), synthetic.NOW).document
UNITS = units_of(render_json(DOCUMENT.entities), ContentType.JSON)
LEAVES = sorted(id_ for id_, unit in UNITS.items() if unit.startswith((b"ApplicationEnv", b"AccessPolicy")))


def rendered(units: dict[str, bytes]) -> dict[str, bytes]:
    """The entries of a document that was never seen before."""
    return dict(Renderings("site").entries(copy_of(units)))


def test_a_document_of_json_becomes_the_tree_of_its_site() -> None:
    """It is what the publisher's own template set `site` writes, entry by entry."""
    wanted = units_of(LdifRenderer("site").render(DOCUMENT), ContentType.LDIF)
    assert rendered(UNITS) == wanted


def test_a_document_of_ldif_is_taken_as_it_is() -> None:
    """Nothing is rendered of what is LDIF already."""
    copy = copy_of({"o=glue": b"dn: o=glue\no: glue"}, ContentType.LDIF)
    assert Renderings("site").entries(copy) is copy.units


@pytest.mark.parametrize("seed", range(8))
def test_what_is_rendered_in_part_is_what_all_would_be(seed: int) -> None:
    """After any changes, removals and additions the entries are those of the whole document rendered anew."""
    chance = random.Random(seed)  # noqa: S311
    renderings = Renderings("site")
    units = dict(UNITS)
    for _ in range(8):
        copy = copy_of(units)
        assert renderings.entries(copy) == rendered(units)
        for id_ in chance.sample(sorted(units), 5):
            units[id_] = units[id_].replace(
                b'"CreationTime":"2026-01', b'"CreationTime":"2027-0%d' % chance.randint(1, 9)
            )
        for id_ in chance.sample(LEAVES, 3):
            units.pop(id_, None) or units.update({id_: UNITS[id_]})


def test_only_what_changed_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """One entity of some hundred changes: the document that is rendered is small."""
    renderings = Renderings("site")
    renderings.entries(copy_of(UNITS))
    sizes = []
    real = LdifRenderer.render
    monkeypatch.setattr(
        LdifRenderer, "render", lambda self, document: sizes.append(len(document.entities)) or real(self, document)
    )
    changed = UNITS | {LEAVES[0]: UNITS[LEAVES[0]].replace(b"2026-01", b"2027-01")}
    renderings.entries(copy_of(changed))
    assert len(sizes) == 1
    assert sizes[0] < 30


def test_an_entity_that_moves_makes_all_anew() -> None:
    """Another manager above an image is another name of its entry."""
    renderings = Renderings("site")
    renderings.entries(copy_of(UNITS))
    managers = sorted(id_ for id_, unit in UNITS.items() if unit.startswith(b"ComputingManager "))
    image = next(id_ for id_ in LEAVES if managers[0].encode() in UNITS[id_])
    units = UNITS | {image: UNITS[image].replace(managers[0].encode(), managers[1].encode())}
    assert renderings.entries(copy_of(units)) == rendered(units)
    assert digests_of(units) != digests_of(UNITS)
