"""A person starts a server, asks it from elsewhere, and gets what the model itself would have said."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.fakes.tiny_bundle import BLUE, GREEN, GREY, RED, coloured
from tests.journeys.small_world import command_line, leafsight, save_picture

from leafsight.client import AsyncClient, Client, RemotePredictor
from leafsight.errors import NotFoundError, TaxonomyError
from leafsight.inference import BundlePredictor

pytestmark = pytest.mark.slow
COLOURS = (RED, GREEN, BLUE, GREY)
MOST_LINES = 200


@pytest.fixture(scope="module")
def url(colour_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``leafsight serve`` on a free port."""
    words = ("serve", "--port", "0", "--workers", "1", "--model", colour_model)
    process = subprocess.Popen(
        command_line(*words, "--state-dir", tmp_path_factory.mktemp("state")),
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"ready on (http://127\.0\.0\.1:\d+)", line):
                break
            assert len(said) < MOST_LINES
        else:
            raise AssertionError("".join(said))
        yield found[1]
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four leaves, a cut one, an empty file, and one that is not there."""
    folder = tmp_path_factory.mktemp("photos")
    found = [save_picture(folder / f"{n}.jpg", colour) for n, colour in enumerate(COLOURS)]
    (folder / "cut.jpg").write_bytes(found[0].read_bytes()[:300])
    (folder / "empty.jpg").write_bytes(b"")
    return [*found, folder / "cut.jpg", folder / "empty.jpg", folder / "missing.jpg"]


def without_time(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one | {"timing_ms": None} for one in answers]


@pytest.mark.parametrize("more", [(), ("--crop", "Apple"), ("--top", "2")], ids=str)
def test_the_server_says_what_the_model_says(
    url: str, colour_model: Path, photos: list[Path], more: tuple[str, ...]
) -> None:
    here = leafsight("predict", *photos, "--model", colour_model, *more)
    there = leafsight("predict", *photos, "--server", url, *more)
    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
    assert there.code == 1
    here = leafsight("predict", *photos, "--model", colour_model, *more, "--json")
    there = leafsight("predict", *photos, "--server", url, *more, "--json")
    assert without_time(there.json) == without_time(here.json)


def test_the_same_evidence_is_drawn(url: str, colour_model: Path, photos: list[Path], tmp_path: Path) -> None:
    drawn = []
    for folder, where in (("here", ("--model", colour_model)), ("there", ("--server", url))):
        done = leafsight("predict", *photos[:2], *where, "--heatmap", tmp_path / folder)
        assert done.code == 0, done.err
        for path in sorted((tmp_path / folder).iterdir()):
            with Image.open(path) as picture:
                drawn.append(np.asarray(picture, np.int16))
    assert len(drawn) == 4
    # 8 bits of heat on the way: less than the eye sees.
    assert all(np.abs(drawn[number] - drawn[number + 2]).max() <= 4 for number in range(2))


def test_a_program_asks_corrects_and_looks_again(url: str, photos: list[Path]) -> None:
    with Client(url) as client:
        assert client.ready().ready
        assert client.health()["status"] == "alive"
        answer = client.predict(photos[:2], plant_id="row 3", store=True)
        assert answer.combined is not None
        assert answer.combined.photographs == 2
        found = answer.predictions[0]
        assert found.id is not None
        assert (found.photo, found.recorded, found.stored) == ("0.jpg", True, True)
        assert client.correct(found.id, right=False, class_key="apple/healthy", note="looked again")
        again = client.prediction(found.id)
        assert again.prediction == found.prediction
        assert (again.plant_id, again.corrections[0].class_key) == ("row 3", "apple/healthy")
        assert found.id in [one.id for page in client.predictions(limit=1) for one in page]
        assert client.insight()["predictions"] >= 2
        assert all(client.model(one.id).card for one in client.models())
        assert {"apple/scab", "apple/healthy"} <= {card.key for card in client.conditions()}
        with pytest.raises(NotFoundError, match="request"):
            client.prediction("0" * 32)
        with pytest.raises(TaxonomyError, match="grape"):
            client.predict(photos[:1], crop="grape")


def test_an_upload_becomes_a_job_that_can_be_followed_and_cancelled(url: str, photos: list[Path]) -> None:
    async def ask() -> list[str]:
        async with AsyncClient(url) as client:
            sent = await client.upload(photos[0], label="apple/scab")
            assert sent.job is not None
            states = []
            async for job in client.follow(sent.job):
                states.append(job.state)
                if job.state == "queued":
                    await client.cancel(sent.job)
            assert (await client.upload_state(sent.id))["label"] == "apple/scab"
            assert sent.job in [one.id async for page in client.jobs() for one in page]
            return states

    assert asyncio.run(ask()) == ["queued", "cancelled"]


def test_arrays_and_bytes_are_judged_as_the_model_judges_them(url: str, colour_model: Path) -> None:
    pictures = [coloured(colour) for colour in COLOURS] + [np.zeros((4, 4, 3), np.uint8)]
    with Client(url) as client:
        there = RemotePredictor(client, max_photographs=2).predict(pictures)
    here = BundlePredictor(colour_model).predict(pictures)
    kept = ("verdict", "key", "probability", "top", "possible", "quality", "model_hash")
    for one, other in zip(there, here, strict=True):
        assert [getattr(one, name) for name in kept] == [getattr(other, name) for name in kept]
