"""Results as one text for people, and whether the targets of the issue are met.

Enters: the plain values of the scenarios. Leaves: text. It measures nothing.
"""

from __future__ import annotations

from typing import Any

# The targets, as the README lists them.
OF_BARE_AT_LEAST = 0.80
TIMES_AT_LEAST = {
    "fastapi": 1.3,
    "fastapi, 2 workers": 1.3,
    "litserve": 1.5,
    "litserve, batched": 1.5,
    "litserve, fast queue": 1.5,
    "bentoml": 1.5,
    "bentoml, batched": 1.5,
    "fastapi, torch": 5.0,
}
P99_OVER_SINGLE_AT_MOST = 3.0
REFUSED_WITHIN_MS = 20.0
RECOVERED_WITHIN_S = 1.0
MEMORY_GROWS_AT_MOST = 0.10  # under overload, of what it was before
FIRST_ANSWER_WITHIN_S = 2.0
WORKER_MIB_AT_MOST = 300.0
LEAK_MIB_PER_HOUR_AT_MOST = 10.0


def text(results: dict[str, Any]) -> str:
    """The whole report."""
    lines = [_machine(results), _generator(results["generator"])]
    for name, write in SECTIONS.items():
        if name in results:
            lines += ["", *write(results)]
    lines += ["", "targets", *(f"  {_verdict(met):10s} {words}" for words, met in targets(results))]
    return "\n".join(lines)


def all_met(results: dict[str, Any]) -> bool:
    """Whether no target that was measured is missed."""
    return all(met is not False for _, met in targets(results))


def targets(results: dict[str, Any]) -> list[tuple[str, bool | None]]:
    """Each target with its figure, and whether it is met; None where it cannot be judged."""
    found: list[tuple[str, bool | None]] = []
    for name, judge in JUDGES.items():
        if name in results:
            found += judge(results)
    return found


def _throughput(results: dict[str, Any]) -> list[str]:
    found = results["throughput"]
    base = found["base"]
    lines = [f"throughput, closed loop: median of {len(found['rounds'])} rounds, ratios within a round"]
    lines.append(
        f"  {'':22} {'a second':>9} {'of bare':>8} {base + ' over':>15} {'p50 ms':>8} {'p99 ms':>8}"
        f" {'failed':>7} {'refused':>8} {'same class':>11}"
    )
    for name, per_s in found["median_per_s"].items():
        last = found["rounds"][-1][name]
        ms = last.get("ok_ms") or {}
        same = _agreement(found["agreement"].get(name))
        failed, refused = _sum(found, name, "failed"), _sum(found, name, "refused")
        lines.append(
            f"  {name:22} {per_s:9.1f} {_number(found['of_bare'].get(name), 3):>8}"
            f" {_number(found['base_over'].get(name), 2):>15} {_number(ms.get('p50'), 1):>8}"
            f" {_number(ms.get('p99'), 1):>8} {failed:>7} {refused:>8} {same:>11}"
        )
    return lines


def _agreement(found: dict[str, int] | None) -> str:
    return f"{found['same_top_class']} of {found['photographs']}" if found else ""


def _latency(results: dict[str, Any]) -> list[str]:
    found = results["latency"]
    lines = [
        "latency, open loop at 70 % of the capacity; last round, ratio: median of the rounds",
        f"  {'':22} {'a second':>9} {'alone ms':>9} {'p50 ms':>8} {'p99 ms':>8} {'p99 / alone':>12}"
        f" {'failed':>7} {'late p99':>9}",
    ]
    for name, ratio in found["p99_over_single"].items():
        last = found["rounds"][-1][name]
        at_rate = last["at_rate"]
        late = (at_rate["late_ms"] or {}).get("p99")
        lines.append(
            f"  {name:22} {last['rate_per_s']:9.1f} {_number(last['single_p50_ms'], 1):>9}"
            f" {_number((at_rate['ok_ms'] or {}).get('p50'), 1):>8} {_number(last['p99_ms'], 1):>8}"
            f" {_number(ratio, 2):>12} {at_rate['failed']:>7} {_number(late, 1):>9}"
        )
    return lines


def _overload(results: dict[str, Any]) -> list[str]:
    seconds, times = results["settings"]["overload_s"], results["settings"]["overload_times"]
    lines = [
        f"overload, open loop at {times:g} times the capacity for {seconds:g} s",
        f"  {'':22} {'a second':>9} {'ok':>7} {'p99 ms':>8} {'refused':>8} {'p99 ms':>8} {'failed':>7}"
        f" {'MiB before':>11} {'most':>7} {'after':>7} {'recovered s':>12}",
    ]
    for name, one in results["overload"].items():
        load, mib = one["under_load"], one["memory_mib"]
        lines.append(
            f"  {name:22} {one['rate_per_s']:9.1f} {load['ok']:7d} {_p99(load, 'ok_ms'):>8}"
            f" {load['refused']:8d} {_p99(load, 'refused_ms'):>8} {load['failed']:7d} {mib['before']:11.1f}"
            f" {mib['most_during']:7.1f} {mib['after']:7.1f} {_number(one['recovery_s'], 2):>12}"
        )
        lines.append(
            f"  {'':22} failed: {_counts(load['failures'])}; refused without Retry-After:"
            f" {load['refused_without_retry_after']}; generator late by {_p99(load, 'late_ms')} ms (p99)"
        )
    return lines


def _start(results: dict[str, Any]) -> list[str]:
    lines = [
        "start: seconds to the first answered prediction; memory after a second of load",
        f"  {'':22} {'median s':>9} {'most s':>8} {'processes':>10} {'all PSS MiB':>12} {'largest RSS':>12}",
    ]
    for name, one in results["start"].items():
        lines.append(
            f"  {name:22} {one['median_first_answer_s']:9.2f} {one['most_first_answer_s']:8.2f}"
            f" {one['processes']:10d} {one['total_pss_mib']:12.1f} {one['largest_rss_mib']:12.1f}"
        )
    return lines


def _soak(results: dict[str, Any]) -> list[str]:
    lines = []
    for name, one in results["soak"].items():
        valid, memory = one["valid"], one["memory"]
        lines += [
            f"soak of {name}, {results['settings']['soak_s']:g} s, valid and hostile requests together",
            f"  valid: {valid['ok']} ok, {valid['refused']} refused, failed: {_counts(valid['failures'])}",
            f"  memory: {memory['first_mib']} to {memory['last_mib']} MiB, slope"
            f" {memory['slope_mib_per_hour']} +- {memory['slope_error_mib_per_hour']} MiB an hour",
            f"  workers lost: {one['crashed_workers']}; server errors:"
            f" {one['hostile']['server_errors'] or 'none'};"
            f" tracebacks told: {one['hostile']['tracebacks'] or 'none'}",
            *(f"    {case:26} {_counts(found)}" for case, found in one["hostile"]["answers"].items()),
        ]
    return lines


def _restarts(results: dict[str, Any]) -> list[str]:
    lines = []
    for name, one in results["restarts"].items():
        load = one["under_load"]
        lines += [
            f"restarts of {name} under open load: {one['restarts']} of {one['asked']} done,"
            f" {one['not_finished']} not finished, the longest {_number(one['longest_s'], 1)} s",
            f"  {load['ok']} ok (p99 {_p99(load, 'ok_ms')} ms), {load['refused']} refused, failed:"
            f" {_counts(load['failures'])}",
        ]
    return lines


def _judge_throughput(results: dict[str, Any]) -> list[tuple[str, bool | None]]:
    found = results["throughput"]
    base = found["base"]
    if base == "bare":
        return []
    share = found["of_bare"][base]
    rows: list[tuple[str, bool | None]] = [
        (
            f"{base}: {share} of the bare pipeline, at least {OF_BARE_AT_LEAST}",
            _least(share, OF_BARE_AT_LEAST),
        )
    ]
    for name, least in TIMES_AT_LEAST.items():
        if name in found["base_over"]:
            ratio = found["base_over"][name]
            rows.append((f"{base}: {ratio} times {name}, at least {least}", _least(ratio, least)))
    return rows


def _judge_latency(results: dict[str, Any]) -> list[tuple[str, bool | None]]:
    most = P99_OVER_SINGLE_AT_MOST
    return [
        (f"{name}: p99 is {ratio} times a lone request, at most {most}", _most(ratio, most))
        for name, ratio in results["latency"]["p99_over_single"].items()
        if name == "leafsight"
    ]


def _judge_overload(results: dict[str, Any]) -> list[tuple[str, bool | None]]:
    one = results["overload"].get("leafsight")
    if one is None:
        return []
    load, mib, deadline = one["under_load"], one["memory_mib"], results["settings"]["deadline_ms"]
    accepted, refused = (load[name]["p99"] if load[name] else None for name in ("ok_ms", "refused_ms"))
    growth = mib["most_during"] / mib["before"] - 1
    return [
        (f"overload: accepted p99 {accepted} ms, deadline {deadline} ms", _most(accepted, deadline)),
        (
            f"overload: refused p99 {refused} ms, at most {REFUSED_WITHIN_MS}",
            _most(refused, REFUSED_WITHIN_MS),
        ),
        (f"overload: {load['failed']} failed neither accepted nor refused", load["failed"] == 0),
        (
            f"overload: memory grew by {growth:.1%}, at most {MEMORY_GROWS_AT_MOST:.0%}",
            growth <= MEMORY_GROWS_AT_MOST,
        ),
        (
            f"overload: recovered after {one['recovery_s']} s, at most {RECOVERED_WITHIN_S}",
            one["recovery_s"] is not None and one["recovery_s"] <= RECOVERED_WITHIN_S,
        ),
    ]


def _judge_start(results: dict[str, Any]) -> list[tuple[str, bool | None]]:
    one = results["start"].get("leafsight")
    if one is None:
        return []
    seconds, mib = one["median_first_answer_s"], one["largest_rss_mib"]
    return [
        (f"start: {seconds} s, at most {FIRST_ANSWER_WITHIN_S}", seconds <= FIRST_ANSWER_WITHIN_S),
        (
            f"memory: {mib} MiB in the largest process, at most {WORKER_MIB_AT_MOST}",
            mib <= WORKER_MIB_AT_MOST,
        ),
    ]


def _judge_soak(results: dict[str, Any]) -> list[tuple[str, bool | None]]:
    rows: list[tuple[str, bool | None]] = []
    for one in results["soak"].values():
        rise, error = (one["memory"][f"slope{part}_mib_per_hour"] for part in ("", "_error"))
        limit = LEAK_MIB_PER_HOUR_AT_MOST
        broken = one["crashed_workers"] or one["hostile"]["server_errors"] or one["hostile"]["tracebacks"]
        long_enough = results["settings"]["soak_s"] >= 600
        rows += [
            (
                f"soak: memory rises by {rise} +- {error} MiB an hour, at most {limit}"
                + ("" if long_enough else " (too short to say)"),
                rise <= limit if long_enough else None,
            ),
            ("soak: no crash, no server error, no traceback told", not broken and one["still_running"]),
            (f"soak: {one['valid']['failed']} valid requests failed", one["valid"]["failed"] == 0),
        ]
    return rows


def _judge_restarts(results: dict[str, Any]) -> list[tuple[str, bool | None]]:
    return [
        (
            f"restarts: {one['under_load']['failed']} failed and {one['under_load']['refused']} refused"
            f" requests in {one['restarts']} of {one['asked']} restarts",
            one["under_load"]["failed"] == 0 and one["restarts"] == one["asked"],
        )
        for one in results["restarts"].values()
    ]


SECTIONS = {
    "throughput": _throughput,
    "latency": _latency,
    "overload": _overload,
    "start": _start,
    "soak": _soak,
    "restarts": _restarts,
}
JUDGES = {
    "throughput": _judge_throughput,
    "latency": _judge_latency,
    "overload": _judge_overload,
    "start": _judge_start,
    "soak": _judge_soak,
    "restarts": _judge_restarts,
}


def _machine(results: dict[str, Any]) -> str:
    on, ours = results["machine"], results["versions"]["ours"]
    shown = ", ".join(f"{name} {value}" for name, value in sorted(ours.items()))
    peers = ", ".join(f"{name} {value}" for name, value in sorted(results["versions"]["peers"].items()))
    return (
        f"{on['processor']}, {on['cores']} cores, {on['memory_gib']} GiB, Python {on['python']},"
        f" {on['when']}, load {on['load_before']} before, seed {results['settings']['seed']}"
        f"\nours: {shown}\npeers: {peers}"
    )


def _generator(found: dict[str, Any]) -> str:
    each = {name: one["generator_cpu_us_per_request"] for name, one in found.items()}
    late = found["open"]["late_ms"]["p99"]
    return (
        f"generator alone: {each['closed']} us of processor a request in the closed loop"
        f" ({found['closed']['per_s']:.0f} a second), {each['open']} us in the open one (p99 {late} ms late)"
    )


def _sum(found: dict[str, Any], name: str, what: str) -> int:
    return sum(one[name].get(what, 0) for one in found["rounds"])


def _p99(load: dict[str, Any], name: str) -> str:
    return _number(load[name]["p99"], 1) if load[name] else "-"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in found.items()) or "none"


def _least(value: float | None, limit: float | None) -> bool | None:
    return None if value is None or limit is None else value >= limit


def _most(value: float | None, limit: float | None) -> bool | None:
    return None if value is None or limit is None else value <= limit


def _verdict(met: bool | None) -> str:
    return "not judged" if met is None else "met" if met else "MISSED"
