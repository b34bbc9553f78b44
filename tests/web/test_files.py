"""The files of the page, and how the service hands them out."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.service.conftest import HERE, options_in

from leafsight.service import create_app
from leafsight.web import INDEX, page_file, page_names

FILES = resources.files("leafsight.web") / "files"
ADDRESS = re.compile(r"""(?:https?:|(?<=["'`(]))//[a-z0-9-]+\.[a-z][^\s"'`)<]*""")
FORBIDDEN = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", " style=",
)  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[TestClient]:
    app = create_app(options_in(tmp_path_factory.mktemp("service"), model=colour_model, keep_days=7))
    with TestClient(app, base_url="http://localhost:8000", client=HERE, raise_server_exceptions=False) as one:
        yield one


def test_every_file_of_the_folder_is_of_the_page() -> None:
    assert set(page_names()) == {entry.name for entry in FILES.iterdir()}
    assert INDEX in page_names()


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../page_files.py",
        "nothing.js",
        "/etc/passwd",
        "INDEX.HTML",
        "index.html\0",
        "x" * 5000,
    ],
)
def test_nothing_else_is(name: str) -> None:
    assert page_file(name) is None


@pytest.mark.parametrize("name", page_names())
def test_a_file_is_itself(name: str) -> None:
    found = page_file(name)
    assert found is not None
    assert found.body == (FILES / name).read_bytes()
    assert gzip.decompress(found.packed) == found.body
    assert re.fullmatch(r'"[0-9a-f]{32}"', found.etag)
    assert page_file(name) is found  # kept


def test_names_differ_and_so_do_tags() -> None:
    tags = {page_file(name).etag for name in page_names() if page_file(name).body}  # type: ignore[union-attr]
    assert len(tags) == len({(FILES / name).read_bytes() for name in page_names()})


def test_the_page_is_at_the_root(service: TestClient) -> None:
    answer = service.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == (FILES / INDEX).read_bytes()


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/page/style.css", "/page/icon.svg"])
def test_headers_let_the_page_run_and_nothing_else(service: TestClient, path: str) -> None:
    headers = service.get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["permissions-policy"] == "camera=(self), microphone=(), geolocation=()"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "set-cookie" not in headers


def test_scripts_have_the_type_of_scripts(service: TestClient) -> None:
    types = {name: service.get(f"/page/{name}").headers["content-type"] for name in page_names()}
    assert {types[name] for name in types if name.endswith(".js")} == {"text/javascript; charset=utf-8"}
    assert {types[name] for name in types if name.endswith(".css")} == {"text/css; charset=utf-8"}
    assert types["icon.svg"] == "image/svg+xml"


def test_what_a_browser_has_is_not_sent_again(service: TestClient) -> None:
    tag = service.get("/page/page.js").headers["etag"]
    for held in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = service.get("/page/page.js", headers={"if-none-match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["content-security-policy"] == POLICY
    assert service.get("/page/page.js", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("offer", "packed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("GZIP", True),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("", False),
    ],
)
def test_packed_for_those_who_take_it(service: TestClient, offer: str, packed: bool) -> None:
    answer = service.get("/page/style.css", headers={"accept-encoding": offer})
    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.content == (FILES / "style.css").read_bytes()


@pytest.mark.parametrize("path", ["/", "/page/page.js"])
def test_head_is_get_without_the_body(service: TestClient, path: str) -> None:
    plain = {"accept-encoding": "identity"}
    head, whole = service.head(path, headers=plain), service.get(path, headers=plain)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-length", "content-security-policy"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    "path",
    ["/page/nothing.js", "/page/..%2fpage_files.py", "/page/%2e%2e", "/page/", "/page/a/b", "/page/%00"],
)
def test_other_paths_are_not_found(service: TestClient, path: str) -> None:
    answer = service.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/page/page.js"])
def test_nothing_can_be_sent_to_the_page(service: TestClient, path: str) -> None:
    answer = service.post(path)
    assert answer.status_code == 405
    assert sorted(answer.headers["allow"].split(", ")) == ["GET", "HEAD"]


def test_the_page_is_open_and_is_not_in_the_contract(
    service: TestClient, start_keyed: Callable[[], TestClient]
) -> None:
    paths = service.get("/openapi.json").json()["paths"]
    assert "/" not in paths
    assert not any(path.startswith("/page") for path in paths)
    keyed = start_keyed()
    assert keyed.get("/v1/models").status_code == 401
    assert keyed.get("/").status_code == keyed.get("/page/page.js").status_code == 200
    assert keyed.get("/v1/about").status_code == 200


@pytest.fixture
def start_keyed(tmp_path: Path, colour_model: Path) -> Iterator[Callable[[], TestClient]]:
    from leafsight.state import open_state

    options = options_in(tmp_path, model=colour_model)
    state = open_state(options.database_url)
    state.keys.make("somebody", ["predict"])
    state.close()
    with TestClient(create_app(options), base_url="http://leaf.example", client=("192.0.2.1", 1)) as one:
        yield lambda: one


def test_a_server_says_what_it_keeps(service: TestClient) -> None:
    said = service.get("/v1/about").json()
    assert said["model"] == {"id": service.get("/readyz").json()["model"], "name": "tiny"}
    assert (said["keep_days"], said["keep_photos"], said["max_photos"]) == (7, "ask", 32)


def test_nothing_in_the_files_points_elsewhere() -> None:
    """Addresses in the files are those of XML names; the browser tests hold that none is asked."""
    found = {
        (name, address)
        for name in page_names()
        for address in ADDRESS.findall((FILES / name).read_text("utf-8"))
    }
    assert {address for _, address in found} <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", [name for name in page_names() if name.endswith((".js", ".html"))])
def test_no_text_becomes_html(name: str) -> None:
    text = (FILES / name).read_text("utf-8")
    for forbidden in FORBIDDEN:
        assert forbidden not in text, f"{name} uses {forbidden}"
    assert not re.search(r"<[^>]*\son[a-z]+=", text)
    if name.endswith(".html"):
        assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("name", page_names())
def test_a_file_of_the_page_can_be_read_at_a_sitting(name: str) -> None:
    assert len((FILES / name).read_text("utf-8").splitlines()) <= 400
