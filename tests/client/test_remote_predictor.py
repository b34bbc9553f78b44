"""A server in the place of a model: batches, arrays, and photographs that are too large."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from tests.client.contract_server import ContractServer, answer, form_parts
from tests.fakes.predictor import FakePredictor
from tests.fakes.tiny_bundle import BLUE, GREEN, RED, coloured

from leafsight.client import Client, RemotePredictor
from leafsight.errors import RemoteError, UsageError
from leafsight.inference import PlantPredictor, Predictor


@pytest.fixture
def client(server: ContractServer) -> Iterator[Client]:
    with Client(server.url, retries=0) as made:
        yield made


def sizes(server: ContractServer) -> list[int]:
    return [len(form_parts(asked)) for asked in server.asked]


def without_time(predictions) -> list[dict[str, object]]:
    return [one.to_dict() | {"timing_ms": 0} for one in predictions]


def test_it_is_a_predictor(client: Client) -> None:
    assert isinstance(RemotePredictor(client), Predictor)
    assert isinstance(RemotePredictor(client), PlantPredictor)


def test_it_says_what_the_model_behind_it_says(client: Client, png) -> None:
    photos = [coloured(RED), png(coloured(GREEN)), b"no photograph", b""]
    for crop in (None, "apple"):
        wanted = without_time(FakePredictor().predict(photos, crop=crop))
        assert without_time(RemotePredictor(client).predict(photos, crop=crop)) == wanted


def test_batches_are_bounded_by_number_and_by_bytes(client: Client, server: ContractServer) -> None:
    photos = [bytes([65 + number]) * 100 for number in range(7)]
    RemotePredictor(client, max_photographs=3).predict(photos)
    assert sizes(server) == [3, 3, 1]
    server.asked.clear()
    RemotePredictor(client, max_bytes=250).predict([*photos[:4], b"x" * 900, *photos[:1]])
    assert sizes(server) == [2, 2, 1, 1]


def test_nothing_is_asked_about_nothing(client: Client, server: ContractServer) -> None:
    assert RemotePredictor(client).predict([]) == []
    assert server.asked == []


def test_a_request_that_is_too_large_is_divided(client: Client, server: ContractServer) -> None:
    server.most_photographs = 2
    colours = [RED, GREEN, BLUE, RED, GREEN]
    found = RemotePredictor(client).predict([coloured(colour) for colour in colours])
    keys = {RED: "apple/scab", GREEN: "apple/healthy", BLUE: "tomato/early_blight"}
    assert [one.key for one in found] == [keys[colour] for colour in colours]
    assert sizes(server) == [5, 2, 3, 1, 2]


def test_one_that_is_too_large_alone_does_not_stop_the_others(
    client: Client, server: ContractServer, png
) -> None:
    server.most_bytes = 20_000
    large = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    found = RemotePredictor(client).predict(
        [png(coloured(RED, side=16)), large, png(coloured(GREEN, side=16))]
    )
    assert [one.verdict for one in found] == ["diagnosis", "unreadable", "diagnosis"]
    assert found[1].error is not None
    assert found[1].error["type"] == "request-too-large"
    assert found[1].reason.startswith("too much at once")


def test_a_plant_is_asked_about_in_one_request(client: Client, server: ContractServer) -> None:
    predictions, plant = RemotePredictor(client, max_photographs=1).predict_plant(
        [coloured(RED)] * 3, heatmap=True
    )
    assert (len(predictions), plant.photographs, plant.key) == (3, 3, "apple/scab")
    assert predictions[0].heatmap is not None
    assert sizes(server) == [3]
    server.script = [
        answer(200, b'{"request_id": "r", "model": {"name": "m", "hash": ""}, "predictions": []}')
    ]
    with pytest.raises(RemoteError):
        RemotePredictor(client).predict_plant([coloured(RED)])


def test_what_is_asked_for_is_passed_on(client: Client, server: ContractServer) -> None:
    RemotePredictor(client, top=2, store=True).predict([coloured(RED)], crop="apple", heatmap=True)
    assert server.asked[0].query == {"crop": "apple", "heatmap": "layer", "top": "2", "store": "true"}


def test_no_more_classes_are_asked_for_than_a_server_lists(client: Client, server: ContractServer) -> None:
    RemotePredictor(client, top=150).predict([coloured(RED)])
    assert server.asked[0].query == {"top": "100"}


@pytest.mark.parametrize("limits", [{"max_photographs": 0}, {"max_bytes": 0}])
def test_limits_that_leave_no_room(client: Client, limits: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        RemotePredictor(client, **limits)


def test_many_threads_share_one_client(client: Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    predictor = RemotePredictor(client)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda colour: predictor.predict([coloured(colour)])[0].key, [RED, GREEN] * 12))
    assert found == ["apple/scab", "apple/healthy"] * 12
