"""Objects of Kubernetes as ``kubectl kustomize`` renders them, and ways to look at them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "deploy" / "kubernetes"
OVERLAYS = ("small", "full", "evaluation", "gpu")
WORKLOADS = ("Deployment", "StatefulSet", "Job")
OPERATOR = "monitoring.coreos.com"
"""The kinds of this group are no part of Kubernetes: the API schema does not know them."""

Object = dict[str, Any]


@cache
def _objects(overlay: str) -> list[Object]:
    words = ["kubectl", "kustomize", str(FOLDER / "overlays" / overlay)]
    text = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    return [one for one in yaml.safe_load_all(text) if one]


def rendered(overlay: str) -> list[Object]:
    """All objects of an overlay, fresh: whoever changes them harms nobody."""
    return deepcopy(_objects(overlay))


def name_of(one: Object) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [one for one in objects if one["kind"] in kinds]


def named(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = [one for one in of_kind(objects, kind) if one["metadata"]["name"].split("--")[0] == name]
    return found


def pod_of(workload: Object) -> Object:
    return workload["spec"]["template"]["spec"]


def labels_of(workload: Object) -> dict[str, str]:
    return workload["spec"]["template"]["metadata"]["labels"]


def containers(objects: list[Object]) -> Iterator[tuple[Object, Object]]:
    """Each container with its workload."""
    for workload in of_kind(objects, *WORKLOADS):
        for container in (*pod_of(workload)["containers"], *pod_of(workload).get("initContainers", ())):
            yield workload, container


def is_ours(container: Object) -> bool:
    """Whether it runs leafsight; databases and stores are somebody else's."""
    return "leafsight-" in container["image"]


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector takes these labels; an empty one takes all."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for one in selector.get("matchExpressions", ()):
        assert one["operator"] == "In", "no other operator is used, or understood here"
        if labels.get(one["key"]) not in one["values"]:
            return False
    return True


def settings_of(objects: list[Object]) -> dict[str, str]:
    (found,) = of_kind(objects, "ConfigMap")
    return found["data"]


def quantity(text: str) -> float:
    """``1900m``, ``2Gi`` or ``2`` as a number."""
    for suffix, factor in (("Ki", 2**10), ("Mi", 2**20), ("Gi", 2**30), ("m", 1e-3)):
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * factor
    return float(text)
