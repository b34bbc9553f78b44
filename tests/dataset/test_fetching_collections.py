"""From an address to class folders, against a server that fails, stalls and lies."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.fakes.lying_server import Server, serving
from tests.fakes.made_archives import LICENCE, cifar_batch, leaf_zip, photo, tarred, zipped

from leafsight.dataset import ArchiveLimits, index_photos, read_leaf_map
from leafsight.dataset.fetching import Collection, Fetched, FetchOptions, fetch_collection
from leafsight.errors import DatasetError, DiskFullError, StorageError, UsageError
from leafsight.storage import DownloadOptions

QUICK = DownloadOptions(retries=2, first_wait_s=0.0, stall_s=5.0)
KEEP = "wrap/(.+)"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def a_file(url: str, content: bytes | None = None, name: str = "a.zip", **more: Any) -> dict[str, Any]:
    known = {} if content is None else {"sha256": hashlib.sha256(content).hexdigest()}
    return {"name": name, "urls": (url,), "keep": KEEP, **known, **more}


def collection(*files: dict[str, Any], **more: Any) -> Collection:
    values = {"name": "leaves", "title": "Leaves", "licence": LICENCE, "files": files, **more}
    return Collection.model_validate(values)


def fetch(wanted: Collection, folder: Path, **more: Any) -> Fetched:
    options = {"licence_accepted": True, "download": QUICK, **more}
    return fetch_collection(wanted, folder, FetchOptions.model_validate(options))


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def names_csv(folder: Path) -> dict[str, str]:
    with (folder / "names.csv").open(encoding="utf-8", newline="") as file:
        return {row["original"]: row["path"] for row in csv.DictReader(file)}


def test_class_folders_with_their_papers(server: Server, tmp_path: Path) -> None:
    content = leaf_zip()
    wanted = collection(a_file(server.put("/a", content), content, checksum_source="the publisher"))
    fetched = fetch(wanted, tmp_path / "leaves")
    assert (fetched.is_new, fetched.photographs, fetched.classes) == (True, 6, {"healthy": 3, "rust": 3})
    assert fetched.files[0].known_from == "the publisher"
    beside = {name for name in files_below(tmp_path / "leaves") if "/" not in name}
    assert beside == {"LICENCE.txt", "SOURCE.md", "fetched.json", "names.csv"}
    assert "CC BY 4.0" in (tmp_path / "leaves" / "LICENCE.txt").read_text()
    source = (tmp_path / "leaves" / "SOURCE.md").read_text()
    assert fetched.files[0].sha256 in source
    assert "known from: the publisher" in source
    assert [path.name for path in tmp_path.iterdir()] == ["leaves"]
    index = index_photos(tmp_path / "leaves")
    assert len(index.usable()) == 6
    assert not any("no class folder" in note for note in index.notes)


def test_a_second_fetch_verifies_and_does_nothing(server: Server, tmp_path: Path) -> None:
    content = leaf_zip()
    wanted = collection(a_file(server.put("/a", content), content))
    first = fetch(wanted, tmp_path / "leaves")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "leaves").rglob("*")}
    again = fetch_collection(wanted, tmp_path / "leaves")
    assert not again.is_new
    assert {**again.to_dict(), "is_new": True} == first.to_dict()
    assert len(server.asked) == 1
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "leaves").rglob("*")} == times


@pytest.mark.parametrize("damage", ["remove", "change", "shorten", "names", "record"])
def test_a_changed_collection_is_said_and_not_touched(server: Server, tmp_path: Path, damage: str) -> None:
    wanted = collection(a_file(server.put("/a", leaf_zip())))
    fetch(wanted, tmp_path / "leaves")
    victim = tmp_path / "leaves" / "rust" / "leaf 1.jpg"
    if damage == "remove":
        victim.unlink()
    elif damage == "names":
        (tmp_path / "leaves" / "names.csv").write_text("original,path,bytes,sha256\n")
    elif damage == "record":
        (tmp_path / "leaves" / "fetched.json").write_text("[]")
    else:
        data = victim.read_bytes()
        victim.write_bytes(data[:-1] + b"x" if damage == "change" else data[:-1])
    before = files_below(tmp_path)
    with pytest.raises((DatasetError, StorageError), match=r"leaf 1|names\.csv|fetched\.json") as caught:
        fetch(wanted, tmp_path / "leaves")
    assert "fetch" in caught.value.hint
    assert files_below(tmp_path) == before


def test_nothing_is_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "leaves").mkdir()
    wanted = collection(a_file(server.put("/a", leaf_zip())))
    fetch(wanted, tmp_path / "leaves")
    with pytest.raises(DatasetError, match="holds the collection 'leaves'"):
        fetch(collection(a_file(server.url("/a")), name="others"), tmp_path / "leaves")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(DatasetError, match="there already"):
        fetch(wanted, tmp_path / "mine")
    assert files_below(tmp_path / "mine") == ["thesis.txt"]


def test_without_the_licence_nothing_is_asked_for(server: Server, tmp_path: Path) -> None:
    wanted = collection(a_file(server.put("/a", leaf_zip())))
    with pytest.raises(UsageError, match="CC BY") as caught:
        fetch_collection(wanted, tmp_path / "leaves")
    assert "--accept-licence" in caught.value.hint
    assert server.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_killed_fetch_goes_on(server: Server, tmp_path: Path) -> None:
    content = zipped({f"wrap/rust/{n}.jpg": photo(n, 60) for n in range(9)})
    url = server.put("/a", content, break_after=[2000, 0, 0, 0])
    wanted = collection(a_file(url, content))
    with pytest.raises(StorageError, match="ended after"):
        fetch(wanted, tmp_path / "leaves")
    assert not (tmp_path / "leaves").exists()
    for leftover in ("unpacked", "collection"):  # as a kill while unpacking leaves them
        (tmp_path / "leaves.fetching" / leftover / "rust").mkdir(parents=True)
        (tmp_path / "leaves.fetching" / leftover / "rust" / "half.jpg").write_bytes(b"half")
    assert fetch(wanted, tmp_path / "leaves").photographs == 9
    assert not list(tmp_path.rglob("half.jpg"))
    assert server.ranges("/a")[-1] == "bytes=2000-"
    assert [path.name for path in tmp_path.iterdir()] == ["leaves"]


def test_a_finished_download_is_not_repeated(server: Server, tmp_path: Path) -> None:
    good = leaf_zip()
    files = (a_file(server.put("/a", good)), a_file(server.url("/b"), name="b.zip", keep="(more/.+)"))
    with pytest.raises(StorageError, match="404"):
        fetch(collection(*files), tmp_path / "leaves")
    server.put("/b", zipped({"more/rust2/1.jpg": photo(77)}))
    assert fetch(collection(*files), tmp_path / "leaves").photographs == 7
    assert server.ranges("/a") == [""]


def test_what_another_collection_left_is_not_used(server: Server, tmp_path: Path) -> None:
    files = (a_file(server.put("/a", leaf_zip())), a_file(server.url("/gone"), name="b.zip"))
    with pytest.raises(StorageError):
        fetch(collection(*files, name="first"), tmp_path / "leaves")
    server.put("/a", zipped({"wrap/x/1.jpg": photo(5)}))
    assert fetch(collection(files[0], name="second"), tmp_path / "leaves").photographs == 1


def test_two_at_once_are_kept_apart(server: Server, tmp_path: Path) -> None:
    from leafsight.dataset.fetching.one_at_a_time import only_one

    work = tmp_path / "leaves.fetching"
    work.mkdir()
    with only_one(work), pytest.raises(DatasetError, match="another fetch"):
        fetch(collection(a_file(server.put("/a", leaf_zip()))), tmp_path / "leaves")
    assert fetch(collection(a_file(server.url("/a"))), tmp_path / "leaves").is_new


def test_first_use_is_trusted_and_a_change_is_noticed(server: Server, tmp_path: Path) -> None:
    hashes = tmp_path / "hashes.json"
    url = server.put("/a", leaf_zip())
    wanted = collection(a_file(url))
    assert fetch(wanted, tmp_path / "one", known_hashes=hashes).files[0].known_from == ""
    assert "trusted on first use" in (tmp_path / "one" / "SOURCE.md").read_text()
    assert fetch(wanted, tmp_path / "two", known_hashes=hashes).files[0].known_from.startswith("the first")
    newer = leaf_zip(4)
    server.put("/a", newer)
    with pytest.raises(StorageError, match="it had") as caught:
        fetch(wanted, tmp_path / "three", known_hashes=hashes)
    digest = hashlib.sha256(newer).hexdigest()
    assert f"--trust {digest}" in caught.value.hint
    trusted = fetch(wanted, tmp_path / "three", known_hashes=hashes, trusted_sha256=(digest,))
    assert "--trust" in trusted.files[0].known_from
    assert fetch(wanted, tmp_path / "four", known_hashes=hashes).photographs == 8
    hashes.write_text(json.dumps(dict.fromkeys(json.loads(hashes.read_text()), 3)))
    with pytest.raises(StorageError, match="damaged"):
        fetch(wanted, tmp_path / "five", known_hashes=hashes)


def test_a_hash_of_the_catalogue_holds_unless_another_is_trusted(server: Server, tmp_path: Path) -> None:
    content = leaf_zip()
    wanted = collection(a_file(server.put("/a", content), b"what it was"))
    with pytest.raises(StorageError, match="SHA-256"):
        fetch(wanted, tmp_path / "leaves")
    assert not (tmp_path / "leaves").exists()
    digest = hashlib.sha256(content).hexdigest()
    assert fetch(wanted, tmp_path / "leaves", trusted_sha256=(digest,)).is_new


def test_room_for_all_of_it_is_looked_for_first(server: Server, tmp_path: Path) -> None:
    wanted = collection(a_file(server.put("/a", leaf_zip())), unpacked_bytes=1 << 60)
    with pytest.raises(DiskFullError, match="free"):
        fetch(wanted, tmp_path / "leaves")
    assert server.asked == []


HOSTILE = [
    (zipped({"wrap/../../evil.jpg": b"x"}), "leads outside"),
    (zipped({"/wrap/evil.jpg": b"x"}), "absolute"),
    (tarred({"wrap/a/1.jpg": b"x"}, link="wrap/a/2.jpg"), "link"),
    (b"PK\x03\x04 torn", "damaged"),
    (leaf_zip()[:-40], "damaged"),
    (zipped({"elsewhere/a/1.jpg": b"x"}), "none of the photographs"),
]


@pytest.mark.parametrize(("content", "said"), HOSTILE)
def test_a_hostile_archive_leaves_no_collection(
    server: Server, tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(DatasetError, match=said):
        fetch(collection(a_file(server.put("/a", content))), tmp_path / "leaves")
    assert not (tmp_path / "leaves").exists()
    kept = {name.split("/")[1] for name in files_below(tmp_path)}
    assert kept <= {"downloads", "lock", "collection.txt"}


def test_a_bomb_stops_early(server: Server, tmp_path: Path) -> None:
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(8):
            packed.writestr(f"wrap/a/{number}.jpg", bytes(1_000_000))
    wanted = collection(a_file(server.put("/a", out.getvalue())))
    for limits in (
        ArchiveLimits(max_file_bytes=2_000_000, max_ratio=100.0),
        ArchiveLimits(max_file_bytes=1000),
    ):
        with pytest.raises(DatasetError, match="more than is allowed") as caught:
            fetch(wanted, tmp_path / "leaves", limits=limits)
        assert "bomb" in caught.value.hint


def test_a_login_page_is_not_unpacked(server: Server, tmp_path: Path) -> None:
    url = server.put("/a", b"<html><form>Log in</form></html>", kind="text/html")
    with pytest.raises(StorageError, match="web page"):
        fetch(collection(a_file(url)), tmp_path / "leaves")


def test_names_that_windows_cannot_write(server: Server, tmp_path: Path) -> None:
    originals = [
        "wrap/Bell_pepper leaf/IMG_1629.JPG?1507122477.jpg",
        "wrap/Corn spot/show_picture.asp?id=a&w2=420.jpg",
        'wrap/Corn spot/a<b>c:d"e|f*g.jpg',
        "wrap/Corn spot/nul.jpg",
        "wrap/Corn spot/Leaf.JPG",
        "wrap/Corn spot/leaf.jpg",
        "wrap/Corn spot./trailing .jpg",
        "wrap/Corn spot/" + "x" * 230 + ".jpg",
    ]
    content = zipped({name: photo(n) for n, name in enumerate(originals)})
    fetched = fetch(collection(a_file(server.put("/a", content))), tmp_path / "leaves")
    names = names_csv(tmp_path / "leaves")
    assert set(names) == {name.removeprefix("wrap/") for name in originals}
    assert len({path.lower() for path in names.values()}) == len(originals)
    assert all((tmp_path / "leaves" / path).is_file() for path in names.values())
    assert not any(set('<>:"|?*\\') & set(path) for path in names.values())
    assert all(
        len(part) <= 200 and not part.endswith((".", " ")) for p in names.values() for part in p.split("/")
    )
    assert fetched.renamed == 7
    backwards = zipped({name: photo(n) for n, name in reversed(list(enumerate(originals)))})
    fetch(collection(a_file(server.put("/b", backwards))), tmp_path / "again")
    assert names_csv(tmp_path / "again") == names


def test_files_with_the_names_of_our_papers_and_litter(server: Server, tmp_path: Path) -> None:
    inside = {"source.MD": b"theirs", "LICENSE.txt": b"by", "a/1.jpg": photo(1), "__MACOSX/a/._1.jpg": b"m"}
    content = zipped({f"wrap/{name}": data for name, data in inside.items()})
    fetched = fetch(collection(a_file(server.put("/a", content))), tmp_path / "leaves")
    assert (tmp_path / "leaves" / "original-source.MD").read_bytes() == b"theirs"
    assert (tmp_path / "leaves" / "LICENSE.txt").read_bytes() == b"by"
    assert "# Leaves" in (tmp_path / "leaves" / "SOURCE.md").read_text()
    assert (fetched.photographs, fetched.left_out, fetched.renamed) == (1, 1, 1)


def test_a_file_that_comes_twice_is_kept_once(server: Server, tmp_path: Path) -> None:
    """New Plant Diseases holds everything twice, below two spellings of the outer folder."""
    same, one, other = photo(1), photo(2), photo(3)
    content = zipped(
        {
            "A/in/train/x/1.jpg": same,
            "a/in/train/x/1.jpg": same,
            "A/in/train/x/2.jpg": one,
            "a/in/train/x/2.jpg": other,
        }
    )
    wanted = collection(a_file(server.put("/a", content), keep="[Aa]/in/(train/.+)"))
    fetched = fetch(wanted, tmp_path / "leaves")
    assert (fetched.photographs, fetched.left_out) == (3, 1)
    assert sorted(names_csv(tmp_path / "leaves")) == ["train/x/1.jpg", "train/x/2.jpg", "train/x/2~2.jpg"]


def test_an_archive_from_the_disk(server: Server, tmp_path: Path) -> None:
    (tmp_path / "by hand.zip").write_bytes(leaf_zip())
    wanted = collection(
        a_file("https://example.invalid/a"), account="kaggle", homepage="https://example.invalid"
    )
    with pytest.raises(UsageError, match="wants an account") as caught:
        fetch(wanted, tmp_path / "leaves")
    assert "KAGGLE_USERNAME" in caught.value.hint
    assert "--from archive.zip" in caught.value.hint
    fetched = fetch(wanted, tmp_path / "leaves", archives=(tmp_path / "by hand.zip",))
    assert (fetched.photographs, fetched.files[0].url) == (6, "")
    assert (tmp_path / "by hand.zip").is_file()
    with pytest.raises(UsageError, match="no file"):
        fetch(wanted, tmp_path / "more", archives=(tmp_path / "none.zip",))
    with pytest.raises(UsageError, match="one too many"):
        fetch(wanted, tmp_path / "more", archives=(tmp_path / "by hand.zip",) * 2)


def test_kaggle_gets_the_key_and_nobody_else(server: Server, tmp_path: Path) -> None:
    server.put("/signed", leaf_zip())
    url = server.put("/api", location="/signed", wants_authorization="Basic dG9tOmtleTQy")
    wanted = collection(a_file(url), account="kaggle")
    options = FetchOptions(licence_accepted=True, download=QUICK, kaggle=("tom", "key42"))
    assert "key42" not in repr(options)
    assert fetch_collection(wanted, tmp_path / "leaves", options).photographs == 6
    assert [secret for *_, secret in server.asked] == ["Basic dG9tOmtleTQy", ""]
    assert not any(b"key42" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_cifar_records_become_equal_pixels(server: Server, tmp_path: Path) -> None:
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    train, pictures = cifar_batch([3, 9, 3])
    test, _ = cifar_batch([0], seed=1)
    inside = {
        "data_batch_1.bin": train,
        "batches.meta.txt": "\n".join(names).encode() + b"\n\n",
        "test_batch.bin": test,
    }
    content = tarred({f"cifar-10-batches-bin/{name}": data for name, data in inside.items()})
    keep = r"cifar-10-batches-bin/([^/]+\.(?:bin|txt))"
    wanted = collection(a_file(server.put("/a", content), name="c.tar.gz", keep=keep), layout="cifar")
    fetched = fetch(wanted, tmp_path / "cifar")
    assert fetched.classes == {"airplane": 1, "cat": 2, "truck": 1}
    paths = names_csv(tmp_path / "cifar")
    for number in range(3):
        path = tmp_path / "cifar" / paths[f"data_batch_1.bin#{number}"]
        assert path.parts[-3] == "train"
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), pictures[number])
    assert paths["test_batch.bin#0"].startswith("test/airplane/")


@pytest.mark.parametrize(
    ("batch", "names", "said"),
    [
        (cifar_batch([1])[0][:-1], 10, "not records"),
        (cifar_batch([10])[0], 10, "label 10"),
        (b"", 10, "not records"),
        (cifar_batch([1])[0], 9, "names 9 classes"),
        (None, 10, "binary version"),
    ],
)
def test_what_is_not_cifar(
    server: Server, tmp_path: Path, batch: bytes | None, names: int, said: str
) -> None:
    inside = {
        "test_batch.bin": cifar_batch([0])[0],
        "batches.meta.txt": " ".join(map(str, range(names))).encode(),
    }
    inside |= {} if batch is None else {"data_batch_1.bin": batch}
    content = tarred({f"wrap/{name}": data for name, data in inside.items()})
    wanted = collection(a_file(server.put("/a", content)), layout="cifar")
    with pytest.raises(DatasetError, match=said):
        fetch(wanted, tmp_path / "cifar")
    assert not (tmp_path / "cifar").exists()


def test_the_leaf_map_of_plantvillage(server: Server, tmp_path: Path) -> None:
    names = {
        "Apple___Black_rot": ["aa___JR_FrgE.S 2734.JPG", "ab___JR_FrgE.S 2735.JPG"],
        "Tomato___healthy": ["b___RS_HL 9816.JPG", "c___RS_HL 9816 copy 2.jpg", "d___RS_HL 5531.JPG"],
        "Corn_(maize)___healthy": ["R.S_HL 7881 copy.jpg"],
    }
    leaf_map = {
        "jr_frge.s 2734": ["Apple_Frogeye Spot:::13.0"],
        "jr_frge.s 2735": ["Apple_Frogeye Spot:::13.0"],
        "rs_hl 9816": ["Soybean___healthy:::3.0", "Tomato___healthy:::207.0"],
        "rs_hl 5531": ["Soybean___healthy:::317.0"],
    }
    content = zipped(
        {
            f"raw/color/{c}/{f}": photo(n)
            for n, (c, f) in enumerate((c, f) for c, fs in names.items() for f in fs)
        }
        | {"raw/grayscale/Apple___Black_rot/x.jpg": photo(99)}
    )
    mapped = json.dumps(leaf_map).encode()
    files = (
        a_file(server.put("/a", content), keep="raw/color/(.+)"),
        a_file(server.put("/m", mapped), name="leaf-map.json", role="leaf_map"),
    )
    fetched = fetch(collection(*files), tmp_path / "pv")
    leaves = read_leaf_map(tmp_path / "pv" / "leaf_groups.csv")
    assert leaves["Tomato___healthy", "b___RS_HL 9816.JPG"] == "Tomato___healthy/207"
    assert leaves["Tomato___healthy", "c___RS_HL 9816 copy 2.jpg"] == "Tomato___healthy/207"
    assert leaves["Apple___Black_rot", "aa___JR_FrgE.S 2734.JPG"] == "Apple___Black_rot/13"
    assert len(leaves) == 4
    reach = {one.class_name: (one.photographs, one.mapped, one.leaves) for one in fetched.coverage}
    assert reach == {
        "Apple___Black_rot": (2, 2, 1),
        "Corn_(maize)___healthy": (1, 0, 0),
        "Tomato___healthy": (3, 2, 1),
    }
    assert "| Corn_(maize)___healthy | 1 | 0 | 0 |" in (tmp_path / "pv" / "SOURCE.md").read_text()
    assert fetch(collection(*files), tmp_path / "pv").coverage == fetched.coverage


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"a": "b"}', b'{"a": ["no leaf"]}', b"{"])
def test_what_is_no_leaf_map(server: Server, tmp_path: Path, content: bytes) -> None:
    files = (
        a_file(server.put("/a", leaf_zip())),
        a_file(server.put("/m", content), name="leaf-map.json", role="leaf_map"),
    )
    with pytest.raises((DatasetError, StorageError), match=r"leaf map|valid JSON"):
        fetch(collection(*files), tmp_path / "pv")
    assert not (tmp_path / "pv").exists()
