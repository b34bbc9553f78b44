"""The page Settings: which server, how it looks, what is kept and who sees it."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
)

from leafsight import __version__
from leafsight.desktop.session import Errands, Server, Trouble, save_server, tried
from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.session.preferences import LOOKS, TEXT_SCALES
from leafsight.desktop.session.storing import Kept, kept, remove
from leafsight.desktop.session.wording import count, in_bytes, lower
from leafsight.desktop.window.controls import button, card, emptied, scrolled, words
from leafsight.desktop.window.pages import Around, Page
from leafsight.desktop.window.settings_language import LanguageSettings
from leafsight.desktop.window.theme import LOOK_WORDS, Tokens
from leafsight.desktop.window.waking import Waker
from leafsight.errors import LeafsightError


class SettingsPage(Page):
    """Every change holds at once and is kept; a server is tried before it is chosen."""

    def __init__(self, around: Around) -> None:
        super().__init__()
        self._around = around
        self._waker = Waker(self)
        self._errands = Errands(self._waker.wake, threads=1)
        self._waker.woken.connect(self._errands.settle)
        self._kept: list[Kept] = []
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 16, 12)
        self._language = LanguageSettings(around, self.troubled)
        cards = (
            self._server_card(), self._look_card(), self._language.card, self._storage_card(),
            self._privacy_card(),
        )  # fmt: skip
        whole.addWidget(scrolled(*cards))
        self._show_server()

    def came_to_front(self) -> None:
        """What is kept may have grown."""
        self._measure()

    def wear(self, tokens: Tokens) -> None:
        """Somebody may have chosen it elsewhere."""
        self._show_look()

    def leave(self) -> None:
        """End what asks."""
        self._errands.close()

    def _server_card(self) -> QFrame:
        made, inside = card(tr("Server"))
        self.here = QRadioButton(tr("This &computer: works without a network"))
        self.there = QRadioButton(tr("A &server, at this address:"))
        group = QButtonGroup(self)
        for one in (self.here, self.there):
            group.addButton(one)
            one.toggled.connect(lambda _: self._offer())
        self.address, self.key = QLineEdit(), QLineEdit()
        self.address.setPlaceholderText("https://leaf.example")
        self.address.setAccessibleName(tr("Address of the server"))
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText(tr("Key, if its operator gave you one"))
        self.key.setAccessibleName(tr("Key of the server"))
        self.use = button(tr("Try it &and use it"), self._use, "primary")
        self.server_said = words("quiet")
        line = QHBoxLayout()
        for field, wide in ((self.address, 2), (self.key, 2), (self.use, 0)):
            line.addWidget(field, wide)
        line.addStretch()
        inside.addWidget(self.here)
        inside.addWidget(self.there)
        inside.addLayout(line)
        inside.addWidget(self.server_said)
        return made

    def _look_card(self) -> QFrame:
        made, inside = card(tr("Look"))
        line = QHBoxLayout()
        self.look, self.text_size = QComboBox(), QComboBox()
        for look in LOOKS:
            self.look.addItem(tr(LOOK_WORDS[look]), look)
        for scale in TEXT_SCALES:
            self.text_size.addItem(tr("Text {percent} %", percent=round(100 * scale)), scale)
        self.look.activated.connect(lambda _: self._around.prefer(look=self.look.currentData()))
        self.text_size.activated.connect(
            lambda _: self._around.prefer(text_scale=self.text_size.currentData())
        )
        for box, name in ((self.look, tr("Light or dark")), (self.text_size, tr("Size of the text"))):
            box.setAccessibleName(name)
            line.addWidget(box)
        line.addStretch()
        inside.addLayout(line)
        return made

    def _storage_card(self) -> QFrame:
        made, inside = card(tr("Storage"))
        self._rows = QGridLayout()
        self._rows.setColumnStretch(0, 1)
        inside.addLayout(self._rows)
        return made

    def _privacy_card(self) -> QFrame:
        made, inside = card(tr("Privacy"))
        self.privacy = words()
        inside.addWidget(self.privacy)
        return made

    def _show_server(self) -> None:
        server = self._around.reach.server
        (self.here if server.is_here else self.there).setChecked(True)
        self.address.setText(server.address)
        self.key.setText(server.key)
        self._offer()
        self._say_privacy()
        self._show_look()

    def _show_look(self) -> None:
        preferences = self._around.preferences()
        self.look.setCurrentIndex(self.look.findData(preferences.look))
        self.text_size.setCurrentIndex(self.text_size.findData(preferences.text_scale))
        self._language.show()

    def _offer(self) -> None:
        there = self.there.isChecked()
        chosen = self._around.reach.server
        for one in (self.address, self.key):
            one.setVisible(there)
        self.use.setVisible(there or not chosen.is_here)
        self.server_said.setVisible(bool(self.server_said.text()))
        self.use.setText(tr("Try it &and use it") if there else tr("Use t&his computer"))
        self.use.setEnabled(True)

    def _use(self) -> None:
        if self.here.isChecked():
            self._choose(Server())
            return
        server = Server(self.address.text().strip(), self.key.text().strip())
        self.use.setEnabled(False)
        self._say(tr("The server is asked."))
        self._errands.do(
            lambda: tried(server), lambda found: self._answered(server, found), self._not_answered
        )

    def _answered(self, server: Server, found: dict[str, Any]) -> None:
        said = tr(
            "It answers with the model {model}, which tells {classes} apart.",
            model=found["model"],
            classes=count(found["classes"] or 0, "class", "classes"),
        )
        if not found["teaches"]:
            why = translated(found["why_not"])
            said += " " + tr("It diagnoses, but does not let you teach: {why}.", why=lower(why).rstrip("."))
        if found["version"] not in ("", __version__):
            said += " " + tr(
                "leafsight {there} there, {here} here.", there=found["version"], here=__version__
            )
        self._choose(server, said)

    def _not_answered(self, trouble: Trouble) -> None:
        self.use.setEnabled(True)
        self._say(trouble.in_words())

    def _choose(self, server: Server, said: str = "") -> None:
        try:
            save_server(server, self._around.options.state_dir)
        except LeafsightError as error:
            self.troubled.emit(Trouble.of(error))
        self._around.reach.choose(server)
        self._around.serves("")
        self._say(said or tr("This computer is asked from now on."))
        self._offer()
        self._say_privacy()

    def _say(self, said: str) -> None:
        self.server_said.setText(said)
        self.server_said.setVisible(True)

    def _say_privacy(self) -> None:
        server = self._around.reach.server
        if server.is_here:
            first = tr("Photographs do not leave this computer, and nothing is asked of any other.")
        else:
            first = tr(
                "Photographs that you diagnose or teach with are sent to {address}. The window asks it not to"
                " keep those that you diagnose; its operator decides.",
                address=server.address,
            )
        second = tr(
            "What a camera wrote into photographs, such as the place, is taken out before anything is kept to"
            " learn from. The key is kept in a file that only you can read. Nothing is counted or reported."
        )
        self.privacy.setText(f"{first}\n\n{second}")

    def _measure(self) -> None:
        options = self._around.options
        self._errands.do(lambda: kept(options.state_dir, options.store), self._show_kept)

    def _show_kept(self, found: list[Kept]) -> None:
        if found == self._kept:
            return
        self._kept = found
        emptied(self._rows)
        for row, one in enumerate(one for one in found if one.size_bytes):
            self._rows.addWidget(QLabel(one.title), row, 0)
            self._rows.addWidget(words("quiet", in_bytes(one.size_bytes)), row, 1)
            show = button(tr("Open folder"), partial(_open, one))
            show.setAccessibleName(tr("Open folder: {what}", what=one.title))
            self._rows.addWidget(show, row, 2)
            if one.may_go:
                gone = button(tr("Remove"), partial(self._remove, one))
                gone.setAccessibleName(tr("Remove: {what}", what=one.title))
                self._rows.addWidget(gone, row, 3)

    def _remove(self, one: Kept) -> None:
        self._errands.do(lambda: remove(one), lambda _: self._measure(), self.troubled.emit)


def _open(one: Kept) -> None:
    folder = one.path if one.path.is_dir() else one.path.parent
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
