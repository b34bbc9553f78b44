"""The memory of a candidate: originals as they were, contributions as the snapshot has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.retraining.teaching import BASIL, OKRA, TAUGHT, champion_at, contributions, embedded, teach

from leafsight.bundle import open_bundle
from leafsight.errors import TrainingError
from leafsight.retraining import freeze, remembering
from leafsight.retraining.remembering import remember

RECORDS = [*contributions(OKRA, 30), *contributions(BASIL, 30, 100)]


def test_contributions_of_earlier_rounds_come_from_the_snapshot_alone(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    built, _ = teach(champion, RECORDS, tmp_path / "one.leafsight")
    parent = open_bundle(built.path)
    before, originals = parent.memory(), champion.memory()
    assert before is not None
    assert originals is not None
    snapshot = freeze(parent, RECORDS[:30])
    after = remember(before, snapshot, embedded(RECORDS[:30], TAUGHT))
    assert after.contributed.sum() == 30
    assert len(after) == len(originals) + 30
    assert after.domain_names == (*originals.domain_names, "contributed")
    np.testing.assert_array_equal(after.embedding[: len(originals)], before.embedding[: len(originals)])
    np.testing.assert_array_equal(after.label[: len(originals)], originals.label)


def test_rows_say_what_the_snapshot_says(tmp_path: Path) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    memory = champion.memory()
    assert memory is not None
    snapshot, seen = freeze(champion, RECORDS), embedded(RECORDS, TAUGHT)
    after = remember(memory, snapshot, seen)
    own = np.flatnonzero(after.contributed)
    assert [snapshot.classes[after.label[at]] for at in own] == [row.label for row in snapshot.rows]
    for role in ("train", "calibration", "probe"):
        rows = after.rows(role)
        assert len(rows[after.contributed[rows]]) == len(snapshot.of_role(role))
    assert int(after.pixel_hash[own[0]]) == int(snapshot.rows[0].pixel_hash[:16], 16)
    assert int(after.look_hash[own[0]]) == snapshot.rows[0].look_hash
    np.testing.assert_array_equal(after.embedding[own[0]], seen[snapshot.rows[0].id].astype(np.float32))


def test_more_than_a_bundle_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    champion = champion_at(tmp_path / "champion.leafsight")
    memory = champion.memory()
    assert memory is not None
    monkeypatch.setattr(remembering, "MAX_MEMORY_ROWS", len(memory) + len(RECORDS) - 1)
    with pytest.raises(TrainingError, match="are more than the"):
        remember(memory, freeze(champion, RECORDS), embedded(RECORDS, TAUGHT))
