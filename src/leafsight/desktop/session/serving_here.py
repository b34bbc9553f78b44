"""The service of this computer: a process of its own that lives as long as the window.

Enters: a state folder. Leaves: an address on this computer, and a key where the service wants one. What is
learned here is kept and asked for in the same way as on a server elsewhere. It does not know what is asked.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from leafsight.desktop.session.servers import Server
from leafsight.errors import LeafsightError, RemoteError, require

if TYPE_CHECKING:
    from leafsight.state import State

READY = re.compile(r"^ready on (http://\S+)")
START_WITHIN_S = 60.0
END_WITHIN_S = 30.0
SAID_LINES = 20
KEY_NAME = "the window on this computer"
SCOPES = ("predict", "upload", "admin")


class ServiceHere:
    """Starts the service when somebody asks for it, and again when it died.

    Args:
        state_dir: where it keeps database, photographs and models; shared with the command line.
        command: the words that run leafsight's command line.
        pid: of this process, with which the service ends however it ends.
    """

    def __init__(self, state_dir: Path, command: Sequence[str], pid: int) -> None:
        self._state_dir, self._command, self._pid = state_dir, tuple(command), pid
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._server = Server()
        self._key_id = ""
        self._said: deque[str] = deque(maxlen=SAID_LINES)
        self._paused = False

    @property
    def registry_dir(self) -> Path:
        """Where its models are."""
        return self._state_dir / "registry"

    @property
    def runs(self) -> bool:
        """Whether it is there now."""
        return self._process is not None and self._process.poll() is None

    def server(self) -> Server:
        """Where it answers; it is started first when it does not run. Waits, so not for the window's thread.

        Raises:
            MissingExtraError: what a service needs is not installed.
            RemoteError: it did not start, or is stopped for now.
        """
        with self._lock:
            if self._paused:
                raise RemoteError("the service of this computer is paused", hint="let it go on first")
            if not self.runs:
                self._start()
            return self._server

    def pause(self) -> None:
        """Stop it until ``go_on``: a training that runs is put back as it is, and goes on from there."""
        with self._lock:
            self._paused = True
            self._stop()

    def go_on(self) -> None:
        """It may be started again."""
        with self._lock:
            self._paused = False

    def stop(self) -> None:
        """End it; what was begun is answered, what is not finished goes on the next time."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        for library in ("fastapi", "uvicorn", "sqlalchemy", "httpx2"):
            require(library, "serve")
        key = self._own_key()
        self._said.clear()
        self._process = subprocess.Popen(  # noqa: S603 (our own command line)
            [*self._command, *self._words()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C in a terminal is for the window, which then ends it in order
        )
        heard = threading.Event()
        threading.Thread(
            target=self._listen, args=(self._process, heard, key), name="service-here", daemon=True
        ).start()
        end = time.monotonic() + START_WITHIN_S
        while not heard.wait(0.05):
            if self._process.poll() is not None or time.monotonic() > end:
                self._stop()
                raise RemoteError(
                    f"the service of this computer did not start: {self._reason()}",
                    hint="try: leafsight serve",
                )

    def _words(self) -> list[str]:
        return [
            "serve", "--host", "127.0.0.1", "--port", "0", "--admin-port", "0", "--workers", "1",
            "--state-dir", str(self._state_dir), "--database", self._database_url(),
            "--blobs", str(self._state_dir / "blobs"), "--registry", "",
            "--learning-promote", "ask", "--learning-accept", "hand", "--end-with", str(self._pid),
        ]  # fmt: skip

    def _listen(self, process: subprocess.Popen[str], heard: threading.Event, key: str) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._said.append(line.strip())
            if found := READY.match(line):
                self._server = Server(found[1], key)
                heard.set()
        process.stderr.close()

    def _reason(self) -> str:
        errors = [line for line in self._said if line.startswith("error: ")]
        last = errors or list(self._said) or ["it said nothing"]
        return last[0].removeprefix("error: ") if errors else last[-1]

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._revoke()

    def _database_url(self) -> str:
        return f"sqlite:///{self._state_dir / 'leafsight.db'}"

    def _own_key(self) -> str:
        """A key of this window, where somebody made keys; a service without keys answers this computer.

        To make one where there are none would lock out whoever uses the store without.
        """
        if not (self._state_dir / "leafsight.db").exists():
            return ""
        state = self._state()
        try:
            if not state.keys.any():
                return ""
            for one in state.keys.list():  # of a window that was killed
                if one.name == KEY_NAME and one.revoked_ms is None:
                    state.keys.revoke(one.id)
            record, token = state.keys.make(KEY_NAME, SCOPES)
            self._key_id = record.id
            return token
        finally:
            state.close()

    def _revoke(self) -> None:
        if not self._key_id:
            return
        with suppress(LeafsightError):  # the next window does it
            state = self._state()
            try:
                state.keys.revoke(self._key_id)
            finally:
                state.close()
        self._key_id = ""

    def _state(self) -> State:
        from leafsight.state import open_state

        return open_state(self._database_url())
