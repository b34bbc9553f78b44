"""What the documents show works: every example of the OpenAPI document and every line with curl.

The lines are taken from README.md and docs/service.md as they stand there and run by a shell, one after the
other, against a real service with the built-in model; only the port is another, and ``ID`` is the prediction
that the line before made.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.service.conftest import options_in
from tests.service.running import RunningService, running_service

from leafsight.dataset.synth import SynthOptions, write_synthetic_collection
from leafsight.service import create_app

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "docs/service.md")
FENCE = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.DOTALL | re.MULTILINE)
ADDRESS = re.compile(r"(?<=http://)(?:localhost|127\.0\.0\.1):8000")
NAMED_FILE = re.compile(r"@([A-Za-z0-9._-]+)")
METHODS = {"get", "put", "post", "delete", "patch"}
DOCUMENT: dict[str, Any] = create_app(options_in(Path("nowhere"))).openapi()
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
]


def body_examples() -> list[tuple[str, str, str, Any]]:
    """Path, method, type and value of every example of a body."""
    return [
        (path, method, kind, example["value"])
        for path, method, operation in OPERATIONS
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
        for example in content.get("examples", {}).values()
    ]


def query_examples() -> list[tuple[str, str, str, Any]]:
    """Path, method, name and value of every example of a parameter in the query."""
    return [
        (path, method, parameter["name"], value)
        for path, method, operation in OPERATIONS
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
        for value in parameter.get("schema", {}).get("examples", [])
    ]


def schemas_with_examples(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema with examples in it, wherever it stands."""
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield node
        for inner in node.values():
            yield from schemas_with_examples(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from schemas_with_examples(inner)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with the built-in model, which knows the classes that the examples name."""
    app = create_app(options_in(tmp_path_factory.mktemp("service")))
    with TestClient(app, base_url="http://localhost:8000", client=("127.0.0.1", 1)) as one:
        yield one


def in_place(client: TestClient, path: str) -> str:
    """The path with ids that exist."""
    if "{id}" in path and "/predictions/" in path:
        headers = {"content-type": "image/jpeg"}
        said = client.post("/v1/predict", content=picture_bytes(), headers=headers).json()
        path = path.replace("{id}", said["predictions"][0]["id"])
    if path.startswith("/v1/models/"):  # a model that is always there, and something to roll back
        client.post("/v1/models/builtin/promote", json={})
        path = path.replace("{name}", "builtin")
    assert "{" not in path, f"an example of {path} needs something that exists"
    return path


def test_the_document_is_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_what_has_a_json_body_shows_one() -> None:
    bodies = {
        path
        for path, _, operation in OPERATIONS
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert bodies == {path for path, _, kind, _ in body_examples() if kind == "application/json"}


@pytest.mark.parametrize(("path", "method", "kind", "value"), body_examples(), ids=lambda one: str(one)[:40])
def test_every_example_of_a_body_is_taken(
    client: TestClient, path: str, method: str, kind: str, value: Any
) -> None:
    answer = client.request(method, in_place(client, path), json=value)
    assert answer.is_success, answer.text
    assert kind == "application/json"


@pytest.mark.parametrize(("path", "method", "name", "value"), query_examples(), ids=str)
def test_every_example_of_a_query_is_taken(
    client: TestClient, path: str, method: str, name: str, value: Any
) -> None:
    more: dict[str, Any] = {}
    if path == "/v1/predict":
        more = {"content": picture_bytes(), "headers": {"content-type": "image/jpeg"}}
    answer = client.request(method, in_place(client, path), params={name: value}, **more)
    assert answer.is_success, answer.text


def test_every_example_fits_its_own_schema() -> None:
    found = list(schemas_with_examples(DOCUMENT))
    assert found
    for schema in found:
        # References inside are looked up in the whole document.
        validator = OAS31Validator({**schema, "components": DOCUMENT["components"]})
        for example in schema["examples"]:
            assert list(validator.iter_errors(example)) == []


def curl_lines() -> list[tuple[str, str]]:
    """Every command with curl, as it stands in the documents."""
    found = []
    for name in DOCUMENTS:
        for block in FENCE.findall((REPOSITORY / name).read_text()):
            whole = block.replace("\\\n", " ")
            found += [(name, line.strip()) for line in whole.splitlines() if line.strip().startswith("curl")]
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("served"), None) as service:
        yield service


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A drawn leaf as a JPEG."""
    folder = write_synthetic_collection(
        tmp_path_factory.mktemp("drawn"), SynthOptions(leaves_per_class=1, side_px=256, seed=0)
    ).folder
    return next(path for path in sorted(folder.rglob("*.jpg"))).read_bytes()


def test_the_documents_show_curl() -> None:
    assert {name for name, _ in curl_lines()} == set(DOCUMENTS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "line"), curl_lines(), ids=lambda one: str(one)[-60:])
def test_every_line_with_curl_works_as_it_stands(
    served: RunningService, leaf: bytes, tmp_path: Path, name: str, line: str
) -> None:
    for file in NAMED_FILE.findall(line):
        (tmp_path / file).write_bytes(leaf)
    (tmp_path / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\nmax-time = 30\n")
    head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
    if "/ID" in line:
        made = json.loads(served.ask(head + b"Content-Length: %d\r\n\r\n%b" % (len(leaf), leaf)).body)
        line = line.replace("/ID", f"/{made['predictions'][0]['id']}")
    command = ADDRESS.sub(f"127.0.0.1:{served.port}", line)
    assert command != line, f"{name}: this line asks another server"
    environment = {**os.environ, "HOME": str(tmp_path), "CURL_HOME": str(tmp_path), "NO_PROXY": "*"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.strip()
