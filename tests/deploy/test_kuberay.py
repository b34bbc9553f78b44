"""The example for KubeRay: pods that Kubernetes knows, a command that leafsight knows, one version of Ray."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from tests.deploy.laws import VERSIONS
from tests.deploy.rendered import REPOSITORY

from leafsight.cli import command as root
from leafsight.cli.on_cluster import joined_address

FOLDER = REPOSITORY / "deploy" / "kuberay"
OBJECTS = list(yaml.safe_load_all((FOLDER / "train.yaml").read_text()))
JOB, VOLUME = OBJECTS
CLUSTER: dict[str, Any] = JOB["spec"]["rayClusterSpec"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]


def options_of_the_entrypoint() -> dict[str, Any]:
    words = shlex.split(JOB["spec"]["entrypoint"])
    assert words[:2] == ["leafsight", "train"]
    train = root.get_command(click.Context(root), "train")
    assert train is not None
    return train.make_context("train", joined_address(words[2:])).params


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_the_pods_and_the_volume(version: str) -> None:
    kubernetes_validate.validate(VOLUME, version, strict=True)
    for group in GROUPS:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, **group["template"]}
        kubernetes_validate.validate(pod, version, strict=True)


def test_the_command_fits_the_machines() -> None:
    options = options_of_the_entrypoint()
    (group,) = CLUSTER["workerGroupSpecs"]
    assert options["cluster"] == "auto"
    assert options["workers"] == group["replicas"] == group["maxReplicas"]
    assert options["least_workers"] == group["minReplicas"]
    (container,) = group["template"]["spec"]["containers"]
    assert options["worker_cpus"] < int(container["resources"]["requests"]["cpu"])
    assert CLUSTER["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_every_machine_sees_the_same_folder_and_has_the_same_image() -> None:
    options = options_of_the_entrypoint()
    images = set()
    for group in GROUPS:
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        images.add(container["image"])
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert options["out"].is_relative_to(mounted["shared"])
        assert all(source.is_relative_to(mounted["shared"]) for source in options["sources"])
        claims = {volume["name"]: volume.get("persistentVolumeClaim") for volume in pod["volumes"]}
        assert claims["shared"] == {"claimName": VOLUME["metadata"]["name"]}
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert len(images) == 1
    assert VOLUME["spec"]["accessModes"] == ["ReadWriteMany"]
    assert CLUSTER["authOptions"] == {"mode": "token"}


def test_one_version_of_ray() -> None:
    pinned = re.search(r"^ray==(\S+)$", (REPOSITORY / "constraints.txt").read_text(), re.M)
    assert pinned is not None
    assert CLUSTER["rayVersion"] == pinned[1]
    found = re.findall(r"rayproject/ray:([\d.]+)-", (FOLDER / "Dockerfile").read_text())
    assert set(found) == {pinned[1]}
    torch = re.search(r"^torch==(\S+)$", (REPOSITORY / "constraints.txt").read_text(), re.M)
    assert torch is not None
    assert f"torch=={torch[1]}'" in (FOLDER / "Dockerfile").read_text()
