"""The service of this computer, as a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from leafsight.desktop.session.own_command import own_command
from leafsight.desktop.session.reaching import Reach, tried
from leafsight.desktop.session.servers import Server, load_server, save_server
from leafsight.desktop.session.serving_here import KEY_NAME, ServiceHere
from leafsight.errors import AuthenticationError, RemoteError, UsageError
from leafsight.state import open_state

COMMAND = tuple(own_command())
PATIENCE_S = 60.0


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ServiceHere]:
    service = ServiceHere(tmp_path / "state", COMMAND, os.getpid())
    yield service
    service.stop()


def is_there(pid: int) -> bool:
    """Whether the process works; one that has ended and that nobody asked for its exit code does not."""
    try:
        os.kill(pid, 0)
        return " Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:2]
    except ProcessLookupError:
        return False
    except OSError:
        return Path("/proc").exists() is False


def test_it_starts_when_it_is_asked_for_and_ends_when_it_is_told(here: ServiceHere) -> None:
    assert not here.runs
    reach = Reach(here, Server())
    client = reach.client()
    assert client.url.startswith("http://127.0.0.1:")
    assert client.ready().ready
    assert client.learning.contributions_summary()["states"]["waiting"] == 0
    assert reach.client() is client
    reach.close()
    assert not here.runs


def test_one_that_died_is_started_again_and_asked_where_it_is_then(here: ServiceHere) -> None:
    reach = Reach(here, Server())
    assert reach.client().ready().ready
    process = here._process
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not here.runs
    assert reach.client().ready().ready
    assert here.runs
    reach.close()


def test_while_it_is_paused_nobody_starts_it(here: ServiceHere) -> None:
    here.server()
    here.pause()
    assert not here.runs
    with pytest.raises(RemoteError, match="paused"):
        here.server()
    here.go_on()
    here.server()
    assert here.runs


def test_where_there_are_keys_the_window_has_one_of_its_own_for_as_long(
    here: ServiceHere, tmp_path: Path
) -> None:
    state = open_state(f"sqlite:///{tmp_path / 'state' / 'leafsight.db'}")
    _, other = state.keys.make("somebody", ("predict",))
    _, left = state.keys.make(KEY_NAME, ("admin",))  # of a window that was killed
    reach = Reach(here, Server())
    assert reach.client().learning.contributions_summary()
    address = here.server().address
    with pytest.raises(AuthenticationError):
        tried(Server(address, left))
    told = tried(Server(address, other))
    assert told["classes"] > 1
    assert not told["teaches"]
    assert "has not the scope" in told["why_not"]
    reach.close()
    own = [one for one in state.keys.list() if one.name == KEY_NAME]
    assert len(own) == 2
    assert all(one.revoked_ms is not None for one in own)
    state.close()


def test_where_there_are_no_keys_none_is_made(here: ServiceHere, tmp_path: Path) -> None:
    here.server()
    here.stop()
    here.server()
    state = open_state(f"sqlite:///{tmp_path / 'state' / 'leafsight.db'}")
    assert not state.keys.any()
    state.close()


@pytest.mark.skipif(os.name == "nt", reason="signals as on POSIX")
def test_it_ends_with_a_window_that_is_killed(tmp_path: Path) -> None:
    code = f"""
        import os, sys, time
        from pathlib import Path
        from leafsight.desktop.session.serving_here import ServiceHere
        service = ServiceHere(Path({str(tmp_path / "state")!r}), {COMMAND!r}, os.getpid())
        service.server()
        print(service._process.pid, flush=True)
        time.sleep({PATIENCE_S})
    """
    window = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert window.stdout is not None
    service = int(window.stdout.readline())
    assert is_there(service)
    window.kill()
    window.wait()
    window.stdout.close()
    end = time.monotonic() + PATIENCE_S
    while is_there(service) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_there(service)


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "leafsight.db").mkdir()  # no database can be there
    command = (sys.executable, "-c", "import sys; print('error: no luck', file=sys.stderr); sys.exit(2)")
    service = ServiceHere(tmp_path / "other", command, os.getpid())
    with pytest.raises(RemoteError, match=r"^the service of this computer did not start: no luck$"):
        service.server()


def test_a_server_that_is_not_there_and_one_that_is_none() -> None:
    with pytest.raises(RemoteError):
        tried(Server("http://127.0.0.1:9"))
    with pytest.raises(UsageError):
        tried(Server("ftp://leaf.example"))


def test_what_was_chosen_is_kept_and_nobody_else_reads_the_key(tmp_path: Path) -> None:
    assert load_server(tmp_path) == Server()
    chosen = Server("https://leaf.example", "ls_secret")
    save_server(chosen, tmp_path)
    assert load_server(tmp_path) == chosen
    assert "secret" not in repr(chosen)
    if os.name != "nt":
        assert (tmp_path / "server.json").stat().st_mode & 0o077 == 0
    (tmp_path / "server.json").write_text('{"address": 3, "key": []}')
    assert load_server(tmp_path) == Server()
