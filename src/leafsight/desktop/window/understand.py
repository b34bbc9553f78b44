"""The page "Understand the data": its buttons, what is shown when, and who is told of what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session import Trouble
from leafsight.desktop.session.language import tr
from leafsight.desktop.session.understanding import (
    State,
    Study,
    Understanding,
    Wish,
    made_in_words,
    places_in_words,
    save_report,
)
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.exporting import Exporter
from leafsight.desktop.window.invitation import Invitation
from leafsight.desktop.window.pages import Around, Page
from leafsight.desktop.window.speaking import own_languages
from leafsight.desktop.window.theme import Tokens
from leafsight.desktop.window.understand_result import ResultView
from leafsight.desktop.window.understand_working import WorkingCard
from leafsight.desktop.window.waking import Waker
from leafsight.images import DecodeLimits

STUDIES_FOLDER, CACHE_FOLDER = "understand", "cache"


class UnderstandPage(Page):
    """Shows what is in a collection."""

    def __init__(self, around: Around) -> None:
        super().__init__()
        options = around.options
        limits = options.limits or DecodeLimits()
        self._around = around
        self._shown: Study | None = None
        self._told_trouble: Trouble | None = None
        self._retry: Callable[[], object] = self.look
        self._restored = False
        self._waker = Waker(self)
        self.understanding = Understanding(
            Wish(
                places=(),
                root=options.state_dir / STUDIES_FOLDER,
                cache_dir=options.cache_dir or options.state_dir / CACHE_FOLDER,
                model=options.model,
                limits=limits,
                workers=options.threads,
                language=around.preferences().language,
                own_languages=own_languages(options.state_dir),
            ),
            wake=self._waker.wake,
        )
        self._waker.woken.connect(self.look)
        self._exporter = Exporter(self)
        self._exporter.ended.connect(self._on_saved)
        self._exporter.failed.connect(self._on_save_failed)
        self.result = ResultView(limits, self.devicePixelRatioF(), around.tokens())
        self.result.troubled.connect(self._on_not_opened)
        self.result.wants_diagnosis.connect(self._diagnose)
        self._lay_out()

    def _lay_out(self) -> None:
        self.name, self.date = words("heading"), words("quiet")
        self.choose_button = button(tr("Choose a &folder"), self.choose_folder)
        self.again_button = button(tr("Look &again"), self.look_again)
        self.save_button = button(tr("&Save report"), self.save)
        self._tools = QWidget()
        line = QHBoxLayout(self._tools)
        line.setContentsMargins(0, 0, 0, 0)
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(self.name)
        said.addWidget(self.date)
        line.addLayout(said, 1)
        for one in (self.choose_button, self.again_button, self.save_button):
            line.addWidget(one)
        self.working = WorkingCard(self.cancel)
        self.stack = QStackedWidget()
        self.stack.addWidget(
            Invitation(
                tr("Drop a folder of photographs here"),
                tr(
                    "One folder for each class, or train and test folders above them. You see what is wrong "
                    "with them and what they look like. Nothing is changed, nothing leaves this computer."
                ),
                ((tr("Ch&oose a folder"), self.choose_folder),),
            )
        )
        self.stack.addWidget(self.result)
        self.stack.addWidget(_what_is_looked_for())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 16, 12)
        whole.setSpacing(12)
        whole.addWidget(self._tools)
        whole.addWidget(self.working)
        whole.addWidget(self.stack, 1)
        self._show(State())

    def look(self) -> None:
        """Take the news; called when there are some."""
        self._show(self.understanding.state())

    def _show(self, state: State) -> None:
        works, study = bool(state.working_on), state.study
        self.working.setVisible(works)
        if works:
            self.working.show_state(state)
        if study is not None and study is not self._shown:
            self._shown = study
            self.result.show_study(study)
            self.name.setText(places_in_words(study.places))
            self.date.setText(made_in_words(study))
        # What was found elsewhere does not stand below the words on what is being looked at.
        fits = study is not None and (not works or study.places == state.working_on)
        self._tools.setVisible(fits)
        self.again_button.setEnabled(not works)
        self.stack.setCurrentIndex(1 if fits else 2 if works or state.restoring else 0)
        if state.trouble != self._told_trouble:  # otherwise what else is told there stays
            self._told_trouble = state.trouble
            self.troubled.emit(state.trouble)

    def choose_folder(self) -> None:
        """Let a person choose a folder."""
        name = QFileDialog.getExistingDirectory(self, tr("Folder of photographs"))
        self.open_places([Path(name)] if name else [])

    def open_places(self, places: Sequence[Path]) -> None:
        """Look at these as one collection."""
        if places:
            self._retry = lambda: self.open_places(places)
            self.understanding.start(places)
            self.look()

    def look_again(self) -> None:
        """Look at the same collection as it is now; only what changed is read."""
        if self._shown is not None:
            self.open_places(self._shown.places)

    def cancel(self) -> None:
        """End what is being done."""
        self.understanding.cancel()
        self.look()

    def save(self) -> None:
        """Write the pages for other people into a folder that a person chooses."""
        study = self._shown
        name = QFileDialog.getExistingDirectory(self, tr("Folder for the report")) if study else ""
        if study is None or not name:
            return
        self.save_button.setEnabled(False)
        self._exporter.start(
            lambda told: tr("Report saved in {folder}", folder=save_report(study, Path(name)))
        )

    def came_to_front(self) -> None:
        """The last study, when somebody first comes here."""
        if not self._restored:
            self._restored = True
            self.understanding.restore()
            self.look()

    def try_again(self) -> None:
        """Go on after trouble."""
        self._told_trouble = None
        self._retry()

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self.result.wear(tokens)

    def unfinished(self) -> str:
        """A collection that is being looked at."""
        working_on = self.understanding.state().working_on
        if not working_on:
            return ""
        return tr(
            "{name} is being looked at; what was read is kept, and looking again goes on from there.",
            name=places_in_words(working_on),
        )

    def leave(self) -> None:
        """End the child process, and what reads pictures."""
        self.understanding.close()
        self._exporter.close()
        self.result.close_pictures()

    def _diagnose(self, paths: list[Path]) -> None:
        self._around.session.add(paths)
        self._around.go("diagnose")

    def _on_saved(self, said: str) -> None:
        self.save_button.setEnabled(True)
        self.date.setText(said if self._shown is None else f"{made_in_words(self._shown)} · {said}")

    def _on_save_failed(self, trouble: Trouble) -> None:
        self.save_button.setEnabled(True)
        self._retry = self.save
        self.troubled.emit(trouble)

    def _on_not_opened(self, trouble: Trouble) -> None:
        self._retry = self.result.problem.open_folder
        self.troubled.emit(trouble)


def _what_is_looked_for() -> QWidget:
    """Words for the time until something was found."""
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(16, 0, 16, 0)
    column.addWidget(words("heading", tr("What is looked for")))
    for said in (
        tr("Files that cannot be used, and photographs that are blurred, dark or too small."),
        tr("Copies, and photographs of one leaf that stand in training and test alike."),
        tr("Labels that look wrong, and classes with too few photographs."),
        tr("Shortcuts: what gives the class away without a look at the leaf."),
    ):
        column.addWidget(words("quiet", said))
    column.addStretch()
    return whole
