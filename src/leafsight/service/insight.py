"""What was diagnosed lately, what people said of it, and whether it looks as before.

Enters: the database and the model in service. Leaves: plain values for the Operation tab. A look may take
half a second with a hundred thousand predictions, so it has a thread and a connection of its own, and its
answer is kept for some seconds: predictions are never written later because somebody looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from leafsight.errors import LeafsightError, OverloadError
from leafsight.images import decode
from leafsight.monitoring import DriftLooks, drift_now, drift_page, unknown_drift
from leafsight.pages import Html, thumbnail
from leafsight.service.drift import compared
from leafsight.service.facts import facts_text, looked_up, no_facts
from leafsight.service.job_worker_seen import jobs_health
from leafsight.service.options import Jobs

if TYPE_CHECKING:
    from leafsight.service.held_model import ModelHolder
    from leafsight.state import Blobs, CorrectionRecord, ShadowSummary, State

Value = TypeVar("Value")
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
FRESH_S = 2.0
DRIFT_FRESH_S = 60.0
HEALTH_FRESH_S = 10.0
SHADOW_FRESH_S = 10.0
LOOKED_MS = 300_000
"""What whoever looks every minute found is told for so long; with a clock that went back too."""
THUMBNAIL_PX = 192
REST = 10
"""A look is kept at least for ten times as long as it took: looking takes at most a tenth of the time."""
MOST_KEPT = 32
MOST_WAITING = 16
"""Lookers in the queue of one process; each costs a thread's time, not the predictions'."""
NEWEST = 10
DRIFT_SINCE_DAYS = 366


class Insights:
    """Looks at the predictions of one service; used from the event loop.

    Args:
        state: the database.
        blobs: kept photographs.
        model: the hash of the model in service.
        now_ms: the clock on the wall.
        now: seconds of a clock that never goes back.
        holder: of the model in service, for what only its bundle says; without it that is not told.
        jobs: which jobs this server works off.
    """

    def __init__(
        self,
        state: State,
        blobs: Blobs,
        model: Callable[[], str],
        now_ms: Callable[[], int],
        now: Callable[[], float] = time.monotonic,
        holder: ModelHolder | None = None,
        jobs: Jobs = "all",
    ) -> None:
        self._jobs = jobs
        self._holder, self._looks = holder, DriftLooks()
        self._state, self._blobs, self._model = state, blobs, model
        self._now_ms, self._now = now_ms, now
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="insight")
        self._kept: dict[tuple[Any, ...], tuple[float, Any]] = {}
        self._waiting = 0

    async def lately(self, days: int, recent_hours: int, reference_hours: int) -> dict[str, Any]:
        """Everything that ``/v1/insight`` tells.

        Args:
            days: how far the counts go back.
            recent_hours: length of the window that is looked at for drift.
            reference_hours: length of the earlier one, from the model's first answer that is still kept.

        Raises:
            OverloadError: too many look at once.
            StateBusyError, StateError: the database does not answer.
        """
        counted = await self._fresh(("counts", days), FRESH_S, lambda: self._counts(days))
        said = await self._fresh(("said", days), FRESH_S, lambda: self._corrections(days))
        model = self._model()
        look = ("drift", model, recent_hours, reference_hours)
        drift = await self._fresh(
            look, DRIFT_FRESH_S, lambda: self._drift(model, recent_hours, reference_hours)
        )
        against = await self.reference_drift()
        shadow = await self._fresh(("shadow",), SHADOW_FRESH_S, self._shadow)
        return {**counted, **said, "drift": drift, "reference_drift": against, "shadow": shadow}

    async def reference_drift(self) -> dict[str, Any]:
        """The newest photographs against those that the model in service was made for; see ``monitoring``."""
        model = self._model()
        return await self._fresh(("reference", model), DRIFT_FRESH_S, lambda: self._reference_drift(model))

    async def drift_page(self) -> str:
        """The same as a page for people, with the photographs that are kept."""
        found = await self.reference_drift()
        return await self._fresh(
            ("page", found["model"], found.get("at_ms")), DRIFT_FRESH_S, lambda: self._drift_page(found)
        )

    async def facts(self) -> bytes:
        """What the database knows, for Prometheus; that it does not answer, where it does not."""
        return await self._fresh(("facts",), HEALTH_FRESH_S, self._facts)

    async def health(self) -> dict[str, Any]:
        """Whether database and store answer, in a sentence each."""
        return await self._fresh(("health",), HEALTH_FRESH_S, self._health)

    def close(self) -> None:
        """Finish what is being looked up."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _fresh(self, key: tuple[Any, ...], for_s: float, work: Callable[[], Value]) -> Value:
        """The value of ``work``, or the one found a moment ago."""
        if (kept := self._of(key)) is not None:
            return kept[1]  # type: ignore[no-any-return]
        if self._waiting >= MOST_WAITING:
            raise OverloadError(
                "too many look at the figures at once", hint="ask again in a moment", retry_after_s=1.0
            )

        def once() -> Value:
            if (found := self._of(key)) is not None:  # another one looked while this one waited
                return found[1]  # type: ignore[no-any-return]
            began = self._now()
            value = work()
            ended = self._now()
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (ended + max(for_s, REST * (ended - began)), value)
            return value

        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, once)
        finally:
            self._waiting -= 1

    def _of(self, key: tuple[Any, ...]) -> tuple[float, Any] | None:
        """Until when it holds, and the value; None when there is none any more."""
        kept = self._kept.get(key)
        return kept if kept is not None and self._now() < kept[0] else None

    def _counts(self, days: int) -> dict[str, Any]:
        now_ms = self._now_ms()
        since_ms = now_ms - days * DAY_MS
        summary = self._state.predictions.summary(since_ms)
        total = summary.predictions
        hours = self._state.predictions.by_hour(now_ms - DAY_MS)
        return {
            **asdict(summary),
            "shares": {name: round(many / total, 4) for name, many in summary.verdicts.items()},
            "hours": [{"start_ms": start, "verdicts": verdicts} for start, verdicts in hours.items()],
            "stored_photographs": self._state.predictions.stored_photographs(),
        }

    def _corrections(self, days: int) -> dict[str, Any]:
        page = self._state.corrections.page(limit=NEWEST)
        return {
            "corrections": self._state.corrections.counts(self._now_ms() - days * DAY_MS),
            "newest_corrections": [self._correction(one) for one in page.records],
        }

    def _correction(self, one: CorrectionRecord) -> dict[str, Any]:
        found = self._state.predictions.get(one.prediction_id)
        answer = {} if found is None else found.answer
        return {
            "id": one.id,
            "prediction": one.prediction_id,
            "created_at": one.created_ms,
            "right": one.right,
            "class": one.class_key,
            "note": one.note,
            "verdict": None if found is None else found.verdict,
            "key": None if found is None else found.class_key,
            "display": answer.get("display"),
        }

    def _drift(self, model: str, recent_hours: int, reference_hours: int) -> dict[str, Any]:
        """The newest hours against the first hours of the same model; they never overlap."""
        predictions, now_ms = self._state.predictions, self._now_ms() + 1
        recent_from = now_ms - recent_hours * HOUR_MS
        first = predictions.first_of(model, now_ms - DRIFT_SINCE_DAYS * DAY_MS, recent_from)
        start = recent_from if first is None else first
        end = min(start + reference_hours * HOUR_MS, recent_from)
        reference = predictions.sample(model, start, end) if first is not None else ()
        said = compared(reference, predictions.sample(model, recent_from, now_ms))
        said["reference"] |= {"from_ms": start, "until_ms": end}
        said["recent"] |= {"from_ms": recent_from, "until_ms": now_ms}
        return {"model": model, **said}

    def _reference_drift(self, model: str) -> dict[str, Any]:
        """What was found within the last minutes by whoever looks every minute; else a look of our own."""
        found, now_ms = drift_now(self._state), self._now_ms()
        if found["model"] == model and abs(now_ms - found.get("at_ms", 0)) < LOOKED_MS:
            return found
        if self._holder is None:
            return unknown_drift(model, "Nobody has looked for drift yet.")
        held = self._holder.now
        return self._looks.look(self._state, held.id, lambda: held.predictor.bundle, now_ms=now_ms)

    def _drift_page(self, found: dict[str, Any]) -> str:
        pictures = {one["id"]: self._thumbnail(one["id"]) for one in found["drifted"]}
        return drift_page(found, {name: picture for name, picture in pictures.items() if picture})

    def _thumbnail(self, prediction_id: str) -> Html | None:
        """A small picture of a photograph that is kept; None where it is not, or cannot be read."""
        record = self._state.predictions.get(prediction_id)
        if record is None or record.photo_blob is None:
            return None
        with contextlib.suppress(LeafsightError):
            picture = decode(self._blobs.get(record.photo_blob), wanted_side_px=THUMBNAIL_PX)
            return thumbnail(picture, record.class_key or record.verdict)
        return None

    def _shadow(self) -> dict[str, Any] | None:
        """What the model in the shadow said of the last day's photographs, beside the one in service."""
        held = None if self._holder is None else self._holder.shadow
        if held is None:
            return None
        found = self._state.shadows.summary(held.id, self._now_ms() - DAY_MS)
        share = f"{1 - found.same / found.compared:.1%}" if found.compared else "none"
        said = f"{held.name} answered {found.compared} photographs of the last day, too; {share} otherwise."
        return {"model": held.id, "name": held.name, **_plain(found), "said": said}

    def _facts(self) -> bytes:
        if self._holder is None:
            return no_facts()
        held, shadow = self._holder.now, self._holder.shadow
        try:
            families = looked_up(
                self._state,
                model={"id": held.id, "name": held.name},
                promoted_ms=self._holder.promoted_ms,
                shadow=None if shadow is None else shadow.id,
                now_ms=self._now_ms(),
            )
        except LeafsightError:
            return no_facts()
        return facts_text(families)

    def _health(self) -> dict[str, Any]:
        return {
            "database": _asked(self._state.check),
            "store": _asked(self._blobs.check),
            "jobs": self._who_works(),
        }

    def _who_works(self) -> dict[str, Any]:
        try:
            return jobs_health(self._state, self._jobs)
        except LeafsightError as error:
            return {"ok": False, "said": error.message}


def _plain(found: ShadowSummary) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "model_hash"}


def _asked(check: Callable[[], None]) -> dict[str, Any]:
    try:
        check()
    except LeafsightError as error:
        return {"ok": False, "said": error.message}
    return {"ok": True, "said": "answers"}
