"""The faults themselves: each breaks one thing on a running set-up, and gives it back where somebody must."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faults import changing, flooding
from benchmarks.faults.scene import Scene, fill_folder, folder_in


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: as it is chosen.
        title: in the report.
        done: what was done, in one sentence.
        act: does it; returns when everything is back.
        prepare: before the load begins.
    """

    name: str
    title: str
    done: str
    act: Callable[[Scene], None]
    prepare: Callable[[Scene], None] | None = None


def kill_replica(scene: Scene) -> None:
    """As if the out-of-memory killer had been there."""
    scene.kill_and_watch("replica")


def kill_database(scene: Scene) -> None:
    """All its processes end at once."""
    scene.kill_and_watch("database")


def kill_store(scene: Scene) -> None:
    """Master, volumes, filer and S3 end at once."""
    scene.kill_and_watch("store")


def fill_disk(service: str) -> Callable[[Scene], None]:
    """Fill the disk of a service, and free it again."""

    def act(scene: Scene) -> None:
        disk, name, engine = scene.setup.disks[service], scene.container(service), scene.setup.engine
        before = engine.restarts(name)
        scene.begins()
        try:
            size = disk.fill()
            scene.note(f"a file of {size / 2**20:.0f} MiB fills the disk of the {service}")
            scene.hold()
        finally:
            disk.free_again()
            scene.is_back()
        scene.note("the file is gone")
        scene.figures["restarts"] = engine.restarts(name) - before
        engine.wait_until_healthy(name)
        scene.note(f"the {service} is healthy")
        scene.figures["healthy_after_back_s"] = round(scene.now() - scene.back_s, 1)

    return act


def fill_replica(scene: Scene) -> None:
    """Both file systems in memory of one replica."""
    name = scene.container("replica")
    process = scene.setup.engine.process(name)
    scene.begins()
    made = []
    try:
        for path in ("/tmp", "/var/lib/leafsight"):
            folder = folder_in(process, path)
            if folder.is_dir():
                made.append(fill_folder(folder))
                scene.note(f"{path} of a replica is full ({made[-1].stat().st_size / 2**20:.0f} MiB)")
        scene.hold()
    finally:
        for one in made:
            one.unlink(missing_ok=True)
        scene.is_back()
    scene.note("the files are gone")
    scene.figures["is_the_same_process"] = scene.setup.engine.process(name) == process
    scene.setup.engine.wait_until_healthy(name)


def cut_network(silent: bool, count: int) -> Callable[[Scene], None]:
    """Cut the way between the proxy and ``count`` replicas, without a word or with a refusal."""

    def act(scene: Scene) -> None:
        front, engine = scene.setup.network("front"), scene.setup.engine
        addresses = [engine.address(name, front) for name in scene.setup.replicas[:count]]
        rules = []
        for one in addresses:
            if silent:
                rules += [["OUTPUT", "-d", one, "-j", "DROP"], ["INPUT", "-s", one, "-j", "DROP"]]
            else:
                rules.append(["OUTPUT", "-p", "tcp", "-d", one, "-j", "REJECT", "--reject-with", "tcp-reset"])
        scene.begins()
        try:
            for rule in rules:
                scene.in_proxys_network("-A", *rule)
            scene.note(f"the proxy no longer reaches {count} of {len(scene.setup.replicas)} replicas")
            scene.hold()
        finally:
            for rule in rules:
                scene.in_proxys_network("-D", *rule)
            scene.is_back()
        scene.note("the network is whole again")
        time.sleep(0)

    return act


FAULTS = (
    Fault("replica-killed", "A replica is killed", "kill -9 to the first process of one of two replicas.", kill_replica),
    Fault("database-killed", "PostgreSQL is killed", "kill -9 to the first process of its container.", kill_database),
    Fault("store-killed", "The store is killed", "kill -9 to the first process of its container.", kill_store),
    Fault("database-disk-full", "The disk of PostgreSQL is full", "A file fills its disk; later it is taken away.", fill_disk("database")),
    Fault("store-disk-full", "The disk of the store is full", "A file fills its disk; later it is taken away.", fill_disk("store")),
    Fault("replica-disk-full", "The file systems of a replica are full", "Files fill what one replica may write to; later they are taken away.", fill_replica),
    Fault("network-silent", "One replica is unreachable, silently", "Packets between the proxy and one replica are dropped; later no longer.", cut_network(True, 1)),
    Fault("network-refused", "One replica is unreachable, refused", "Connections of the proxy to one replica are reset; later no longer.", cut_network(False, 1)),
    Fault("network-both", "All replicas are unreachable, silently", "Packets between the proxy and both replicas are dropped; later no longer.", cut_network(True, 2)),
    Fault("rolling-update", "Rolling update of the image", "Replica by replica: a new one is started, waited for, and an old one is stopped.", changing.roll),
    Fault("promotion", "Another model is promoted", "A model in the registry is promoted by a request.", changing.promote, changing.add_second_model),
    Fault("retraining", "A retraining on the same machine", "The worker retrains by the quick path.", changing.retrain, changing.teach),
    Fault("flood-large", "A flood of 12-megapixel photographs", "From another address, as fast as they are taken.", flooding.large),
    Fault("flood-garbage", "A flood of garbage", "From another address: noise, cut files, lying lengths, slow senders, huge heads.", flooding.garbage),
)  # fmt: skip
