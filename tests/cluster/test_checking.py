"""A collection read by the workers of a cluster: the files that one process would have left."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cluster.workers import kill_one
from tests.journeys.small_world import draw, leafsight, save_collection
from tests.promises.test_start_up import loaded

from leafsight.cluster import ClusterOptions, machines, photo_workers
from leafsight.cluster.checking import PhotosElsewhere, _needs, _require_same_answers, _require_same_files
from leafsight.dataset import PhotoRow, Seen, Wanted, look_at, reading
from leafsight.errors import ClusterError, UsageError
from leafsight.images import DecodeLimits
from leafsight.inference import bundle_embedder
from leafsight.inspection import Collection, check_collection, read_collection

WANTED = Wanted(DecodeLimits())
CHUNK = 20
KEPT = ("index.parquet", "index.sketches", "index.embeddings")
Read = Callable[..., Collection]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Leaves with faults of every kind, and others in an archive."""
    folder = tmp_path_factory.mktemp("sources")
    leaves = draw(folder / "leaves")
    some = sorted(leaves.rglob("*.jpg"))
    (some[0].parent / "torn.jpg").write_bytes(some[0].read_bytes()[:300])
    (some[0].parent / "empty.jpg").write_bytes(b"")
    (some[0].parent / "copy.jpg").write_bytes(some[1].read_bytes())
    (some[0].parent / "gone.jpg").symlink_to(folder / "nowhere")
    with tarfile.open(folder / "more.tar", "w") as tar:
        tar.add(save_collection(folder / "more", {"rust": 3, "healthy": 3}), "more")
    return [leaves, folder / "more.tar"]


@pytest.fixture
def read(
    sources: list[Path],
    colour_model: Path,
    cluster_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Read:
    """Reads the sources into a cache of this test: ``read("name", cluster=True)``."""
    monkeypatch.setattr(reading, "PHOTOS_PER_TASK", 4)

    def make(name: str, *, cluster: bool = False, **words: Any) -> Collection:
        embedder = bundle_embedder(colour_model)
        how: dict[str, Any] = {"cache_dir": tmp_path / name, "embedder": embedder, "photos_per_chunk": CHUNK}
        if not cluster:
            return read_collection(sources, **how, **words)
        options = ClusterOptions(address=cluster_address, workers=2)
        with photo_workers(
            options, sources, store=tmp_path / name, model=colour_model, embedder=embedder
        ) as elsewhere:
            return read_collection(sources, **how, elsewhere=elsewhere, **words)

    return make


@dataclass
class Opened:
    """See the fixture ``opened``."""

    photographs: int = 0
    after: int = 30
    do: Callable[[], object] | None = None


def same_files(one: Collection, other: Collection) -> None:
    for name in KEPT[1:]:
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    columns = [name for name in one.looked.index.table.column_names if name not in {"root", "mtime_ns"}]
    tables = [read.looked.index.table.select(columns) for read in (one, other)]
    assert tables[0].equals(tables[1])


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Notes what workers opened, and does something after so many photographs."""
    noted = Opened()
    real = PhotosElsewhere.look

    def look(self: PhotosElsewhere, tasks: Any, wanted: Wanted) -> Iterator[Seen]:
        for seen in real(self, tasks, wanted):
            noted.photographs += len(seen.rows)
            yield seen
            if noted.photographs >= noted.after and noted.do is not None:
                do, noted.do = noted.do, None
                do()

    monkeypatch.setattr(PhotosElsewhere, "look", look)
    return noted


def test_a_cluster_leaves_what_one_process_leaves(read: Read) -> None:
    here, there = read("here"), read("there", cluster=True)
    same_files(here, there)
    assert len(there.looked.index.faults()) == 3
    findings = [check_collection(one.looked).to_dict() for one in (here, there)]
    assert findings[0] == findings[1]
    assert {"copies", "corrupt-image"} <= {finding["kind"] for finding in findings[1]["findings"]}


def test_a_killed_worker_changes_nothing(read: Read, opened: Opened) -> None:
    opened.do = lambda: kill_one("PhotoWorker")
    there = read("there", cluster=True)
    assert opened.do is None
    same_files(read("here"), there)


def test_a_stopped_command_goes_on_from_its_chunks(read: Read, opened: Opened) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    opened.do = stop
    with pytest.raises(KeyboardInterrupt):
        read("there", cluster=True)
    before, opened.photographs = opened.photographs, 0
    there, here = read("there", cluster=True), read("here")
    photographs = len(here.looked.index)
    assert CHUNK < before < photographs
    assert opened.photographs == photographs - CHUNK
    assert there.looked.index.column("content_hash") == here.looked.index.column("content_hash")
    assert there.looked.index.fingerprint() == here.looked.index.fingerprint()


def rows_of(folder: Path) -> list[PhotoRow]:
    rows = [
        PhotoRow("photos", str(folder), str(file.relative_to(folder)), file.parent.name)
        for file in sorted(folder.rglob("*.jpg"))
    ]
    for row in rows:
        row.bytes = (folder / row.path).stat().st_size
    return rows


def test_a_photograph_that_only_one_machine_does_not_see_is_no_fault_of_it(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 2})
    seen = look_at(rows_of(folder), WANTED, None)
    _require_same_files("10.0.0.7", rows_of(folder), seen, WANTED)
    seen.rows[1].fault = "storage: No such file or directory"
    with pytest.raises(ClusterError, match=r"10.0.0.7 does not see .*001.jpg as this machine does: storage"):
        _require_same_files("10.0.0.7", rows_of(folder), seen, WANTED)
    seen = look_at(rows_of(folder), WANTED, None)
    seen.rows[0].bytes = 7
    with pytest.raises(ClusterError, match=r"does not see .*000.jpg as this machine does$"):
        _require_same_files("10.0.0.7", rows_of(folder), seen, WANTED)


def test_a_photograph_that_went_away_is_a_fault_of_it(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 2})
    rows = rows_of(folder)
    (folder / rows[0].path).unlink()
    seen = look_at([copy(rows[0])], WANTED, None)
    assert seen.rows[0].fault is not None
    _require_same_files("10.0.0.7", rows[:1], seen, WANTED)


def test_a_machine_that_decodes_or_computes_otherwise_is_refused(tmp_path: Path, colour_model: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 3})
    embedder = bundle_embedder(colour_model)
    wanted = Wanted(DecodeLimits(), network=embedder.tag)
    here, there = (look_at(rows_of(folder), wanted, embedder) for _ in range(2))
    assert here.embedded is not None
    there.rows[0].sharpness = np.nextafter(there.rows[0].sharpness or 0, np.inf)
    there.embedded = here.embedded * np.float16(1.001)
    _require_same_answers("10.0.0.7", rows_of(folder), here, there, wanted)
    there.embedded = -here.embedded
    with pytest.raises(ClusterError, match=r"the network gives something else on 10.0.0.7"):
        _require_same_answers("10.0.0.7", rows_of(folder), here, there, wanted)
    there.rows[2].pixel_hash = "0" * 64
    with pytest.raises(ClusterError, match=r"10.0.0.7 decodes .*002.jpg to something else"):
        _require_same_answers("10.0.0.7", rows_of(folder), here, there, wanted)


def test_machines_that_do_not_see_the_sources_are_named_first(
    sources: list[Path], cluster_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "_size", lambda path: 77)  # of this process only
    options = ClusterOptions(address=cluster_address)
    with (
        pytest.raises(ClusterError, match=r"does not see .*/leaves as this machine does") as caught,
        photo_workers(options, sources, store=tmp_path),
    ):
        pytest.fail("began to work")
    assert "NFS" in caught.value.hint


def test_what_is_unpacked_must_lie_on_shared_storage(sources: list[Path], tmp_path: Path) -> None:
    needs = _needs(sources, tmp_path / "cache", tmp_path / "model")
    assert (needs.seen, needs.shared) == ((sources[0], tmp_path / "model"), (tmp_path / "cache",))
    assert _needs(sources[:1], tmp_path / "cache", None).shared == ()


def test_another_model_under_the_same_name_is_refused(
    sources: list[Path], colour_model: Path, cluster_address: str, tmp_path: Path
) -> None:
    options = ClusterOptions(address=cluster_address)
    ours = bundle_embedder(colour_model)
    with (
        photo_workers(options, sources, store=tmp_path, model=None, embedder=ours) as elsewhere,
        pytest.raises(ClusterError, match="has another model under the name of the built-in one"),
    ):
        read_collection(sources[:1], cache_dir=tmp_path, embedder=ours, elsewhere=elsewhere)


def test_gpus_are_of_no_use(tmp_path: Path) -> None:
    options = ClusterOptions(gpus_per_worker=1)
    with pytest.raises(UsageError, match="on processors"), photo_workers(options, [tmp_path], store=tmp_path):
        pytest.fail("began to work")


def test_a_person_sees_the_same_answer(
    sources: list[Path],
    colour_model: Path,
    cluster_address: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    words = ("check", sources[0], "--against", sources[1], "--model", colour_model, "--json")
    done = []
    for name, on in (("here", ()), ("there", ("--cluster", cluster_address, "--workers", "2"))):
        monkeypatch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path / name))
        done.append(leafsight(*words, *on))
    assert done[0].code == done[1].code == 1
    assert done[0].json == done[1].json
    assert f"reading with 2 workers of the cluster {cluster_address}" in done[1].err
    assert leafsight("check", sources[0], "--workers", "2").code == 2
    lost = leafsight("check", sources[0], "--cluster", "127.0.0.1:1")
    assert (lost.code, lost.out) == (1, "")
    assert "no cluster answers at 127.0.0.1:1" in lost.err


def test_without_a_cluster_nobody_loads_ray(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 30, "healthy": 30})
    assert loaded({"ray"}, "check", folder, "--no-model", "-q") == []
