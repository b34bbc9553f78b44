from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leafsight.bundle import BundleContents, open_bundle, write_bundle
from leafsight.errors import (
    BundleCorruptError,
    BundleError,
    BundleMismatchError,
    BundleVersionError,
    LeafsightError,
    PermissionDeniedError,
)

Make = Callable[..., BundleContents]
PARTS = (
    "network.onnx",
    "metrics.json",
    "provenance.json",
    "recipe.toml",
    "card.md",
    "cam_weight.npy",
    "cam_bias.npy",
    "calibration/quantiles.npy",
)


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def rezip(source: Path, target: Path, **changes: Any) -> None:
    """The archive again with parts replaced (bytes), left out (None) or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        files = {entry.filename: old.read(entry) for entry in old.infolist()} | changes.pop("files", {})
        for name, data in files.items():
            if data is not None:
                new.writestr(zipfile.ZipInfo(name), data, **changes)


@pytest.mark.parametrize("part", PARTS)
def test_an_altered_part_is_named(bundle_folder: Path, part: str) -> None:
    path = bundle_folder / part
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleCorruptError, match=part) as caught:
        open_bundle(bundle_folder)
    assert str(bundle_folder) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("part", PARTS)
def test_a_shortened_part_is_named(bundle_folder: Path, part: str) -> None:
    os.truncate(bundle_folder / part, (bundle_folder / part).stat().st_size - 1)
    with pytest.raises(BundleCorruptError, match=part):
        open_bundle(bundle_folder)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_named(bundle_folder: Path, part: str) -> None:
    (bundle_folder / part).unlink()
    with pytest.raises(BundleCorruptError, match=part):
        open_bundle(bundle_folder)


@pytest.mark.parametrize("part", PARTS)
def test_an_altered_part_of_an_archive_is_named(bundle_file: Path, part: str) -> None:
    data = bytearray(bundle_file.read_bytes())
    with zipfile.ZipFile(bundle_file) as archive:
        entry = archive.getinfo(part)
    data[entry.header_offset + 30 + len(part) + entry.file_size - 1] ^= 1
    bundle_file.write_bytes(data)
    with pytest.raises(BundleCorruptError, match=part):
        open_bundle(bundle_file)


def test_an_altered_archive_with_right_crc_is_found_by_its_sha256(bundle_file: Path, tmp_path: Path) -> None:
    rezip(bundle_file, tmp_path / "x", files={"card.md": b"# smaLl\n"})
    with pytest.raises(BundleCorruptError, match=r"card\.md was altered"):
        open_bundle(tmp_path / "x")


def test_a_longer_part_is_found_without_reading_all_of_it(bundle_folder: Path) -> None:
    with (bundle_folder / "card.md").open("ab") as file:
        file.write(b"x" * 10)
    with pytest.raises(BundleCorruptError, match=r"card\.md has more than 8 bytes"):
        open_bundle(bundle_folder)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_never_opened(bundle_file: Path, tmp_path: Path, share: float) -> None:
    data = bundle_file.read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BundleError):
        open_bundle(tmp_path / "cut")


def test_a_file_cut_inside_a_part_names_that_part(bundle_file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle_file) as archive:
        middle = archive.getinfo("network.onnx").header_offset + 500
    (tmp_path / "cut").write_bytes(bundle_file.read_bytes()[:middle])
    with pytest.raises(BundleCorruptError, match=r"cut short inside 'network\.onnx'"):
        open_bundle(tmp_path / "cut")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), value=st.integers(1, 255))
def test_one_wrong_byte_is_refused_or_changes_nothing(
    bundle_file: Path, tmp_path: Path, place: int, value: int
) -> None:
    wanted = open_bundle(bundle_file)
    data = bytearray(bundle_file.read_bytes())
    data[place % len(data)] ^= value
    (tmp_path / "flipped").write_bytes(data)
    try:
        found = open_bundle(tmp_path / "flipped")
    except BundleError:
        return
    assert found.content_hash == wanted.content_hash
    assert all(found.read(part) == wanted.read(part) for part in wanted.manifest.parts)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), head=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x80\x04"]))
def test_random_bytes_give_our_error(tmp_path: Path, data: bytes, head: bytes) -> None:
    (tmp_path / "x").write_bytes(head + data)
    with pytest.raises(BundleError):
        open_bundle(tmp_path / "x")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle at") as caught:
        open_bundle(tmp_path / "absent.leafsight")
    assert caught.value.hint


def test_a_refusal_of_the_system_is_our_error(bundle_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(PermissionDeniedError, match=r"file\.leafsight"):
        open_bundle(bundle_file)
    monkeypatch.setattr(Path, "is_dir", refused)
    with pytest.raises(PermissionDeniedError):
        open_bundle(bundle_file)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 a jpeg", b"\x80\x04\x95 a pickle"])
def test_something_else_is_no_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    with pytest.raises(BundleError) as caught:
        open_bundle(tmp_path / "photo.jpg")
    assert not isinstance(caught.value, BundleCorruptError)
    assert "photo.jpg" in caught.value.message


def test_a_folder_of_something_else_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        open_bundle(tmp_path)


def test_an_archive_of_something_else_is_no_bundle(bundle_file: Path, tmp_path: Path) -> None:
    rezip(bundle_file, tmp_path / "x", files={"manifest.json": b'{"format": "other"}'})
    with pytest.raises(BundleError, match="format 'other'"):
        open_bundle(tmp_path / "x")
    rezip(bundle_file, tmp_path / "y", files={"manifest.json": None})
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        open_bundle(tmp_path / "y")


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "calibration/../../x.npy", "C:\\x", "x.pkl"])
def test_unknown_and_climbing_names_are_refused(bundle_file: Path, tmp_path: Path, name: str) -> None:
    rezip(bundle_file, tmp_path / "x", files={name: b"x"})
    with pytest.raises(BundleCorruptError, match="not a part of a bundle"):
        open_bundle(tmp_path / "x")


def test_a_known_part_that_the_manifest_does_not_name_is_refused(bundle_folder: Path) -> None:
    (bundle_folder / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(BundleCorruptError, match=r"weights\.safetensors"):
        open_bundle(bundle_folder)


def test_compressed_parts_are_refused(bundle_file: Path, tmp_path: Path) -> None:
    rezip(bundle_file, tmp_path / "x", compress_type=zipfile.ZIP_DEFLATED)
    with pytest.raises(BundleCorruptError, match="compressed"):
        open_bundle(tmp_path / "x")


def test_a_part_twice_is_refused(bundle_file: Path) -> None:
    with zipfile.ZipFile(bundle_file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("card.md", b"# small\n")
    with pytest.raises(BundleCorruptError, match="twice"):
        open_bundle(bundle_file)


def test_bytes_before_or_behind_the_archive_are_refused(bundle_file: Path, tmp_path: Path) -> None:
    data = bundle_file.read_bytes()
    for changed in (data + b"x", data[:4] + data, b"x" + data):
        (tmp_path / "x").write_bytes(changed)
        with pytest.raises(BundleError):
            open_bundle(tmp_path / "x")


def test_an_archive_of_very_many_entries_is_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        for number in range(100):
            archive.writestr(f"calibration/a{number}.npy", b"")
    with pytest.raises(BundleCorruptError, match="table of contents"):
        open_bundle(tmp_path / "x")


def test_links_inside_a_folder_are_refused(bundle_folder: Path, tmp_path: Path) -> None:
    shutil.move(bundle_folder / "card.md", tmp_path / "outside.md")
    (bundle_folder / "card.md").symlink_to(tmp_path / "outside.md")
    with pytest.raises(BundleCorruptError, match=r"card\.md is a link"):
        open_bundle(bundle_folder)


def test_a_future_version_says_how_to_update(bundle_folder: Path) -> None:
    edit_manifest(bundle_folder, lambda m: m.update(format_version=2, new_things=[1]))
    with pytest.raises(BundleVersionError, match="version 2") as caught:
        open_bundle(bundle_folder)
    assert "pip install --upgrade" in caught.value.hint


@pytest.mark.parametrize("version", [0, -1, "1", None, True, 1.5])
def test_a_version_that_never_was_is_a_fault(bundle_folder: Path, version: object) -> None:
    edit_manifest(bundle_folder, lambda m: m.update(format_version=version))
    with pytest.raises(BundleCorruptError, match="format_version"):
        open_bundle(bundle_folder)


def test_all_faults_of_a_manifest_are_listed(bundle_folder: Path) -> None:
    def spoil(manifest: dict[str, Any]) -> None:
        manifest["labels"][1]["display"] = 5
        manifest["labels"][0]["is_leaf"] = "yes"
        manifest["parts"]["card.md"]["sha256"] = "abc"
        manifest["parts"]["network.onnx"]["size_bytes"] = 10**12
        manifest["calibrations"] = manifest.pop("calibration")
        manifest["network"]["input"]["shape"] = [None, "8", 8, 3]
        del manifest["parts"]["recipe.toml"]

    edit_manifest(bundle_folder, spoil)
    with pytest.raises(BundleCorruptError) as caught:
        open_bundle(bundle_folder)
    message = caught.value.message
    for key in (
        "labels[1].display",
        "labels[0].is_leaf",
        "parts.card.md.sha256",
        "parts.network.onnx.size_bytes",
        "calibrations",
        "network.input.shape",
        "recipe.toml",
    ):
        assert key in message
    assert "did you mean 'calibration'" in message


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"format": NaN}', "[" * 100_000, "\xff"])
def test_a_manifest_that_is_no_table(bundle_folder: Path, text: str) -> None:
    (bundle_folder / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=r"manifest\.json"):
        open_bundle(bundle_folder)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from(["name", "labels", "preprocessing", "calibration", "network", "parts"]),
    value=json_values,
)
def test_any_value_in_a_manifest_is_read_or_refused_with_our_error(
    bundle_folder: Path, key: str, value: object
) -> None:
    original = (bundle_folder / "manifest.json").read_bytes()
    try:
        edit_manifest(bundle_folder, lambda m: m.update({key: value}))
        try:
            open_bundle(bundle_folder)
        except LeafsightError as error:
            assert isinstance(error, BundleError)  # noqa: PT017
    finally:
        (bundle_folder / "manifest.json").write_bytes(original)


def test_a_part_that_changes_after_opening_is_found_when_read(bundle_folder: Path) -> None:
    bundle = open_bundle(bundle_folder)
    (bundle_folder / "network.onnx").write_bytes(b"ONNX" * 500)
    with pytest.raises(BundleCorruptError, match=r"network\.onnx was altered"):
        bundle.network()


def test_a_kept_network_is_read_once_and_handed_over_once(bundle_folder: Path) -> None:
    wanted = open_bundle(bundle_folder).network()
    bundle = open_bundle(bundle_folder, keep_network=True)
    (bundle_folder / "network.onnx").unlink()
    assert bundle.network() == wanted
    with pytest.raises(LeafsightError, match=r"network\.onnx"):
        bundle.network()


def test_a_part_that_is_not_there_cannot_be_read(bundle_path: Path) -> None:
    with pytest.raises(BundleError, match="no part"):
        open_bundle(bundle_path).read("../../etc/passwd")


def test_cam_head_must_fit(tmp_path: Path, contents: Make) -> None:
    write_bundle(tmp_path / "x", contents(cam_weight=np.zeros((4, 3))))
    with pytest.raises(BundleCorruptError, match=r"cam_weight\.npy"):
        open_bundle(tmp_path / "x")


def test_no_cam_head(tmp_path: Path, contents: Make) -> None:
    write_bundle(tmp_path / "x", contents(cam_weight=None, cam_bias=None))
    assert open_bundle(tmp_path / "x").cam_head() is None


def test_class_lists_are_compared(bundle_path: Path) -> None:
    bundle = open_bundle(bundle_path)
    bundle.require_classes(list(bundle.classes))
    for wanted, word in (
        (["Rust", *bundle.classes], "does not know 'Rust'"),
        (bundle.classes[:2], "knows 'Background_without_leaves' besides"),
        (bundle.classes[::-1], "order differs from class 0"),
        ((*bundle.classes, bundle.classes[0]), "given twice"),
        ([str(n) for n in range(9)], "and 4 more"),
    ):
        with pytest.raises(BundleMismatchError, match=word):
            bundle.require_classes(wanted)
