from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leafsight.bundle import BundleContents, Label, open_bundle, write_bundle
from leafsight.errors import BundleError, DiskFullError

Make = Callable[..., BundleContents]


def test_what_was_written_is_read_back(bundle_path: Path, contents: Make) -> None:
    bundle, given = open_bundle(bundle_path), contents()
    assert bundle.name == "small"
    assert bundle.labels == given.labels
    assert bundle.classes == ("Apple___Apple_scab", "Apple___healthy", "Background_without_leaves")
    assert bundle.preprocessing == {"version": 1, "side_px": 8, "mean": [127.5, 127.5, 127.5]}
    assert bundle.network_spec == given.network_spec
    assert bundle.network() == given.network
    assert bundle.calibration == {"temperature": 1.25}
    np.testing.assert_array_equal(
        bundle.calibration_arrays()["quantiles"], np.float32([0, 0.25, 0.5, 0.75, 1])
    )
    weight, bias = bundle.cam_head() or (None, None)
    np.testing.assert_array_equal(weight, np.arange(12, dtype=np.float32).reshape(3, 4))
    np.testing.assert_array_equal(bias, np.zeros(3, np.float32))
    assert bundle.metrics == {"accuracy": 0.5}
    assert bundle.provenance == {"seed": 7}
    assert bundle.recipe == 'title = "größer"\n'
    assert bundle.card == "# small\n"
    assert bundle.weights() is None
    assert bundle.size_bytes == sum(len(data) for data in given.part_bytes().values())


def test_equal_contents_give_equal_bytes_and_hash(tmp_path: Path, contents: Make) -> None:
    first = write_bundle(tmp_path / "a.leafsight", contents())
    second = write_bundle(tmp_path / "b.leafsight", contents())
    assert (tmp_path / "a.leafsight").read_bytes() == (tmp_path / "b.leafsight").read_bytes()
    assert first.content_hash == second.content_hash == open_bundle(tmp_path / "b.leafsight").content_hash


def test_file_and_folder_have_the_same_hash(bundle_file: Path, bundle_folder: Path) -> None:
    assert open_bundle(bundle_file).content_hash == open_bundle(bundle_folder).content_hash


@pytest.mark.parametrize(
    "change",
    [
        {"network": b"other"},
        {"name": "other"},
        {"card": "other"},
        {"calibration": {"temperature": 1.5}},
        {"cam_bias": np.ones(3)},
        {"weights": b"tensors"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_change_of_contents_changes_the_hash(
    tmp_path: Path, contents: Make, change: dict[str, Any]
) -> None:
    before = write_bundle(tmp_path / "a.leafsight", contents()).content_hash
    assert write_bundle(tmp_path / "b.leafsight", contents(**change)).content_hash != before


def test_the_archive_is_plain_and_without_times(bundle_file: Path, contents: Make) -> None:
    with zipfile.ZipFile(bundle_file) as archive:
        entries = archive.infolist()
        assert archive.testzip() is None
    assert [entry.filename for entry in entries] == ["manifest.json", *contents().part_bytes()]
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_the_manifest_names_size_and_sha256_of_each_part(bundle_folder: Path, contents: Make) -> None:
    manifest = open_bundle(bundle_folder).manifest
    for name, data in contents().part_bytes().items():
        assert manifest.parts[name].sha256 == hashlib.sha256(data).hexdigest()
        assert manifest.parts[name].size_bytes == len(data)


def test_torch_weights_travel_along_when_given(tmp_path: Path, contents: Make) -> None:
    write_bundle(tmp_path / "w.leafsight", contents(weights=b"safetensors"))
    assert open_bundle(tmp_path / "w.leafsight").weights() == b"safetensors"


def test_all_faults_of_the_contents_are_named_and_nothing_is_written(tmp_path: Path, contents: Make) -> None:
    twice = (Label("a", "x/a", "x", "a", "A"), Label("a", "x/b", "x", "b", ""))
    with pytest.raises(BundleError) as caught:
        write_bundle(tmp_path / "x.leafsight", contents(labels=twice, name=""))
    assert "name" in str(caught.value)
    assert "labels[1].display" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"labels": ()}, "labels"),
        ({"labels": (Label("a", "k", None, None, "A"),) * 3}, "more than once"),
        ({"preprocessing": {"side_px": 9}}, "network.input"),
        ({"calibration": {"temperature": float("nan")}}, "JSON"),
        ({"metrics": {"accuracy": float("inf")}}, "metrics"),
        ({"provenance": {"path": Path("x")}}, "provenance"),
        ({"calibration_arrays": {"../evil": np.zeros(1)}}, "evil"),
    ],
)
def test_contents_that_do_not_fit_are_refused(
    tmp_path: Path, contents: Make, change: dict[str, Any], word: str
) -> None:
    with pytest.raises(BundleError, match=word):
        write_bundle(tmp_path / "x.leafsight", contents(**change))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bundle_is_replaced_and_no_leavings_stay(bundle_path: Path, contents: Make) -> None:
    write_bundle(bundle_path, contents(name="newer"), as_folder=bundle_path.is_dir())
    assert open_bundle(bundle_path).name == "newer"
    assert [found.name for found in bundle_path.parent.iterdir()] == [bundle_path.name]


def test_a_full_disk_leaves_the_old_bundle_as_it_was(
    bundle_path: Path, contents: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leafsight.storage.atomic.os.fsync", full)
    with pytest.raises(DiskFullError):
        write_bundle(bundle_path, contents(name="newer"), as_folder=bundle_path.is_dir())
    assert open_bundle(bundle_path).name == "small"
    assert [found.name for found in bundle_path.parent.iterdir()] == [bundle_path.name]


def test_a_folder_that_cannot_be_swapped_in_leaves_the_old_one(
    bundle_folder: Path, contents: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(DiskFullError):
        write_bundle(bundle_folder, contents(name="newer"), as_folder=True)
    assert open_bundle(bundle_folder).name == "small"
    assert [found.name for found in bundle_folder.parent.iterdir()] == [bundle_folder.name]


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path, contents: Make) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    for as_folder in (True, False):
        with pytest.raises(BundleError, match="photos"):
            write_bundle(tmp_path / "photos", contents(), as_folder=as_folder)
    assert (tmp_path / "photos" / "a.jpg").read_bytes() == b"x"
