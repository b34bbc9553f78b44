"""The faults themselves: each breaks one thing on a running set-up, and gives it back where somebody must."""

from __future__ import annotations

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
        proxy = engine.process(scene.container("proxy"))
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
                engine.in_network_of(proxy, ["iptables", "-w", "-A", *rule])
            scene.note(f"the proxy no longer reaches {count} of {len(scene.setup.replicas)} replicas")
            scene.hold()
        finally:
            for rule in rules:
                engine.in_network_of(proxy, ["iptables", "-w", "-D", *rule])
            scene.is_back()
        scene.note("the network is whole again")

    return act


TAKEN_AWAY = "A file fills its disk; later it is taken away."
KILLED = "kill -9 to the first process of its container."
FAULTS = (
    Fault("replica-killed", "One of two replicas is killed", KILLED, kill_replica),
    Fault("database-killed", "PostgreSQL is killed", KILLED, kill_database),
    Fault("store-killed", "The store is killed", KILLED, kill_store),
    Fault("database-disk-full", "The disk of PostgreSQL is full", TAKEN_AWAY, fill_disk("database")),
    Fault("store-disk-full", "The disk of the store is full", TAKEN_AWAY, fill_disk("store")),
    Fault(
        "replica-disk-full",
        "The file systems of a replica are full",
        "Files fill what one replica may write to (both lie in memory); later they are taken away.",
        fill_replica,
    ),
    Fault(
        "network-silent",
        "One replica is unreachable, silently",
        "Packets between the proxy and one of two replicas are dropped (iptables); later no longer.",
        cut_network(silent=True, count=1),
    ),
    Fault(
        "network-refused",
        "One replica is unreachable, refused",
        "Connections of the proxy to one of two replicas are reset (iptables); later no longer.",
        cut_network(silent=False, count=1),
    ),
    Fault(
        "network-both",
        "All replicas are unreachable, silently",
        "Packets between the proxy and both replicas are dropped (iptables); later no longer.",
        cut_network(silent=True, count=2),
    ),
    Fault(
        "rolling-update",
        "Rolling update of the image",
        "One replica more is started from the new image and waited for; each old one is stopped and "
        "replaced; the additional one is stopped (as deploy/compose/roll.py does it).",
        changing.roll,
    ),
    Fault(
        "flood-large",
        "A flood of 12-megapixel photographs",
        "A container in the proxy's network, so with another address, sends files of 12 megapixels on 24 "
        "connections as fast as they are answered, with a key of its own.",
        flooding.large,
        flooding.prepare,
    ),
    Fault(
        "flood-garbage",
        "A flood of garbage",
        "From another address, on 24 connections: noise, cut files, pictures that claim to be huge, lying "
        "lengths, slow senders, heads of 100 kB and so on (benchmarks/serve/hostile.py).",
        flooding.garbage,
        flooding.prepare,
    ),
    Fault(
        "retraining",
        "A retraining on the same machine",
        "60 drawn leaves of two new classes were accepted; the worker retrains by the quick path.",
        changing.retrain,
        changing.teach,
    ),
    # Last: for an hour after a promotion, the former model is asked beside the new one.
    Fault(
        "promotion",
        "Another model is promoted",
        "A model in the registry, whose probabilities all differ, is promoted by a request.",
        changing.promote,
        changing.add_second_model,
    ),
)
