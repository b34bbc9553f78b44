"""Photographs through a real cluster into a folder: each once, whatever dies on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import save_picture

from leafsight.cluster import Asked, ClusterOptions, predict_on_cluster
from leafsight.errors import ClusterError, ConflictError
from leafsight.inference import BundlePredictor

COLOURS = (RED, GREEN, BLUE, GREY)
WAIT_S = 120


def rows_of(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.dataset.dataset(out).to_table().to_pylist()
    return rows


def photographs(folder: Path, count: int, *also: str) -> list[str]:
    """Coloured squares; the names of all, sorted."""
    names = [f"{number:03d}.jpg" for number in range(count)] + list(also)
    return sorted(str(save_picture(folder / name, COLOURS[at % 4])) for at, name in enumerate(names))


def files_of(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("*.parquet")}


@pytest.fixture
def options(cluster_address: str) -> ClusterOptions:
    return ClusterOptions(address=cluster_address, workers=2)


@pytest.fixture
def _deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.cluster.deadly_worker import Deadly

    from leafsight.cluster import predicting_stream

    monkeypatch.setattr(predicting_stream, "Diagnosing", Deadly)


def test_folders_tars_and_what_cannot_be_read(
    tmp_path: Path, options: ClusterOptions, colour_model: Path
) -> None:
    names = photographs(tmp_path / "in", 40)
    with tarfile.open(tmp_path / "in" / "shard.tar", "w") as tar:
        for name in names[:5]:
            tar.add(name, f"x/{Path(name).name}")
        tar.add(__file__, "x/000.txt")
    whole = (tmp_path / "in" / "shard.tar").read_bytes()
    (tmp_path / "in" / "torn.tar").write_bytes(whole[: len(whole) // 4])
    (tmp_path / "in" / "text.jpg").write_text("text")
    asked = Asked((str(tmp_path / "in"), str(tmp_path / "no.jpg")), tmp_path / "out", colour_model)
    answered = predict_on_cluster(asked, options)
    rows = {(row["photo"], row["member"]): row for row in rows_of(tmp_path / "out")}
    assert len(rows) == answered.photographs == sum(answered.verdicts.values())
    alone = BundlePredictor(colour_model, top=3).predict([Path(name).read_bytes() for name in names])
    for name, one in zip(names, alone, strict=True):
        row, plain = rows[name, None], one.to_dict()
        for column in set(row) - {"photo", "member", "error"}:
            assert row[column] == plain[column], column
    in_tar = [rows[str(tmp_path / "in" / "shard.tar"), f"x/{Path(name).name}"] for name in names[:5]]
    assert [row["key"] for row in in_tar] == [one.key for one in alone[:5]]
    bad = {(Path(photo).name, row["error"]) for (photo, _), row in rows.items() if row["error"]}
    assert bad == {("text.jpg", "unsupported-image"), ("torn.tar", "dataset"), ("no.jpg", "storage")}
    assert answered.unreadable == 3
    assert all(row["model_hash"] for row in rows.values())


def test_what_is_done_stays_and_asks_no_cluster(
    tmp_path: Path, options: ClusterOptions, colour_model: Path
) -> None:
    names = photographs(tmp_path / "in", 9)
    asked = Asked((str(tmp_path / "in"),), tmp_path / "out", colour_model, chunk_photographs=4)
    predict_on_cluster(asked, options)
    before = files_of(tmp_path / "out")
    assert len(before) == 3
    nowhere = ClusterOptions(address="127.0.0.1:1")
    again = predict_on_cluster(asked, nowhere)
    assert (again.done_before, again.photographs, files_of(tmp_path / "out")) == (9, 9, before)
    lost = tmp_path / "out" / "answers-000001.parquet"
    lost.write_bytes(lost.read_bytes()[:-1])  # a disk that lies
    with pytest.raises(ClusterError, match="no cluster answers"):
        predict_on_cluster(asked, nowhere)
    assert predict_on_cluster(asked, options).done_before == 5
    assert sorted(row["photo"] for row in rows_of(tmp_path / "out")) == names
    other = Asked((str(tmp_path / "in"),), tmp_path / "out", colour_model, top=2)
    with pytest.raises(ConflictError, match="top is 2, was 3"):
        predict_on_cluster(other, options)


def test_a_killed_command_goes_on(tmp_path: Path, options: ClusterOptions, colour_model: Path) -> None:
    names = photographs(tmp_path / "in", 400)
    asked = Asked((str(tmp_path / "in"),), tmp_path / "out", colour_model, chunk_photographs=10)
    code = (
        "import sys; from pathlib import Path\n"
        "from leafsight.cluster import Asked, ClusterOptions, predict_on_cluster\n"
        "source, out, model, address = sys.argv[1:]\n"
        "predict_on_cluster(Asked((source,), Path(out), Path(model), chunk_photographs=10),"
        " ClusterOptions(address=address, workers=2))"
    )
    words = [sys.executable, "-c", code, asked.inputs[0], str(asked.out), str(colour_model), options.address]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as command:
        until_s = time.monotonic() + WAIT_S
        while not (before := files_of(asked.out)) and command.poll() is None:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        command.kill()
    before = files_of(asked.out)
    assert command.returncode == -signal.SIGKILL
    assert 0 < len(before) < 40
    answered = predict_on_cluster(asked, options)
    assert answered.done_before >= 10 * len(before) > 0
    after = files_of(asked.out)
    assert {name: after[name] for name in before} == before
    assert sorted(row["photo"] for row in rows_of(asked.out)) == names


@pytest.mark.usefixtures("_deadly")
def test_a_worker_that_dies_is_replaced(tmp_path: Path, options: ClusterOptions, colour_model: Path) -> None:
    names = photographs(tmp_path / "in", 30, "once.jpg")
    asked = Asked((str(tmp_path / "in"),), tmp_path / "out", colour_model, chunk_photographs=16)
    answered = predict_on_cluster(asked, options)
    assert sorted(row["photo"] for row in rows_of(tmp_path / "out")) == names
    assert (answered.unreadable, answered.workers_lost) == (0, 1)


@pytest.mark.usefixtures("_deadly")
def test_a_photograph_that_ends_its_worker_becomes_a_row(
    tmp_path: Path, options: ClusterOptions, colour_model: Path
) -> None:
    names = photographs(tmp_path / "in", 30, "deadly.jpg", "hungry.jpg")
    asked = Asked((str(tmp_path / "in"),), tmp_path / "out", colour_model)
    answered = predict_on_cluster(asked, options)
    rows = rows_of(tmp_path / "out")
    assert sorted(row["photo"] for row in rows) == names
    bad = {Path(row["photo"]).name: row["error"] for row in rows if row["verdict"] == "unreadable"}
    assert bad == {"deadly.jpg": "cluster", "hungry.jpg": "cluster"}
    assert answered.workers_lost == 5  # with many, then twice with each


@pytest.mark.usefixtures("_deadly")
def test_workers_are_not_lost_for_ever(tmp_path: Path, options: ClusterOptions, colour_model: Path) -> None:
    photographs(tmp_path / "in", 3, "once.jpg")
    asked = Asked((str(tmp_path / "in"),), tmp_path / "out", colour_model)
    with pytest.raises(ClusterError, match=r"lost with chunk 0 \(.*000.jpg and 3 more\): 1"):
        predict_on_cluster(asked, options.model_copy(update={"max_failures": 0}))
    assert predict_on_cluster(asked, options).photographs == 4


@pytest.mark.usefixtures("_deadly")
def test_silence_ends(tmp_path: Path, options: ClusterOptions, colour_model: Path) -> None:
    photographs(tmp_path / "in", 1, "slow.jpg")
    asked = Asked((str(tmp_path / "in"),), tmp_path / "out", colour_model)
    with pytest.raises(ClusterError, match="no worker said anything for 2 s"):
        predict_on_cluster(asked, options.model_copy(update={"silence_s": 2}))


def test_a_bucket(tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a cluster of its own, which has the credentials in its environment."""
    pytest.importorskip("obstore")
    from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto
    from tests.state.test_bucket_files import put

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    folder = Path(photographs(tmp_path / "in", 4, "odd (1) é.jpg")[0]).parent
    with tarfile.open(folder / "shard.tar", "w") as tar:
        tar.add(folder / "000.jpg", "000.jpg")
    (folder / "torn.tar").write_bytes((folder / "shard.tar").read_bytes()[:700])
    for path in folder.iterdir():
        put(shared_moto(), f"leaves/fields/2026/{path.name}", path.read_bytes())
    (folder / "000.jpg").unlink()
    asked = Asked((s3_url(shared_moto(), "fields/2026"),), tmp_path / "out", colour_model)
    answered = predict_on_cluster(asked, ClusterOptions(address="local", workers=1))
    rows = rows_of(tmp_path / "out")
    known = Counter((row["photo"].removeprefix("s3://leaves/fields/2026/"), row["member"]) for row in rows)
    assert known == Counter(
        [(f"00{n}.jpg", None) for n in range(4)]
        + [("odd (1) é.jpg", None), ("shard.tar", "000.jpg"), ("torn.tar", None)]
    )
    assert [row["error"] for row in rows if row["error"]] == ["dataset"]
    assert answered.unreadable == 1
    assert next(row["reason"] for row in rows if row["error"]).startswith("s3://leaves/fields/2026/torn.tar")
