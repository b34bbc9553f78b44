"""What monitoring does every minute: the watch, drift, alerts.

Enters: the database, the registry, the clock. Leaves: marks, a rollback where one is due, alerts sent. What
fails is tried again the next minute, and stops nothing else. It does not know who calls.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import LeafsightError
from leafsight.monitoring.alerting import Kind, alert
from leafsight.monitoring.drift_looks import DriftLooks, note_drift
from leafsight.monitoring.marks import Value, change_mark
from leafsight.monitoring.sending import Post, post_json, send_alerts
from leafsight.monitoring.watching import look_at_watch, watch_what_was_promoted

if TYPE_CHECKING:
    from leafsight.registry import Registry
    from leafsight.state import State

TICK = "tick"
EVERY_MS, EARLY_MS = 60_000, 5_000
LOG = logging.getLogger("leafsight.monitoring")
Counts = Callable[[], Mapping[str, float] | None]


class Monitor:
    """Looks after everything; one for each process, and of all processes one does each minute's work.

    Args:
        state: the database.
        registry: of models.
        alert_url: where alerts are sent; empty sends none.
        model: one file that is served whatever the registry says; then no promotion is watched.
        watch_minutes: for how long a promotion is watched that nobody else began to watch; 0 for never.
        now_ms: the clock.
        counts: tells ``since`` (seconds since 1970), ``answered`` and ``failed`` requests for diagnoses of
            this server; None where they are not counted.
        post: sends a body to an address.
        drift_elsewhere: asks another process to call ``look_for_drift``, which takes seconds of a core for a
            model that is new; without it this one does.
    """

    def __init__(
        self,
        state: State,
        registry: Registry,
        *,
        now_ms: Callable[[], int],
        alert_url: str = "",
        model: Path | None = None,
        watch_minutes: float = 0.0,
        counts: Counts = lambda: None,
        post: Post = post_json,
        drift_elsewhere: Callable[[], None] | None = None,
    ) -> None:
        self._state, self._registry, self._now_ms = state, registry, now_ms
        self._alert_url, self._model, self._counts, self._post = alert_url, model, counts, post
        self._drift_elsewhere, self._watch_minutes = drift_elsewhere, watch_minutes
        self._looks = DriftLooks()
        self._file: Bundle | None = None

    def tick(self) -> dict[str, Any]:
        """Look at everything once, unless somebody did within the minute. Slow: on a thread.

        Returns:
            ``watch``, ``drift`` and ``alerts_sent``; what failed is absent, and logged. Nothing when the
            minute is another's.
        """
        found: dict[str, Any] = {}
        if not self._attempt(found, "minute", self._take) or not found.pop("minute"):
            return {}
        if self._model is None:
            self._attempt(found, "watch", self._watch)
        self._attempt(found, "drift", self._drift_elsewhere or self.look_for_drift)
        self._attempt(found, "alerts_sent", self._send)
        return found

    def alert(self, kind: Kind, said: str, *, event: str, hint: str = "", **details: Any) -> bool:
        """See ``alert``."""
        return alert(self._state, kind, said, event=event, now_ms=self._now_ms(), hint=hint, details=details)

    def close(self) -> None:
        """Nothing is open between two ticks."""

    def _attempt(self, found: dict[str, Any], name: str, work: Callable[[], Any]) -> bool:
        """What fails is tried again the next minute, and stops nothing else."""
        try:
            found[name] = work()
        except LeafsightError as error:
            fields = {"part": name, "reason": error.message, "hint": error.hint}
            LOG.warning("monitoring waits for the next minute", extra={"fields": fields})
            return False
        return True

    def _take(self) -> bool:
        """Whether this minute is ours. Counted both ways, as the clock may have gone back."""
        now_ms = self._now_ms()

        def take(last: Value) -> Value | None:
            early = bool(last) and abs(now_ms - int(last["at_ms"])) < EVERY_MS - EARLY_MS
            return None if early else {"at_ms": now_ms}

        return change_mark(self._state, TICK, take)[1]

    def _watch(self) -> dict[str, Any]:
        counts = None
        with contextlib.suppress(OSError):  # of the files of the counters; the watch goes on without them
            counts = self._counts()
        minutes, now_ms = self._watch_minutes, self._now_ms()
        if watch_what_was_promoted(self._state, self._registry, minutes=minutes, now_ms=now_ms):
            LOG.info("a promotion is watched that nobody watched")
        return look_at_watch(self._state, self._registry, now_ms=self._now_ms(), counts=counts)

    def look_for_drift(self) -> dict[str, Any]:
        """Hold the newest photographs against the reference of the model in service, and note what was found.

        Raises:
            LeafsightError: the database does not answer, or the model cannot be read.
        """
        now_ms = self._now_ms()
        model, opened = self._serving()
        found = self._looks.look(self._state, model, opened, now_ms=now_ms)
        return note_drift(self._state, found, now_ms=now_ms)

    def _serving(self) -> tuple[str, Callable[[], Bundle]]:
        """Hash of the model in service, and how to open its bundle."""
        from leafsight.registry import SERVING

        if self._model is not None:
            if self._file is None:
                self._file = open_bundle(self._model)
            bundle = self._file
            return bundle.content_hash, lambda: bundle
        entry = self._registry.get(SERVING)
        return entry.hash, lambda: self._registry.bundle(entry)

    def _send(self) -> int:
        return send_alerts(self._state, self._alert_url, now_ms=self._now_ms(), post=self._post)
