"""What the report says in sentences: how it is read, what went wrong, what it ran on."""

from __future__ import annotations

from typing import Any

from leafsight.loadtest.blocks import Table
from leafsight.loadtest.report_tables import number, percent

HOW = (
    "Open loop: requests arrive when they arrive. A latency counts from when the request should have"
    " been sent, so a stall is paid for by everyone who comes meanwhile. People: a closed loop with"
    " pauses (Locust); there a slow answer holds back the next request: for latencies look at the open loop.",
    "A request is answered, refused (429 or 503: not now, with Retry-After), or failed: any other status, a"
    " timeout, a broken connection, an answer that is incomplete, wrong, or that of another photograph."
    " Latencies are those of answered requests. Refusals have a table of their own. Failures are counted,"
    " and never part of a latency or of a throughput.",
    "A load with more than 1 % failures is called FAILED, whatever its latencies are. A rate is carried when"
    " the load has not failed, at most 1 % was refused, and the generator kept up.",
    "Throughput is what was answered within the measured time. In brackets: of latencies a 95 % interval from"
    " order statistics over all rounds (few: too few requests for one), of answers a second the least and the"
    " most of the rounds.",
    "A round in which the generator was the limit is set aside for latencies and throughput; its failures"
    " count. Where all rounds are so, the load is called generator-bound and says nothing of the server.",
    "Every answer is held against the reference answer of its photograph. After each load, everything that"
    " the service said it keeps is looked for in it. /healthz and /readyz are never counted.",
)  # fmt: skip
CAPACITY_SAID = (
    "An entry without a mark was measured: so many containers carried a rate at least as high with such a"
    " p99. An entry with ~ assumes that more containers carry as much each as the most that were measured;"
    " nobody has seen."
)


def failures_said(found: dict[str, Any]) -> tuple[str, ...]:
    """What became of everything, and what was looked for afterwards."""
    one = found["failures"]
    kinds = ", ".join(f"{name} {count}" for name, count in one["kinds"].items()) or "none"
    checked = ", ".join(f"{count} {name}" for name, count in one["checked"].items())
    lost = ", ".join(f"{count} {name}" for name, count in one["lost"].items())
    lines = [
        f"{one['requests']} requests: {one['ok']} answered, {one['refused']} refused, {one['failed']} failed;"
        f" failures by kind: {kinds}. Answered wrongly: {one['wrong']}.",
        f"Looked for afterwards: {checked}. Lost: {lost}.",
        f"Reference answers from: {'; '.join(found['references'])}.",
    ]
    if one["not_checked"]:
        lines.append(
            f"In {one['not_checked']} loads it could not be looked: nothing is known of losses there."
        )
    return tuple(lines)


def calibration_said(study: dict[str, Any]) -> str:
    """What the generator can do by itself."""
    one = study.get("calibration")
    if not one:
        return "The generator was not calibrated."
    late = one["half_rate_late_ms"]["p99"] if one["half_rate_late_ms"] else None
    return (
        f"Against a server that only reads, the generator reached {number(one['most_per_s'])} requests a"
        f" second with these photographs ({percent(one['cpu_share_at_most'])} of a processor); at"
        f" {number(one['half_rate_per_s'])} a second it used {percent(one['half_rate_cpu_share'])} of a"
        f" processor and was {number(late)} ms late (p99). A load in which it used more than 80 %"
        " of a processor or was more than 20 ms late (p99) is bound by the generator."
    )


def setting_table(found: dict[str, Any]) -> Table:
    """What it ran on and what was asked."""
    study = found["study"]
    lines = [*_machine_lines(study.get("machine", {})), *_engine_lines(study.get("engine", {}))]
    ready = found["ready_s"]
    if ready:
        lines.append(
            ("ready after", f"{number(min(ready))} to {number(max(ready))} s from the first part on")
        )
    lines += [
        ("without a proxy", "the client asks the replicas in turn; a person stays with one of them"),
        (
            "with a proxy",
            "nginx, fewest connections first, requests buffered whole, no limits of rates",
        ),
    ]
    if people := study.get("people"):
        shares = ", ".join(f"{name} {percent(share)}" for name, share in people["shares"].items())
        said = (
            f"{shares}; {percent(people['corrected'])} of answers to single photographs are corrected or"
            f" confirmed; pauses of {people['think_s']:g} s on average. Assumed, not measured."
        )
        lines.append(("people", said))
    lines += [(f"asked: {name}", _shown(value)) for name, value in study["asked"].items()]
    return Table("Setting", ("what", "how"), tuple(lines), words=(0, 1))


def _machine_lines(machine: dict[str, Any]) -> list[tuple[str, str]]:
    if not machine:
        return []
    versions = ", ".join(f"{name} {one}" for name, one in machine["versions"].items())
    kernel = f"{machine['system']} {machine['kernel']}, control groups version {machine['cgroups']}"
    return [
        ("processor", f"{machine['processor']}, {machine['cores']} cores"),
        ("memory", f"{machine['memory_bytes'] / 2**30:.1f} GiB"),
        ("kernel", kernel),
        ("versions", f"Python {machine['python']}, {versions}"),
        ("when", f"{machine['when']}; load of the machine before: {machine['load_before']}"),
    ]


def _engine_lines(engine: dict[str, Any]) -> list[tuple[str, str]]:
    if not engine:
        return []
    lines = [("engine", f"{engine['engine']}, {engine['version']}"), ("database", engine["database"])]
    lines += [(f"limits: {name}", said) for name, said in engine.get("limits", {}).items()]
    for name, image in engine.get("images", {}).items():
        shown = f"{image['id']}, {image['bytes'] / 1e6:.0f} MB" if image else "not there"
        lines.append((f"image {name}", shown))
    if engine.get("environment"):
        lines.append(
            ("environment", ", ".join(f"{name}={one}" for name, one in engine["environment"].items()))
        )
    return lines


def _shown(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
