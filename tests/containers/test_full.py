"""Profile full: proxy, two replicas, worker, PostgreSQL, S3, Prometheus, as docs/containers.md says."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.containers.asking import Answer, Web
from tests.containers.composing import PORTS, WITHOUT_GRAFANA, SetUp, set_up
from tests.containers.engine import call, inspected, logs, until
from tests.containers.test_serve_image import photographs  # noqa: F401
from tests.fakes.made_archives import zipped

from leafsight.dataset import SynthOptions, write_synthetic_collection

NEW = "Roundleaf___Rust"
TRAINED_WITHIN_S = 900.0
CHOSEN = {
    "LEAFSIGHT_PROXY_DIAGNOSES_PER_S": "1000",
    "LEAFSIGHT_PROXY_DIAGNOSES_BURST": "1000",
    "LEAFSIGHT_PROXY_REQUESTS_PER_S": "20",
    "LEAFSIGHT_PROXY_REQUESTS_BURST": "100",
}
"""As many diagnoses as the machine can, and fewer other requests than it can."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    with set_up("full", tmp_path_factory.mktemp("full"), **CHOSEN) as one:
        one.up(*WITHOUT_GRAFANA)
        try:
            until(lambda: all_ready(one, 2))
        except AssertionError:
            pytest.fail(one.everything_said())
        yield one


@pytest.fixture(scope="module")
def web(full: SetUp) -> Web:
    """The service behind the proxy, with the first key."""
    return full.web(key=full.first_key("setup"))


def all_ready(one: SetUp, replicas: int) -> bool:
    """So many replicas run and are ready, and the proxy knows one of them."""
    names = one.containers("replica")
    healthy = [call("healthcheck", "run", name, check=False).returncode == 0 for name in names]
    return len(names) == replicas and all(healthy) and one.web().ask("/readyz").status == 200


def asked_replicas(one: SetUp, since: int) -> Counter[str]:
    """Which addresses the proxy sent requests to, after so many lines of its log."""
    [proxy] = one.containers("proxy")
    lines = [json.loads(line) for line in logs(proxy).splitlines() if line.startswith("{")][since:]
    return Counter(address for line in lines for address in line["replica"].split(", "))


def lines_of_proxy(one: SetUp) -> int:
    [proxy] = one.containers("proxy")
    return len([line for line in logs(proxy).splitlines() if line.startswith("{")])


def prometheus(path: str, **query: str) -> Any:
    asked = f"/api/v1/{path}?{urllib.parse.urlencode(query)}"
    return Web(PORTS["LEAFSIGHT_PROMETHEUS_PORT"]).ask(asked).json["data"]


def test_the_proxy_redirects_to_tls_and_sends_each_header_once(full: SetUp, web: Web) -> None:
    plain = full.web("LEAFSIGHT_HTTP_PORT").ask("/v1/about?a=b")
    https = PORTS["LEAFSIGHT_HTTPS_PORT"]
    assert (plain.status, plain.headers["location"]) == (308, f"https://127.0.0.1:{https}/v1/about?a=b")
    answer = web.ask("/v1/about")
    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["x-content-type-options"] == "nosniff"  # sent twice it would be "nosniff, nosniff"
    assert web.ask("/", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"


def test_nginx_finds_no_fault_in_its_configuration(full: SetUp) -> None:
    [proxy] = full.containers("proxy")
    assert "syntax is ok" in call("exec", proxy, "nginx", "-c", "/etc/nginx/nginx.conf", "-t").stderr


def test_without_a_key_nobody_is_let_in(full: SetUp) -> None:
    assert full.web().ask("/v1/conditions").status == 401


def test_both_replicas_answer(full: SetUp, web: Web, photographs: list[bytes]) -> None:  # noqa: F811
    before = lines_of_proxy(full)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(web.predict, photographs * 2))
    assert {answer.status for answer in answers} <= {200, 503}
    until(lambda: len(asked_replicas(full, before)) == 2, within_s=10)


def test_a_body_over_the_limit_is_refused_by_the_proxy(web: Web) -> None:
    headers = {"Content-Type": "image/jpeg", "Content-Length": str(128 * 1024**2 + 1)}
    answer = web.ask("/v1/predict", b"", headers, method="POST")
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_no_query_and_no_address_of_a_caller_is_in_the_log_of_the_proxy(full: SetUp, web: Web) -> None:
    web.ask("/v1/about?secret=of-somebody")
    [proxy] = full.containers("proxy")
    until(lambda: '"path":"/v1/about"' in logs(proxy))
    said = logs(proxy)
    assert "of-somebody" not in said
    assert {json.loads(line)["client"] for line in said.splitlines() if '"status":200' in line} == {""}


def test_prometheus_sees_each_replica_and_knows_the_rules(full: SetUp) -> None:
    def up() -> list[str]:
        found = prometheus("query", query='up{job="leafsight"}')["result"]
        return [one["value"][1] for one in found]

    until(lambda: up() == ["1", "1"], within_s=60)
    until(lambda: prometheus("query", query="sum(leafsight_requests_total)")["result"], within_s=60)
    groups = {one["name"]: one["rules"] for one in prometheus("rules")["groups"]}
    assert set(groups) == {"leafsight-service", "leafsight-learning"}
    assert all(rule["health"] in ("ok", "unknown") for rules in groups.values() for rule in rules)


def test_the_admin_side_is_on_a_port_of_this_machine_only(full: SetUp, web: Web) -> None:
    assert web.ask("/v1/load").status == 404
    assert full.web("LEAFSIGHT_ADMIN_PORT", web.key).ask("/v1/load").status == 200
    bound = inspected(full.containers("proxy")[0])["HostConfig"]["PortBindings"]
    assert {one["HostIp"] for one in bound["9443/tcp"] or ()} == {"127.0.0.1"}


def test_neither_database_nor_store_can_be_reached_from_the_front(full: SetUp) -> None:
    networks = {
        service: set(inspected(full.containers(service)[0])["NetworkSettings"]["Networks"])
        for service in ("proxy", "database", "store", "prometheus")
    }
    for service in ("database", "store"):
        assert not networks[service] & (networks["proxy"] | networks["prometheus"])
        address = next(iter(inspected(full.containers(service)[0])["NetworkSettings"]["Networks"].values()))
        port = {"database": 5432, "store": 8333}[service]
        refused = call(
            "exec", full.containers("proxy")[0], "wget", "-q", "-T", "2", "-O", "/dev/null",
            f"http://{address['IPAddress']}:{port}/", check=False,
        )  # fmt: skip
        assert refused.returncode != 0


def test_no_secret_is_in_what_the_engine_shows(full: SetUp) -> None:
    secrets = {
        path.name: path.read_text() for path in Path(full.environment["LEAFSIGHT_SECRETS_DIR"]).iterdir()
    }
    shown = json.dumps([inspected(name) for name in full.containers(also_ended=True)])
    for secret in (secrets["database_password"], secrets["metrics_key"], secrets["grafana_password"]):
        assert secret not in shown
    assert secrets["store_credentials"].split()[-1] not in shown


def test_a_third_replica_is_found_without_a_reload(full: SetUp, web: Web) -> None:
    full.environment["LEAFSIGHT_REPLICAS"] = "3"
    full.up("replica", options=("--no-recreate",))
    until(lambda: all_ready(full, 3))
    before = lines_of_proxy(full)

    def all_asked() -> bool:
        for _ in range(30):
            web.ask("/readyz")
        return len(asked_replicas(full, before)) >= 3

    until(all_asked, within_s=30)
    until(lambda: len(prometheus("query", query='up{job="leafsight"} == 1')["result"]) == 3, within_s=60)


def test_what_stops_and_what_is_killed_costs_no_request_that_was_not_begun(
    full: SetUp,
    web: Web,
    photographs: list[bytes],  # noqa: F811
) -> None:
    """One replica is told to end, another is killed; at most what the killed one had begun fails."""
    seen: Counter[str] = Counter()
    over = threading.Event()

    def ask_on(number: int) -> None:
        while not over.is_set():
            try:
                answer: Answer = web.predict(photographs[number])
                seen[str(answer.status)] += 1
                if answer.status == 503:
                    seen["with Retry-After"] += "retry-after" in answer.headers
            except OSError as error:
                seen[repr(error)] += 1

    threads = [threading.Thread(target=ask_on, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    first, second, *_ = full.containers("replica")
    until(lambda: seen["200"] > 20)
    call("stop", "--time", "30", first)
    answered = seen["200"]
    until(lambda: seen["200"] > answered + 20)
    assert set(seen) <= {"200", "503", "with Retry-After"}, seen
    told = seen["503"]
    call("kill", second)
    answered = seen["200"]
    until(lambda: seen["200"] > answered + 20)
    over.set()
    for thread in threads:
        thread.join()
    assert set(seen) <= {"200", "502", "503", "with Retry-After"}, seen
    assert seen["503"] - told + seen["502"] <= 3 * len(threads), seen
    call("start", first)
    call("start", second, check=False)
    until(lambda: all_ready(full, 3))


def test_what_a_lost_replica_had_begun_is_said_not_to_be_known(
    full: SetUp,
    web: Web,
    photographs: list[bytes],  # noqa: F811
) -> None:
    """All of them stand still with a request in their hands, and are then killed."""
    replicas, answers = full.containers("replica"), []
    for one in replicas:
        call("pause", one)
    asking = threading.Thread(target=lambda: answers.append(web.predict(photographs[0])))
    asking.start()
    time.sleep(2.0)  # it is sent at once, and nobody says that it was
    for one in replicas:
        os.kill(inspected(one)["State"]["Pid"], signal.SIGKILL)
        call("unpause", one, check=False)
    asking.join(90)
    (answer,) = answers
    assert (answer.status, answer.headers["content-type"]) == (502, "application/problem+json"), answer
    assert "nobody knows whether it was done" in answer.json["detail"]
    for one in replicas:
        call("start", one, check=False)
    until(lambda: all_ready(full, len(replicas)))


def test_a_replica_that_starts_before_the_store_waits_for_it(full: SetUp) -> None:
    """It keeps nothing, so which model serves it learns from the store only."""
    replica, *_ = full.containers("replica")
    [store] = full.containers("store")
    call("stop", "--time", "30", replica)
    call("stop", "--time", "10", store)
    before = logs(replica).count("waiting: ")
    call("start", replica)
    try:
        until(lambda: logs(replica).count("waiting: ") > before, within_s=60)
    finally:
        call("start", store)
    until(lambda: all_ready(full, len(full.containers("replica"))), within_s=120)
    assert inspected(replica)["RestartCount"] == 0


def test_without_any_replica_callers_are_told_when_to_come_again(
    full: SetUp,
    web: Web,
    photographs: list[bytes],  # noqa: F811
) -> None:
    replicas = full.containers("replica")
    for one in replicas:
        call("stop", "--time", "30", one)
    try:
        for _ in range(5):
            answer = web.predict(photographs[0])
            assert (answer.status, answer.headers["retry-after"]) == (503, "2"), answer
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json["detail"] == "no replica of the service gave an answer"
    finally:
        for one in replicas:
            call("start", one)
    until(lambda: all_ready(full, len(replicas)))


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Drawn photographs of a new crop, as an archive has them."""
    folder = tmp_path_factory.mktemp("new-crop")
    options = SynthOptions(
        crops=("Roundleaf",), conditions=("Rust",), leaves_per_class=30, views_per_leaf=1, side_px=256,
        not_a_leaf=False, field_share=1.0,
    )  # fmt: skip
    write_synthetic_collection(folder / "drawn", options)
    return {f"{NEW}/{path.name}": path.read_bytes() for path in sorted((folder / "drawn").rglob("*.jpg"))}


def test_the_worker_looks_into_an_upload_and_trains_a_model_that_all_replicas_serve(
    full: SetUp, web: Web, leaves: dict[str, bytes]
) -> None:
    admin = full.web("LEAFSIGHT_ADMIN_PORT", web.key)
    name, photograph = next(iter(leaves.items()))
    archive = zipped({one: data for one, data in leaves.items() if one != name})
    sent: list[Answer] = []

    def taken() -> bool:  # the first write of all takes the store a while, and may be refused
        sent.append(web.ask("/v1/uploads", archive, {"Content-Type": "application/zip"}))
        assert sent[-1].status in (202, 503), sent[-1].body
        return sent[-1].status == 202

    until(taken, within_s=60, every_s=1)
    upload = sent[-1].json["id"]
    told: list[float] = []
    for state in web.events(upload, 300):
        told.append(time.monotonic())
        last = state
    assert last["state"] == "done", last
    assert len(told) > 1
    assert admin.send_json("/v1/classes/declared", {"name": NEW, "note": "a new crop"}).status < 300
    assert admin.send_json("/v1/contributions/decide", {"upload": upload, "state": "accepted"}).status == 200
    job = admin.send_json("/v1/retraining", {"path": "quick", "reason": "it shall know the new crop"})
    assert job.status == 202, job.body
    *_, last = web.events(job.json["id"], TRAINED_WITHIN_S)
    assert last["state"] == "done", last

    def new_everywhere() -> bool:
        models = {web.ask("/readyz").json["model"] for _ in range(12)}
        return len(models) == 1 and web.predict(photograph).json["model"]["hash"] in models

    until(new_everywhere, within_s=60)
    answer = web.predict(photograph).json["predictions"][0]
    assert answer["class_name"] == NEW, answer


def test_what_was_kept_outlives_the_containers(full: SetUp, web: Web, photographs: list[bytes]) -> None:  # noqa: F811
    said = web.predict(photographs[0], "?store=true").json["predictions"][0]
    assert (said["stored"], said["recorded"]) == (True, True), said
    full.down()
    full.up(*WITHOUT_GRAFANA)
    until(lambda: all_ready(full, 3))
    assert web.ask(f"/v1/predictions/{said['id']}").status == 200
    worker = full.containers("worker")[0]
    done = call("exec", worker, "/opt/leafsight/bin/leafsight", "db", "check", "--json")
    assert json.loads(done.stdout)["fine"]


def test_the_rate_of_one_address_is_bounded(full: SetUp, web: Web) -> None:
    """Last, for it uses up what others would have."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: web.ask("/healthz"), range(600)))
    seen = Counter(answer.status for answer in answers)
    assert set(seen) == {200, 429}, seen
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.headers["retry-after"] == "1"
    assert refused.json["type"].endswith("/rate-limit")
