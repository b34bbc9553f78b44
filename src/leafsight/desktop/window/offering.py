"""Model files that a person opened: each is verified beside the window, then the person is asked about it.

Enters: paths. Leaves: a question; on "yes", a session that uses the model. One question at a time.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from leafsight.desktop.session import Model, Session, Trouble, bundle_loader, verified_model
from leafsight.desktop.session.language import named, tr, trn
from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits

LOG = logging.getLogger("leafsight.desktop")
END_WITHIN_S = 10.0
NAMED = 6
"""Classes that the question names; the rest is behind "Show Details"."""
MOST_NAME = 80
SHOWN_OF_HASH = 16
MOST_DETAILS = 2_000


class Offers(QObject):
    """Asks about models.

    Args:
        window: that they belong to.
        front: gives what the question stands before and looks like.
        session: that uses them.
        limits: of the decoder.
    """

    troubled = Signal(object)
    """A ``Trouble``: the file is no model, or cannot be used."""
    used = Signal()
    """A person took one of them."""
    _verified = Signal(object, object)

    def __init__(
        self, window: QWidget, front: Callable[[], QWidget], session: Session, limits: DecodeLimits
    ) -> None:
        super().__init__(window)
        self._front, self._session, self._limits = front, session, limits
        self._waiting: deque[Path] = deque()
        self._thread: threading.Thread | None = None
        self.question: QMessageBox | None = None
        self._closed = False
        self._verified.connect(self._on_verified)

    def offer(self, paths: Iterable[Path]) -> None:
        """Ask about these, one after the other."""
        self._waiting.extend(path.absolute() for path in paths)
        self._next()

    def close(self) -> None:
        """Ask nothing more."""
        self._closed = True
        self._waiting.clear()
        if self._thread is not None:
            self._thread.join(END_WITHIN_S)

    def _next(self) -> None:
        if self._closed or not self._waiting or self._thread is not None or self.question is not None:
            return
        path = self._waiting.popleft()
        self._thread = threading.Thread(target=self._verify, args=(path,), name="verifying", daemon=True)
        self._thread.start()

    def _verify(self, path: Path) -> None:
        found: Model | Trouble
        try:
            found = verified_model(path)
        except LeafsightError as error:
            found = Trouble.of(error)
        except Exception as error:
            LOG.exception("a model was not verified")
            found = Trouble(f"leafsight failed on it: {error!r}", "this is a bug of ours: report it")
        self._verified.emit(path, found)

    def _on_verified(self, path: Path, found: Model | Trouble) -> None:
        self._thread = None
        if self._closed:
            return
        if isinstance(found, Trouble):
            self.troubled.emit(found)
            self._next()
            return
        self.question = self._box(path, found)
        self.question.open()

    def _box(self, path: Path, model: Model) -> QMessageBox:
        box = QMessageBox(self._front())
        box.setWindowTitle("leafsight")
        box.setTextFormat(Qt.TextFormat.PlainText)
        yes = QMessageBox.StandardButton.Yes
        in_use = self._session.model
        if in_use is not None and in_use.hash == model.hash:
            box.setText(tr("The model {name} is in use already.", name=_short(model.name)))
            box.setStandardButtons(QMessageBox.StandardButton.Ok)
        else:
            box.setIcon(QMessageBox.Icon.Question)
            box.setText(tr("Use the model {name} from now on?", name=_short(model.name)))
            box.setInformativeText(self._what_it_is(model))
            if len(model.classes) > NAMED:
                box.setDetailedText(
                    "\n".join(_short(named(one)) for one in model.classes.values())[:MOST_DETAILS]
                )
            box.setStandardButtons(yes | QMessageBox.StandardButton.No)
            box.setDefaultButton(QMessageBox.StandardButton.No)
        box.finished.connect(lambda answer: self._on_answer(path, model, answer == yes))
        return box

    def _what_it_is(self, model: Model) -> str:
        names = [_short(named(one)) for one in list(model.classes.values())[:NAMED]]
        rest = len(model.classes) - len(names)
        said = [
            trn("It knows {number} class", "It knows {number} classes", len(model.classes))
            + f": {', '.join(names)}"
            + (trn(" and {number} more.", " and {number} more.", rest) if rest else "."),
            tr("SHA-256 {hash}…", hash=model.hash[:SHOWN_OF_HASH]),
        ]
        if len(self._session):
            said.append(
                trn(
                    "{number} open photograph is asked about anew; what you said of it stays.",
                    "{number} open photographs are asked about anew; what you said of them stays.",
                    len(self._session),
                )
            )
        return "\n\n".join(said)

    def _on_answer(self, path: Path, model: Model, yes: bool) -> None:
        if self.question is not None:
            self.question.deleteLater()
            self.question = None
        if yes and not self._closed:
            self._session.use(bundle_loader(path, self._limits, model.hash), model)
            self.used.emit()
        self._next()


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= MOST_NAME else f"{line[: MOST_NAME - 1]}…"
