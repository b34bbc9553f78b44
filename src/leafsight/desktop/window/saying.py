"""What a person says of the photographs that are selected: what they show, and which show one plant."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from leafsight.desktop.session import Photograph, Session, Trouble, classes_to_say
from leafsight.desktop.session.language import tr, trn
from leafsight.desktop.window.class_picker import ClassPicker
from leafsight.desktop.window.photograph_list import PhotographList
from leafsight.errors import LeafsightError

JOIN_KEYS, PART_KEYS = "Ctrl+G", "Ctrl+Shift+G"


class Saying(QObject):
    """Keys and wishes of the list, made into words of the session.

    Args:
        session: hears them.
        photographs: the list in which they are selected.
        page: as long as it is in front, its keys hold.
    """

    changed = Signal(object)
    """Photographs that are different by it."""
    told = Signal(str)
    troubled = Signal(object)
    removal_wanted = Signal()

    def __init__(self, session: Session, photographs: PhotographList, page: QWidget) -> None:
        super().__init__(page)
        self._session, self._list = session, photographs
        self._numbers: Sequence[int] = ()
        self.picker = ClassPicker(photographs)
        self.picker.chosen.connect(self._on_chosen)
        photographs.word_wanted.connect(self.ask)
        photographs.right.connect(self.confirm)
        photographs.taken_back.connect(self.take_back)
        photographs.doubleClicked.connect(lambda _: self.ask())
        photographs.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        photographs.customContextMenuRequested.connect(self.show_menu)
        QShortcut(QKeySequence(JOIN_KEYS), page, self.join)
        QShortcut(QKeySequence(PART_KEYS), page, self.part)
        QShortcut(QKeySequence.StandardKey.Undo, page, self.undo)

    @property
    def can_join(self) -> bool:
        """Whether several are selected, and the model gives one answer for a plant."""
        return self._session.combines and len(self._list.selected_numbers) > 1

    def ask(self) -> None:
        """Let a person say what the selected ones show."""
        model, numbers = self._session.model, self._list.selected_numbers
        if model is None or not numbers:
            return
        self._numbers = numbers
        current = self._current()
        about = trn("{number} photograph", "{number} photographs", len(numbers))
        if len(numbers) == 1 and current is not None:
            about = current.path.name
        said = None if current is None else current.correction
        self.picker.open_for(classes_to_say(model, current), about, said, self._beside())

    def confirm(self) -> None:
        """The answers are right as they are; on to the next."""
        numbers = self._list.selected_numbers
        changed = self._session.confirm(numbers)
        if not changed:
            self.told.emit(tr("Only a diagnosis can be right; Enter lets you say what it shows."))
            return
        self.changed.emit(changed)
        self._list.go_behind(numbers)

    def take_back(self) -> None:
        """Nothing is said of the selected ones."""
        self.changed.emit(self._session.say(self._list.selected_numbers, None))

    def undo(self) -> None:
        """The last word is not said; it is shown of which photographs."""
        changed = self._session.undo()
        self.changed.emit(changed)
        self._list.choose_numbers([one.number for one in changed])

    def join(self) -> None:
        """The selected ones show one plant."""
        if not self.can_join:
            return
        try:
            self.changed.emit(self._session.join(self._list.selected_numbers))
        except LeafsightError as error:
            self.troubled.emit(Trouble.of(error))

    def part(self) -> None:
        """The plants of the selected ones are taken apart."""
        plants = {one.plant for one in self._selected()}
        found = [self._session.plant(number) for number in plants]
        self._part([number for plant in found if plant is not None for number in plant.photographs])

    def leave_plant(self) -> None:
        """The selected ones do not show the plant of the others."""
        self._part(self._list.selected_numbers)

    def ask_plant(self) -> None:
        """Ask about the plant of the chosen photograph again."""
        current = self._current()
        if current is not None and current.plant is not None:
            self._session.ask_plant(current.plant)
            self.changed.emit((current,))

    def menu(self) -> QMenu:
        """All that can be said, with its keys."""
        menu = QMenu(self._list)
        joined = any(one.plant is not None for one in self._selected())
        entries: tuple[tuple[str, str, Callable[[], None], bool], ...] = (
            (tr("Say what it shows"), "C", self.ask, True),
            (tr("Right as it is"), "R", self.confirm, True),
            (tr("Take the word back"), "U", self.take_back, True),
            (tr("One plant"), JOIN_KEYS, self.join, self.can_join),
            (tr("Take the plant apart"), PART_KEYS, self.part, joined),
            (tr("Take out of the list"), "Del", self.removal_wanted.emit, True),
        )
        for text, keys, do, possible in entries:
            action = menu.addAction(f"{text}\t{keys}")
            action.setEnabled(possible)
            action.triggered.connect(lambda _=False, do=do: do())
        if not self._session.combines:
            for action in menu.actions()[3:5]:
                action.setVisible(False)
        return menu

    def show_menu(self, at: QPoint) -> None:
        """Beside the pointer, or beside the row when a key asked for it."""
        if self._list.selected_numbers:
            menu = self.menu()
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self._list.viewport().mapToGlobal(at))

    def _part(self, numbers: Sequence[int]) -> None:
        if changed := self._session.part(numbers):
            self.changed.emit(changed)

    def _on_chosen(self, key: str) -> None:
        self.changed.emit(self._session.say(self._numbers, key))
        self._list.go_behind(self._numbers)
        self._list.setFocus()

    def _current(self) -> Photograph | None:
        number = self._list.current_number
        return None if number is None else self._session.get(number)

    def _selected(self) -> list[Photograph]:
        found = (self._session.get(number) for number in self._list.selected_numbers)
        return [one for one in found if one is not None]

    def _beside(self) -> QRect:
        place = self._list.visualRect(self._list.currentIndex())
        return QRect(self._list.viewport().mapToGlobal(place.topLeft()), place.size())
