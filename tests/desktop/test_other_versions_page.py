"""The pages against a server of another version: whatever it says, there is something sensible to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.changed_answers import changed, with_more
from tests.desktop.test_other_versions import CURL, GONE, OfAnotherVersion, refuse, taught

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)

from PySide6.QtWidgets import QLabel

from leafsight.desktop.session import learner
from leafsight.desktop.session.teach_answers import contributions_of, outcome_of, retrainings_of, summary_of
from leafsight.desktop.window.settings import SettingsPage
from leafsight.desktop.window.teach import TeachPage
from leafsight.errors import NotFoundError, RemoteError

pytestmark = pytest.mark.gui
PATIENCE_MS = 20_000
Teach = Callable[[OfAnotherVersion], TeachPage]


@pytest.fixture
def teach(opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Teach:
    """The page Teach of a window on that server."""
    monkeypatch.setattr(learner, "LOOK_IDLE_S", 0.1)

    def make(server: OfAnotherVersion) -> TeachPage:
        window = opened()
        monkeypatch.setattr(server, "close", lambda: None, raising=False)
        object.__setattr__(window._around, "reach", server)
        window.go("teach")
        page = window.front
        assert isinstance(page, TeachPage)
        return page

    return make


def text_of(page: Any) -> str:
    return "\n".join(one.text() for one in page.findChildren(QLabel) if one.isVisible())


def test_whatever_is_said_of_learning_can_be_shown(qtbot: Any, teach: Teach) -> None:
    server = taught()
    page = teach(server)
    qtbot.waitUntil(lambda: page.learner.outcome and page.learner.contributions, timeout=PATIENCE_MS)
    page._ticking.stop()
    page.step(2)
    known = page.learner
    for name, answer, read, step in (
        ("summary", server.contributions_summary(), summary_of, page.look),
        ("contributions", server.contributions({"state": "waiting"}), contributions_of, page.look),
        ("retrainings", server.retrainings(), retrainings_of, page.model),
        ("outcome", server.retraining("t0"), outcome_of, page.model),
    ):
        before = getattr(known, name)
        for what, other in [("more", with_more(answer)), *changed(answer)]:
            try:
                found: Any = read(other)
            except RemoteError:
                continue
            setattr(known, name, found[0] if name == "contributions" else found)
            page.model.outcome._shown = ()
            step.say()
            assert "None" not in text_of(page), what
        setattr(known, name, before)


def test_a_gate_of_which_nothing_is_known_is_not_said_to_have_failed(qtbot: Any, teach: Teach) -> None:
    server = taught()
    server.details["t0"]["gate"] = {"result": "held, says a newer server"}
    server.details["t0"]["result"] = {"candidate": "new"}
    page = teach(server)
    page.step(2)
    qtbot.waitUntil(lambda: "The training ended" in text_of(page), timeout=PATIENCE_MS)
    assert "did not hold" not in text_of(page.model.outcome)
    assert not page.model.outcome.promote.isVisible()


def test_a_server_that_learns_nothing_is_said_to_at_every_step_without_an_alarm(
    qtbot: Any, teach: Teach
) -> None:
    server = taught()
    server.changes["summary"] = lambda _: refuse(NotFoundError("Not Found (request 17)"), _)
    page = teach(server)
    qtbot.waitUntil(lambda: page.learner.refused is not None, timeout=PATIENCE_MS)
    for step in range(3):
        page.step(step)
        assert GONE in text_of(page)
        assert "asked" not in text_of(page).replace("ask its operator", "")
        assert "Not Found" not in text_of(page)
    assert not page.window().trouble.isVisible()
    assert not page.model.teach.isEnabled()
    assert page.learner.label in (None, CURL)


def test_what_is_given_meanwhile_does_not_hide_that_the_server_says_nothing_sensible(
    qtbot: Any, teach: Teach, photos: Path
) -> None:
    server = taught()
    server.changes["summary"] = lambda _: {"hello": "farm"}
    page = teach(server)
    window: Any = page.window()
    qtbot.waitUntil(window.trouble.isVisible, timeout=PATIENCE_MS)
    assert "no 'states' that can be used" in window.trouble_words.text()
    assert "older or newer" in window.trouble_words.text()
    page.open_places([photos])
    qtbot.waitUntil(lambda: page.outgoing.sendings[0].stage == "done", timeout=PATIENCE_MS)
    assert window.trouble.isVisible()
    del server.changes["summary"]
    qtbot.waitUntil(lambda: not window.trouble.isVisible(), timeout=PATIENCE_MS)


def test_settings_say_once_that_the_versions_differ(qtbot: Any, opened: Callable[..., Any]) -> None:
    window = opened()
    window.go("settings")
    page = window.front
    assert isinstance(page, SettingsPage)
    found = {"model": "leaves", "classes": 3, "teaches": True, "version": "9.1.0"}
    page._answered(window._reach.server, found)
    assert "leafsight 9.1.0 there, 0.1.0 here." in page.server_said.text()
    for same in ("0.1.0", ""):
        page._answered(window._reach.server, {**found, "version": same})
        assert "there" not in page.server_said.text()
