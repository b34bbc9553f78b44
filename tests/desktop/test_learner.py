"""What waits is decided, a model learns, is promoted and put back: asked of a server that is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.desktop.teaching_fakes import MadeUpLearning, until

from leafsight.desktop.session import Errands, Server, learner
from leafsight.desktop.session.learner import Learner
from leafsight.desktop.session.teach_answers import differing

RUST, CURL = "Okra___Rust", "Okra___Leaf_curl"
Until = Callable[[Callable[[], object]], None]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(learner, "LOOK_IDLE_S", 0.02)


@pytest.fixture
def server() -> MadeUpLearning:
    made = MadeUpLearning()
    for number in range(3):
        made.wait(f"r{number}", RUST, "new_class")
    made.wait("dark", CURL, "bad_picture")
    made.wait("fine", CURL)
    return made


@pytest.fixture
def errands() -> Iterator[Errands]:
    made = Errands()
    yield made
    made.close()


@pytest.fixture
def one(server: MadeUpLearning, errands: Errands) -> Learner:
    return Learner(server, errands, lambda: None)


@pytest.fixture
def so(one: Learner, errands: Errands) -> Until:
    return lambda true: until(errands, one.tick, true)


def states(server: MadeUpLearning) -> dict[str, str]:
    return {row["id"]: row["state"] for row in server.rows}


def test_what_waits_is_listed_and_can_be_narrowed(one: Learner, so: Until) -> None:
    so(lambda: len(one.contributions) == 5)
    assert one.summary is not None
    assert one.summary["states"]["waiting"] == 5
    one.show("waiting", RUST)
    so(lambda: len(one.contributions) == 3)
    one.show("doubtful", None)
    so(lambda: len(one.contributions) == 4)
    one.show("rejected", None)
    so(lambda: one.contributions == [])


def test_more_than_a_page_is_listed(one: Learner, so: Until, server: MadeUpLearning) -> None:
    for number in range(450):
        server.wait(f"many{number}", CURL)
    so(lambda: len(one.contributions) == 455)


def test_a_class_is_accepted_when_it_is_declared(one: Learner, so: Until, server: MadeUpLearning) -> None:
    so(lambda: len(one.contributions) == 5)
    rust = [row for row in one.contributions if row["label"] == RUST]
    one.decide(rust, "accepted")
    so(lambda: one.said is not None)
    assert one.said is not None
    assert one.said["changed"] == 0
    assert {row["why"] for row in one.said["skipped"]} == {f"nobody declared {RUST}"}
    assert not one.can_undo
    one.declare(RUST)
    so(lambda: any(row["declared"] for row in (one.summary or {"labels": ()})["labels"]))
    one.decide(rust, "accepted")
    so(lambda: (one.said or {}).get("changed") == 3)
    so(lambda: len(one.contributions) == 2)
    assert states(server)["r0"] == "accepted"


def test_a_decision_is_taken_back_with_its_class(one: Learner, so: Until, server: MadeUpLearning) -> None:
    server.declared_names |= {RUST, CURL}
    so(lambda: len(one.contributions) == 5)
    one.decide(one.contributions[:2], "accepted", CURL)
    so(lambda: one.can_undo and not one.is_deciding)
    assert [row["label"] for row in server.rows[:2]] == [CURL, CURL]
    one.undo()
    so(lambda: not one.can_undo and not one.is_deciding)
    assert [(row["label"], row["state"]) for row in server.rows[:2]] == [(RUST, "waiting")] * 2


def test_everything_without_doubts_is_left_to_the_server(
    one: Learner, so: Until, server: MadeUpLearning
) -> None:
    server.declared_names |= {RUST, CURL}
    so(lambda: len(one.contributions) == 5)
    one.accept_clean()
    so(lambda: one.said is not None)
    assert server.decisions == [{"all": "clean", "state": "accepted"}]
    assert states(server)["fine"] == "accepted"
    assert states(server)["dark"] == "waiting"


def test_hundreds_are_decided_in_several_requests(one: Learner, so: Until, server: MadeUpLearning) -> None:
    server.declared_names |= {RUST, CURL}
    for number in range(450):
        server.wait(f"many{number}", CURL)
    so(lambda: len(one.contributions) == 455)
    one.decide(one.contributions, "rejected")
    so(lambda: (one.said or {}).get("changed") == 455)
    assert [len(wish["ids"]) for wish in server.decisions] == [200, 200, 55]


def test_a_training_is_followed_measured_and_ends_with_its_gate(
    one: Learner, so: Until, server: MadeUpLearning
) -> None:
    so(lambda: one.retrainings is not None)
    one.teach("quick", "a new crop")
    so(lambda: one.training is not None)
    for share, loss in ((0.1, 2.0), (0.5, 1.0), (0.9, 0.5)):
        server.trainings[0]["progress"] = {
            "part": "train",
            "share": share,
            "metrics": {"loss": loss, "on": True},
        }
        so(lambda share=share: (one.measured.get("loss") or [(0, 0)])[-1][0] == share)  # type: ignore[misc]
    assert one.measured == {"loss": [(0.1, 2.0), (0.5, 1.0), (0.9, 0.5)]}
    server.end_training()
    so(lambda: one.outcome is not None)
    assert one.training is None
    assert one.outcome is not None
    assert differing(one.outcome)[0]["id"] == "a"
    one.promote("new", "", override=False)
    so(lambda: any(model.serving and model.id == "new" for model in one.models))
    one.roll_back("new", "only tried")
    so(lambda: any(model.serving and model.id == "old" for model in one.models))
    one.dismiss()
    assert one.outcome["id"] in one.dismissed


def test_a_training_can_be_stopped(one: Learner, so: Until, server: MadeUpLearning) -> None:
    one.teach("quick", "")
    so(lambda: one.training is not None)
    one.cancel()
    so(lambda: one.training is None)
    assert server.trainings[0]["state"] == "cancelled"


def test_what_the_server_refuses_is_said_until_the_next_wish(
    one: Learner, so: Until, server: MadeUpLearning
) -> None:
    one.teach("quick", "")
    so(lambda: one.training is not None)
    server.end_training(passed=False)
    so(lambda: one.outcome is not None)
    one.promote("new", "", override=False)
    so(lambda: one.trouble is not None)
    asked = server.asked
    so(lambda: server.asked > asked + 2)
    assert one.trouble is not None
    assert one.trouble.message == "the gate did not hold"
    one.promote("new", "it knows the crop", override=True)
    so(lambda: server.served == "new")


def test_a_server_that_goes_away_leaves_what_was_known_and_comes_back(
    one: Learner, so: Until, server: MadeUpLearning
) -> None:
    so(lambda: len(one.contributions) == 5)
    server.away = True
    so(lambda: one.trouble is not None)
    assert len(one.contributions) == 5
    assert one.summary is not None
    server.away = False
    so(lambda: one.trouble is None)


def test_another_server_is_another_list(one: Learner, so: Until, server: MadeUpLearning) -> None:
    so(lambda: len(one.contributions) == 5)
    server.choose(Server("https://leaf.example"))
    one.forget()
    assert one.summary is None
    assert one.contributions == []
    so(lambda: len(one.contributions) == 5)


def test_nothing_comes_after_the_errands_are_closed(server: MadeUpLearning) -> None:
    errands = Errands()
    told: list[int] = []
    learner_ = Learner(server, errands, lambda: told.append(1))
    learner_.tick()
    errands.close()
    errands.settle()
    assert told == []
