"""The folder of the answers: decided once, for one command at a time, and done is what is there."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from leafsight.cluster.predicting_chunks import Chunk
from leafsight.cluster.predicting_folder import open_answers
from leafsight.dataset import AnswerFile
from leafsight.errors import ConflictError, LeafsightError, StorageError, UsageError
from leafsight.inference import Prediction

CHUNKS = [Chunk("/a", "a", ("1.jpg", "2.jpg")), Chunk("/a", "a", ("x.tar",), is_shard=True)]
ASKED = {"top": 3, "inputs": ["/a"]}


def a_file() -> bytes:
    file = AnswerFile()
    answer = Prediction.unread(LeafsightError("gone"), None)
    file.add([{"photo": "a/1.jpg", "member": None, **answer.to_dict()}])
    return file.close()


def test_what_was_decided_stays(tmp_path: Path) -> None:
    with open_answers(tmp_path / "out") as folder:
        assert not folder.is_begun
        folder.begin(ASKED, iter(CHUNKS))
    with open_answers(tmp_path / "out") as folder:
        folder.require_same(ASKED)
        manifest = folder.manifest()
        assert [manifest[name] for name in ("chunks", "photographs", "shards")] == [2, 2, 1]
        assert list(folder.chunks()) == list(enumerate(CHUNKS))
        with pytest.raises(ConflictError, match=r"inputs is /b, was /a; top is 4, was 3"):
            folder.require_same({"top": 4, "inputs": ["/b"]})


def peak_bytes(out: Path, chunks: int) -> int:
    """Most memory while so many chunks are written down and read again."""
    many = (Chunk("/a", "a", tuple(f"{n}/{at:09d}.jpg" for at in range(1024))) for n in range(chunks))
    tracemalloc.start()
    try:
        with open_answers(out) as folder:
            folder.begin(ASKED, many)
            assert sum(len(chunk.names) for _, chunk in folder.chunks()) == 1024 * chunks
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_list_is_never_held(tmp_path: Path) -> None:
    peak_bytes(tmp_path / "first", 3)
    few, many = peak_bytes(tmp_path / "few", 3), peak_bytes(tmp_path / "many", 120)
    assert many < 1.5 * few


def test_a_listing_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    def killed() -> Iterator[Chunk]:
        yield CHUNKS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_answers(tmp_path / "out") as folder:
        folder.begin(ASKED, killed())
    with open_answers(tmp_path / "out") as folder:
        assert not folder.is_begun
        folder.begin(ASKED, iter(CHUNKS))
        assert folder.is_begun


def test_a_chunk_is_done_when_its_file_is_whole(tmp_path: Path) -> None:
    with open_answers(tmp_path / "out") as folder:
        folder.begin(ASKED, iter(CHUNKS))
        assert (folder.counts(0), folder.has_answers) == (None, False)
        folder.put(0, a_file())
        assert (folder.counts(0), folder.has_answers) == ({"unreadable": 1}, True)
        (tmp_path / "out" / "answers-000001.parquet").write_bytes(a_file()[:-20])
        assert folder.counts(1) is None


def test_what_a_killed_command_was_writing_goes_away(tmp_path: Path) -> None:
    with open_answers(tmp_path / "out") as folder:
        folder.begin(ASKED, iter(CHUNKS))
    (tmp_path / "out" / ".answers-000000.parquet.abc.part").touch()
    with open_answers(tmp_path / "out"):
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["_leafsight"]


def test_one_command_at_a_time(tmp_path: Path) -> None:
    with (
        open_answers(tmp_path / "out"),
        pytest.raises(ConflictError, match="another command"),
        open_answers(tmp_path / "out"),
    ):
        pytest.fail("two commands write")


def test_a_folder_with_something_else(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(UsageError, match="something else"), open_answers(tmp_path):
        pytest.fail("mixed up")
    with pytest.raises(StorageError), open_answers(tmp_path / "photo.jpg" / "out"):
        pytest.fail("a file is no folder")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]
