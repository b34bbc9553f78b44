"""What a person gives to learn from reaches the server once, whatever happens on the way."""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.desktop.teaching_fakes import MadeUpServer, until
from tests.journeys.small_world import save_picture

from leafsight.desktop.session import Errands, Server, packing, sending
from leafsight.desktop.session.outbox import Sending
from leafsight.desktop.session.packing import members_of_folder, pack, shares
from leafsight.desktop.session.sending import Sender
from leafsight.errors import UsageError

Make = Callable[[], Sender]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSES_S", (0.0, 0.05))
    monkeypatch.setattr(sending, "LOOK_EVERY_S", 0.0)


@pytest.fixture
def server() -> MadeUpServer:
    return MadeUpServer()


@pytest.fixture
def errands() -> Iterator[Errands]:
    made = Errands()
    yield made
    made.close()


@pytest.fixture
def make(server: MadeUpServer, errands: Errands, tmp_path: Path) -> Make:
    return lambda: Sender(server, errands, tmp_path / "outbox", lambda: None)


@pytest.fixture
def leaves(tmp_path: Path) -> Path:
    for label in ("Okra___Rust", "Okra___healthy"):
        for number in range(3):
            save_picture(tmp_path / "leaves" / label / f"{number}.jpg", (10 * number, 90, 40))
    (tmp_path / "leaves" / "Okra___Rust" / "notes.txt").write_text("seen in May")
    return tmp_path / "leaves"


def ended(sender: Sender) -> bool:
    return all(not one.is_under_way for one in sender.sendings)


def names(server: MadeUpServer) -> list[list[str]]:
    return [sorted(one) for one in server.sent.values()]


def test_a_folder_of_class_folders_is_sent_and_told(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path, tmp_path: Path
) -> None:
    sender = make()
    sender.give([leaves])
    until(errands, sender.tick, lambda: ended(sender))
    (one,) = sender.sendings
    assert one.stage == "done"
    assert one.results[0]["job"]["result"]["photographs"] == 6
    wanted = [f"Okra___{label}/{number}.jpg" for label in ("Rust", "healthy") for number in range(3)]
    assert names(server) == [sorted(wanted)]
    assert not list((tmp_path / "outbox").glob("*.zip*"))  # the copy is not needed any more


def test_a_class_folder_by_itself_is_that_class(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path
) -> None:
    sender = make()
    sender.give([leaves / "Okra___Rust", leaves / "Okra___healthy"])
    until(errands, sender.tick, lambda: ended(sender))
    assert names(server) == [
        [f"Okra___Rust/{number}.jpg" for number in range(3)],
        [f"Okra___healthy/{number}.jpg" for number in range(3)],
    ]


def test_single_photographs_want_a_class(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path
) -> None:
    sender = make()
    photographs = [leaves / "Okra___Rust" / "1.jpg", leaves / "Okra___healthy" / "1.jpg"]
    with pytest.raises(UsageError, match="which class"):
        sender.give(photographs)
    sender.give(photographs, "Okra___Leaf_curl")
    until(errands, sender.tick, lambda: ended(sender))
    assert names(server) == [["Okra___Leaf_curl/0-1.jpg", "Okra___Leaf_curl/1-1.jpg"]]
    assert list(server.labels.values()) == ["Okra___Leaf_curl"]


def test_an_archive_goes_as_it_is(server: MadeUpServer, errands: Errands, make: Make, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "round.zip", "w") as archive:
        archive.writestr("Okra___Rust/1.jpg", b"x" * 1000)
    sender = make()
    sender.give([tmp_path / "round.zip"])
    until(errands, sender.tick, lambda: ended(sender))
    assert names(server) == [["Okra___Rust/1.jpg"]]
    assert (tmp_path / "round.zip").exists()


def test_nothing_to_learn_from_is_said(make: Make, tmp_path: Path, errands: Errands) -> None:
    (tmp_path / "notes.txt").write_text("no photograph")
    (tmp_path / "empty").mkdir()
    sender = make()
    with pytest.raises(UsageError, match="nothing to learn from"):
        sender.give([tmp_path / "notes.txt"])
    sender.give([tmp_path / "empty"])
    until(errands, sender.tick, lambda: ended(sender))
    (one,) = sender.sendings
    assert one.stage == "failed"
    assert one.trouble is not None
    assert one.trouble.message == "there are no photographs in it"


def test_a_line_that_breaks_costs_no_part_twice(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path
) -> None:
    server.breaks_at = [1, 3]
    sender = make()
    sender.give([leaves])
    until(errands, sender.tick, lambda: ended(sender))
    assert sender.sendings[0].stage == "done"
    assert list(server.labels) == ["up0"]  # the same upload went on


def test_a_server_that_goes_away_is_waited_for(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path
) -> None:
    server.away = True
    sender = make()
    sender.give([leaves])
    until(errands, sender.tick, lambda: sender.sendings[0].trouble is not None)
    assert sender.sendings[0].is_under_way
    assert sender.sendings[0].trouble is not None
    assert "no server answers" in sender.sendings[0].trouble.message
    server.away = False
    until(errands, sender.tick, lambda: ended(sender))
    assert sender.sendings[0].stage == "done"
    assert sender.sendings[0].trouble is None


def test_the_next_window_goes_on_where_this_one_was(
    server: MadeUpServer, make: Make, leaves: Path, tmp_path: Path
) -> None:
    first = Errands()
    sender = Sender(server, first, tmp_path / "outbox", lambda: None)
    server.held = lambda: setattr(server, "away", server.so_far["up0"] >= 2)
    sender.give([leaves])
    until(first, sender.tick, lambda: sender.sendings[0].trouble is not None)
    first.close()
    sender.close()
    server.away, server.held = False, lambda: None
    second = Errands()
    again = Sender(server, second, tmp_path / "outbox", lambda: None)
    assert [one.name for one in again.sendings] == ["leaves"]
    until(second, again.tick, lambda: ended(again))
    second.close()
    assert list(server.labels) == ["up0"]
    assert len(names(server)[0]) == 6


def test_what_is_taken_away_is_not_sent(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path, tmp_path: Path
) -> None:
    sender = make()
    server.held = lambda: sender._dropped.add(1)
    sender.give([leaves])
    until(errands, sender.tick, lambda: not sender.sendings)
    assert not server.sent
    assert not list((tmp_path / "outbox").glob("*.zip*"))


def test_a_large_folder_goes_in_several_archives(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "shares", lambda members: shares(members, members[0].size_bytes * 2))
    server.waiting_looks = 2
    sender = make()
    sender.give([leaves])
    until(errands, sender.tick, lambda: ended(sender))
    (one,) = sender.sendings
    assert one.stage == "done"
    assert len(one.results) == one.parts > 1
    assert sorted(name for archive in names(server) for name in archive) == sorted(
        f"Okra___{label}/{number}.jpg" for label in ("Rust", "healthy") for number in range(3)
    )


def test_what_was_for_another_server_stays_for_it(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path
) -> None:
    server.away = True
    sender = make()
    sender.give([leaves])
    until(errands, sender.tick, lambda: sender.sendings[0].trouble is not None)
    server.choose(Server("https://leaf.example"))
    server.away = False
    assert sender.sendings == []
    sender.tick()
    server.choose(Server())
    assert len(sender.sendings) == 1
    until(errands, sender.tick, lambda: ended(sender))


def test_a_folder_that_vanishes_is_said_and_can_be_tried_again(
    server: MadeUpServer, errands: Errands, make: Make, leaves: Path, tmp_path: Path
) -> None:
    server.away = True
    sender = make()
    sender.give([leaves])
    leaves.rename(tmp_path / "elsewhere")
    server.away = False
    until(errands, sender.tick, lambda: ended(sender))
    (one,) = sender.sendings
    assert one.stage == "failed"
    assert one.trouble is not None
    assert "leaves" in one.trouble.message
    (tmp_path / "elsewhere").rename(leaves)
    sender.try_again()
    until(errands, sender.tick, lambda: ended(sender))
    assert sender.sendings[0].stage == "done"


def test_a_full_disk_is_said_and_leaves_no_half_archive(
    server: MadeUpServer,
    errands: Errands,
    make: Make,
    leaves: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(archive: object, one: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    sender = make()
    monkeypatch.setattr(packing, "_add", full)
    sender.give([leaves])
    until(errands, sender.tick, lambda: ended(sender))
    assert sender.sendings[0].trouble is not None
    assert "no space left" in sender.sendings[0].trouble.message
    assert not list((tmp_path / "outbox").glob("*.zip*"))
    monkeypatch.undo()
    sender.try_again()
    until(errands, sender.tick, lambda: ended(sender))
    assert sender.sendings[0].stage == "done"


def test_the_same_photographs_give_the_same_archive(leaves: Path, tmp_path: Path) -> None:
    members = list(members_of_folder(leaves))
    for name in ("a.zip", "b.zip"):
        pack(members, tmp_path / name, lambda done, total: None)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_list_that_cannot_be_read_is_an_empty_one(make: Make, tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    for text in ("", "{}", '{"sendings": [{"stage": "flying"}]}', '{"sendings": 3}'):
        (tmp_path / "outbox" / "outbox.json").write_text(text)
        assert make().sendings == []
    assert Sending(1, "a", "b").is_under_way
