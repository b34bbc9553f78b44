"""``leafsight fetch``: what stands on stdout and stderr, and what survives a kill."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.lying_server import Server, serving
from tests.fakes.made_archives import leaf_zip, photo, zipped
from tests.journeys.small_world import command_line, leafsight


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was trusted once is remembered there; no test shall hear of another."""
    monkeypatch.setenv("LEAFSIGHT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


def catalogue(folder: Path, url: str, content: bytes | None = None, more: str = "") -> Path:
    """A catalogue with one collection, ``leaves``."""
    path = folder / "catalogue.toml"
    known = f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nchecksum_source = "us"' if content else ""
    path.write_text(
        f"""
[[collection]]
name = "leaves"
title = "Leaves of somewhere"
{more}
[collection.licence]
name = "CC BY 4.0"
address = "https://creativecommons.org/licenses/by/4.0/"
notice = "Name the authors."
[[collection.files]]
name = "leaves.zip"
urls = ["{url}"]
keep = "wrap/(.+)"
{known}
"""
    )
    return path


def test_the_list_needs_no_network() -> None:
    listed = leafsight("fetch", "--json")
    assert (listed.code, listed.err) == (0, "")
    by_name = {one["name"]: one for one in listed.json}
    assert by_name["cifar-10"]["download_bytes"] == 170_052_171
    assert by_name["plantdoc"]["download_bytes"] is None
    lines = leafsight("fetch").out.splitlines()
    assert lines[0].split("\t") == ["name", "classes", "photographs", "download", "licence", "address"]
    assert any(line.startswith("ibean\t3\t1295\t180.0 MB\tMIT\thttps://") for line in lines)


def test_fetch_and_fetch_again(server: Server, tmp_path: Path) -> None:
    content = leaf_zip()
    list_of_ours = catalogue(tmp_path, server.put("/a", content), content)
    words = ("fetch", "leaves", "--catalogue", list_of_ours)
    done = leafsight(*words, "--accept-licence", folder=tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith("leaves: fetched: 6 photographs in 2 classes: ")
    assert "CC BY 4.0" in done.err
    assert "downloading leaves.zip" in done.err
    again = leafsight(*words, "--json", "-q", folder=tmp_path)
    assert (again.code, again.err) == (0, "")
    assert again.json["is_new"] is False
    assert again.json["classes"] == {"healthy": 3, "rust": 3}
    assert again.json["folder"] == str(tmp_path / "leaves")


def test_without_a_terminal_the_licence_needs_its_word(server: Server, tmp_path: Path) -> None:
    done = leafsight(
        "fetch", "leaves", "--catalogue", catalogue(tmp_path, server.put("/a", leaf_zip())), folder=tmp_path
    )
    assert done.code == 2
    assert "--accept-licence" in done.error_lines[1]
    assert "https://creativecommons.org" in done.err
    assert server.asked == []


@pytest.mark.parametrize(("answer", "code"), [("Yes", 0), ("no", 2)])
def test_on_a_terminal_a_typed_yes_does(server: Server, tmp_path: Path, answer: str, code: int) -> None:
    pty = pytest.importorskip("pty")  # no such terminals on Windows
    words = ("fetch", "leaves", "--catalogue", catalogue(tmp_path, server.put("/a", leaf_zip())), "-q")
    master, slave = pty.openpty()
    try:
        os.write(master, f"{answer}\n".encode())
        done = subprocess.run(
            command_line(*words), cwd=tmp_path, stdin=slave, capture_output=True, timeout=60
        )
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == code
    assert b"Type yes" in done.stderr
    assert (tmp_path / "leaves").is_dir() == (code == 0)
    assert bool(server.asked) == (code == 0)


def test_first_use_is_said_aloud(server: Server, tmp_path: Path) -> None:
    path = catalogue(tmp_path, server.put("/a", leaf_zip()))
    words = ("fetch", "leaves", "--catalogue", path, "--accept-licence")
    done = leafsight(*words, "--out", tmp_path / "one")
    assert "trusted on first use" in done.err
    server.put("/a", leaf_zip(4))
    done = leafsight(*words, "--out", tmp_path / "two")
    assert done.code == 1
    digest = hashlib.sha256(leaf_zip(4)).hexdigest()
    assert f"--trust {digest}" in done.error_lines[1]
    assert leafsight(*words, "--out", tmp_path / "two", "--trust", digest.upper(), "-q").code == 0


def test_kaggle_wants_an_account_or_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAGGLE_USERNAME", raising=False)
    words = ("fetch", "new-plant-diseases", "--accept-licence", "--out", tmp_path / "npd")
    done = leafsight(*words)
    assert done.code == 2
    assert "KAGGLE_KEY" in done.error_lines[1]
    assert "--from archive.zip" in done.error_lines[1]
    outer = "New Plant Diseases Dataset(Augmented)/New Plant Diseases Dataset(Augmented)"
    inside = {
        f"{outer}/{split}/Apple___healthy/{n}.JPG": photo(n) for n, split in enumerate(("train", "valid"))
    }
    (tmp_path / "archive.zip").write_bytes(zipped(inside))
    done = leafsight(*words, "--from", tmp_path / "archive.zip", "--json", "-q")
    assert done.json["photographs"] == 2
    assert (tmp_path / "npd" / "valid" / "Apple___healthy" / "1.JPG").is_file()


def test_the_reach_of_a_leaf_map_is_told(server: Server, tmp_path: Path) -> None:
    content = zipped({f"wrap/Tomato___healthy/x___RS_HL {n}.JPG": photo(n) for n in range(3)})
    mapped = json.dumps({f"rs_hl {n}": ["Tomato___healthy:::4.0"] for n in range(2)}).encode()
    path = catalogue(tmp_path, server.put("/a", content))
    path.write_text(
        path.read_text()
        + f'[[collection.files]]\nname = "m.json"\nrole = "leaf_map"\nurls = ["{server.put("/m", mapped)}"]\n'
    )
    done = leafsight("fetch", "leaves", "--catalogue", path, "--accept-licence", "-q", folder=tmp_path)
    assert "knows the leaf of 2 of 3 photographs" in done.out
    assert "Tomato___healthy\t3\t2\t1" in done.out.splitlines()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing-like-it",), 2, "no collection called"),
        (("plantvillag",), 2, "did you mean 'plantvillage'"),
        (("leaves", "--catalogue", "none.toml"), 1, "none.toml"),
        (("ibean", "--stall", "0", "--accept-licence"), 2, "stall_s"),
        (("ibean", "--accept-licence", "--from", "none.zip"), 2, "none.zip"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = leafsight("fetch", *words, folder=tmp_path)
    assert done.code == code
    assert said in done.err


def test_a_killed_fetch_goes_on(server: Server, tmp_path: Path) -> None:
    content = zipped({f"wrap/rust/{n}.jpg": photo(n, 60) for n in range(20)})
    url = server.put("/a", content, stall_after=len(content) // 2)
    words = (
        "fetch",
        "leaves",
        "--catalogue",
        catalogue(tmp_path, url, content),
        "--accept-licence",
        "--out",
        "leaves",
    )
    killed = subprocess.Popen(
        command_line(*words), cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    part = tmp_path / "leaves.fetching" / "downloads" / "leaves.zip.part"
    for _ in range(600):
        if part.exists() and part.stat().st_size:
            break
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    have = part.stat().st_size
    assert have
    server.pages["/a"].stall_after = None
    done = leafsight(*words, "--json", "-q", folder=tmp_path)
    assert done.json["photographs"] == 20
    assert server.ranges("/a")[-1] == f"bytes={have}-"
    assert not (tmp_path / "leaves.fetching").exists()
