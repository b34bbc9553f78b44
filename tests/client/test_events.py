"""Server-sent events, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.client.events import MAX_EVENT_BYTES, Event, EventReader
from leafsight.errors import RemoteError

TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12)


@given(
    events=st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3), TEXT), max_size=5),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_events_come_out_whole_however_the_bytes_are_cut(
    events: list[tuple[str, list[str], str]], end: bytes, cuts: list[int]
) -> None:
    stream = b""
    for name, lines, one in events:
        fields = [f"event: {name}", ": a comment", *(f"data: {line}" for line in lines), f"id: {one}", ""]
        stream += b"".join(field.encode() + end for field in fields)
    reader, found = EventReader(), []
    places = sorted({0, *(min(cut, len(stream)) for cut in cuts), len(stream)})
    for start, stop in zip(places, [*places[1:], len(stream)], strict=True):
        found += reader.feed(stream[start:stop])
    found += reader.feed(b"\n")  # a lone carriage return at the end waits for what may follow
    assert found == [Event(name or "message", "\n".join(lines), one) for name, lines, one in events]


def test_what_is_half_there_is_not_an_event() -> None:
    reader = EventReader()
    assert reader.feed(b"data: x\n") == []
    assert reader.feed(b"\n") == [Event("message", "x", "")]
    assert reader.feed(b": still there\n\n\n\nretry: 10\n\n") == []


def test_a_byte_order_mark_is_passed_over() -> None:
    assert EventReader().feed(b"\xef\xbb\xbfdata: x\n\n") == [Event("message", "x", "")]


@pytest.mark.parametrize(
    "piece", [b"x" * 65536, (b"data: " + b"x" * 500 + b"\n") * 128, b"data: " + b"y" * 65000 + b"\n"]
)
def test_an_event_that_does_not_end_is_given_up(piece: bytes) -> None:
    reader = EventReader()
    with pytest.raises(RemoteError, match=str(MAX_EVENT_BYTES)):
        for _ in range(64):
            reader.feed(piece)


@given(pieces=st.lists(st.binary(max_size=50), max_size=10))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    reader = EventReader()
    for piece in pieces:
        for event in reader.feed(piece):
            assert isinstance(event.data, str)
