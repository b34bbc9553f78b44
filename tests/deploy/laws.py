"""What must hold of every set-up: a law takes the objects of an overlay and says what breaks it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import yaml
from tests.deploy.rendered import (
    FOLDER,
    OPERATOR,
    REPOSITORY,
    WORKLOADS,
    Object,
    containers,
    is_ours,
    labels_of,
    name_of,
    of_kind,
    pod_of,
    quantity,
    selects,
    settings_of,
)

from leafsight.cli import command as root
from leafsight.errors import LeafsightError
from leafsight.service import clerk_keeper, supervisor
from leafsight.settings import PREFIX, Settings, load_settings

VERSIONS = ("1.30", "1.37")
"""The oldest, for the kubelet sleeps before the end since then, and the newest that the validator knows."""
OF_THE_STORE = {"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}
"""What the library for buckets reads (docs/state.md)."""
CONNECTIONS_OF_A_PROCESS = 10  # docs/state.md
SECRET_WORDS = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY|PRIVATE", re.I)
LOOKS_SECRET = re.compile(
    r"://[^/@\s]+:[^@/\s]+@|\blsk?_[A-Za-z0-9]{8,}|\bAKIA[0-9A-Z]{12,}|BEGIN [A-Z ]*PRIVATE"
)

Faults = Iterator[str]


def valid(objects: list[Object], version: str) -> Faults:
    """Each object is one of this version of the API, without a field that it does not know."""
    for one in objects:
        if one["apiVersion"].startswith(OPERATOR):
            continue
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name_of(one)} at {version}: {'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{name_of(one)}: {error.message}"


def shaped(objects: list[Object]) -> Faults:
    """The operator's kinds have what its documentation asks for; there is no schema for them here."""
    for one in objects:
        if not one["apiVersion"].startswith(OPERATOR):
            continue
        spec = one["spec"]
        if one["kind"] == "ServiceMonitor":
            services = [
                service for service in of_kind(objects, "Service")
                if selects(spec["selector"], service["metadata"]["labels"])
            ]  # fmt: skip
            ports = {port["name"] for service in services for port in service["spec"]["ports"]}
            for endpoint in spec["endpoints"]:
                if endpoint["port"] not in ports:
                    yield f"no Service has the port {endpoint['port']} that is scraped"
                if "credentials" not in endpoint.get("authorization", {}):
                    yield "/metrics wants a key with the scope admin"
        elif one["kind"] == "PrometheusRule":
            given = yaml.safe_load((REPOSITORY / "deploy/monitoring/prometheus-alerts.yaml").read_text())
            if spec["groups"] != given["groups"]:
                yield "the rules are not those of deploy/monitoring: run write_rules.py beside rules.yaml"
        else:
            yield f"{name_of(one)} is of no kind that is known here"


def without_secrets(objects: list[Object]) -> Faults:
    """Secrets are referred to; none, and no value of one, is in what is rendered."""
    yield from (f"{name_of(one)} is a Secret" for one in of_kind(objects, "Secret"))
    hidden = {f"{PREFIX}{name.upper()}" for name in _secret_settings()}
    for _, container in containers(objects):
        for variable in container.get("env", ()):
            if "value" in variable and (variable["name"] in hidden or SECRET_WORDS.search(variable["name"])):
                yield f"{variable['name']} is written out"
    for one in of_kind(objects, "ConfigMap"):
        yield from (
            f"{key} is in a ConfigMap" for key in one["data"] if key in hidden or SECRET_WORDS.search(key)
        )
    yield from (
        f"{found[0]!r} looks like a secret" for found in LOOKS_SECRET.finditer(yaml.safe_dump_all(objects))
    )


def _secret_settings() -> Iterator[str]:
    for one in Settings.__dataclass_fields__.values():
        if one.metadata["secret"]:
            yield one.name


def pinned(objects: list[Object]) -> Faults:
    """Every image has a tag, and it comes from the one place."""
    listed = yaml.safe_load((FOLDER / "images" / "kustomization.yaml").read_text())["images"]
    known = {f"{one['newName']}:{one['newTag']}" for one in listed}
    for workload, container in containers(objects):
        image = container["image"]
        if image not in known:
            yield f"{name_of(workload)} runs {image}, which images/kustomization.yaml does not name"
        if image.endswith(":latest") or ":" not in image.rpartition("/")[2]:
            yield f"{name_of(workload)} runs {image}, which is another one tomorrow"


def closed(objects: list[Object]) -> Faults:
    """No root, no capability, no writable root, no token, no variables made of Services."""
    for workload in of_kind(objects, *WORKLOADS):
        pod, name = pod_of(workload), name_of(workload)
        security = pod.get("securityContext", {})
        if not security.get("runAsNonRoot") or not security.get("runAsUser"):
            yield f"{name} may be root"
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name} has no seccomp profile"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name} has a token"
        if pod.get("enableServiceLinks") is not False:
            yield f"{name} gets a variable {PREFIX}SERVICE_HOST, which is no setting: it would not start"
        if {"hostNetwork", "hostPID", "hostIPC"} & pod.keys() or any(
            "hostPath" in one for one in pod["volumes"]
        ):
            yield f"{name} reaches into its node"
    for workload, container in containers(objects):
        security, name = container.get("securityContext", {}), f"{name_of(workload)} {container['name']}"
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"{name} may gain privileges"
        if security.get("readOnlyRootFilesystem") is not True:
            yield f"{name} writes into its image"
        if security.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name} keeps capabilities"
        if security.get("privileged") or security.get("runAsUser") == 0:
            yield f"{name} is privileged"
        if is_ours(container) and pod_of(workload)["securityContext"]["runAsUser"] != 10001:
            yield f"{name} is not the user of the image"


def bounded(objects: list[Object]) -> Faults:
    """Processor and memory are asked for and limited; what is written has a limit, too."""
    for workload, container in containers(objects):
        name, given = f"{name_of(workload)} {container['name']}", container.get("resources", {})
        for what in ("cpu", "memory"):
            asked, most = given.get("requests", {}).get(what), given.get("limits", {}).get(what)
            if asked is None or most is None:
                yield f"{name} has no request or no limit of {what}"
            elif quantity(str(asked)) > quantity(str(most)):
                yield f"{name} asks for more {what} than it may have"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        volumes = {one["name"] for one in pod_of(workload)["volumes"]} | {
            one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", ())
        }
        yield from (f"{name} mounts {one}, which is no volume" for one in mounted - volumes)
    for workload in of_kind(objects, *WORKLOADS):
        for volume in pod_of(workload)["volumes"]:
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{name_of(workload)} may fill its node by {volume['name']}"


def probed(objects: list[Object]) -> Faults:
    """What runs for long is asked whether it started, is ready, is alive; and is given half a minute."""
    for workload, container in containers(objects):
        if workload["kind"] == "Job":
            continue
        name = f"{name_of(workload)} {container['name']}"
        ports = {port["name"] for port in container.get("ports", ())}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind)
            if probe is None:
                yield f"{name} has no {kind}"
                continue
            if "httpGet" in probe and probe["httpGet"]["port"] not in ports:
                yield f"{name}: {kind} asks at no port of it"
        alive = container.get("livenessProbe", {})
        if alive.get("failureThreshold", 0) * alive.get("periodSeconds", 0) < 30:
            yield f"{name} is killed for being slow for less than half a minute"
        if is_ours(container) and alive.get("httpGet", {}).get("path", "/healthz") != "/healthz":
            yield f"{name} is killed while its database is down"


def drained(objects: list[Object]) -> Faults:
    """Whoever is told to end has the time to answer what was begun."""
    for workload, container in containers(objects):
        if not is_ours(container) or workload["kind"] == "Job":
            continue
        first = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        serves = container["args"][0] == "serve"
        wanted = first + 2 * clerk_keeper.END_WITHIN_S + (supervisor.END_WITHIN_S if serves else 0)
        if pod_of(workload)["terminationGracePeriodSeconds"] <= wanted:
            yield f"{name_of(workload)} is killed before its {wanted} s are over"
        if serves and not first:
            yield f"{name_of(workload)} is sent requests after it stopped listening"
        rolling = workload["spec"]["strategy"].get("rollingUpdate", {})
        if (
            serves
            and workload["spec"]["strategy"]["type"] == "RollingUpdate"
            and rolling["maxUnavailable"] != 0
        ):
            yield f"{name_of(workload)} takes replicas away before new ones are ready"


def scaled(objects: list[Object]) -> Faults:
    """The autoscaler has a target whose number nobody else sets; drains leave somebody who answers."""
    targets = {}
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        spec = scaler["spec"]
        found = [
            one for one in of_kind(objects, spec["scaleTargetRef"]["kind"])
            if one["metadata"]["name"] == spec["scaleTargetRef"]["name"]
        ]  # fmt: skip
        if not found:
            yield f"{name_of(scaler)} scales nothing that is there"
            continue
        targets[name_of(found[0])] = spec
        if "replicas" in found[0]["spec"]:
            yield f"{name_of(found[0])} says its number, so each apply takes back the autoscaler's"
        if not 2 <= spec["minReplicas"] <= spec["maxReplicas"]:
            yield f"{name_of(scaler)} goes from {spec['minReplicas']} to {spec['maxReplicas']}"
        yield from _known_metrics(spec["metrics"])
    for budget in of_kind(objects, "PodDisruptionBudget"):
        matched = [
            one
            for one in of_kind(objects, "Deployment")
            if selects(budget["spec"]["selector"], labels_of(one))
        ]
        if len(matched) != 1:
            yield f"{name_of(budget)} is about {len(matched)} workloads"
            continue
        least = targets.get(name_of(matched[0]), {}).get("minReplicas", matched[0]["spec"].get("replicas", 1))
        if not 1 <= budget["spec"].get("maxUnavailable", 0) < least:
            yield f"{name_of(budget)} lets all of {least} go, or none"


def _known_metrics(metrics: list[Object]) -> Faults:
    adapter = yaml.safe_load((FOLDER / "components" / "queue" / "adapter.yaml").read_text())
    offered = {rule["name"]["as"] for rule in adapter["rules"]["custom"]}
    for metric in metrics:
        if metric["type"] == "Pods" and metric["pods"]["metric"]["name"] not in offered:
            yield f"nobody offers the metric {metric['pods']['metric']['name']}"


def selected(objects: list[Object]) -> Faults:
    """Whatever selects pods selects some, and a workload its own alone."""
    workloads = of_kind(objects, *WORKLOADS)
    for workload in of_kind(objects, "Deployment", "StatefulSet"):
        taken = [one for one in workloads if selects(workload["spec"]["selector"], labels_of(one))]
        if taken != [workload]:
            yield f"{name_of(workload)} takes {[name_of(one) for one in taken]} for its own"
        for spread in pod_of(workload).get("topologySpreadConstraints", ()):
            if not selects(spread["labelSelector"], labels_of(workload)):
                yield f"{name_of(workload)} spreads others than its own"
    for service in of_kind(objects, "Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        behind = [one for one in workloads if selects(selector, labels_of(one))]
        ports = {port["name"] for one in behind for box in pod_of(one)["containers"] for port in box["ports"]}
        if not behind:
            yield f"{name_of(service)} leads nowhere"
        yield from (
            f"{name_of(service)} leads to the port {port['targetPort']}, which nobody has"
            for port in service["spec"]["ports"] if behind and port["targetPort"] not in ports
        )  # fmt: skip
    for policy in of_kind(objects, "NetworkPolicy"):
        if not any(selects(policy["spec"]["podSelector"], labels_of(one)) for one in workloads):
            yield f"{name_of(policy)} is about nobody"


def set_right(objects: list[Object]) -> Faults:
    """Every variable is a setting, and leafsight takes all of them together."""
    shared = settings_of(objects)
    for key in shared:
        if not key.startswith(PREFIX) and key not in OF_THE_STORE:
            yield f"{key} is nothing that leafsight reads"
    for workload, container in containers(objects):
        if not is_ours(container):
            continue
        own = {one["name"]: one.get("value") for one in container.get("env", ())}
        variables = {**(shared if "envFrom" in container else {}), **own}
        yield from (
            f"{name_of(workload)}: {key} is nothing that leafsight reads"
            for key in own if not key.startswith(PREFIX) and key not in OF_THE_STORE
        )  # fmt: skip
        given = {key: "s3://made-up" if value is None else value for key, value in variables.items()}
        try:
            load_settings(Path("/nowhere"), given)
        except LeafsightError as error:
            yield f"{name_of(workload)}: {error}"


def worded(objects: list[Object]) -> Faults:
    """Every command of ours that a container or a probe runs exists, with its options."""
    for workload, container in containers(objects):
        if not is_ours(container):
            continue
        if "command" in container:
            yield f"{name_of(workload)} goes past the entry point of the image"
        lines = [container["args"]]
        probes = (container.get(kind, {}) for kind in ("startupProbe", "readinessProbe", "livenessProbe"))
        for probe in probes:
            words = probe.get("exec", {}).get("command")
            if words and words[0] != "/opt/leafsight/bin/leafsight":
                yield f"{name_of(workload)} is probed by {words[0]}, which the image has not"
            elif words:
                lines.append(words[1:])
        for words in lines:
            if (fault := command_fault(words)) is not None:
                yield f"{name_of(workload)}: {fault}"


def command_fault(words: list[str]) -> str | None:
    """Why ``leafsight WORDS`` cannot be understood, or ``None``."""
    found: Any = root
    rest = list(words)
    while isinstance(found, click.Group):
        verb = rest.pop(0) if rest else ""
        found = found.get_command(click.Context(found), verb)
        if found is None:
            return f"there is no leafsight {shlex.join(words)}"
    try:
        found.make_context("leafsight", rest)
    except click.ClickException as error:
        return f"leafsight {shlex.join(words)}: {error.message}"
    return None


def at_the_ports_of_the_image(objects: list[Object]) -> Faults:
    """Containers, settings and image name the same ports."""
    exposed = set(re.findall(r"^EXPOSE (.+)$", (REPOSITORY / "Dockerfile").read_text(), re.M)[0].split())
    told = {settings_of(objects)[f"{PREFIX}{name}"] for name in ("PORT", "ADMIN_PORT")}
    for workload, container in containers(objects):
        if is_ours(container) and "ports" in container:
            named = {str(port["containerPort"]) for port in container["ports"]}
            if not named == exposed == told:
                yield f"{name_of(workload)} has {named}, the image {exposed}, the settings {told}"


def referred(objects: list[Object]) -> Faults:
    """Whatever is referred to is there, or is a Secret that secrets.example.yaml shows."""
    shown = {
        (one["metadata"]["name"], key)
        for one in yaml.safe_load_all((FOLDER / "secrets.example.yaml").read_text())
        for key in one["stringData"]
    }
    there = {(one["kind"], one["metadata"]["name"]) for one in objects}
    for workload, container in containers(objects):
        name = name_of(workload)
        for variable in container.get("env", ()):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            if secret and (secret["name"], secret["key"]) not in shown:
                yield f"{name} wants {secret['key']} of {secret['name']}, which no example shows"
        for source in container.get("envFrom", ()):
            if ("ConfigMap", source["configMapRef"]["name"]) not in there:
                yield f"{name} wants a ConfigMap that is not there"
        for volume in pod_of(workload)["volumes"]:
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and ("PersistentVolumeClaim", claim) not in there:
                yield f"{name} wants the volume {claim}, which is not there"
        if ("ServiceAccount", pod_of(workload)["serviceAccountName"]) not in there:
            yield f"{name} runs for an account that is not there"
    for one in objects:
        if one["kind"] != "Namespace" and one["metadata"].get("namespace") != "leafsight":
            yield f"{name_of(one)} is in another namespace"


def let_in(objects: list[Object]) -> Faults:
    """The ingress ends TLS for each host, leads to a Service, and lets through what the service may take."""
    for ingress in of_kind(objects, "Ingress"):
        spec, most = ingress["spec"], int(settings_of(objects)[f"{PREFIX}MAX_REQUEST_BYTES"])
        secured = {host for one in spec.get("tls", ()) for host in one["hosts"]}
        for rule in spec["rules"]:
            if rule["host"] not in secured:
                yield f"{rule['host']} is without TLS"
            for path in rule["http"]["paths"]:
                wanted = path["backend"]["service"]
                if not any(
                    one["metadata"]["name"] == wanted["name"]
                    and wanted["port"]["name"] in {port["name"] for port in one["spec"]["ports"]}
                    for one in of_kind(objects, "Service")
                ):
                    yield f"{name_of(ingress)} leads to a Service that is not there"
        sizes = [
            value for key, value in ingress["metadata"]["annotations"].items() if key.endswith("body-size")
        ]
        if len(sizes) < 2 or any(int(size.removesuffix("m")) * 2**20 <= most for size in sizes):
            yield f"{name_of(ingress)} refuses what the service would take, in words of its own"


def connected(objects: list[Object]) -> Faults:
    """A database that comes along lets in as many as the replicas may open."""
    for workload, container in containers(objects):
        found = re.search(r"max_connections=(\d+)", " ".join(container.get("args", ())))
        if found is None:
            continue
        (scaler,) = of_kind(objects, "HorizontalPodAutoscaler")
        (served,) = [box for _, box in containers(objects) if box.get("args", [])[:1] == ["serve"]]
        processes = int(quantity(served["resources"]["limits"]["cpu"])) * scaler["spec"]["maxReplicas"]
        wanted = (processes + 3) * CONNECTIONS_OF_A_PROCESS
        if int(found[1]) <= wanted:
            yield f"{name_of(workload)} lets in {found[1]}, and {wanted} may come"


LAWS: dict[str, Callable[[list[Object]], Faults]] = {
    one.__name__: one
    for one in (
        shaped, without_secrets, pinned, closed, bounded, probed, drained, scaled, selected, set_right,
        worded, at_the_ports_of_the_image, referred, let_in, connected,
    )
}  # fmt: skip
