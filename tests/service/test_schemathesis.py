"""Schemathesis over the whole OpenAPI document, against the application in this process.

Every operation gets the cases that cover its schema, valid and invalid, and some random ones; each answer is
held to the document: its status, its type, its schema, and a problem document for every refusal.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks
from schemathesis.transport.serialization import serialize_binary
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.service.conftest import options_in
from tests.service.contributed import add_contribution

from leafsight.service import create_app
from leafsight.service.parted_routes import PART
from leafsight.service.schemas import Problem
from leafsight.service.upload_types import UPLOADED

BASE = "http://localhost:8000"
EXAMPLES = 40
"""Random ones for each operation and way to generate; those that cover the schema come on top."""
NOT_HELD = [
    # A class, a crop or an id that has the right form need not exist.
    checks.positive_data_acceptance,
    # Without keys this computer is served; test_access.py has the keys.
    checks.ignored_auth,
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[TestClient]:
    """One service for all cases: what one leaves behind must not harm the next."""
    options = options_in(
        tmp_path_factory.mktemp("service"), model=colour_model, max_request_bytes=2**20, deadline_s=60.0
    )
    app = create_app(options)
    with TestClient(app, base_url=BASE, client=("127.0.0.1", 1), raise_server_exceptions=False) as one:
        yield one


def ask(client: TestClient, kwargs: dict[str, Any]) -> Any:
    """Send exactly what Schemathesis would send."""
    kwargs = {name: value for name, value in kwargs.items() if name not in ("verify", "cert", "proxies")}
    prepared = requests.Request(**kwargs).prepare()
    headers = [
        (name.encode("latin-1"), value.encode("latin-1") if isinstance(value, str) else value)
        for name, value in prepared.headers.items()
    ]
    return client.request(str(prepared.method), str(prepared.url), headers=headers, content=prepared.body)


@schemathesis.serializer(*sorted(UPLOADED), PART)
def as_it_is(context: Any, value: Any) -> bytes:
    """The body of a request that is a file."""
    return serialize_binary(value)


load_all_checks()
# An application that is not started opens nothing, and knows its document all the same.
schema = schemathesis.openapi.from_dict(create_app(options_in(Path("nowhere"))).openapi())
schema.config.update(base_url=BASE)


# Hypothesis warns when the state of ``random`` changed while Schemathesis drew, which other threads do, too.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.slow
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_in_the_contract(case: Any, client: TestClient) -> None:
    answer = ask(client, case.as_transport_kwargs(base_url=BASE))
    assert answer.status_code < 500, answer.text
    case.validate_response(answer, excluded_checks=NOT_HELD)
    if answer.status_code >= 400 and case.method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        said = Problem.model_validate(answer.json())
        assert (said.status, said.request_id) == (answer.status_code, answer.headers["x-request-id"])
        assert "Traceback" not in answer.text


def test_the_document_is_openapi(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_says_what_it_answers(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    silent = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for status, answer in operation["responses"].items()
        if method != "head" and status != "204"  # these have nothing to say it in
        if not all(content.get("schema") for content in answer.get("content", {"": {}}).values())
    ]
    assert silent == []


@pytest.fixture(scope="module")
def found(client: TestClient) -> dict[str, str]:
    """Something behind every id in a path."""
    jpeg = {"content-type": "image/jpeg"}
    said = client.post("/v1/predict", content=picture_bytes(), headers=jpeg).json()
    prediction = said["predictions"][0]["id"]
    client.post(f"/v1/predictions/{prediction}/correction", json={"right": True})
    upload = client.post("/v1/uploads?label=x", content=picture_bytes(), headers=jpeg).json()
    contribution = add_contribution(client, upload["id"])
    client.post("/v1/classes/declared", json={"name": "Okra___Leaf_curl"})
    client.post("/v1/models/builtin/promote", json={})
    retraining = client.post("/v1/retraining", json={"path": "quick"}).json()["id"]
    return {
        "predictions": prediction, "uploads": upload["id"], "jobs": upload["job"], "models": "serving",
        "retraining": retraining, "contributions": contribution,
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/healthz", "/readyz", "/v1/models", "/v1/models/{models}", "/v1/conditions", "/v1/predictions",
        "/v1/predictions/{predictions}", "/v1/insight", "/v1/uploads/{uploads}", "/v1/jobs",
        "/v1/uploads", "/v1/reports", "/v1/load", "/v1/about",
        "/v1/jobs/{jobs}", "/v1/contributions", "/v1/contributions/summary", "/v1/classes/declared",
        "/v1/contributions/{contributions}",
        "/v1/retraining", "/v1/retraining/{retraining}", "/v1/models/history", "/v1/watch",
    ],
)  # fmt: skip
def test_answers_with_something_in_them_are_in_the_contract(
    client: TestClient, found: dict[str, str], path: str
) -> None:
    """Random ids find nothing; here is what is found, with nothing more in it than the document says."""
    answer = client.get(path.format(**found))
    assert answer.status_code == 200, answer.text
    template = path.replace("models}", "name}").replace("{predictions}", "{id}")
    template = template.replace("{uploads}", "{id}").replace("{jobs}", "{id}")
    template = template.replace("{retraining}", "{id}").replace("{contributions}", "{id}")
    schema[template]["GET"].validate_response(answer)
    fields, open_ended = named(client.get("/openapi.json").json(), template)
    assert set(answer.json()) >= fields
    assert open_ended or set(answer.json()) == fields


def named(document: dict[str, Any], path: str) -> tuple[set[str], bool]:
    """Fields that the document names for the answer of a GET, and whether there may be others."""
    reference = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
    return set(schema["properties"]), schema.get("additionalProperties") is True


def test_the_ways_to_send_a_photograph_that_the_contract_names_all_work(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    kinds = set(document["paths"]["/v1/predict"]["post"]["requestBody"]["content"])
    data = picture_bytes()
    sent: dict[str, dict[str, Any]] = {
        "multipart/form-data": {"files": [("photo", ("a.jpg", data, "image/jpeg"))]},
        "image/*": {"content": data, "headers": {"content-type": "image/jpeg"}},
        "application/octet-stream": {
            "content": data,
            "headers": {"content-type": "application/octet-stream"},
        },
        "application/json": {"json": {"photos": [{"base64": base64.b64encode(data).decode()}]}},
    }
    assert set(sent) == kinds
    for kind, body in sent.items():
        answer = client.post("/v1/predict", **body)
        assert answer.json()["predictions"][0]["verdict"] == "diagnosis", kind
