"""Server-sent events, from bytes as they come.

The format is WHATWG HTML, section 9.2. Enters: pieces of a body, cut anywhere. Leaves: whole events. It does
not know what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from leafsight.errors import RemoteError

MAX_EVENT_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        name: ``message`` when the server gives none.
        data: its lines joined by line breaks.
        id: to go on from after the line was cut; empty when the server gives none.
    """

    name: str
    data: str
    id: str


class EventReader:
    """Puts events together; comments, which only keep a line open, are passed over."""

    def __init__(self) -> None:
        self._rest = b""
        self._held_bytes = 0
        self._began = False
        self._clear()

    def feed(self, piece: bytes) -> list[Event]:
        """The events that ``piece`` completes.

        Raises:
            RemoteError: an event of more than ``MAX_EVENT_BYTES``.
        """
        self._rest += piece
        if not self._began and len(self._rest) >= 3:
            self._rest, self._began = self._rest.removeprefix(b"\xef\xbb\xbf"), True
        # A carriage return at the very end may be half of a line break.
        whole = self._rest[:-1] if self._rest.endswith(b"\r") else self._rest
        lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + self._rest[len(whole) :]
        found = [event for line in lines if (event := self._line(line)) is not None]
        if len(self._rest) + self._held_bytes > MAX_EVENT_BYTES:
            raise RemoteError(f"the server sent an event of more than {MAX_EVENT_BYTES} bytes")
        return found

    def _line(self, line: bytes) -> Event | None:
        if not line:
            event = Event(self._name or "message", "\n".join(self._data), self._id) if self._data else None
            self._clear()
            return event
        self._held_bytes += len(line)
        if self._held_bytes > MAX_EVENT_BYTES:
            raise RemoteError(f"the server sent an event of more than {MAX_EVENT_BYTES} bytes")
        field, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None

    def _clear(self) -> None:
        self._name, self._data, self._id, self._held_bytes = "", [], "", 0

    _name: str
    _data: list[str]
    _id: str
