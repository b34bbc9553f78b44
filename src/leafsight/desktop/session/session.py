"""One session: what a person has open, asks and says.

Enters: paths and wishes, on the thread of whoever owns it. Leaves: photographs, and news for the same
thread. Work happens on threads; nothing that they find is seen before ``news`` is called, so the owner needs
no lock.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from leafsight.desktop.session.diagnosing import Diagnoser
from leafsight.desktop.session.finding import Search
from leafsight.desktop.session.keeping import Keeper
from leafsight.desktop.session.loading import Load, Model
from leafsight.desktop.session.photographs import News, Photograph, Trouble
from leafsight.desktop.session.plants import Plant, Plants
from leafsight.desktop.session.questions import Answered, PlantAnswer, PlantQuestion, Question
from leafsight.images import DecodeLimits
from leafsight.inference import PlantPredictor, Prediction, Predictor

MOST_PHOTOGRAPHS = 100_000
"""Some 400 MB of answers; more is work for ``leafsight predict``."""
MOST_ANSWERS = 64
"""Taken in at once, so that a burst of answers does not hold up whoever shows them."""
MOST_UNDONE = 1000


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
        combines: whether it also gives one answer for several photographs of one plant.
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
        self.combines = False
        self._plants = Plants()
        self._words: deque[dict[int, str | None]] = deque(maxlen=MOST_UNDONE)
        self._search = Search(wake)
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
        members = Counter(one.plant for one in kept)
        for one in kept:
            self._take_in(one.path, one if members[one.plant] > 1 else replace(one, plant=None))
        for number in self._plants.restore(self._all.values(), self._keeper.kept_answers()):
            self.ask_plant(number)
        self._keeper.begin([*self._all.values(), *self._plants])
        return len(kept)

    def forget_last(self) -> None:
        """Begin with nothing, whatever the last window left."""
        if self._keeper is not None:
            self._keeper.begin(self._all.values())

    def add(self, places: Sequence[Path]) -> None:
        """Photographs and folders of them; they come with the next news, and answers after them."""
        self._search.start(places)

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
        return self._say(dict.fromkeys(numbers, class_key))

    def confirm(self, numbers: Iterable[int]) -> tuple[Photograph, ...]:
        """A person says that what these were diagnosed to be is right; of others that says nothing."""
        found = {number: one.prediction for number in numbers if (one := self._all.get(number))}
        return self._say({number: one.key for number, one in found.items() if one and one.is_diagnosis})

    def undo(self) -> tuple[Photograph, ...]:
        """Take back the last that a person said, and what was said before holds again."""
        while self._words:
            if changed := self._say(self._words.pop(), undoing=True):
                return changed
        return ()

    def _say(self, words: dict[int, str | None], *, undoing: bool = False) -> tuple[Photograph, ...]:
        known = {number: one for number in words if (one := self._all.get(number)) is not None}
        if known and not undoing:
            self._words.append({number: one.correction for number, one in known.items()})
        return self._keep_said([replace(one, correction=words[number]) for number, one in known.items()])

    def plant(self, number: int | None) -> Plant | None:
        """One of the plants as it is now; None where there is none."""
        return self._plants.get(number)

    def join(self, numbers: Sequence[int]) -> tuple[Photograph, ...]:
        """A person says that these show one plant; it is asked about next.

        Plants that some of them showed already are then the same plant.

        Returns:
            All photographs of that plant; none when it was known.

        Raises:
            UsageError: they are too many.
        """
        plant = self._plants.join([number for number in numbers if number in self._all])
        return () if plant is None else self._regroup(plant.photographs)

    def part(self, numbers: Iterable[int]) -> tuple[Photograph, ...]:
        """These show no plant together with others; all that is different by it, as it is then."""
        return self._regroup(self._plants.leave(numbers))

    def ask_plant(self, number: int) -> None:
        """Ask about a plant next."""
        plant = self._plants.asked(number)
        if plant is not None:
            self._diagnoser.ask_first(self._plant_question(plant))

    def _regroup(self, numbers: Iterable[int]) -> tuple[Photograph, ...]:
        """These are of other plants than before, or of plants that have other photographs."""
        changed = []
        plants: dict[int, Plant] = {}
        for number in numbers:
            if (one := self._all.get(number)) is not None:
                plant = self._plants.of(number)
                changed.append(replace(one, plant=None if plant is None else plant.number))
                if plant is not None:
                    plants[plant.number] = plant
        for number in plants:
            self.ask_plant(number)
        return self._keep_said(changed, plants.values())

    def _keep_said(
        self, changed: Sequence[Photograph], plants: Iterable[Plant] = ()
    ) -> tuple[Photograph, ...]:
        self._all.update((one.number, one) for one in changed)
        if self._keeper is not None:
            # Plants first: a crash between the two leaves one without an answer, and it is asked about again.
            self._keeper.keep([*plants, *changed], said=True)
        return tuple(changed)

    def remove(self, numbers: Iterable[int]) -> None:
        """Take these away; the files stay where they are."""
        gone = [one for one in (self._all.pop(number, None) for number in numbers) if one is not None]
        self._diagnoser.forget(one.number for one in gone)
        self._paths.difference_update(one.path for one in gone)
        self._waiting -= sum(one.waits for one in gone)
        if self._keeper is not None:
            self._keeper.drop(gone)
        self._regroup(self._plants.leave(one.number for one in gone))

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
        if self._answers or self._search.has_more:
            self._wake()  # the rest, the next time
        return News(tuple(added), tuple(changed), self._trouble, self._search.goes_on)

    def close(self) -> None:
        """End the threads and write down what is open."""
        self._search.end()
        self._diagnoser.close()
        self.news()
        while self._answers or self._search.has_more:
            self.news()
        if self._keeper is not None:
            self._keeper.close()

    def _take_found(self) -> list[Photograph]:
        for place in self._search.take():
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
        changed: list[Photograph] = []
        for _ in range(min(MOST_ANSWERS, len(self._answers))):
            answer = self._answers.popleft()
            if isinstance(answer, PlantAnswer):
                changed.extend(self._take_plant(answer))
                continue
            question, prediction = answer
            one = self._all.get(question.number)
            if one is None or question.asked != self._asked:
                continue
            if one.prediction is not None and prediction.heatmap is None:
                # Somebody looked at it while it was asked about without: the fuller answer came first.
                continue
            changed.append(self._answer(one, prediction))
        return changed

    def _take_plant(self, answer: PlantAnswer) -> list[Photograph]:
        """The answer of a plant, and those of its photographs that it rests on."""
        plant = None if answer.question.asked != self._asked else self._plants.answered(answer)
        if plant is None:
            return []
        if self._keeper is not None:
            self._keeper.keep([plant])
        for number, prediction in zip(plant.photographs, answer.predictions, strict=False):
            one = self._all[number]
            if not one.knows_more(prediction):
                self._answer(one, prediction)
        return [self._all[number] for number in plant.photographs]

    def _answer(self, one: Photograph, prediction: Prediction) -> Photograph:
        self._waiting -= one.waits
        self._all[one.number] = replace(one, prediction=prediction)
        return self._all[one.number]

    def _ask_anew(self) -> None:
        """What was answered does not hold any more."""
        self._asked += 1
        self._diagnoser.forget()
        self._all = {number: replace(one, prediction=None) for number, one in self._all.items()}
        self._waiting = len(self._all)
        self._plants.ask_anew()
        self._diagnoser.ask(map(self._question, self._all.values()))
        self._diagnoser.ask(map(self._plant_question, self._plants))

    def _question(self, one: Photograph) -> Question:
        return Question(one.number, one.path, self.crop, asked=self._asked)

    def _plant_question(self, plant: Plant) -> PlantQuestion:
        paths = tuple(self._all[number].path for number in plant.photographs)
        return PlantQuestion(plant.number, plant.photographs, paths, self.crop, asked=self._asked)

    @staticmethod
    def _may_explain(one: Photograph) -> bool:
        found = one.prediction
        return found is not None and found.heatmap is None and found.verdict != "unreadable"

    def _loaded(self, load: Load) -> Predictor:
        loaded = load()
        if load is self._load:  # otherwise another one is wanted by now
            self.combines = isinstance(loaded.predictor, PlantPredictor)
            self.model = loaded.model
        return loaded.predictor

    def _on_answers(self, answers: Sequence[Answered]) -> None:
        self._answers.extend(answers)
        self._wake()

    def _on_trouble(self, trouble: Trouble | None) -> None:
        self._troubles.append(trouble)
        self._wake()
