"""Answers beside the window: photographs are read and diagnosed on threads, what somebody looks at first.

Enters: questions, each about one file or one plant. Leaves: answers, a few at a time, on those threads. It
keeps nothing: who asked knows what became of a question. A file that vanished, or is none, is answered as
unreadable; what stops everything (no model, no server) is told once, and the questions wait until somebody
says to try again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from leafsight.desktop.session.photographs import Trouble
from leafsight.desktop.session.questions import Answered, PlantAnswer, PlantQuestion, Question
from leafsight.errors import LeafsightError, RequestTooLargeError, TaxonomyError, UsageError
from leafsight.images import DecodeLimits, read_photo
from leafsight.inference import PlantPredictor, Prediction, Predictor

LOG = logging.getLogger("leafsight.desktop")
TOGETHER = 4
"""Photographs that one thread asks about at once: few enough that answers come one after the other."""
END_WITHIN_S = 10.0
OF_THIS_PLANT = (RequestTooLargeError, TaxonomyError, UsageError)
"""Errors that say something about one plant, and would not go away by waiting."""
CANNOT_COMBINE = Trouble("this model gives no answer for a plant", "each photograph has its own")
Asked = Question | PlantQuestion


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
        self._questions: deque[Asked] = deque()
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

    def ask(self, questions: Iterable[Asked]) -> None:
        """Answer these when those before them are answered."""
        with self._changed:
            self._questions.extend(questions)
            self._changed.notify_all()

    def ask_first(self, question: Asked) -> None:
        """Answer this one next: somebody looks at it."""
        about = (type(question), question.number)
        with self._changed:
            self._questions = deque(one for one in self._questions if (type(one), one.number) != about)
            self._questions.appendleft(question)
            self._changed.notify()

    def forget(self, numbers: Iterable[int] | None = None) -> None:
        """Do not answer what was asked about these photographs; about anything, without numbers."""
        left = None if numbers is None else set(numbers)
        with self._changed:
            self._questions = deque(
                one
                for one in self._questions
                if left is not None and not (isinstance(one, Question) and one.number in left)
            )

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
                answers = self._answers(questions)
            except LeafsightError as error:
                self._stop(questions, Trouble.of(error))
                continue
            self._answered(answers)
            self._go_on()

    def _answers(self, questions: Sequence[Asked]) -> Sequence[Answered]:
        """Of photographs, or of one plant; a bug of ours is an answer, too."""
        first = questions[0]
        try:
            predictor = self._ready()
            if isinstance(first, PlantQuestion):
                return [self._ask_plant(predictor, first)]
            photographs = [one for one in questions if isinstance(one, Question)]
            return list(zip(photographs, self._predict(predictor, photographs), strict=True))
        except LeafsightError:
            raise
        except Exception as error:
            LOG.exception("a photograph was not diagnosed")
            fault = LeafsightError(
                f"leafsight failed on it: {error!r}", hint="this is a bug of ours: report it"
            )
            if isinstance(first, PlantQuestion):
                return [PlantAnswer(first, (), Trouble.of(fault))]
            return [
                (one, Prediction.unread(fault, one.crop)) for one in questions if isinstance(one, Question)
            ]

    def _take(self) -> list[Asked]:
        """The next questions of one kind; waits for them. None when all is over."""
        with self._changed:
            while not self._ended and (self._stopped or not self._questions):
                self._changed.wait()
            if self._ended:
                return []
            first = self._questions.popleft()
            taken: list[Asked] = [first]
            alone = isinstance(first, PlantQuestion) or first.heatmap
            while self._questions and not alone and len(taken) < TOGETHER:
                after = self._questions[0]
                if isinstance(after, PlantQuestion) or after.heatmap or after.crop != first.crop:
                    break
                taken.append(self._questions.popleft())
            return taken

    def _predict(self, predictor: Predictor, questions: Sequence[Question]) -> list[Prediction]:
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
        return [_to_keep(next(answers)) if one is None else one for one in found]

    def _ask_plant(self, predictor: Predictor, question: PlantQuestion) -> PlantAnswer:
        if not isinstance(predictor, PlantPredictor):
            return PlantAnswer(question, (), CANNOT_COMBINE)
        photos, faults = [], {}
        for number, path in enumerate(question.paths):
            try:
                photos.append(read_photo(path, self._limits))
            except LeafsightError as error:
                photos.append(b"")  # unreadable for the predictor as well, which counts it as one
                faults[number] = Prediction.unread(error, question.crop)
        try:
            found, combined = predictor.predict_plant(photos, crop=question.crop)
        except OF_THIS_PLANT as error:
            return PlantAnswer(question, (), Trouble.of(error))
        predictions = [faults.get(number) or _to_keep(one) for number, one in enumerate(found)]
        return PlantAnswer(question, predictions, combined)

    def _ready(self) -> Predictor:
        with self._loading:
            load = self._load
            if self._predictor is None or self._came_from is not load:
                self._predictor = None  # two models at once are twice the memory
                self._predictor, self._came_from = load(), load
            return self._predictor

    def _stop(self, questions: Sequence[Asked], trouble: Trouble) -> None:
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


def _to_keep(prediction: Prediction) -> Prediction:
    return replace(prediction, embedding=None, log_probabilities=None)
