"""``leafsight check``: what a person sees, and what is read again."""

from __future__ import annotations

import tarfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from tests.journeys.small_world import draw, leafsight, save_collection

from leafsight.dataset import PhotoIndex, reading


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("check") / "photos")


def check(folder: Path, *words: object):
    return leafsight("check", folder, "--no-model", "--json", "-q", *words)


def kinds(done) -> dict[str, dict]:
    return {finding["kind"]: finding for finding in done.json["findings"]}


def test_it_says_what_is_wrong_and_exits_1(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    (folder / "rust" / "torn.jpg").write_bytes((folder / "rust" / "000.jpg").read_bytes()[:200])
    (folder / "healthy" / "copy.jpg").write_bytes((folder / "healthy" / "000.jpg").read_bytes())
    done = check(folder)
    assert (done.code, done.err) == (1, "")
    assert (done.json["photographs"], done.json["usable"], done.json["is_clean"]) == (8, 7, False)
    found = kinds(done)
    assert found["corrupt-image"]["cases"][0]["photographs"] == ["photos/rust/torn.jpg"]
    assert found["copies"]["cases"][0]["photographs"] == [
        "photos/healthy/000.jpg",
        "photos/healthy/copy.jpg",
    ]
    assert found["copies"]["cases"][0]["kind"] == "exact"
    assert any("no network was asked" in line for line in done.json["not_looked_at"])
    told = leafsight("check", folder, "--no-model", "--fresh")
    assert told.code == 1
    assert "7 of 8 photographs are usable" in told.out
    assert "MEND  1 of 8 (12.5 %) files cannot be used (corrupt image)" in told.out
    assert "reading photos" in told.err


def test_a_collection_without_grave_faults_exits_0(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 30, "healthy": 30})
    assert check(folder).code == 0


def test_a_leak_between_splits_and_the_page(drawn: Path, tmp_path: Path) -> None:
    folder = tmp_path / "split"
    for number, file in enumerate(sorted(drawn.rglob("*.jpg"))):
        place = folder / ("valid" if number % 4 == 0 else "train") / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    leaf = next(f for f in sorted((folder / "train").rglob("*.jpg")) if "Rust" in f.parent.name)
    mirrored = Image.open(leaf).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(folder / "valid" / leaf.parent.name / "planted.jpg", quality=92)
    page = tmp_path / "health.html"
    done = check(folder, "--report", page)
    leak = kinds(done)["leak"]
    assert leak["weight"] == "mend"
    planted = [case for case in leak["cases"] if "planted" in case["photographs"][0]]
    assert planted[0]["kind"] == "flipped"
    HTMLParser().feed(page.read_text())
    assert "data:image/jpeg" in page.read_text()
    assert page.with_suffix(".json").exists()


def test_against_another_collection(drawn: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "leaf"
    other.mkdir(parents=True)
    leaves = [file for file in sorted(drawn.rglob("*.jpg")) if "Rust" in file.parent.name]
    for number, file in enumerate(leaves[:4]):
        Image.open(file).rotate(180).save(other / f"{number}.jpg", quality=88)
    done = check(tmp_path / "other", "--against", drawn)
    found = kinds(done)["elsewhere"]
    assert (done.code, found["count"], found["of"]) == (1, 4, 4)
    assert "in photos" in found["sentence"]
    assert "Rust" in found["cases"][0]["elsewhere"][0]


def test_a_second_run_opens_only_what_changed(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    for file in sorted(drawn.rglob("*.jpg"))[:12]:
        (folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        (folder / file.parent.name / file.name).write_bytes(file.read_bytes())
    opened: list[str] = []
    real = reading.read_photo

    def noted(path: Path, limits: object) -> bytes:
        opened.append(path.name)
        return real(path, limits)

    monkeypatch.setattr(reading, "read_photo", noted)
    first = check(folder)
    assert len(opened) == 12
    opened.clear()
    assert check(folder).json == first.json
    assert opened == []
    Image.new("RGB", (64, 64), (10, 200, 30)).save(next(folder.rglob("*.jpg")).with_name("new.png"))
    assert check(folder).json["photographs"] == 13
    assert opened == ["new.png"]
    opened.clear()
    check(folder, "--fresh")
    assert len(opened) == 13


def test_what_is_kept_between_runs_may_be_damaged_or_gone(drawn: Path, tmp_path: Path) -> None:
    first = check(drawn, "--fresh").json
    kept = sorted((Path.home() / ".cache").rglob("photos-*/index.*"))
    assert kept
    for file in kept:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert check(drawn).json == first


def test_the_network_is_asked_unless_told_otherwise(drawn: Path) -> None:
    done = leafsight("check", drawn, "--json", "-q")
    assert "labels" in done.json
    assert not any("no network" in line for line in done.json["not_looked_at"])


def test_it_keeps_the_index_and_reads_it_back(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    index = tmp_path / "kept.parquet"
    assert check(folder, "--index", index).code == 0
    assert len(PhotoIndex.load(index)) == 6
    assert check(index).json["photographs"] == 6


def test_a_saved_index_whose_photographs_are_gone(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    check(folder, "--index", tmp_path / "kept.parquet")
    folder.rename(tmp_path / "elsewhere")
    done = check(tmp_path / "kept.parquet")
    assert done.code == 1
    assert "none of the photographs of this index is there any more" in done.err


def test_a_page_must_be_a_page(drawn: Path, tmp_path: Path) -> None:
    done = check(drawn, "--report", tmp_path / "report.pdf")
    assert done.code == 2
    assert "must end in .html" in done.err


def test_limits_of_the_settings_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 3, "healthy": 3})
    (folder / "rust" / "000.jpg").write_bytes(b"\xff\xd8" + b"\0" * 4000)
    monkeypatch.setenv("LEAFSIGHT_MAX_IMAGE_BYTES", "3000")
    assert "image-too-large" in kinds(check(folder))


def test_an_archive_leaves_nothing_where_the_person_stands(tmp_path: Path) -> None:
    folder = save_collection(tmp_path / "photos", {"rust": 2, "healthy": 2})
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        archive.add(folder, "photos")
    (tmp_path / "here").mkdir()
    words = ("--no-model", "--json", "-q")
    done = leafsight("check", tmp_path / "photos.tar", *words, folder=tmp_path / "here")
    assert done.json["usable"] == 4
    assert list((tmp_path / "here").iterdir()) == []
