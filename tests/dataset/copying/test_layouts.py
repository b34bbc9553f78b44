from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

from tests.dataset.copying.file_tree import tree

from leafsight.dataset import PhotoIndex
from leafsight.dataset.copying.layouts import shard_bytes, write_folders, write_shards
from leafsight.dataset.copying.options import CopyOptions
from leafsight.dataset.copying.planning import Planned, plan_copy
from leafsight.progress import Silent

Indexed = Callable[..., PhotoIndex]


def plan(index: PhotoIndex) -> list[Planned]:
    return plan_copy(index, range(len(index)))[0]


def small_shards(planned: list[Planned], members: int) -> CopyOptions:
    """Options that put this many photographs into a shard."""
    limit = members * max(map(shard_bytes, planned)) + tarfile.RECORDSIZE
    return CopyOptions.model_construct(layout="shards", max_shard_bytes=limit)


def test_folders_hold_every_photograph_under_its_name(indexed: Indexed, tmp_path: Path) -> None:
    planned = plan(indexed({"rust": 3, "fine": 2}, splits="train test"))
    (tmp_path / "out").mkdir()
    written = write_folders(planned, tmp_path / "out", CopyOptions(link="copy"), Silent())
    assert written.linked == 0
    assert tree(tmp_path / "out") == {one.path: one.file.read_bytes() for one in written.photos}
    assert {one.path.split("/")[0] for one in written.photos} == {"train", "test"}


def test_shards_are_bounded_mixed_and_the_same_again(indexed: Indexed, tmp_path: Path) -> None:
    planned = plan(indexed({"rust": 5, "fine": 5}, splits="train train train train test"))
    options = small_shards(planned, 3)
    for name, order in (("a", planned), ("b", planned[::-1])):
        (tmp_path / name).mkdir()
        written = write_shards(order, tmp_path / name, options, Silent())
        assert len(written.photos) == 10
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    shards = tree(tmp_path / "a")
    assert sorted(shards) == ["test-000000.tar", "train-000000.tar", "train-000001.tar", "train-000002.tar"]
    assert all(len(data) <= options.max_shard_bytes for data in shards.values())
    labels, keys = [], []
    for name in sorted(shards):
        with tarfile.open(tmp_path / "a" / name) as tar:
            members = tar.getmembers()
            assert {(info.mtime, info.uid, info.gid, info.uname) for info in members} == {(0, 0, 0, "")}
            assert [info.name.split(".")[1] for info in members] == ["cls", "jpg", "json"] * (
                len(members) // 3
            )
            for info in members[2::3]:
                file = tar.extractfile(info)
                assert file is not None
                told = json.load(file)
                labels.append(told["class_name"])
                keys.append((told["split"], info.name))
                assert told["source_path"].startswith("photos/")
    assert len(set(keys)) == 10
    assert labels not in (sorted(labels), sorted(labels, reverse=True))


def test_a_photograph_larger_than_a_shard_has_its_own(indexed: Indexed, tmp_path: Path) -> None:
    planned = plan(indexed({"rust": 3}))
    options = CopyOptions.model_construct(layout="shards", max_shard_bytes=1)
    written = write_shards(planned, tmp_path, options, Silent())
    assert sorted(written.files) == [f"photos-00000{number}.tar" for number in range(3)]


def test_what_changed_meanwhile_is_noted_and_leaves_no_half_sample(indexed: Indexed, tmp_path: Path) -> None:
    planned = plan(indexed({"rust": 3}))
    planned[0].file.write_bytes(b"another")
    planned[1].file.unlink()
    (tmp_path / "out").mkdir()
    written = write_shards(planned, tmp_path / "out", CopyOptions(layout="shards"), Silent())
    assert [one.kind for one in sorted(written.left_out, key=lambda one: one.source_path)] == [
        "changed",
        "gone",
    ]
    with tarfile.open(tmp_path / "out" / "photos-000000.tar") as tar:
        assert len({name.split(".")[0] for name in tar.getnames()}) == 1
        assert len(tar.getnames()) == 3
