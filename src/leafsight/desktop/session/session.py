"""One session: what a person has open, asks and says.

Enters: paths and wishes, on the thread of whoever owns it. Leaves: photographs, and news for the same
thread. Work happens on threads; nothing that they find is seen before ``news`` is called, so the owner needs
no lock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from leafsight.desktop.session.diagnosing import Answered, Diagnoser, Question
from leafsight.desktop.session.finding import photographs_among
from leafsight.desktop.session.keeping import Keeper
from leafsight.desktop.session.loading import Load, Model
from leafsight.desktop.session.photographs import News, Photograph, Trouble
from leafsight.images import DecodeLimits
from leafsight.inference import Predictor

FOUND_AT_ONCE = 200
MOST_PHOTOGRAPHS = 100_000
"""Some 400 MB of answers; more is work for ``leafsight predict``."""
MOST_ANSWERS = 64
"""Taken in at once, so that a burst of answers does not hold up whoever shows them."""


class Session:
    """Photographs and what is known of them.

    Args:
        load: loads the model, on a thread.
        threads: photographs that are worked on at a time.
        limits: of the decoder.
        wake: called on any thread when there is news; cheap, and welcome more than once.
        keeper: keeps what is open; None keeps nothing.

    Attributes:
        crop: key of the crop that a person said all of them show; None asks about all.
        model: that answers; None until it is loaded.
    """

    def __init__(
        self,
        load: Load,
        *,
        threads: int = 1,
        limits: DecodeLimits | None = None,
        wake: Callable[[], None] = lambda: None,
        keeper: Keeper | None = None,
    ) -> None:
        self._wake, self._keeper = wake, keeper
        self._all: dict[int, Photograph] = {}
        self._paths: set[Path] = set()
        self._next = self._waiting = 0
        self._asked = 0
        self._looked_at: int | None = None
        self._anew = False
        self.crop: str | None = None
        self._trouble: Trouble | None = None
        self.model: Model | None = None
        self._searches = 0
        self._ended = threading.Event()
        self._found: deque[Path | None] = deque()
        self._answers: deque[Answered] = deque()
        self._troubles: deque[Trouble | None] = deque()
        self._fresh: list[Photograph] = []
        self._load = load
        self._diagnoser = Diagnoser(
            partial(self._loaded, load),
            threads=threads,
            limits=limits or DecodeLimits(),
            answered=self._on_answers,
            troubled=self._on_trouble,
        )

    def __len__(self) -> int:
        return len(self._all)

    @property
    def photographs(self) -> Iterable[Photograph]:
        """All, in the order of coming."""
        return self._all.values()

    @property
    def waiting(self) -> int:
        """How many have no answer yet."""
        return self._waiting

    def get(self, number: int) -> Photograph | None:
        """One of them as it is now; None when it was taken away."""
        return self._all.get(number)

    def restore(self) -> int:
        """Open what the last window left open; how many those are. They come with the next news."""
        if self._keeper is None:
            return 0
        kept = self._keeper.kept()
        self._keeper.begin(kept)
        for one in kept:
            self._take_in(one.path, one)
        return len(kept)

    def forget_last(self) -> None:
        """Begin with nothing, whatever the last window left."""
        if self._keeper is not None:
            self._keeper.begin(self._all.values())

    def add(self, places: Sequence[Path]) -> None:
        """Photographs and folders of them; they come with the next news, and answers after them."""
        self._searches += 1
        threading.Thread(target=self._search, args=(list(places),), name="searching", daemon=True).start()

    def set_crop(self, crop: str | None) -> tuple[Photograph, ...]:
        """Ask about all of them anew, as photographs of this crop; all as they are then."""
        if crop == self.crop:
            return ()
        self.crop = crop
        self._ask_anew()
        return tuple(self._all.values())

    def use(self, load: Load, model: Model | None = None) -> None:
        """Answer with another model from now on, for all photographs; what a person said of them stays.

        All of them come once more with the next news, first without an answer. Nothing is loaded here: a
        thread does it when there is something to answer, and a model that cannot be loaded is ``Trouble``.

        Args:
            load: loads it, on a thread.
            model: what is known of it already; the crop then stays if this model knows it too.
        """
        self._load, self.model = load, model
        if model is None or self.crop not in model.crops:
            self.crop = None
        self._trouble = None
        self._diagnoser.use(partial(self._loaded, load))
        self._ask_anew()
        if self._looked_at is not None:
            self.look_at(self._looked_at)
        self._anew = True
        self._wake()

    def look_at(self, number: int) -> None:
        """Somebody looks at this one: answer it next, and say where in the picture it shows."""
        self._looked_at = number
        one = self._all.get(number)
        if one is not None and (one.prediction is None or self._may_explain(one)):
            self._diagnoser.ask_first(replace(self._question(one), heatmap=True))

    def say(self, numbers: Iterable[int], class_key: str | None) -> tuple[Photograph, ...]:
        """A person says what these really are; None takes it back. They are kept at once."""
        changed = []
        for number in numbers:
            if number in self._all:
                self._all[number] = replace(self._all[number], correction=class_key)
                changed.append(self._all[number])
        if self._keeper is not None:
            self._keeper.keep(changed, said=True)
        return tuple(changed)

    def remove(self, numbers: Iterable[int]) -> None:
        """Take these away; the files stay where they are."""
        gone = [one for one in (self._all.pop(number, None) for number in numbers) if one is not None]
        self._diagnoser.forget(one.number for one in gone)
        self._paths.difference_update(one.path for one in gone)
        self._waiting -= sum(one.waits for one in gone)
        if self._keeper is not None:
            self._keeper.drop(gone)

    def try_again(self) -> None:
        """Go on after trouble."""
        self._trouble = None
        self._diagnoser.try_again()

    def news(self) -> News:
        """What came since the last call."""
        added = self._take_found()
        changed = self._take_answers()
        if self._anew:
            self._anew, changed = False, list(self._all.values())
        while self._troubles:
            self._trouble = self._troubles.popleft()
        if self._keeper is not None:
            self._keeper.keep([*added, *changed])
        if self._answers or self._found:
            self._wake()  # the rest, the next time
        return News(tuple(added), tuple(changed), self._trouble, self._searches > 0)

    def close(self) -> None:
        """End the threads and write down what is open."""
        self._ended.set()
        self._diagnoser.close()
        self.news()
        while self._answers or self._found:
            self.news()
        if self._keeper is not None:
            self._keeper.close()

    def _take_found(self) -> list[Photograph]:
        for place in list(islice(self._found, FOUND_AT_ONCE)):
            self._found.popleft()
            if place is None:
                self._searches -= 1
            else:
                self._take_in(place)
        added, self._fresh = self._fresh, []
        self._diagnoser.ask(self._question(one) for one in added if one.waits)
        return added

    def _take_in(self, path: Path, known: Photograph | None = None) -> None:
        if path in self._paths:
            return
        if len(self._all) >= MOST_PHOTOGRAPHS:
            self._trouble = Trouble(
                f"only {MOST_PHOTOGRAPHS:,} photographs can be open at once",
                "take some away, or use: leafsight predict FOLDER",
            )
            return
        one = replace(known or Photograph(0, path), number=self._next)
        self._next += 1
        self._all[one.number] = one
        self._waiting += one.waits
        self._paths.add(path)
        self._fresh.append(one)

    def _take_answers(self) -> list[Photograph]:
        changed = []
        for _ in range(min(MOST_ANSWERS, len(self._answers))):
            question, prediction = self._answers.popleft()
            one = self._all.get(question.number)
            if one is None or question.asked != self._asked:
                continue
            if one.prediction is not None and prediction.heatmap is None:
                # Somebody looked at it while it was asked about without: the fuller answer came first.
                continue
            self._waiting -= one.waits
            self._all[one.number] = replace(one, prediction=prediction)
            changed.append(self._all[one.number])
        return changed

    def _question(self, one: Photograph) -> Question:
        return Question(one.number, one.path, self.crop, asked=self._asked)

    @staticmethod
    def _may_explain(one: Photograph) -> bool:
        found = one.prediction
        return found is not None and found.heatmap is None and found.verdict != "unreadable"

    def _search(self, places: list[Path]) -> None:
        for number, path in enumerate(photographs_among([place.absolute() for place in places])):
            if self._ended.is_set():
                return
            self._found.append(path)
            if number % FOUND_AT_ONCE == 0:
                self._wake()
        self._found.append(None)
        self._wake()

    def _ask_anew(self) -> None:
        self._asked += 1
        self._diagnoser.forget()
        self._all = {number: replace(one, prediction=None) for number, one in self._all.items()}
        self._waiting = len(self._all)
        self._diagnoser.ask(self._question(one) for one in self._all.values())

    def _loaded(self, load: Load) -> Predictor:
        loaded = load()
        if load is self._load:  # otherwise another one is wanted by now
            self.model = loaded.model
        return loaded.predictor

    def _on_answers(self, answers: Sequence[Answered]) -> None:
        self._answers.extend(answers)
        self._wake()

    def _on_trouble(self, trouble: Trouble | None) -> None:
        self._troubles.append(trouble)
        self._wake()
