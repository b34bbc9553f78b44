"""Contributions are looked at once by each backbone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.tiny_bundle import SIDE, coloured, tiny_numpy
from tests.retraining.places import NEW, PER_SPLIT, YELLOW, Place, made_place

from leafsight.images import Preprocessing, prepare
from leafsight.retraining.embedding import see

BACKBONE = "ab" * 32


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = made_place(tmp_path, photographs=3)
    yield made
    made.state.close()


def test_what_another_backbone_saw_is_looked_at_again_and_kept(place: Place) -> None:
    work, bundle = place.workplace(place.job()), place.registry.bundle(place.registry.get("serving"))
    records = list(place.state.contributions.all_accepted())
    place.state.contributions.annotate(records[0].id, embedding=np.ones(5, np.float16), embedded_by="cd" * 32)
    seen = see(work, bundle, BACKBONE, list(place.state.contributions.all_accepted()))
    assert [one.id for one in seen.records] == [one.id for one in records]
    assert seen.left_out == ()
    for at, one in enumerate(seen.records):
        square = prepare(coloured(YELLOW, side=4 * SIDE, seed=at), Preprocessing(side_px=SIDE))
        _, wanted, _ = tiny_numpy(square[None])
        assert one.embedding is not None
        np.testing.assert_allclose(one.embedding.astype(np.float32), wanted[0], atol=0.01)
        kept = place.state.contributions.get(one.id)
        assert kept is not None
        assert kept.embedded_by == BACKBONE


def test_what_it_knows_it_does_not_look_at(place: Place) -> None:
    work, bundle = place.workplace(place.job()), place.registry.bundle(place.registry.get("serving"))
    known = see(work, bundle, BACKBONE, list(place.state.contributions.all_accepted())).records
    for one in known:
        place.blobs.delete(one.blob)
    assert see(work, bundle, BACKBONE, known).records == known


def test_a_photograph_that_cannot_be_read_is_left_out_and_said(place: Place) -> None:
    work, bundle = place.workplace(place.job()), place.registry.bundle(place.registry.get("serving"))
    gone, broken, whole = place.state.contributions.all_accepted()
    place.blobs.delete(gone.blob)
    place.blobs.put(broken.blob, b"rubbish")
    seen = see(work, bundle, BACKBONE, [gone, broken, whole])
    assert [one.id for one in seen.records] == [whole.id]
    assert {one for one, _ in seen.left_out} == {gone.id, broken.id}
    assert (whole.label, 12) == (NEW, PER_SPLIT)
