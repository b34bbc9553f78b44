"""Answers beside the window: photographs are read and diagnosed on threads, what somebody looks at first.

Enters: questions, each about one file. Leaves: answers, a few at a time, on those threads. It keeps nothing:
who asked knows what became of a question. A file that vanished, or is none, is answered as unreadable; what
stops everything (no model, no server) is told once, and the questions wait until somebody says to try again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leafsight.desktop.session.photographs import Trouble
from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits, read_photo
from leafsight.inference import Prediction, Predictor

LOG = logging.getLogger("leafsight.desktop")
TOGETHER = 4
"""Photographs that one thread asks about at once: few enough that answers come one after the other."""
END_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Question:
    """About one photograph.

    Attributes:
        number: of the photograph.
        path: where it lies.
        crop: key, where the person said it.
        heatmap: whether to say where in the picture.
        asked: counts how often everything was asked anew; who gets the answer knows by it whether it is
            stale.
    """

    number: int
    path: Path
    crop: str | None = None
    heatmap: bool = False
    asked: int = 0


Answered = tuple[Question, Prediction]


class Diagnoser:
    """Threads that answer questions until ``close``.

    Args:
        load: makes the predictor; called once, on a thread, until ``use`` names another. It
            must be safe to use from several threads.
        threads: how many.
        limits: of files.
        answered: told of answers, on a thread.
        troubled: told why nothing goes on, and None when it does again, on a thread.
    """

    def __init__(
        self,
        load: Callable[[], Predictor],
        *,
        threads: int,
        limits: DecodeLimits,
        answered: Callable[[Sequence[Answered]], None],
        troubled: Callable[[Trouble | None], None],
    ) -> None:
        self._load, self._limits, self._answered, self._troubled = load, limits, answered, troubled
        self._questions: deque[Question] = deque()
        self._changed = threading.Condition()
        self._loading = threading.Lock()
        self._predictor: Predictor | None = None
        self._came_from: Callable[[], Predictor] | None = None
        self._stopped = self._ended = self._told = False
        self._threads = [
            threading.Thread(target=self._answer, name=f"diagnosing-{number}", daemon=True)
            for number in range(max(1, threads))
        ]
        for thread in self._threads:
            thread.start()

    def ask(self, questions: Iterable[Question]) -> None:
        """Answer these when those before them are answered."""
        with self._changed:
            self._questions.extend(questions)
            self._changed.notify_all()

    def ask_first(self, question: Question) -> None:
        """Answer this one next: somebody looks at it."""
        with self._changed:
            self._questions = deque(one for one in self._questions if one.number != question.number)
            self._questions.appendleft(question)
            self._changed.notify()

    def forget(self, numbers: Iterable[int] | None = None) -> None:
        """Do not answer what was asked about these; about any, without numbers."""
        left = None if numbers is None else set(numbers)
        with self._changed:
            kept = () if left is None else (one for one in self._questions if one.number not in left)
            self._questions = deque(kept)

    def try_again(self) -> None:
        """Go on after trouble."""
        with self._changed:
            self._stopped = False
            self._changed.notify_all()

    def use(self, load: Callable[[], Predictor]) -> None:
        """Answer with another one from now on; what is being answered may still come from the former."""
        with self._changed:
            self._load, self._stopped = load, False
            self._changed.notify_all()

    def close(self) -> None:
        """End the threads after what they are at; what waits is not answered."""
        with self._changed:
            self._ended = True
            self._questions.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(END_WITHIN_S)

    def _answer(self) -> None:
        while True:
            questions = self._take()
            if not questions:
                return
            try:
                answers = list(zip(questions, self._predict(questions), strict=True))
            except LeafsightError as error:
                self._stop(questions, Trouble.of(error))
                continue
            except Exception as error:
                LOG.exception("a photograph was not diagnosed")
                fault = LeafsightError(
                    f"leafsight failed on it: {error!r}", hint="this is a bug of ours: report it"
                )
                answers = [(one, Prediction.unread(fault, one.crop)) for one in questions]
            self._answered(answers)
            self._go_on()

    def _take(self) -> list[Question]:
        """The next questions of one kind; waits for them. None when all is over."""
        with self._changed:
            while not self._ended and (self._stopped or not self._questions):
                self._changed.wait()
            if self._ended:
                return []
            taken = [self._questions.popleft()]
            while (
                self._questions
                and len(taken) < (1 if taken[0].heatmap else TOGETHER)
                and (self._questions[0].crop, self._questions[0].heatmap) == (taken[0].crop, False)
            ):
                taken.append(self._questions.popleft())
            return taken

    def _predict(self, questions: Sequence[Question]) -> list[Prediction]:
        predictor = self._ready()
        crop = questions[0].crop
        found: list[Prediction | None] = []
        photos: list[bytes] = []
        for one in questions:
            try:
                photos.append(read_photo(one.path, self._limits))
                found.append(None)
            except LeafsightError as error:  # no photograph, vanished, or not ours to read
                found.append(Prediction.unread(error, crop))
        answers = iter(predictor.predict(photos, crop=crop, heatmap=questions[0].heatmap) if photos else ())
        return [replace(next(answers), embedding=None) if one is None else one for one in found]

    def _ready(self) -> Predictor:
        with self._loading:
            load = self._load
            if self._predictor is None or self._came_from is not load:
                self._predictor = None  # two models at once are twice the memory
                self._predictor, self._came_from = load(), load
            return self._predictor

    def _stop(self, questions: Sequence[Question], trouble: Trouble) -> None:
        """Put them back where they were, and wait for somebody."""
        with self._changed:
            self._questions.extendleft(reversed(questions))
            told, self._stopped, self._told = self._stopped, True, True
        if not told:
            self._troubled(trouble)

    def _go_on(self) -> None:
        """The trouble that was told is over."""
        with self._changed:
            over = self._told and not self._stopped
            self._told = self._told and self._stopped
        if over:
            self._troubled(None)
