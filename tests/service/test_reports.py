"""Reports over HTTP: asked for, listed, opened with a ticket, and kept apart from the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.service.test_access import make_key
from tests.service.test_hard_times import locked

from leafsight.errors import NotFoundError, StateBusyError
from leafsight.service import tickets
from leafsight.service.report_store import KEPT_OF_A_COLLECTION, Reports
from leafsight.state import new_id, open_blobs

NOBODY = "0" * 32
PAGE, PNG = b"<!doctype html><script>1</script>", b"\x89PNG"
SECRET = b"s" * 32
T0 = 1_790_000_000_000


def keep_report(reports: Reports, collection: str = "leaves") -> str:
    """A report as the clerk leaves it."""
    report = new_id()
    kept = reports.put(report, {"health.html": PAGE, "health.json": b"{}", "01-counts.png": PNG})
    brief = {"id": report, "created_at": T0, "collection": collection, "photographs": 3, "usable": 3}
    summary = {
        **brief, "is_clean": True, "class_counts": {"a": 3}, "weights": {"mend": 0, "look": 1, "know": 0},
        "findings": [
            {"kind": "k", "part": "labels", "weight": "look", "sentence": "s", "hint": "h", "count": 1,
             "of": 3, "per_class": {"a": 1}, "cases": [{"photographs": ["x"], "elsewhere": [], "text": ""}],
             "more_cases": 0},
        ],
        "not_looked_at": [], "notes": [],
        "figures": [{"name": "counts", "title": "t", "question": "q", "answer": "a", "note": "",
                     "kind": "bars", "picture": "01-counts.png"}],
    }  # fmt: skip
    manifest = {
        "format": 1, **brief, "classes": 1, "findings": summary["weights"], "collection_id": collection,
        "files": kept,
    }  # fmt: skip
    reports.finish(report, manifest, summary)
    return report


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    return Reports(open_blobs(str(tmp_path / "blobs")))


@pytest.fixture
def shown(start: Callable[..., TestClient], tmp_path: Path) -> TestClient:
    """A service that shows a collection."""
    (tmp_path / "leaves").mkdir()
    return start(data=tmp_path / "leaves")


def test_without_a_collection_there_is_a_hint(service: TestClient) -> None:
    said = service.get("/v1/reports").json()
    assert (said["reports"], said["collection"], said["job"]) == ([], None, None)
    assert "--data" in said["hint"]
    answer = service.post("/v1/reports")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "conflict")


def test_a_report_is_a_job_and_while_one_is_under_way_that_one_is_the_answer(shown: TestClient) -> None:
    first = shown.post("/v1/reports")
    assert first.status_code == 202
    job = first.json()["job"]
    assert first.headers["location"] == f"/v1/jobs/{job}"
    assert shown.post("/v1/reports", headers={"idempotency-key": "a"}).json()["job"] == job
    assert shown.get(f"/v1/jobs/{job}").json()["kind"] == "report"
    assert shown.get("/v1/reports").json()["job"] == job
    assert shown.delete(f"/v1/jobs/{job}").status_code == 200
    again = shown.post("/v1/reports").json()["job"]
    assert again != job
    replayed = shown.post("/v1/reports", headers={"idempotency-key": "a"})
    assert (replayed.json()["job"], replayed.headers["idempotency-replayed"]) == (job, "true")


def test_reports_are_listed_newest_first_a_page_at_a_time(shown: TestClient, reports: Reports) -> None:
    made = [keep_report(reports) for _ in range(3)]
    first = shown.get("/v1/reports?limit=2").json()
    rest = shown.get(f"/v1/reports?limit=2&after={first['next']}").json()
    assert [one["id"] for one in [*first["reports"], *rest["reports"]]] == made[::-1]
    assert rest["next"] is None
    assert (first["collection"], first["hint"]) == ("leaves", "")


def test_one_report_names_its_files_and_they_are_there(shown: TestClient, reports: Reports) -> None:
    report = keep_report(reports)
    said = shown.get(f"/v1/reports/{report}").json()
    assert said["figures"][0]["picture"] in said["files"]
    picture = shown.get(f"/v1/reports/{report}/files/01-counts.png")
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    assert "frame-ancestors 'none'" in picture.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("{id}/files/manifest.json", 404),
        ("{id}/files/summary.json", 404),
        ("{id}/files/02-none.png", 404),
        ("{id}/files/..%2f..%2fleafsight.db", 404),
        ("{id}/files/..%5c..%5cx.png", 422),
        ("{id}/files/health.html%00.png", 422),
        ("{id}/files/HEALTH.html", 422),
        (f"{NOBODY}/files/health.html", 404),
        (NOBODY, 404),
        ("nonsense", 422),
    ],
)
def test_only_names_of_the_manifest_are_given_out(
    shown: TestClient, reports: Reports, path: str, status: int
) -> None:
    answer = shown.get(f"/v1/reports/{path.format(id=keep_report(reports))}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_reports_are_for_the_scope_admin(shown: TestClient, reports: Reports) -> None:
    report = keep_report(reports)
    predict, upload, admin = (make_key(shown, scope) for scope in ("predict", "upload", "admin"))
    for method, path in [
        ("GET", ""), ("POST", ""), ("GET", f"/{report}"), ("GET", f"/{report}/files/health.html"),
        ("POST", f"/{report}/ticket?name=health.html"),
    ]:  # fmt: skip
        statuses = [
            shown.request(method, f"/v1/reports{path}", headers=headers).status_code
            for headers in ({}, predict, upload, admin)
        ]
        assert statuses[:3] == [401, 403, 403], path
        assert statuses[3] in (200, 202), path


def ticket_for(service: TestClient, report: str, headers: dict[str, str]) -> str:
    answer = service.post(f"/v1/reports/{report}/ticket?name=health.html", headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


def test_a_ticket_opens_one_page_without_a_key_in_a_sandbox(shown: TestClient, reports: Reports) -> None:
    report = keep_report(reports)
    admin = make_key(shown, "admin")
    url = ticket_for(shown, report, admin)
    answer = shown.get(url)
    assert (answer.status_code, answer.content) == (200, PAGE)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["cache-control"] == "no-store"
    # A page is never shown outside a sandbox, with a key neither.
    with_key = shown.get(f"/v1/reports/{report}/files/health.html", headers=admin)
    assert with_key.headers["content-security-policy"] == policy


def test_a_ticket_opens_nothing_else(shown: TestClient, reports: Reports) -> None:
    report, other = keep_report(reports), keep_report(reports)
    url = ticket_for(shown, report, make_key(shown, "admin"))
    path, _, ticket = url.partition("?")
    until, _, signature = ticket.removeprefix("ticket=").partition(".")
    forged = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    for wrong in [
        url.replace(report, other),
        url.replace("health.html", "01-counts.png"),
        f"{path}?ticket={until}.{forged}",
        f"{path}?ticket={int(until) + 1}.{signature}",
        f"{path}?ticket=",
        f"{path}?ticket=x",
    ]:
        assert shown.get(wrong).status_code == 403, wrong
    assert shown.get(path).status_code == 401
    assert shown.get(f"/v1/reports/{report}?{ticket}").status_code == 401
    missing = shown.post(f"/v1/reports/{report}/ticket?name=manifest.json", headers=make_key(shown, "admin"))
    assert missing.status_code == 404


def test_a_ticket_lasts_a_minute() -> None:
    ticket = tickets.issue(SECRET, NOBODY, "a.html", T0)
    for now_ms, right in [(T0, True), (T0 + 60_000, True), (T0 + 60_001, False), (T0 - 60_000, False)]:
        assert tickets.holds(ticket, SECRET, NOBODY, "a.html", now_ms) is right
    assert not tickets.holds(ticket, b"t" * 32, NOBODY, "a.html", T0)


def test_the_clock_of_the_copy_that_gave_the_ticket_may_be_a_little_ahead() -> None:
    ahead = tickets.CLOCKS_APART_MS
    ticket = tickets.issue(SECRET, NOBODY, "a.html", T0)
    for now_ms, right in [(T0 - 1, True), (T0 - ahead, True), (T0 - ahead - 1, False)]:
        assert tickets.is_timely(ticket, now_ms) is right
        assert tickets.holds(ticket, SECRET, NOBODY, "a.html", now_ms) is right


def test_copies_on_one_database_open_what_another_gave_a_ticket_for(
    start: Callable[..., TestClient], tmp_path: Path, reports: Reports
) -> None:
    """Whoever asks first; a copy that comes later, too. On another database nothing of it holds."""
    here, there = start(), start()
    report = keep_report(reports)
    later = start()
    urls = [ticket_for(one, report, {}) for one in (here, there, later)]
    for one in (here, there, later):
        assert [one.get(url).status_code for url in urls] == [200, 200, 200]
    elsewhere = start(database_url=f"sqlite:///{tmp_path}/other.db")
    assert [elsewhere.get(url).status_code for url in urls] == [403, 403, 403]
    assert here.get(ticket_for(elsewhere, report, {})).status_code == 403


def test_what_cannot_be_a_ticket_costs_no_look_at_the_database(shown: TestClient, reports: Reports) -> None:
    path = f"/v1/reports/{keep_report(reports)}/files/health.html"
    secrets = shown.app.state.parts.state.secrets  # type: ignore[attr-defined]
    now_ms = shown.app.state.parts.now_ms()  # type: ignore[attr-defined]
    for made_up in (
        "",
        "x",
        f"1.{'0' * 64}",
        f"{now_ms + 10**7}.{'0' * 64}",
        f"{now_ms + 30_000}.{'0' * 63}",
    ):
        assert shown.get(f"{path}?ticket={made_up}").status_code == 403
    assert secrets.known(tickets.SIGNED_WITH) is None
    assert shown.get(f"{path}?ticket={now_ms + 30_000}.{'0' * 64}").status_code == 403
    assert len(secrets.known(tickets.SIGNED_WITH)) == 32


@pytest.mark.slow
def test_a_locked_database_is_said_and_a_secret_that_was_read_needs_none(
    start: Callable[..., TestClient], tmp_path: Path, reports: Reports
) -> None:
    """Slow, as the service waits a second for a lock."""
    here, there = start(), start()
    report = keep_report(reports)
    with locked(tmp_path / "leafsight.db"):
        refused = here.post(f"/v1/reports/{report}/ticket?name=health.html")
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        assert int(refused.headers["retry-after"]) >= 1
    url = ticket_for(here, report, {})
    with locked(tmp_path / "leafsight.db"):  # reading is always possible
        assert [one.get(url).status_code for one in (here, there)] == [200, 200]


def test_a_database_that_does_not_answer_is_said(
    start: Callable[..., TestClient], reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = start(), start()
    report = keep_report(reports)
    url = ticket_for(here, report, {})
    assert there.get("/v1/reports").status_code == 200  # it knows now that there are no keys
    for one in (here, there):
        gone = StateBusyError("the database does not answer", hint="try again in a moment")
        monkeypatch.setattr(one.app.state.parts.state.database, "reading", failing(gone))  # type: ignore[attr-defined]
    assert [one.get(url).status_code for one in (here, there)] == [200, 503]
    assert ticket_for(here, report, {}).startswith("/v1/reports/")
    refused = there.post(f"/v1/reports/{report}/ticket?name=health.html")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "state-busy")


def failing(error: Exception) -> Callable[..., Any]:
    def fail(**_: Any) -> Any:
        raise error

    return fail


def test_the_newest_of_each_collection_are_kept(reports: Reports) -> None:
    leaves = [keep_report(reports) for _ in range(KEPT_OF_A_COLLECTION + 2)]
    other = keep_report(reports, "another")
    assert reports.forget_old([]) == 2
    assert reports.ids() == [other, *leaves[:1:-1]]
    with pytest.raises(NotFoundError):
        reports.file(leaves[0], "health.html")


def test_what_was_never_finished_is_removed_unless_it_is_under_way(reports: Reports, tmp_path: Path) -> None:
    halves = [new_id(), new_id()]
    for one in halves:
        reports.put(one, {"health.html": PAGE})
    done = keep_report(reports)
    assert reports.forget_old([halves[1]]) == 1
    left = {path.name for path in (tmp_path / "blobs" / "reports").iterdir() if any(path.iterdir())}
    assert left == {halves[1], done}


def test_answers_are_in_the_contract(shown: TestClient, reports: Reports) -> None:
    from leafsight.service import report_listings as contract

    report = keep_report(reports)

    def held(model: Any, answer: Any) -> None:
        assert set(answer) == set(model.model_fields)
        model.model_validate(answer)

    held(contract.ReportsPage, shown.get("/v1/reports").json())
    held(contract.ReportFound, shown.get(f"/v1/reports/{report}").json())
    held(contract.Ticket, shown.post(f"/v1/reports/{report}/ticket?name=health.html").json())
    held(contract.ReportAccepted, shown.post("/v1/reports").json())
    held(contract.UploadsPage, shown.get("/v1/uploads").json())
