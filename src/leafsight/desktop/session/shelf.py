"""The models that are kept, which of them serves, what is known of each, and the switches between them.

Enters: the way to a server, and wishes. Leaves: what the server last said, on the thread of whoever owns it.
A server that goes away takes nothing off the screen: what it said stays, and it is asked again by itself, at
growing pauses. It knows no window.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.desktop.session.errands import Errands
from leafsight.desktop.session.language import tr
from leafsight.desktop.session.model_words import model_name, way_back
from leafsight.desktop.session.photographs import Trouble
from leafsight.desktop.session.servers import Server
from leafsight.desktop.session.shelf_calls import (
    SERVING,
    Described,
    Failed,
    Seen,
    describe,
    look,
    switched,
)
from leafsight.desktop.session.shelving import (
    Imported,
    export_bundle,
    import_bundle,
)
from leafsight.desktop.session.wording import in_bytes

if TYPE_CHECKING:
    from leafsight.client import Client, ModelEntry
    from leafsight.desktop.session.reaching import Reach

MOST_KEPT = 32
"""Descriptions of models; each is some hundred kilobytes."""
PAUSES_S = (2.0, 5.0, 10.0, 30.0, 60.0)
"""Before a server that did not answer is asked again."""
BY_ITSELF_S = 30.0
"""As long as somebody looks: another may promote, and a watched model may be rolled back."""
TAKEN_UP_S, MOST_LOOKS = 0.5, 60
"""A server takes a promoted model up within seconds; that is waited for, not for long."""


Done = Callable[[], None]
Refused = Callable[[Trouble, bool], None]
"""Gets the trouble, and whether it is a gate that did not hold, which a reason overrules."""


class Shelf:
    """For one thread; what comes of calls is taken in by ``settle``.

    Args:
        reach: the way to the server that was chosen.
        wake: called on any thread when there is something to settle.
        pauses_s: before a server that did not answer is asked again.
        by_itself_s: between two looks while somebody looks.
    """

    def __init__(
        self,
        reach: Reach,
        wake: Callable[[], None] = lambda: None,
        *,
        pauses_s: Sequence[float] = PAUSES_S,
        by_itself_s: float = BY_ITSELF_S,
    ) -> None:
        self._reach, self._pauses_s, self._by_itself_s = reach, tuple(pauses_s), by_itself_s
        self._errands = Errands(wake)
        self._timer: threading.Timer | None = None
        self._is_watched = self._closed = False
        self._failed_imports: list[Path] = []
        self._to_import = 0
        self._deed_trouble: Trouble | None = None
        self.said = ""
        self.imported: str | None = None
        self._forget(reach.server)

    def _forget(self, server: Server) -> None:
        """Begin with another server: what a former one said is not of this one."""
        self._server = server
        self._asking = self._switching = self._ask_again = False
        self._failures = self._looks_left = 0
        self._awaited: str | None = None
        self._trouble: Trouble | None = None
        self.models: tuple[ModelEntry, ...] | None = None
        self.changes: tuple[Mapping[str, Any], ...] | None = None
        self.why_not_switch: Trouble | None = None
        self._described: dict[str, Described] = {}
        self._described_troubles: dict[str, Trouble] = {}
        self._wanted: set[str] = set()

    @property
    def is_here(self) -> bool:
        """Whether the models are those of this computer."""
        return self._server.is_here

    @property
    def address(self) -> str:
        """Of the server; empty for this computer."""
        return self._server.address

    @property
    def trouble(self) -> Trouble | None:
        """What stands in the way now."""
        return self._deed_trouble or self._trouble

    @property
    def under_way(self) -> str:
        """What is being done, as a sentence; empty when nothing is."""
        if self._to_import:
            return tr("A model is being copied.")
        if self._switching:
            return tr("Another model is being put in service.")
        return ""

    @property
    def in_service(self) -> ModelEntry | None:
        """The model that answers; None where it is none of those that are kept."""
        return next((one for one in self.models or () if one.serving), None)

    @property
    def pointed_to(self) -> str | None:
        """Id of the model that shall serve, which is in service within seconds."""
        if self.changes:
            return str(self.changes[0].get("model", ""))
        return self.in_service.id if self.in_service else None

    @property
    def former(self) -> str | None:
        """Id of the model that "put the former back" leads to; None where there is none."""
        return way_back(self.changes) if self.changes else None

    def entry(self, model_id: str) -> ModelEntry | None:
        """One of the list."""
        return next((one for one in self.models or () if one.id == model_id), None)

    def name_of(self, model_id: str) -> str:
        """A model in a sentence, also one that is gone."""
        return model_name(self.entry(model_id), model_id)

    def look_on(self, watched: bool) -> None:
        """Whether somebody looks: then it is asked anew, and again from time to time."""
        self._is_watched = watched
        if watched:
            self._deed_trouble = None
            self.refresh()
        elif self._timer is not None and self._awaited is None:
            self._timer.cancel()

    def refresh(self) -> None:
        """Ask the server that is chosen now."""
        if self._closed:
            return
        if self._reach.server != self._server:
            self._forget(self._reach.server)
            self.said = ""
        if self._asking:
            self._ask_again = True
            return
        self._asking, self._ask_again = True, False
        server = self._server
        self._errands.do(
            lambda: look(self._reach.client),
            lambda found: self._on_seen(server, found),
            lambda trouble: self._on_seen(server, Failed(trouble)),
        )

    def try_again(self) -> None:
        """What failed, once more."""
        paths, self._failed_imports = self._failed_imports, []
        self._deed_trouble = None
        self._failures = 0
        self._described_troubles.clear()
        self.import_files(paths)
        self.refresh()

    def describe(self, model_id: str) -> Described | None:
        """What is known of a model; None while it is asked for, or while that does not succeed."""
        found = self._described.get(model_id)
        if found is None and model_id not in self._wanted and model_id not in self._described_troubles:
            self._wanted.add(model_id)
            server = self._server
            self._errands.do(
                lambda: describe(self._reach.client(), model_id),
                lambda described: self._on_described(server, model_id, described),
                lambda trouble: self._on_not_described(server, model_id, trouble),
            )
        return found

    def known(self, model_id: str) -> Described | None:
        """What is known of a model already; nobody is asked."""
        return self._described.get(model_id)

    def why_not_described(self, model_id: str) -> Trouble | None:
        """Why nothing is known of a model; None where nothing went wrong."""
        return self._described_troubles.get(model_id)

    def promote(self, model_id: str, reason: str, *, override: bool, done: Done, refused: Refused) -> None:
        """Let a model serve.

        Args:
            model_id: of the list.
            reason: kept in the history.
            override: also when its gate did not hold.
            done: called when the server did it.
            refused: called when it did not.
        """
        said = tr("{name} was promoted. Servers take it up within seconds.", name=self.name_of(model_id))
        self._switch(
            lambda client: client.learning.promote(model_id, alias=SERVING, reason=reason, override=override),
            said,
            done,
            refused,
        )

    def roll_back(self, reason: str, *, done: Done, refused: Refused) -> None:
        """Put the former model back; nothing happens where another one serves by now than the list says."""
        over, former = self.pointed_to, self.former
        said = tr("{name} serves again. Servers take it up within seconds.", name=self.name_of(former or ""))
        self._switch(
            lambda client: client.learning.roll_back(alias=SERVING, steps=1, reason=reason, over=over),
            said,
            done,
            refused,
        )

    def import_files(self, paths: Sequence[Path]) -> None:
        """Put model files on the shelf of this computer."""
        if not paths:
            return
        self._deed_trouble, self.said = None, ""
        if not self.is_here:
            self._deed_trouble = Trouble(
                tr("a server elsewhere takes no model files from here"),
                tr("on that server: leafsight models add FILE"),
            )
            return
        folder = self._reach.here.registry_dir
        for path in paths:
            self._to_import += 1
            self._errands.do(
                lambda path=path: import_bundle(folder, path),  # type: ignore[misc]
                self._on_imported,
                lambda trouble, path=path: self._on_not_imported(path, trouble),  # type: ignore[misc]
            )

    @property
    def why_no_export(self) -> str:
        """Why no model can be exported; empty where one can."""
        return "" if self.is_here else tr("A server elsewhere gives no model files.")

    def export(self, model_id: str, target: Path) -> None:
        """Copy a model of this computer to a place; whoever calls has asked about a file that exists."""
        self._deed_trouble, self.said = None, ""
        folder = self._reach.here.registry_dir
        self._to_import += 1
        self._errands.do(
            lambda: export_bundle(folder, model_id, target),
            lambda size: self._deed_done(tr("{size} written to {path}.", size=in_bytes(size), path=target)),
            self._deed_failed,
        )

    def settle(self) -> None:
        """Take in what came."""
        self._errands.settle()

    def close(self) -> None:
        """Ask no more; calls under way are waited for a moment."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        self._errands.close()

    def _on_seen(self, server: Server, found: Seen | Failed) -> None:
        if server is not self._server:
            return
        self._asking = False
        if isinstance(found, Failed):
            self._trouble = found.trouble
            self._failures += 1
            if found.again:
                self._later(self._pauses_s[min(self._failures, len(self._pauses_s)) - 1])
            return
        self.models, self.why_not_switch = found.models, found.why_not
        if not found.is_lost:
            self.changes = found.changes
        self._trouble = found.why_not if found.is_lost else None
        self._failures = self._failures + 1 if found.is_lost else 0
        self._see_whether_taken_up()
        if self._ask_again:
            self.refresh()
        elif found.is_lost:
            self._later(self._pauses_s[min(self._failures, len(self._pauses_s)) - 1])
        elif self._awaited is not None:
            self._later(TAKEN_UP_S)
        elif self._is_watched:
            self._later(self._by_itself_s)

    def _see_whether_taken_up(self) -> None:
        if self._awaited is None:
            return
        self._looks_left -= 1
        if self.in_service is not None and self.in_service.id == self._awaited:
            self.said = tr("{name} is in service.", name=self.name_of(self._awaited))
            self._awaited = None
        elif self._looks_left <= 0:
            self._awaited = None

    def _later(self, pause_s: float) -> None:
        if self._closed or not (self._is_watched or self._awaited is not None):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(pause_s, lambda: self._errands.hand_over(self.refresh))
        self._timer.daemon = True
        self._timer.start()

    def _on_described(self, server: Server, model_id: str, found: Described) -> None:
        if server is not self._server:
            return
        self._wanted.discard(model_id)
        while len(self._described) >= MOST_KEPT:
            del self._described[next(iter(self._described))]
        self._described[model_id] = found

    def _on_not_described(self, server: Server, model_id: str, trouble: Trouble) -> None:
        if server is self._server:
            self._wanted.discard(model_id)
            self._described_troubles[model_id] = trouble

    def _switch(
        self, call: Callable[[Client], Mapping[str, Any]], said: str, done: Done, refused: Refused
    ) -> None:
        if self._switching:
            return
        self._switching, self._deed_trouble, self.said = True, None, ""
        server = self._server

        def settled(found: Mapping[str, Any] | Failed) -> None:
            if server is not self._server:
                return
            self._switching = False
            if isinstance(found, Failed):
                refused(found.trouble, found.is_gate)
                return
            self._awaited, self._looks_left, self.said = str(found.get("model", "")), MOST_LOOKS, said
            self.refresh()
            done()

        self._errands.do(
            lambda: switched(self._reach.client, call), settled, lambda trouble: settled(Failed(trouble))
        )

    def _on_imported(self, found: Imported) -> None:
        name = f"{found.name} ({found.id[:8]})"
        if found.was_there:
            said = tr("{name} is on the shelf already.", name=name)
        else:
            said = tr("{name} is on the shelf. It does not serve before somebody says so.", name=name)
        self.imported = found.id
        self._deed_done(said)
        self.refresh()

    def _on_not_imported(self, path: Path, trouble: Trouble) -> None:
        self._failed_imports.append(path)
        self._deed_failed(trouble)

    def _deed_done(self, said: str) -> None:
        self._to_import -= 1
        self.said = f"{self.said}\n{said}".strip()

    def _deed_failed(self, trouble: Trouble) -> None:
        self._to_import -= 1
        self._deed_trouble = trouble
