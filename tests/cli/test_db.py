"""``leafsight db``: migrate, check, backup, restore, prune, describe."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.small_world import Outcome, command_line, leafsight

from leafsight.errors import StateBusyError
from leafsight.state import (
    Blobs,
    CorrectionRecord,
    PredictionRecord,
    State,
    UploadRecord,
    new_id,
    open_blobs,
    open_state,
)
from leafsight.state.folder_blobs import FolderBlobs
from leafsight.state.ids import clock_ms

DAY_MS = 86_400_000


@dataclass
class Kept:
    """A state folder in use; ``db`` runs one command on it."""

    folder: Path
    state: State
    blobs: Blobs

    def db(self, *words: object) -> Outcome:
        return leafsight("db", *words, "--state-dir", self.folder)

    def predict(self, days_old: float, *, photograph: bool = True) -> str:
        """Remember a prediction of that age; its id."""
        made_ms = clock_ms() - round(days_old * DAY_MS)
        one = f"{made_ms:012x}{new_id()[12:]}"
        blob = f"photographs/{one}.jpg" if photograph else None
        if blob is not None:
            self.blobs.put(blob, b"picture")
        record = PredictionRecord(
            id=one, created_ms=made_ms, model_hash="0" * 64, model_name="m", verdict="cannot_tell",
            photo_sha256="0" * 64, photo_blob=blob, answer={}, latency_ms=1.0,
        )  # fmt: skip
        self.state.predictions.add_many([record])
        return one

    def correct(self, one: str) -> None:
        self.state.corrections.add(
            CorrectionRecord(id=new_id(), prediction_id=one, created_ms=clock_ms(), right=True)
        )

    @property
    def predictions(self) -> set[str]:
        return {record.id for record in self.state.predictions.page().records}

    @property
    def photographs(self) -> set[str]:
        return {name[len("photographs/") : -len(".jpg")] for name in self.blobs.list("photographs")}


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    folder = tmp_path / "kept"
    with open_state(f"sqlite:///{folder}/leafsight.db") as state:
        yield Kept(folder, state, open_blobs(str(folder / "blobs")))


def test_migrate_makes_a_database_and_then_leaves_it(tmp_path: Path) -> None:
    first = leafsight("db", "migrate", "--state-dir", tmp_path)
    assert re.fullmatch(r"revision \d+, new\n", first.out)
    second = leafsight("db", "migrate", "--state-dir", tmp_path)
    assert second.out == first.out.replace("new", "as before")
    told = leafsight("db", "migrate", "--state-dir", tmp_path, "--json").json
    assert told["before"] == told["now"]


def test_describe_counts_the_rows(kept: Kept) -> None:
    kept.predict(1)
    lines = dict(line.split("\t") for line in kept.db("describe").out.splitlines())
    assert (lines["kind"], lines["predictions"], lines["keys"]) == ("sqlite", "1", "0")
    assert lines["where"] == f"{kept.folder}/leafsight.db"
    told = kept.db("describe", "--json").json
    assert (told["kind"], told["rows"]["predictions"]) == ("sqlite", 1)
    assert told["size_bytes"] > 0


@pytest.mark.parametrize("words", [("describe",), ("check",), ("prune", "--yes"), ("backup", "b.db")])
def test_a_mistyped_database_is_not_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    url = f"sqlite:///{tmp_path}/typo.db"
    done = leafsight("db", *words, "--database", url)
    assert (done.code, done.out) == (1, "")
    assert "typo.db" in done.error_lines[0]
    assert list(tmp_path.iterdir()) == []


# Check.


def test_check_is_fine_when_everything_is_there(kept: Kept) -> None:
    kept.predict(1)
    kept.predict(1, photograph=False)
    done = kept.db("check")
    assert (done.code, done.out) == (0, "database: fine\nphotographs: fine\n")
    assert kept.db("check", "--json").json == {"fine": True, "missing": []}


def test_check_names_what_is_missing(kept: Kept) -> None:
    one, _ = kept.predict(1), kept.predict(1)
    kept.blobs.delete(f"photographs/{one}.jpg")
    kept.state.uploads.add(upload("uploads/never.zip"))
    done = kept.db("check")
    assert (done.code, done.out) == (1, "database: fine\nphotographs: 2 missing\n")
    assert done.err.splitlines() == [f"missing: photographs/{one}.jpg", "missing: uploads/never.zip"]
    told = kept.db("check", "--json")
    assert (told.code, told.json["fine"], len(told.json["missing"])) == (1, False, 2)


def test_check_says_when_the_photographs_cannot_be_reached(kept: Kept) -> None:
    (kept.folder / "file").write_text("")
    done = kept.db("check", "--blobs", kept.folder / "file")
    assert done.code == 1
    assert len(done.error_lines) == 2


def upload(blob: str) -> UploadRecord:
    return UploadRecord(
        id=new_id(), created_ms=clock_ms(), name="a.zip", bytes=1, sha256="0" * 64,
        media_type="application/zip", blob=blob, state="waiting",
    )  # fmt: skip


# Backup and restore.


def test_what_was_backed_up_comes_back(kept: Kept, tmp_path: Path) -> None:
    one = kept.predict(1)
    key = leafsight("keys", "make", "a", "--state-dir", kept.folder).out.strip()
    done = kept.db("backup", tmp_path / "saved.db")
    assert (done.code, done.out) == (0, f"{tmp_path}/saved.db\n")
    assert "photographs and secrets are not in it" in done.err
    other = tmp_path / "other"
    restored = leafsight("db", "restore", tmp_path / "saved.db", "--state-dir", other)
    assert restored.code == 0
    assert "predictions\t1" in restored.out.splitlines()
    with open_state(f"sqlite:///{other}/leafsight.db") as state:
        assert state.predictions.get(one).id == one
        assert state.keys.verify(key) is not None


def test_a_backup_into_a_folder_and_back_over_what_is_there(kept: Kept, tmp_path: Path) -> None:
    one = kept.predict(1)
    told = kept.db("backup", tmp_path, "--json").json
    file = Path(told["file"])
    assert (file.parent, file.stat().st_size) == (tmp_path, told["bytes"])
    kept.predict(0)
    refused = kept.db("restore", file)
    assert (refused.code, len(kept.predictions)) == (1, 2)
    assert "--force" in refused.error_lines[1]
    assert kept.db("restore", file, "--force", "--json").json["rows"]["predictions"] == 1
    assert kept.predictions == {one}


def test_a_backup_goes_through_pipes(kept: Kept, tmp_path: Path) -> None:
    one = kept.predict(1)
    words = command_line("db", "backup", "-", "--state-dir", kept.folder)
    piped = subprocess.run(words, capture_output=True, check=True)
    assert gzip.decompress(piped.stdout).startswith(b'{"format":"leafsight-state"')
    assert b"photographs and secrets are not in it" in piped.stderr
    other = ("--state-dir", tmp_path / "other")
    assert "predictions\t1" in leafsight("db", "restore", "-", *other, stdin=piped.stdout).out.splitlines()
    with open_state(f"sqlite:///{tmp_path}/other/leafsight.db") as state:
        assert state.predictions.get(one).id == one
    cut = leafsight("db", "restore", "-", "--force", *other, stdin=piped.stdout[:-20])
    assert (cut.code, cut.out) == (1, "")
    assert leafsight("db", "describe", *other, "--json").json["rows"]["predictions"] == 1


def test_a_backup_is_not_shown_on_a_terminal_nor_typed_in(kept: Kept, tmp_path: Path) -> None:
    leader, follower = os.openpty()
    for words in (("backup", "-"), ("restore", "-", "--force")):
        command = command_line("db", *words, "--state-dir", kept.folder)
        done = subprocess.run(
            command, stdin=follower, stdout=follower, stderr=subprocess.PIPE, timeout=60, text=True
        )
        assert done.returncode == 2
        assert "name a file" in done.stderr
    os.close(follower)
    os.close(leader)
    assert kept.db("backup", "-", "--json").code == 2


def test_what_is_no_backup_is_refused_and_nothing_changes(kept: Kept, tmp_path: Path) -> None:
    kept.predict(1)
    (tmp_path / "letter.txt").write_text("dear database")
    for file in (tmp_path / "letter.txt", tmp_path / "nothing"):
        done = kept.db("restore", file, "--force")
        assert (done.code, done.out, len(done.error_lines)) == (1, "", 2)
    assert len(kept.predictions) == 1


def test_a_damaged_database_is_moved_aside(kept: Kept, tmp_path: Path) -> None:
    kept.db("backup", tmp_path / "saved.db")
    other = tmp_path / "other"
    other.mkdir()
    (other / "leafsight.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    done = leafsight("db", "restore", tmp_path / "saved.db", "--force", "--state-dir", other)
    assert done.code == 0
    moved = re.search(r"the damaged database is now (.*)", done.err)
    assert moved is not None
    assert Path(moved[1]).stat().st_size == 5016


# Prune.


def test_without_yes_nothing_is_removed(kept: Kept) -> None:
    kept.predict(100)
    kept.predict(1)
    done = kept.db("prune", "--older-than", "90d")
    assert (done.code, done.out) == (0, "older predictions: 1\n")
    assert "--yes" in done.err
    assert kept.db("prune", "--older-than", "90d", "--json").json == {"older": 1, "removed": 0}
    assert len(kept.predictions) == len(kept.photographs) == 2


def test_old_predictions_go_with_their_photographs(kept: Kept) -> None:
    old, corrected, young = kept.predict(100), kept.predict(100), kept.predict(89)
    kept.predict(100, photograph=False)
    kept.correct(corrected)
    kept.blobs.put("uploads/0.zip", b"zip")
    kept.state.uploads.add(upload("uploads/0.zip"))
    done = kept.db("prune", "--older-than", "90d", "--yes")
    assert (done.code, done.out) == (0, "predictions removed: 2, photographs removed: 1\n")
    assert kept.predictions == kept.photographs == {corrected, young}
    assert old not in kept.photographs
    assert kept.blobs.get("uploads/0.zip") == b"zip"
    assert kept.db("check").code == 0


@pytest.mark.parametrize(("age", "left"), [("12h", 0), ("1d", 1), ("1w", 2), ("90d", 3)])
def test_ages_in_hours_days_and_weeks(kept: Kept, age: str, left: int) -> None:
    for days_old in (0.9, 6.9, 89.9):
        kept.predict(days_old)
    assert kept.db("prune", "--older-than", age, "--yes", "--json").json["removed"] == 3 - left
    assert len(kept.photographs) == left


def test_without_an_age_the_setting_holds(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    young, _ = kept.predict(10), kept.predict(20)
    monkeypatch.setenv("LEAFSIGHT_KEEP_DAYS", "15")
    assert kept.db("prune", "--yes").code == 0
    assert kept.predictions == {young}


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1y", "1.5d", "9999999d", "९d"])
def test_what_is_no_age(kept: Kept, age: str) -> None:
    kept.predict(1000)
    done = kept.db("prune", f"--older-than={age}", "--yes")
    assert done.code == 2
    assert done.error_lines == [f"error: '{age}' is no age", "hint: such as 90d, 12h or 4w"]
    assert len(kept.predictions) == 1


def test_a_photograph_without_a_row_goes_when_it_is_old(kept: Kept) -> None:
    ids = {days: f"{clock_ms() - round(days * DAY_MS):012x}{'0' * 20}" for days in (100, 80, 0)}
    for one in ids.values():
        kept.blobs.put(f"photographs/{one}.jpg", b"picture")
    kept.blobs.put("photographs/not-ours.jpg", b"picture")
    assert kept.db("prune", "--older-than", "90d", "--yes", "--json").json["photographs"] == 1
    assert kept.photographs == {ids[80], ids[0], "not-ours"}
    assert kept.db("prune", "--older-than", "0h", "--yes", "--json").json["photographs"] == 1
    assert kept.photographs == {ids[0], "not-ours"}, "one of this moment may still get its row"


def test_a_store_that_goes_away_half_way_is_finished_by_the_next_run(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        kept.predict(100)
    delete, left = FolderBlobs.delete, [1]

    def breaks_off(self: FolderBlobs, name: str) -> None:
        if not left:
            raise StateBusyError("the bucket does not answer", hint="try again in a moment")
        left.pop()
        delete(self, name)

    with monkeypatch.context() as patched:
        patched.setattr(FolderBlobs, "delete", breaks_off)
        done = kept.db("prune", "--older-than", "90d", "--yes")
    assert (done.code, done.out) == (1, "")
    assert "run it again" in done.err
    assert (len(kept.predictions), len(kept.photographs)) == (0, 2)
    assert kept.db("prune", "--older-than", "90d", "--yes", "--json").json["photographs"] == 2
    assert kept.photographs == set()


def test_no_row_goes_when_the_photographs_cannot_be_reached(kept: Kept) -> None:
    kept.predict(100)
    (kept.folder / "file").write_text("")
    assert kept.db("prune", "--older-than", "90d", "--yes", "--blobs", kept.folder / "file").code == 1
    assert len(kept.predictions) == 1
