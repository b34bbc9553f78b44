"""``leafsight predict --server``: the same words as with a model here, clear ones when there is no server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.client.contract_server import ContractServer, answer, contract_server, form_parts
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED
from tests.journeys.small_world import in_another_process, leafsight, save_picture

from leafsight.inference import BundlePredictor

SECRET = "ls_1_secret"


@pytest.fixture
def server(colour_model: Path) -> Iterator[ContractServer]:
    """The model of ``colour_model`` behind HTTP."""
    with contract_server() as running:
        running.predictor = BundlePredictor(colour_model, top=100)  # type: ignore[assignment]
        yield running


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    found = [save_picture(tmp_path / f"{n}.jpg", c) for n, c in enumerate((RED, GREEN, BLUE, GREY))]
    (tmp_path / "cut.jpg").write_bytes(found[0].read_bytes()[:300])
    (tmp_path / "empty.jpg").write_bytes(b"")
    return [*found, tmp_path / "cut.jpg", tmp_path / "empty.jpg", tmp_path / "missing.jpg"]


def without_time(answers: list[dict[str, object]]) -> list[dict[str, object]]:
    return [one | {"timing_ms": None} for one in answers]


@pytest.mark.parametrize("more", [(), ("--crop", "apples"), ("--top", "1")], ids=str)
def test_it_prints_what_the_model_here_prints(
    colour_model: Path, server: ContractServer, photos: list[Path], more: tuple[str, ...]
) -> None:
    here = leafsight("predict", *photos, "--model", colour_model, *more)
    there = leafsight("predict", *photos, "--server", server.url, *more)
    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
    here, there = (
        leafsight("predict", *photos, *where, *more, "--json")
        for where in (("--model", colour_model), ("--server", server.url))
    )
    assert without_time(there.json) == without_time(here.json)
    assert len(there.json) == 7


def test_a_heatmap_is_laid_over_the_photograph_here(
    colour_model: Path, server: ContractServer, photos: list[Path], tmp_path: Path
) -> None:
    import numpy as np

    pictures = []
    for where in (("--model", colour_model), ("--server", server.url)):
        target = tmp_path / f"{where[0]}.png"
        assert leafsight("predict", photos[0], *where, "--heatmap", target).code == 0
        with Image.open(target) as drawn:
            pictures.append(np.asarray(drawn, np.int16))
    # 8 bits of heat on the way: less than the eye sees.
    assert np.abs(pictures[0] - pictures[1]).max() <= 4
    assert server.asked[0].query == {"heatmap": "layer", "top": "3"}


def test_more_classes_than_a_server_lists_are_not_asked_for_and_it_says_so(
    server: ContractServer, photos: list[Path]
) -> None:
    done = leafsight("predict", photos[0], "--server", server.url, "--top", "150")
    assert done.code == 0
    assert done.err == "a server lists at most 100 classes\n"
    assert server.asked[0].query == {"top": "100"}


def test_a_crop_that_the_model_does_not_know(server: ContractServer, photos: list[Path]) -> None:
    done = leafsight("predict", photos[0], "--server", server.url, "--crop", "grape")
    assert (done.code, done.out) == (1, "")
    assert "grape" in done.error_lines[0]
    assert "apple" in done.error_lines[1]


def test_the_key_comes_from_the_flag_or_the_environment(
    server: ContractServer, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = SECRET
    done = leafsight("predict", photos[0], "--server", server.url)
    assert done.code == 1
    assert "key" in done.error_lines[0]
    assert leafsight("predict", photos[0], "--server", server.url, "--key", SECRET).code == 0
    monkeypatch.setenv("LEAFSIGHT_KEY", SECRET)
    done = leafsight("predict", photos[0], "--server", server.url)
    assert (done.code, done.err) == (0, "")


def test_a_server_of_the_settings_is_named_aloud_and_gives_way_to_a_model(
    colour_model: Path, server: ContractServer, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_SERVER", server.url)
    done = leafsight("predict", photos[0])
    assert done.code == 0
    assert done.err == f"asking the server {server.url}, as the settings say\n"
    assert len(server.asked) == 1
    assert leafsight("predict", photos[0], "--model", colour_model).err == ""
    assert len(server.asked) == 1


@pytest.mark.parametrize("other", [("--model", "m.leafsight"), ("--threads", "2"), ("--views", "4")], ids=str)
def test_what_only_a_model_here_can_do_is_refused(
    server: ContractServer, photos: list[Path], other: tuple[str, str]
) -> None:
    done = leafsight("predict", photos[0], "--server", server.url, *other)
    assert done.code == 2
    assert other[0] in done.error_lines[0]
    assert server.asked == []


@pytest.mark.parametrize("address", ["leaf.example", "ftp://leaf.example", "https://me:pw@leaf.example"])
def test_what_is_no_address(photos: list[Path], address: str) -> None:
    done = leafsight("predict", photos[0], "--server", address)
    assert done.code == 2
    assert len(done.error_lines) == 2
    assert "pw" not in done.err


def test_a_key_on_an_open_line_is_refused(photos: list[Path]) -> None:
    done = leafsight("predict", photos[0], "--server", "http://leaf.example", "--key", SECRET)
    assert done.code == 2
    assert SECRET not in done.err
    assert "https" in done.error_lines[1]


def test_an_answer_that_is_no_answer(server: ContractServer, photos: list[Path]) -> None:
    server.script = [answer(200, b"<html>", "text/html")]
    done = leafsight("predict", photos[0], "--server", server.url)
    assert (done.code, done.out) == (1, "")
    assert "text/html" in done.error_lines[0]
    assert "address" in done.error_lines[1]


def test_many_go_in_several_requests(server: ContractServer, tmp_path: Path) -> None:
    for number in range(18):
        save_picture(tmp_path / "leaves" / f"{number:02d}.jpg", RED)
    done = leafsight("predict", tmp_path / "leaves", "--server", server.url, "--lines")
    assert len(done.out.splitlines()) == 18
    assert [len(form_parts(asked)) for asked in server.asked] == [16, 2]


def test_without_httpx_the_extra_is_named(photos: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    done = leafsight("predict", photos[0], "--server", "http://127.0.0.1:1")
    assert done.code == 1
    assert "leafsight[serve]" in done.error_lines[1]


@pytest.mark.slow
def test_a_base_install_predicts_without_the_client(colour_model: Path, photos: list[Path]) -> None:
    block = "import sys; sys.modules.update(httpx2=None, httpcore2=None)"
    tell = "import atexit; atexit.register(lambda: print('leafsight.client' in sys.modules, file=sys.stderr))"
    done = in_another_process("predict", photos[0], "--model", colour_model, before=f"{block}\n{tell}")
    assert (done.code, done.err) == (0, "False\n")
    done = in_another_process("predict", photos[0], "--server", "http://127.0.0.1:1", before=block)
    assert done.code == 1
    assert "leafsight[serve]" in done.err


def test_the_key_of_the_environment_is_not_sent_where_a_file_of_the_folder_says(
    server: ContractServer, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leafsight.toml").write_text(f'server = "{server.url}"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEAFSIGHT_KEY", SECRET)
    refused = leafsight("predict", photos[0])
    assert (refused.code, "--server" in refused.error_lines[1]) == (2, True)
    monkeypatch.setenv("LEAFSIGHT_SERVER", server.url)
    assert leafsight("predict", photos[0]).code == 0
    monkeypatch.delenv("LEAFSIGHT_SERVER")
    (tmp_path / "leafsight.toml").write_text(f'server = "{server.url}"\nkey = "{SECRET}"\n')
    monkeypatch.delenv("LEAFSIGHT_KEY")
    assert leafsight("predict", photos[0]).code == 0
