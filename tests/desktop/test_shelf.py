"""What happens on the page of models, without a window: with a made server, and with a real one."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.models_server import LOST, ModelsServer, ReachOf, model_id
from tests.fakes.tiny_bundle import write_tiny_bundle

from leafsight.bundle import builtin_bundle_path, open_bundle
from leafsight.desktop.session import Reach, Server, ServiceHere, Trouble
from leafsight.desktop.session.shelf import Shelf
from leafsight.errors import AuthenticationError, ForbiddenError, NotFoundError, RemoteError
from leafsight.registry import SERVING, open_registry

COMMAND = (sys.executable, "-c", "from leafsight.cli import main; main()")
PATIENCE_S = 60.0
SOON = (0.01, 0.02)
NEWS = threading.Event()


@pytest.fixture
def server() -> ModelsServer:
    return ModelsServer()


@pytest.fixture
def reach(server: ModelsServer, tmp_path: Path) -> ReachOf:
    return ReachOf(server, tmp_path / "state")


Make = Callable[..., Shelf]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Shelf] = []

    def one(reach: Reach, **options: Any) -> Shelf:
        made.append(Shelf(reach, NEWS.set, **{"pauses_s": SOON, **options}))
        return made[-1]

    yield one
    for shelf in made:
        shelf.close()


def until(shelf: Shelf, there: Callable[[], object]) -> None:
    """Take in what comes until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < end, (shelf.trouble, shelf.said, shelf.models)
        shelf.settle()
        NEWS.wait(0.05)
        NEWS.clear()


@pytest.fixture
def shelf(make: Make, reach: ReachOf) -> Shelf:
    made = make(reach)
    made.look_on(True)
    until(made, lambda: made.models)
    return made


class Answers:
    """What a dialog hears of the switch that it asked for."""

    def __init__(self) -> None:
        self.done = False
        self.refused: tuple[Trouble, bool] | None = None

    def arguments(self) -> dict[str, Any]:
        return {"done": self._done, "refused": self._refused}

    def _done(self) -> None:
        self.done = True

    def _refused(self, trouble: Trouble, is_gate: bool) -> None:
        self.refused = (trouble, is_gate)


def test_what_is_kept_and_what_serves(shelf: Shelf) -> None:
    assert [one.name for one in shelf.models or ()] == ["orchard", "colours"]
    assert shelf.in_service is not None
    assert shelf.in_service.name == "colours"
    assert shelf.changes == ()
    assert shelf.former is None
    assert shelf.trouble is None
    assert shelf.name_of(model_id("b")) == "orchard (bbbbbbbb)"
    assert shelf.name_of(model_id("9")) == "a model that is gone (99999999)"


def test_one_model_is_fetched_when_it_is_wanted_and_once(shelf: Shelf, server: ModelsServer) -> None:
    assert shelf.describe(model_id("b")) is None
    assert shelf.describe(model_id("b")) is None
    until(shelf, lambda: shelf.describe(model_id("b")))
    found = shelf.describe(model_id("b"))
    assert found is not None
    assert found.model.card.startswith("# orchard")
    assert found.gate is None
    assert server.asked.count("model b") == 1


def test_a_model_that_cannot_be_read_says_why_until_it_is_tried_again(
    shelf: Shelf, server: ModelsServer
) -> None:
    server.take("b")
    until(shelf, lambda: (shelf.describe(model_id("b")), shelf.why_not_described(model_id("b")))[1])
    why = shelf.why_not_described(model_id("b"))
    assert why is not None
    assert "there is no model" in why.message
    server.put("b", name="orchard", accuracy=0.9)
    shelf.try_again()
    until(shelf, lambda: shelf.describe(model_id("b")))


def test_another_model_is_put_in_service_and_the_former_put_back(shelf: Shelf, server: ModelsServer) -> None:
    promoted = Answers()
    shelf.promote(model_id("b"), "it is better", override=False, **promoted.arguments())
    assert shelf.under_way == "Another model is being put in service."
    until(shelf, lambda: promoted.done)
    until(shelf, lambda: shelf.said == "orchard (bbbbbbbb) is in service.")
    assert shelf.under_way == ""
    assert shelf.in_service is not None
    assert shelf.in_service.id == shelf.pointed_to == model_id("b")
    assert shelf.former == model_id("a")
    assert [one["reason"] for one in shelf.changes or ()] == ["it is better"]
    back = Answers()
    shelf.roll_back("too many doubts", **back.arguments())
    until(shelf, lambda: back.done and shelf.said == "colours (aaaaaaaa) is in service.")
    assert "roll_back b 'too many doubts'" in server.asked, "it says which model it has to point to"


def test_what_is_promoted_is_waited_for_until_the_server_took_it_up(
    shelf: Shelf, server: ModelsServer
) -> None:
    server.takes_up = False
    promoted = Answers()
    shelf.promote(model_id("b"), "", override=False, **promoted.arguments())
    until(shelf, lambda: promoted.done and shelf.changes)
    assert shelf.said == "orchard (bbbbbbbb) was promoted. Servers take it up within seconds."
    assert shelf.pointed_to == model_id("b")
    assert shelf.in_service is not None
    assert shelf.in_service.id == model_id("a")
    server.serving = model_id("b")
    until(shelf, lambda: shelf.said == "orchard (bbbbbbbb) is in service.")


def test_it_is_waited_for_also_when_nobody_looks_any_more(shelf: Shelf, server: ModelsServer) -> None:
    server.takes_up = False
    promoted = Answers()
    shelf.promote(model_id("b"), "", override=False, **promoted.arguments())
    until(shelf, lambda: promoted.done and shelf.changes)
    shelf.look_on(False)
    asked = server.asked.count("models")
    until(shelf, lambda: server.asked.count("models") > asked + 2)
    server.serving = model_id("b")
    until(shelf, lambda: shelf.in_service is not None and shelf.in_service.id == model_id("b"))


def test_a_gate_that_did_not_hold_is_overruled_with_a_reason(shelf: Shelf, server: ModelsServer) -> None:
    server.gates["j1"] = {"candidate": model_id("b"), "passed": False, "said": "it lost a class"}
    first = Answers()
    shelf.promote(model_id("b"), "", override=False, **first.arguments())
    until(shelf, lambda: first.refused)
    assert first.refused is not None
    assert first.refused[0].message == "the gate of this model did not hold: it lost a class"
    assert first.refused[1]
    assert shelf.trouble is None, "the dialog says it"
    second = Answers()
    shelf.promote(model_id("b"), "we need okra", override=True, **second.arguments())
    until(shelf, lambda: second.done)
    assert "promote b 'we need okra' True" in server.asked


def test_the_gate_of_a_model_is_known_before_it_is_promoted(shelf: Shelf, server: ModelsServer) -> None:
    server.gates["j1"] = {"candidate": model_id("c"), "passed": False, "said": "it lost a class"}
    server.put("c", name="taught", accuracy=0.9, provenance={"retraining": {"job": "j1", "parent": "a" * 64}})
    until(shelf, lambda: shelf.describe(model_id("c")))
    found = shelf.describe(model_id("c"))
    assert found is not None
    assert found.gate is not None
    assert not found.gate.passed
    assert found.gate.said == "it lost a class"


def test_a_server_that_goes_away_takes_nothing_off_and_is_asked_again_by_itself(
    shelf: Shelf, server: ModelsServer
) -> None:
    server.failing = LOST
    shelf.refresh()
    until(shelf, lambda: shelf.trouble)
    assert shelf.trouble == Trouble("cannot reach the server", "is it running?")
    assert len(shelf.models or ()) == 2
    asked = server.asked.count("models")
    until(shelf, lambda: server.asked.count("models") > asked + 3)
    server.failing = None
    until(shelf, lambda: shelf.trouble is None)


def test_a_server_that_is_lost_between_two_questions_keeps_the_history(
    shelf: Shelf, server: ModelsServer
) -> None:
    promoted = Answers()
    shelf.promote(model_id("b"), "", override=False, **promoted.arguments())
    until(shelf, lambda: promoted.done and shelf.changes)
    server.no_history = LOST
    shelf.refresh()
    until(shelf, lambda: shelf.trouble)
    assert shelf.changes
    server.no_history = None
    until(shelf, lambda: shelf.trouble is None)


def test_nobody_is_asked_while_nobody_looks(make: Make, reach: ReachOf, server: ModelsServer) -> None:
    shelf = make(reach, by_itself_s=0.01)
    shelf.look_on(True)
    until(shelf, lambda: server.asked.count("models") > 3)
    shelf.look_on(False)
    until(shelf, lambda: not shelf._asking)
    asked = len(server.asked)
    shelf.settle()
    assert len(server.asked) == asked
    assert shelf._timer is None or not shelf._timer.is_alive() or shelf._timer.finished.is_set()


def test_a_wrong_key_says_where_one_is_given_and_is_not_tried_again(
    make: Make, reach: ReachOf, server: ModelsServer
) -> None:
    server.failing = AuthenticationError("the key is not known here", hint="leafsight keys")
    shelf = make(reach)
    shelf.look_on(True)
    until(shelf, lambda: shelf.trouble)
    assert shelf.trouble == Trouble(
        "the key is not known here", "give this server's key on the page Settings"
    )
    assert shelf.models is None
    assert shelf._timer is None
    assert server.asked == ["models"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ForbiddenError("no scope"), "want a key with the scope admin"),
        (NotFoundError("nothing here"), "on the admin side of this server"),
    ],
)
def test_who_may_only_look_is_told_what_is_needed(
    make: Make, reach: ReachOf, server: ModelsServer, error: Exception, said: str
) -> None:
    server.no_history = error  # type: ignore[assignment]
    shelf = make(reach)
    shelf.look_on(True)
    until(shelf, lambda: shelf.models)
    assert shelf.changes is None
    assert shelf.why_not_switch is not None
    assert said in shelf.why_not_switch.message
    assert shelf.trouble is None


def test_an_older_server_says_what_does_not_fit(make: Make, reach: ReachOf, server: ModelsServer) -> None:
    server.failing = RemoteError(
        "the answer cannot be used: models.0.id", hint="the server may be older or newer than this client"
    )
    shelf = make(reach)
    shelf.look_on(True)
    until(shelf, lambda: shelf.trouble)
    assert shelf.trouble is not None
    assert "older or newer" in shelf.trouble.hint


def test_another_server_begins_with_nothing_of_the_former(
    shelf: Shelf, reach: ReachOf, server: ModelsServer
) -> None:
    until(shelf, lambda: shelf.describe(model_id("b")))
    elsewhere = ModelsServer()
    elsewhere.take("b")
    elsewhere.wait.clear()
    reach.of = lambda chosen: server if chosen.is_here else elsewhere
    shelf.refresh()  # this answer comes when another one is chosen
    reach.choose(Server("https://leaf.example"))
    shelf.look_on(True)
    assert shelf.models is None
    assert shelf.address == "https://leaf.example"
    elsewhere.wait.set()
    until(shelf, lambda: shelf.models)
    assert [one.name for one in shelf.models or ()] == ["colours"]
    assert shelf.describe(model_id("b")) is None
    shelf.import_files([Path("x.leafsight")])
    assert shelf.trouble is not None
    assert "takes no model files" in shelf.trouble.message
    assert shelf.why_no_export == "A server elsewhere gives no model files."


def imported(shelf: Shelf, path: Path) -> tuple[str, Trouble | None]:
    shelf.import_files([path])
    assert shelf.under_way == "A model is being copied."
    until(shelf, lambda: not shelf.under_way)
    return shelf.said, shelf.trouble


def test_a_model_file_comes_onto_the_shelf_and_a_copy_of_it_leaves(shelf: Shelf, tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "given" / "okra.leafsight", name="okra")
    content_hash = open_bundle(path).content_hash
    said, trouble = imported(shelf, path)
    assert said == f"okra ({content_hash[:8]}) is on the shelf. It does not serve before somebody says so."
    assert trouble is None
    assert shelf.imported == content_hash
    assert imported(shelf, path)[0] == f"okra ({content_hash[:8]}) is on the shelf already."
    target = tmp_path / "taken" / "copy.leafsight"
    shelf.export(content_hash, target)
    until(shelf, lambda: not shelf.under_way)
    assert shelf.said.endswith(f"written to {target}.")
    assert target.read_bytes() == path.read_bytes()
    assert [one.name for one in target.parent.iterdir()] == ["copy.leafsight"]


def test_the_built_in_model_is_there_already_under_whatever_name(shelf: Shelf, tmp_path: Path) -> None:
    copy = tmp_path / "another name.leafsight"
    copy.write_bytes(builtin_bundle_path().read_bytes())
    assert imported(shelf, copy)[0].endswith("is on the shelf already.")


def other_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "dear")


@pytest.mark.parametrize(
    ("spoil", "message", "hint"),
    [
        (
            lambda path: path.write_bytes(b"a photograph"),
            "x.leafsight is no model of leafsight",
            "exported here",
        ),
        (lambda path: path.write_bytes(b""), "x.leafsight is no model of leafsight", "exported here"),
        (other_archive, "x.leafsight is no model of leafsight", "exported here"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-900]),
            "x.leafsight is damaged: ",
            "copy it again",
        ),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b"For tests only", b"For tests mine")),
            "x.leafsight is damaged: ",
            "copy it again",
        ),
        (lambda path: path.unlink(), "there is no bundle at ", ""),
    ],
)
def test_a_file_that_cannot_be_imported_says_why_and_leaves_nothing(
    shelf: Shelf, reach: ReachOf, tmp_path: Path, spoil: Callable[[Path], object], message: str, hint: str
) -> None:
    path = write_tiny_bundle(tmp_path / "x.leafsight", name="okra")
    spoil(path)
    said, trouble = imported(shelf, path)
    assert said == ""
    assert trouble is not None
    assert trouble.message.startswith(message)
    assert hint in trouble.hint
    kept = [one for one in open_registry(reach.here.registry_dir).entries() if not one.builtin]
    assert kept == []
    write_tiny_bundle(path, name="okra")
    shelf.try_again()
    until(shelf, lambda: not shelf.under_way)
    assert shelf.said.startswith("okra (")
    assert shelf.trouble is None


def test_a_newer_model_and_a_full_disk_have_sentences_of_their_own(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny_bundle(tmp_path / "x.leafsight", name="okra")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfileobj", full)
        _, trouble = imported(shelf, path)
        assert trouble == Trouble(
            "there is no room on the disk for x.leafsight", "free some space, then import it again"
        )
        target = tmp_path / "copy.leafsight"
        shelf.export(open_registry(tmp_path).get("builtin").hash, target)
        until(shelf, lambda: not shelf.under_way)
        assert shelf.trouble is not None
        assert shelf.trouble.message == f"there is no room for the model where {target} should lie"
        assert not target.exists()
    monkeypatch.setattr("leafsight.bundle.manifest.FORMAT_VERSION", 0)
    _, trouble = imported(shelf, path)
    assert trouble is not None
    assert trouble.message == "x.leafsight was made by a newer leafsight than this one"


def test_nothing_is_exported_onto_the_shelf_itself(shelf: Shelf, reach: ReachOf, tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "x.leafsight", name="okra")
    imported(shelf, path)
    content_hash = open_bundle(path).content_hash
    kept = open_registry(reach.here.registry_dir)
    target = kept.path(kept.get(content_hash))
    before = target.read_bytes()
    shelf.export(content_hash, target)
    until(shelf, lambda: not shelf.under_way)
    assert shelf.trouble is not None
    assert "where the models of this computer are kept" in shelf.trouble.message
    assert target.read_bytes() == before


def test_what_closes_asks_no_more(make: Make, reach: ReachOf, server: ModelsServer) -> None:
    shelf = make(reach, by_itself_s=0.01)
    shelf.look_on(True)
    until(shelf, lambda: shelf.models)
    shelf.close()
    asked = len(server.asked)
    shelf.refresh()
    shelf.settle()
    assert len(server.asked) == asked


def test_a_call_that_ends_after_the_end_wakes_nobody(
    reach: ReachOf, server: ModelsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leafsight.desktop.session.errands.END_WITHIN_S", 0.01)
    woken: list[bool] = []
    shelf = Shelf(reach, lambda: woken.append(True))
    server.wait.clear()
    shelf.look_on(True)
    shelf.close()
    server.wait.set()
    for thread in shelf._errands._threads:
        thread.join(PATIENCE_S)
    assert woken == []


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ServiceHere]:
    service = ServiceHere(tmp_path / "state", COMMAND, os.getpid())
    yield service
    service.stop()


def test_with_a_real_service_it_is_promoted_rolled_back_and_started_again_when_it_died(
    here: ServiceHere, make: Make, tmp_path: Path
) -> None:
    reach = Reach(here, Server())
    shelf = make(reach)
    shelf.look_on(True)
    until(shelf, lambda: shelf.models)
    builtin = shelf.in_service
    assert builtin is not None
    path = write_tiny_bundle(tmp_path / "x.leafsight", name="okra")
    imported(shelf, path)
    okra = open_bundle(path).content_hash
    until(shelf, lambda: shelf.entry(okra))
    until(shelf, lambda: shelf.describe(okra))
    promoted, back = Answers(), Answers()
    shelf.promote(okra, "we grow okra", override=False, **promoted.arguments())
    until(shelf, lambda: promoted.done and shelf.in_service and shelf.in_service.id == okra)
    assert open_registry(here.registry_dir).get(SERVING).hash == okra
    process = here._process
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    shelf.refresh()
    until(shelf, lambda: here.runs and not shelf._asking and shelf.trouble is None)
    assert shelf.in_service is not None
    assert shelf.in_service.id == okra
    assert shelf.changes is not None
    assert shelf.changes[0]["reason"] == "we grow okra"
    assert shelf.former == builtin.id
    shelf.roll_back("", **back.arguments())
    until(shelf, lambda: back.done and shelf.in_service and shelf.in_service.id == builtin.id)
    shelf.close()
    reach.close()
