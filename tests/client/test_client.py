"""Every method of both clients against a server that keeps the contract."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.client.contract_server import ContractServer, form_parts
from tests.fakes.tiny_bundle import GREEN, RED, coloured
from tests.journeys.small_world import save_picture

from leafsight.errors import AuthenticationError, NotFoundError, StorageError, TaxonomyError, UsageError


def test_bytes_arrays_and_paths_become_predictions(ask, server: ContractServer, png, tmp_path: Path) -> None:
    path = save_picture(tmp_path / 'a "leaf".jpg', GREEN)
    answer = ask(server.url).predict([png(coloured(RED)), coloured(RED), path], crop="apple", top=1)
    assert [one.prediction.key for one in answer.predictions] == ["apple/scab", "apple/scab", "apple/healthy"]
    assert [one.photo for one in answer.predictions] == ["photo-1", "photo-2.png", "a %22leaf%22.jpg"]
    assert all(len(one.prediction.top) == 1 and one.recorded for one in answer.predictions)
    assert answer.predictions[0].advice == ("apple/scab",)
    assert (answer.request_id, answer.model.name, answer.combined) == ("req-1", "fake", None)
    assert answer.timing_ms == {"queued": 0.0, "total": 1.5}
    assert server.asked[0].query == {"crop": "apple", "top": "1"}
    assert form_parts(server.asked[0])[2][1] == path.read_bytes()


def test_one_answer_for_a_plant(ask, server: ContractServer) -> None:
    client = ask(server.url)
    answer = client.predict([coloured(RED), coloured(RED)], combine=True)
    assert (answer.combined.photographs, answer.combined.used, answer.combined.key) == (2, 2, "apple/scab")
    client.predict([coloured(RED)], plant_id="row 3 / 7", store=False)
    assert server.asked[0].query == {"combine": "true"}
    assert server.asked[1].query == {"plant_id": "row 3 / 7", "store": "false"}


def test_a_layer_becomes_an_array_and_a_png_is_left_out(ask, server: ContractServer) -> None:
    client = ask(server.url)
    wanted = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    layer = client.predict([coloured(RED)], heatmap="layer").predictions[0].prediction.heatmap
    assert layer.dtype == np.float32
    assert np.abs(layer - wanted).max() <= 0.5 / 255 + 1e-6
    assert client.predict([coloured(RED)], heatmap="png").predictions[0].prediction.heatmap is None


def test_a_crop_that_is_not_known_is_the_same_error_as_with_a_model_here(ask, server: ContractServer) -> None:
    with pytest.raises(TaxonomyError) as caught:
        ask(server.url).predict([coloured(RED)], crop="grape")
    assert "grape" in caught.value.message
    assert "(request req-1)" in caught.value.message
    assert "tomato" in caught.value.hint


def test_models_are_gathered_over_pages_and_new_fields_left_out(ask, server: ContractServer) -> None:
    models = ask(server.url).models()
    assert [(one.id[0], one.serving, one.size_bytes, one.created_at) for one in models] == [
        ("a", True, 7, 1),
        ("b", False, 7, 1),
    ]
    assert models[0].aliases == ("serving",)
    assert not hasattr(models[0], "of_the_future")


def test_one_model_and_the_conditions_it_knows(ask, server: ContractServer) -> None:
    client = ask(server.url)
    one = client.model("serving")
    assert (one.card, one.metrics, one.classes, len(one.labels)) == (
        "# fake\n\nFor tests.",
        {"accuracy": 1.0},
        4,
        4,
    )
    assert [card.key for card in client.conditions()][:2] == ["apple/scab", "apple/healthy"]
    with pytest.raises(NotFoundError, match="no model other"):
        client.model("other")


def test_a_prediction_is_found_again_and_corrected(ask, server: ContractServer) -> None:
    client = ask(server.url)
    (found,) = client.predict([coloured(RED)], plant_id="p").predictions
    assert client.correct(found.id, right=False, class_key="apple/healthy", note="looked again") == "c1"
    again = client.prediction(found.id)
    assert (again.id, again.plant_id, again.stored, again.created_at) == (found.id, "p", False, 1)
    assert again.prediction == found.prediction
    (said,) = again.corrections
    assert (said.right, said.class_key, said.note) == (False, "apple/healthy", "looked again")
    with pytest.raises(NotFoundError):
        client.prediction("f" * 32)


def test_predictions_come_page_by_page(ask, server: ContractServer) -> None:
    client = ask(server.url)
    client.predict([coloured(RED)] * 5)
    pages = list(client.predictions(limit=2))
    assert [[int(one.id, 16) for one in page] for page in pages] == [[0, 1], [2, 3], [4]]
    assert [len(page) for page in client.predictions(after=pages[0].next, limit=3)] == [3]


def test_uploads_and_jobs(ask, server: ContractServer, tmp_path: Path) -> None:
    client = ask(server.url)
    path = tmp_path / "more.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(200_000))
    sent = client.upload(path, label="tomato/early_blight")
    assert (sent.id, sent.job) == ("u1", "j1")
    asked = server.asked[0]
    assert asked.headers["content-type"] == "application/zip"
    assert asked.query == {"label": "tomato/early_blight"}
    assert asked.body == path.read_bytes()
    assert client.upload_state("u1")["state"] == "waiting"
    server.jobs["j1"] = ["running"]
    assert client.job("j1").progress == {"done": 3}
    assert [one.state for page in client.jobs() for one in page] == ["running"]
    assert client.cancel("j1").is_finished


def test_an_upload_is_looked_into_again(ask, server: ContractServer) -> None:
    job = ask(server.url).check_upload("u1")
    assert (job.id, job.state, job.is_finished) == ("u1", "queued", False)
    assert server.asked[-1].headers["idempotency-key"]


def test_uploads_and_reports_are_listed(ask, server: ContractServer) -> None:
    client = ask(server.url)
    ((upload,),) = [page.items for page in client.uploads()]
    assert (upload.id, upload.size_bytes, upload.job.state) == ("u1", 5, "queued")
    ((report,),) = [page.items for page in client.reports(limit=7)]
    assert (report.id, report.findings) == ("r1", {"mend": 1})
    assert server.asked[-1].query == {"limit": "7"}
    assert client.report("r1")["id"] == "r1"
    assert client.make_report().job == "r2"
    assert server.asked[-1].headers["idempotency-key"]
    assert client.load() == {"waiting_photographs": 0}


def test_the_photographs_of_a_plant_and_what_was_said_of_it(ask, server: ContractServer) -> None:
    client = ask(server.url)
    said = client.predict([coloured(RED), coloured(GREEN)], plant_id="row 7")
    together = [one.id for one in said.predictions]
    for one in server.kept:
        own = {name: one[name] for name in ("verdict", "reason", "hint", "model", "model_hash")}
        one["combined"] = {**said.combined.to_dict(), **own, "predictions": together}
    ((first, _),) = [page.items for page in client.predictions(plant_id="row 7")]
    assert server.asked[-1].query == {"limit": "50", "plant_id": "row 7"}
    assert first.combined.photographs == 2
    assert list(first.together) == together


def test_what_the_operator_asks(ask, server: ContractServer) -> None:
    client = ask(server.url)
    assert client.health()["status"] == "alive"
    assert client.insight(7) == {"days": 7, "verdicts": {"diagnosis": 0}}
    assert client.ready().ready is True
    server.ready = False
    before = len(server.asked)
    assert client.ready().ready is False
    assert len(server.asked) == before + 1


def test_the_key_is_shown_to_the_server_and_in_no_message(ask, server: ContractServer) -> None:
    server.key = "ls_1_secret"
    assert ask(server.url, key="ls_1_secret").health()
    with pytest.raises(AuthenticationError) as caught:
        ask(server.url, key="ls_1_other").health()
    assert "ls_1_other" not in f"{caught.value.message} {caught.value.hint}"


def test_a_server_below_a_path(ask, server: ContractServer) -> None:
    with pytest.raises(NotFoundError):
        ask(server.url + "/leaf/").health()
    assert server.asked[0].path == "/leaf/healthz"


def test_every_write_has_a_key_of_its_own_and_reads_have_none(
    ask, server: ContractServer, tmp_path: Path
) -> None:
    client, path = ask(server.url), save_picture(tmp_path / "a.png")
    client.predict([coloured(RED)])
    client.predict([coloured(RED)])
    client.correct("0" * 32, right=True)
    client.upload(path)
    client.health()
    keys = [asked.headers.get("idempotency-key") for asked in server.asked]
    assert keys[-1] is None
    assert len(set(keys[:-1])) == 4
    assert all(key and len(key) <= 200 for key in keys[:-1])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a?b", "a b", "ä", "x" * 201, "a\n"])
def test_an_id_that_is_none_is_never_sent(ask, server: ContractServer, name: str) -> None:
    client = ask(server.url)
    for question in (
        client.prediction,
        client.model,
        client.job,
        client.cancel,
        client.upload_state,
        client.check_upload,
    ):
        with pytest.raises(UsageError):
            question(name)
    assert server.asked == []


def test_what_cannot_be_asked_is_refused_here(ask, server: ContractServer, tmp_path: Path) -> None:
    client = ask(server.url)
    with pytest.raises(UsageError, match="no photograph"):
        client.predict([])
    with pytest.raises(UsageError, match="array float64"):
        client.predict([np.zeros((4, 4, 3))])
    with pytest.raises(StorageError):
        client.predict([tmp_path / "missing.jpg"])
    with pytest.raises(StorageError):
        client.upload(tmp_path / "missing.zip")
    with pytest.raises(UsageError, match="2001"):
        client.correct("0" * 32, right=True, note="x" * 2001)
    with pytest.raises(UsageError, match="page of 201"):
        next(iter(client.predictions(limit=201)))
    assert server.asked == []


def test_a_correction_is_json_as_the_contract_has_it(ask, server: ContractServer) -> None:
    ask(server.url).correct("0" * 32, right=True)
    assert json.loads(server.asked[0].body) == {"right": True, "class": None, "note": None}
    assert server.asked[0].headers["content-type"] == "application/json"
