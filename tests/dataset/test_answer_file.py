"""Answers as Parquet: the columns stay, the file counts itself, and half a file counts as none."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet as pq

from leafsight.dataset import AnswerFile, answer_counts
from leafsight.errors import StorageError
from leafsight.inference import Candidate, Prediction

SCAB = Candidate("Apple___scab", "apple/scab", "Apple: scab", 0.75)
DIAGNOSIS = Prediction(
    verdict="diagnosis", reason="it is", model="m", model_hash="h", class_name="Apple___scab",
    key="apple/scab", crop="apple", condition="scab", display="Apple: scab", probability=0.75, top=(SCAB,),
    possible=(SCAB,), not_leaf_probability=0.0, quality={"sharpness": 5.0, "brightness": 0.5},
)  # fmt: skip
UNREAD = Prediction.unread(StorageError("gone", hint="look"), "apple")


def test_an_answer_comes_back(tmp_path: Path) -> None:
    file = AnswerFile()
    file.add([{"photo": "a.tar", "member": "x/1.jpg", **DIAGNOSIS.to_dict()}])
    file.add([])
    file.add([{"photo": "b.jpg", "member": None, **UNREAD.to_dict()}])
    data = file.close()
    first, second = pq.read_table(io.BytesIO(data)).to_pylist()
    plain = DIAGNOSIS.to_dict()
    for name in (
        "verdict",
        "display",
        "probability",
        "crop_given",
        "top",
        "possible",
        "model_hash",
        "reason",
    ):
        assert first[name] == plain[name]
    assert (first["photo"], first["member"], first["error"]) == ("a.tar", "x/1.jpg", None)
    assert (first["quality"]["sharpness"], first["quality"]["contrast"]) == (5.0, None)
    assert (second["error"], second["reason"], second["hint"]) == ("storage", "gone", "look")
    assert (second["top"], second["quality"], second["crop_given"]) == ([], None, "apple")
    (path := tmp_path / "a.parquet").write_bytes(data)
    assert answer_counts(path) == {"diagnosis": 1, "unreadable": 1}


def test_what_is_not_whole_has_no_count(tmp_path: Path) -> None:
    file = AnswerFile()
    file.add([{"photo": "b.jpg", "member": None, **UNREAD.to_dict()}])
    data, path = file.close(), tmp_path / "a.parquet"
    assert answer_counts(path) is None
    path.write_bytes(data[:-9])
    assert answer_counts(path) is None
    path.write_bytes(b"")
    assert answer_counts(path) is None
