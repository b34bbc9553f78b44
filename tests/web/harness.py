"""A real browser before a real service: what tests of the page share.

Enters: a running service, a page of Chromium. Leaves: what went wrong in the page while a test looked, and
pictures of it. It does not know any tab.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.service.running import RunningService

REPOSITORY = Path(__file__).resolve().parents[2]
# Not LEAFSIGHT_...: tests do not hear the settings of whoever tests (tests/conftest.py takes them away).
SCREENSHOTS = Path(os.environ.get("SCREENSHOT_DIR") or REPOSITORY / "build" / "screenshots")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`content policy: ${event.violatedDirective}: ${event.blockedURI} in ${event.sourceFile}`));
"""


@dataclass(frozen=True, slots=True)
class RunningPage:
    """A service with its page.

    Attributes:
        url: of the page, without a last stroke.
        folder: where the service keeps everything.
        service: the process.
        key: one that opens everything, where the service has keys.
    """

    url: str
    folder: Path
    service: RunningService
    key: str = ""


@dataclass  # without slots: Playwright marks the owners of its listeners
class Faults:
    """What a browser complained about.

    Attributes:
        said: one line each.
        allowed: patterns of lines that a test expects.
        origin: of the server that the page was taken from.
    """

    said: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    origin: str = ""

    def watch(self, page: Any) -> None:
        """Listen to ``page`` from now on."""
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"exception: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)

    def allow(self, *patterns: str) -> None:
        """Lines that match one of these regular expressions are expected."""
        self.allowed.extend(patterns)

    def left(self) -> list[str]:
        """Those that nobody expected."""
        return [line for line in self.said if not any(re.search(one, line) for one in self.allowed)]

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob", "about"):
            return
        origin = f"{parts.scheme}://{parts.netloc}"
        if (
            request.is_navigation_request()
            and request.frame.parent_frame is None
            and self._is_here(parts.hostname)
        ):
            self.origin = origin
        elif origin != self.origin:
            self.said.append(f"another origin: {request.url}")

    def _failed(self, request: Any) -> None:
        # An aborted one was ended by the page itself, or by leaving it.
        if request.failure != "net::ERR_ABORTED":
            self.said.append(f"failed: {request.method} {request.url}: {request.failure}")

    @staticmethod
    def _is_here(host: str | None) -> bool:
        return host in ("127.0.0.1", "localhost")


def make_key(folder: Path, *scopes: str) -> str:
    """The secret of a new key of the service that keeps everything in ``folder``; it may be running."""
    from leafsight.state import open_state

    with open_state(f"sqlite:///{folder / 'leafsight.db'}") as state:
        return str(state.keys.make("tests", scopes)[1])


def chromium_path() -> str | None:
    """The browser of this computer; Playwright's own is used when this is None."""
    return next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)


def screenshot(page: Any, name: str, *, full_page: bool = True) -> Path:
    """A picture of the whole page for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=full_page, animations="disabled")
    return path
