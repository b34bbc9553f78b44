"""Every overlay renders, is valid for the API, and holds the laws; each law notices what breaks it."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
import yaml
from tests.deploy.laws import LAWS, VERSIONS, valid
from tests.deploy.network import denied_by_default, edges
from tests.deploy.rendered import (
    FOLDER,
    OVERLAYS,
    REPOSITORY,
    Object,
    containers,
    name_of,
    named,
    of_kind,
    pod_of,
    rendered,
    settings_of,
)

from leafsight import __version__

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None,
    reason="kubectl is not installed; it renders what is tested (kubectl kustomize)",
)


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_for_the_api(overlay: str, version: str) -> None:
    assert list(valid(rendered(overlay), version)) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("law", LAWS)
def test_every_law_holds(law: str, overlay: str) -> None:
    assert list(LAWS[law](rendered(overlay))) == []


NAMES = {f"-> kube-system/kube-dns {protocol} 53" for protocol in ("UDP", "TCP")}
USERS = "<- nginx-ingress TCP 8000"
PROMETHEUS = "<- monitoring/prometheus TCP 9000"
OUTSIDE = {"-> 10.0.0.0/8 TCP 5432", "-> 0.0.0.0/0 TCP 443"}
FULL = {
    "serve": {USERS, PROMETHEUS, *OUTSIDE, *NAMES},
    "worker": {*OUTSIDE, *NAMES},
    "migration": {"-> 10.0.0.0/8 TCP 5432", *NAMES},
}
INSIDE = {"-> database TCP 5432", "-> store TCP 8333"}
WIRED = {
    "small": {"serve": {USERS, *NAMES}},
    "full": FULL,
    "gpu": FULL,
    "evaluation": {
        "serve": {*INSIDE, *NAMES},
        "worker": {*INSIDE, *NAMES},
        "migration": {"-> database TCP 5432", *NAMES},
        "database": {*(f"<- {who} TCP 5432" for who in ("serve", "worker", "migration")), *NAMES},
        "store": {*(f"<- {who} TCP 8333" for who in ("serve", "worker")), *NAMES},
    },
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_network_lets_through_what_is_wired_and_nothing_else(overlay: str) -> None:
    objects = rendered(overlay)
    assert denied_by_default(objects)
    wanted = {(who, *other.split(" ", 1)) for who, others in WIRED[overlay].items() for other in others}
    assert edges(objects) == wanted


def test_the_internet_that_is_let_out_to_has_no_private_address_and_no_credentials_of_the_node() -> None:
    block = named(rendered("full"), "NetworkPolicy", "store")["spec"]["egress"][0]["to"][0]["ipBlock"]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} == set(block["except"])


def test_the_version_is_that_of_leafsight_everywhere_and_in_the_name_of_the_job() -> None:
    listed = yaml.safe_load((FOLDER / "images" / "kustomization.yaml").read_text())["images"]
    assert {one["newTag"] for one in listed if one["name"].startswith("leafsight-")} == {__version__}
    for overlay in ("full", "evaluation", "gpu"):
        (job,) = of_kind(rendered(overlay), "Job")
        assert job["metadata"]["name"] == f"leafsight-migrate--{__version__}"
        assert len(job["metadata"]["name"]) <= 63


def test_another_setting_replaces_the_pods() -> None:
    """The ConfigMap is named after what is in it, and whoever reads it names it so."""
    names = {of_kind(rendered(overlay), "ConfigMap")[0]["metadata"]["name"] for overlay in OVERLAYS}
    assert len(names) == 3  # full and gpu have the same


def test_what_is_applied_before_the_rollout_leaves_the_replicas_alone() -> None:
    """``-l 'app.kubernetes.io/component notin (serve-or-worker)'`` of the guide: by labels of the objects."""
    for overlay in ("full", "evaluation"):
        for one in rendered(overlay):
            component = one["metadata"].get("labels", {}).get("app.kubernetes.io/component")
            if one["kind"] == "Deployment":
                assert component in ("serve", "worker"), name_of(one)
            if one["kind"] in (
                "Job",
                "ConfigMap",
                "NetworkPolicy",
                "ServiceAccount",
                "Namespace",
                "StatefulSet",
            ):
                assert component not in ("serve", "worker"), name_of(one)


def test_a_replica_beside_a_worker_does_no_jobs_and_a_lone_one_does() -> None:
    for overlay in OVERLAYS:
        settings = settings_of(rendered(overlay))
        assert settings["LEAFSIGHT_JOBS"] == ("all" if overlay == "small" else "none")
        assert ("LEAFSIGHT_FIRST_KEY" in settings) == (overlay == "small")


def test_a_file_of_one_machine_is_used_by_one_replica() -> None:
    serve = named(rendered("small"), "Deployment", "leafsight")
    assert serve["spec"]["replicas"] == 1
    assert serve["spec"]["strategy"] == {"type": "Recreate"}
    assert of_kind(rendered("small"), "HorizontalPodAutoscaler", "PodDisruptionBudget") == []


def test_a_graphics_card_is_asked_for_where_there_is_one() -> None:
    worker = named(rendered("gpu"), "Deployment", "leafsight-worker")
    (container,) = pod_of(worker)["containers"]
    assert "-cuda:" in container["image"]
    assert (
        container["resources"]["limits"]["nvidia.com/gpu"]
        == container["resources"]["requests"]["nvidia.com/gpu"]
    )
    assert pod_of(worker)["nodeSelector"]
    assert {one["key"] for one in pod_of(worker)["tolerations"]} == {"nvidia.com/gpu"}


def test_the_metric_that_scales_is_one_that_the_service_counts() -> None:
    source = (REPOSITORY / "src/leafsight/service/metrics.py").read_text()
    adapter = yaml.safe_load((FOLDER / "components" / "queue" / "adapter.yaml").read_text())
    (rule,) = adapter["rules"]["custom"]
    assert f'"{rule["name"]["as"]}"' in source
    assert rule["seriesQuery"].startswith(f"{rule['name']['as']}{{")
    (scaler,) = of_kind(rendered("full"), "HorizontalPodAutoscaler")
    assert [one["type"] for one in scaler["spec"]["metrics"]] == ["Resource", "Pods"]


def test_nothing_applies_the_example_of_the_secrets() -> None:
    for file in FOLDER.rglob("kustomization.yaml"):
        assert "secrets.example" not in file.read_text()


def test_every_file_says_what_it_is_for() -> None:
    plain = {"namespace.yaml", "volume.yaml"}
    for file in (*FOLDER.rglob("*.yaml"), *FOLDER.rglob("*.env")):
        assert "#" in file.read_text() or file.name in plain, file


def _change(objects: list[Object], path: str, value: object) -> None:
    """``Kind/name:a.b.0.c``; ``None`` takes the key away."""
    where, _, keys = path.partition(":")
    found: object = named(objects, *where.split("/"))
    *way, last = (int(key) if key.isdigit() else key for key in keys.split("."))
    for key in way:
        found = found[key]  # type: ignore[index]
    if value is None:
        del found[last]  # type: ignore[attr-defined]
    else:
        found[last] = value  # type: ignore[index]


POD = "Deployment/leafsight:spec.template.spec"
BOX = f"{POD}.containers.0"
WORKER = "Deployment/leafsight-worker:spec.template.spec"
ADMIN = {"protocol": "TCP", "port": 9000}
BROKEN = [
    ("valid", f"{BOX}.livenesProbe", {}),
    ("valid", "HorizontalPodAutoscaler/leafsight:spec.minReplicas", "two"),
    ("valid", "PodDisruptionBudget/leafsight:apiVersion", "policy/v1beta1"),
    ("shaped", "ServiceMonitor/leafsight:spec.endpoints.0.port", "metrics"),
    ("shaped", "ServiceMonitor/leafsight:spec.endpoints.0.authorization", None),
    ("shaped", "PrometheusRule/leafsight:spec.groups.0.rules.0.for", "9m"),
    ("without_secrets", f"{BOX}.env.0", {"name": "LEAFSIGHT_DATABASE_URL", "value": "postgresql://x"}),
    ("without_secrets", f"{BOX}.env.0", {"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}),
    ("without_secrets", f"{BOX}.args", ["serve", "--database", "postgresql://user:word@host/db"]),
    ("without_secrets", "Service/leafsight:kind", "Secret"),
    ("pinned", f"{BOX}.image", "registry.example/leafsight-serve:latest"),
    ("pinned", f"{BOX}.image", "registry.example/leafsight-serve"),
    ("pinned", f"{BOX}.image", "registry.example/leafsight-serve:0.0.9"),
    ("closed", f"{POD}.securityContext.runAsNonRoot", False),
    ("closed", f"{POD}.securityContext.runAsUser", 1000),
    ("closed", f"{POD}.securityContext.seccompProfile", None),
    ("closed", f"{POD}.automountServiceAccountToken", None),
    ("closed", f"{POD}.enableServiceLinks", None),
    ("closed", f"{POD}.hostNetwork", True),
    ("closed", f"{BOX}.securityContext.readOnlyRootFilesystem", False),
    ("closed", f"{BOX}.securityContext.allowPrivilegeEscalation", None),
    ("closed", f"{BOX}.securityContext.capabilities", {"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    ("closed", f"{BOX}.securityContext", None),
    ("bounded", f"{BOX}.resources.limits.memory", None),
    ("bounded", f"{BOX}.resources.requests.cpu", "3"),
    ("bounded", f"{BOX}.volumeMounts.0.name", "elsewhere"),
    ("bounded", f"{POD}.volumes.1.emptyDir", {}),
    ("probed", f"{BOX}.startupProbe", None),
    ("probed", f"{BOX}.readinessProbe.httpGet.port", "metrics"),
    ("probed", f"{BOX}.livenessProbe.failureThreshold", 1),
    ("probed", f"{BOX}.livenessProbe.httpGet.path", "/readyz"),
    ("drained", f"{POD}.terminationGracePeriodSeconds", 30),
    ("drained", f"{BOX}.lifecycle", None),
    ("drained", "Deployment/leafsight:spec.strategy.rollingUpdate.maxUnavailable", 1),
    ("drained", f"{WORKER}.terminationGracePeriodSeconds", 15),
    ("scaled", "HorizontalPodAutoscaler/leafsight:spec.scaleTargetRef.name", "leafsite"),
    ("scaled", "HorizontalPodAutoscaler/leafsight:spec.minReplicas", 1),
    ("scaled", "HorizontalPodAutoscaler/leafsight:spec.metrics.1.pods.metric.name", "queue_length"),
    ("scaled", "Deployment/leafsight:spec.replicas", 3),
    ("scaled", "PodDisruptionBudget/leafsight:spec.maxUnavailable", 2),
    ("scaled", "PodDisruptionBudget/leafsight:spec.maxUnavailable", 0),
    ("scaled", "PodDisruptionBudget/leafsight:spec.selector.matchLabels", {"app": "other"}),
    ("selected", "Deployment/leafsight:spec.selector.matchLabels", {"app.kubernetes.io/name": "leafsight"}),
    ("selected", "Service/leafsight:spec.selector", {"app.kubernetes.io/component": "server"}),
    ("selected", "Service/leafsight:spec.ports.0.targetPort", "web"),
    ("selected", "NetworkPolicy/prometheus:spec.podSelector.matchLabels", {"app.kubernetes.io/name": "leaf"}),
    ("selected", f"{POD}.topologySpreadConstraints.0.labelSelector", {"matchLabels": {"app": "other"}}),
    ("worded", f"{BOX}.args", ["server"]),
    ("worded", f"{BOX}.args", ["serve", "--job", "none"]),
    ("worded", "Job/leafsight-migrate:spec.template.spec.containers.0.args", ["db", "migrate", "--first"]),
    ("worded", f"{WORKER}.containers.0.livenessProbe.exec.command.0", "sh"),
    ("set_right", f"{BOX}.env.0", {"name": "LEAFSIGHT_WORKER", "value": "2"}),
    ("set_right", f"{BOX}.env.0", {"name": "LEAFSIGHT_WORKERS", "value": "two"}),
    ("set_right", f"{BOX}.env.0", {"name": "WORKERS", "value": "2"}),
    ("at_the_ports_of_the_image", f"{BOX}.ports.0.containerPort", 8080),
    ("referred", f"{BOX}.env.0.valueFrom.secretKeyRef.key", "address"),
    ("referred", f"{BOX}.envFrom.0.configMapRef.name", "leafsight-settings"),
    ("referred", f"{POD}.serviceAccountName", "default"),
    ("referred", "PersistentVolumeClaim/leafsight-work:metadata.name", "work"),
    ("referred", "Service/leafsight:metadata.namespace", "default"),
    ("let_in", "Ingress/leafsight:spec.tls", []),
    ("let_in", "Ingress/leafsight:spec.rules.0.http.paths.0.backend.service.name", "leafsight-web"),
    ("let_in", "Ingress/leafsight:metadata.annotations.size", None),
]  # fmt: skip


@pytest.mark.parametrize(("law", "path", "value"), BROKEN, ids=[f"{law}: {path}" for law, path, _ in BROKEN])
def test_a_broken_set_up_is_noticed(law: str, path: str, value: object) -> None:
    objects = rendered("full")
    if path.endswith("annotations.size"):
        named(objects, "Ingress", "leafsight")["metadata"]["annotations"][
            "nginx.org/client-max-body-size"
        ] = "1m"
    else:
        _change(objects, path, value)
    found = valid(objects, VERSIONS[-1]) if law == "valid" else LAWS[law](objects)
    assert list(found) != []


def test_a_setting_that_is_none_is_noticed_in_the_shared_ones() -> None:
    for wrong in ({"LEAFSIGHT_WORKER": "2"}, {"LEAFSIGHT_JOBS": "some"}, {"HTTP_PROXY": "x"}):
        objects = rendered("full")
        settings_of(objects).update(wrong)
        assert list(LAWS["set_right"](objects)) != [], wrong


def test_too_few_connections_are_noticed() -> None:
    objects = rendered("evaluation")
    named(objects, "HorizontalPodAutoscaler", "leafsight")["spec"]["maxReplicas"] = 10
    assert list(LAWS["connected"](objects)) != []


OPENED: list[tuple[str, Callable[[list[Object]], object]]] = [
    ("no default", lambda objects: objects.remove(named(objects, "NetworkPolicy", "deny-everything"))),
    ("users at the admin port", lambda objects: _ports(objects, "users").append(ADMIN)),
    ("any port", lambda objects: _ports(objects, "prometheus").clear()),
    ("anybody", lambda objects: named(objects, "NetworkPolicy", "users")["spec"]["ingress"][0].pop("from")),
    ("no way to the database", lambda objects: objects.remove(named(objects, "NetworkPolicy", "database"))),
]  # fmt: skip


def _ports(objects: list[Object], policy: str) -> list[Object]:
    return named(objects, "NetworkPolicy", policy)["spec"]["ingress"][0]["ports"]


@pytest.mark.parametrize(("what", "open_it"), OPENED, ids=[what for what, _ in OPENED])
def test_a_hole_in_the_network_is_noticed(what: str, open_it: Callable[[list[Object]], object]) -> None:
    objects = rendered("full")
    before = edges(objects)
    open_it(objects)
    assert not denied_by_default(objects) or edges(objects) != before


def test_each_law_is_broken_once_at_least() -> None:
    assert {law for law, _, _ in BROKEN} | {"connected"} == {*LAWS, "valid"}


def test_every_container_is_looked_at() -> None:
    assert len(list(containers(rendered("full")))) == 3
    assert len(list(containers(rendered("evaluation")))) == 5
