"""The service without a server: what routes do, for a person at this computer.

Enters: options, and wishes of whoever may read the state. Leaves: the same plain values as over HTTP, from
the same functions; and jobs that are worked off in this process. It does not listen to anybody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any

from leafsight.errors import NotFoundError, UnsupportedImageError, UsageError
from leafsight.service import contributions as teaching
from leafsight.service import promotions, retrainings
from leafsight.service.access import Caller
from leafsight.service.clerk import KINDS, TRAINING, Clerk
from leafsight.service.job_answers import plain_job
from leafsight.service.options import ServiceOptions
from leafsight.service.parts import Parts, wall_clock_ms
from leafsight.service.recheck_job import queue_recheck
from leafsight.service.registries import registry_of
from leafsight.service.upload_keeping import keep_upload
from leafsight.service.upload_stripping import strip_upload
from leafsight.service.upload_types import HINT, SIGNATURES, UPLOADED

if TYPE_CHECKING:
    from leafsight.state import Blobs, State

ANYBODY = Caller(None)
SAME_AMONG = 2000
"""The newest uploads, among which the same one is looked for."""
PAGE = 200
LOOK_S = 0.2
ENDED = ("done", "failed", "cancelled")


class AtHand(Parts):
    """What the learning functions of the service need, and no more: no queue, no keys, no threads.

    Args:
        options: of the service whose state this is.
        by: who decides, as it is written down.
    """

    def __init__(self, options: ServiceOptions, by: str) -> None:
        from leafsight.registry import SERVING
        from leafsight.state import open_blobs, open_state

        registry = registry_of(options)
        state: State = open_state(options.database_url)
        blobs: Blobs = open_blobs(options.blob_url)

        class Holder:
            """The model that a server would take into service, opened when somebody asks for it."""

            @cached_property
            def now(self) -> Any:
                bundle = registry.bundle(registry.get(SERVING))
                return SimpleNamespace(predictor=SimpleNamespace(bundle=bundle), id=bundle.content_hash)

        # Not the constructor of Parts: the rest of it is for those who listen.
        for name, value in {
            "options": options, "registry": registry, "state": state, "blobs": blobs, "model": Holder(),
            "now_ms": wall_clock_ms,
        }.items():  # fmt: skip
            object.__setattr__(self, name, value)
        object.__setattr__(self, "by", by)

    by: str

    def close(self) -> None:
        """Close the database."""
        self.state.close()

    def __enter__(self) -> AtHand:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def sent_before(self, sha: str, label: str | None) -> dict[str, Any] | None:
        """The newest upload of the same bytes and the same label; None when there is none."""
        after, seen = None, 0
        while seen < SAME_AMONG:
            page = self.state.uploads.page(after, PAGE)
            for one in page.records:
                if (one.sha256, one.label) == (sha, label):
                    return {"id": one.id, "job": one.id, "left_out": 0, "state": one.state}
            seen, after = seen + len(page.records), page.next
            if after is None:
                return None
        return None

    def upload(self, body: bytes, label: str | None) -> dict[str, Any]:
        """Keep an upload as the route does, with the job that looks into it.

        Raises:
            UnsupportedImageError: its first bytes say that it is neither an archive nor a photograph.
            UsageError, ImageError, DatasetError: it cannot be taken.
            StateBusyError, StateError: the database or the store does not answer.
        """
        if not body:
            raise UsageError("the upload is empty", hint="copy the file again from where it came from")
        kind = _kind_of(body)
        kept = strip_upload(body, kind, self.limits)
        return keep_upload(self, kept, sha256(body).hexdigest(), kind, label, None)

    def contributions(
        self, wanted: Mapping[str, str | None], *, after: str | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """As ``GET /v1/contributions``."""
        return teaching.contributions_page(self, ANYBODY, after, limit, dict(wanted))

    def contributions_summary(self) -> dict[str, Any]:
        """As ``GET /v1/contributions/summary``."""
        return teaching.summary(self, ANYBODY)

    def contribution(self, id: str) -> dict[str, Any]:  # noqa: A002
        """One contribution as the list has it.

        Raises:
            NotFoundError: there is none of this id.
        """
        found = teaching.contribution_of(self, ANYBODY, id)
        return teaching.plain_contribution(self, teaching.Classes(self), found)

    def photograph(self, id: str) -> bytes:  # noqa: A002
        """The photograph of a contribution, as it is kept.

        Raises:
            NotFoundError: there is none of this id.
            StateBusyError, StateError: the store does not answer.
        """
        return self.blobs.get(teaching.contribution_of(self, ANYBODY, id).blob)

    def decide(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """As ``POST /v1/contributions/decide``, with the same body."""
        from leafsight.service.contribution_listings import Decision

        deciding = teaching.Deciding(self, Decision.model_validate(dict(wish)), self.by)
        deciding.run()
        return {"changed": deciding.changed, "skipped": deciding.skipped}

    def declared(self) -> list[dict[str, Any]]:
        """As ``GET /v1/classes/declared``."""
        classes = teaching.Classes(self)
        return [
            {
                "name": one.name, "display": classes.display(one.name), "created_at": one.created_ms,
                "by": one.by, "note": one.note,
            }
            for one in self.state.declared.list()
        ]  # fmt: skip

    def declare(self, name: str, note: str) -> dict[str, Any]:
        """As ``POST /v1/classes/declared``."""
        from leafsight.feedback import clean_class_name

        name = clean_class_name(name)
        self.state.declared.add(name, self.by, note)
        self._recheck()
        return next(one for one in self.declared() if one["name"] == name)

    def take_back(self, name: str) -> list[dict[str, Any]]:
        """As ``DELETE /v1/classes/declared/{name}``."""
        self.state.declared.remove(name)
        self._recheck()
        return self.declared()

    def _recheck(self) -> None:
        """What waits is judged again, here or by a server on the same database, before this returns."""
        for _ in self.work(queue_recheck(self.state), idle=time.sleep):
            pass

    def retrain(self, path: str, reason: str) -> dict[str, Any]:
        """As ``POST /v1/retraining``."""
        job = retrainings.ask_for(self.state, path=path, why=retrainings.HAND, by=self.by, reason=reason)
        return {"id": job.id, "job": job.id}

    def retrainings(self, *, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        """As ``GET /v1/retraining``."""
        return retrainings.page(self, after, limit)

    def retraining(self, id: str) -> dict[str, Any]:  # noqa: A002
        """As ``GET /v1/retraining/{id}``."""
        return retrainings.one_retraining(self, id)

    def gate_report(self, id: str) -> bytes:  # noqa: A002
        """As ``GET /v1/retraining/{id}/report``."""
        return retrainings.report_of(self, id)

    def cancel(self, id: str) -> dict[str, Any]:  # noqa: A002
        """As ``DELETE /v1/jobs/{id}``."""
        return plain_job(self.state.jobs.cancel(id))

    def promote(self, name: str, *, alias: str, reason: str, override: bool) -> dict[str, Any]:
        """As ``POST /v1/models/{id}/promote``."""
        from leafsight.service.retraining_listings import Promotion

        wish = Promotion(alias=alias, reason=reason, override=override)
        return promotions.promote(self, name, wish, self.by)

    def roll_back(self, *, alias: str, steps: int, reason: str, over: str | None = None) -> dict[str, Any]:
        """As ``POST /v1/models/rollback``."""
        from leafsight.service.retraining_listings import RollbackWish

        wish = RollbackWish(alias=alias, steps=steps, reason=reason, over=over)
        return promotions.roll_back(self, wish, self.by)

    def model_history(self, alias: str, limit: int) -> list[dict[str, Any]]:
        """As ``GET /v1/models/history``."""
        return [promotions.plain_change(one) for one in self.registry.history(alias, limit)]

    def job(self, id: str) -> dict[str, Any]:  # noqa: A002
        """As ``GET /v1/jobs/{id}``.

        Raises:
            NotFoundError: there is none of this id.
        """
        found = self.state.jobs.get(id)
        if found is None:
            raise NotFoundError(f"there is no job {id}", hint="the id was printed when it began")
        return plain_job(found)

    def work(self, id: str, *, idle: Callable[[float], None]) -> Iterator[dict[str, Any]]:  # noqa: A002
        """Work a job off here, unless somebody else does, and tell every new state of it.

        Jobs of its kind that wait before it are done first. When the caller stops asking, or is interrupted,
        the job goes back into the queue with what was done of it.

        Args:
            id: of the job.
            idle: waits for some seconds.
        """
        ended = threading.Event()
        trains = self.job(id)["kind"] == retrainings.KIND
        clerk = Clerk(
            self.state, self.blobs, self.options, ended.is_set, TRAINING if trains else KINDS, alone=trains
        )
        failures: list[BaseException] = []
        worker = threading.Thread(target=_attend, args=(clerk, self, id, ended, failures), daemon=True)
        worker.start()
        try:
            last: dict[str, Any] = {}
            while True:
                now = self.job(id)
                if now != last:
                    yield now
                    last = now
                if now["state"] in ENDED:
                    return
                if failures:
                    raise failures[0]
                idle(LOOK_S)
        finally:
            ended.set()
            worker.join()


def _kind_of(body: bytes) -> str:
    """The media type that the first bytes say.

    Raises:
        UnsupportedImageError: none that is taken.
    """
    for kind, ending in UPLOADED.items():
        offset, signatures = SIGNATURES[ending]
        if body.startswith(signatures, offset):
            return kind
    raise UnsupportedImageError("this is neither an archive nor a photograph that is taken", hint=HINT)


def _attend(
    clerk: Clerk,
    parts: AtHand,
    id: str,  # noqa: A002
    ended: threading.Event,
    failures: list[BaseException],
) -> None:
    """On a thread: take up jobs until the one that is waited for has ended."""
    try:
        while not ended.is_set() and parts.job(id)["state"] not in ENDED:
            if not clerk.work_one():
                ended.wait(LOOK_S)
    except Exception as error:  # a bug, too: who waits would wait for ever
        failures.append(error)
