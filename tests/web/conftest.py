"""Chromium, a running service with its page, and a page object that fails a test when the browser complains.

The browser lives as long as one test module: Playwright's loop would stand in the way of other rooms' tests.
"""

from __future__ import annotations

import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tests.service.running import running_service
from tests.web.harness import ARGUMENTS, Faults, RunningPage, chromium_path, make_key, screenshot
from tests.web.learning_server import Learning, learning_server
from tests.web.looking import PATIENCE_MS

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with a browser is slow; with ``--dist loadgroup`` those of a file share services."""
    for item in items:
        if item.path.is_relative_to(HERE) and "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            if item.config.pluginmanager.hasplugin("xdist"):
                item.add_marker(pytest.mark.xdist_group(f"web-{item.path.stem}"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium; skips where there is none."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        pytest.skip("NOT TESTED: the web page needs playwright, which is not installed")
    with sync_playwright() as playwright:
        try:
            one = playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        except Error as error:
            pytest.skip(f"NOT TESTED: the web page needs Chromium, which does not start: {error}")
        yield one
        one.close()


@pytest.fixture
def make_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Makes pages with options of Playwright's contexts, such as ``viewport`` or ``color_scheme``."""
    with ExitStack() as made:
        watched: list[tuple[Any, Faults]] = []

        def make(**options: Any) -> Any:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            made.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page, faults = context.new_page(), Faults()
            faults.watch(page)
            page.allow, page.faults = faults.allow, faults
            watched.append((page, faults))
            return page

        yield make
        left = [line for _, faults in watched for line in faults.left()]
    assert not left, "\n".join(["the browser complained:", *left])


@pytest.fixture
def page(make_page: Callable[..., Any]) -> Any:
    """One page, 1280 px wide; ``page.allow(pattern)`` names complaints that a test expects."""
    return make_page()


@pytest.fixture(scope="session")
def serve_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningPage]]:
    """Starts services that end with the session: a model file or None, more arguments, prepare(folder)."""
    started: list[RunningPage] = []
    with ExitStack() as running:

        def serve(
            model: Path | None, *arguments: str, prepare: Callable[[Path], str | None] = lambda folder: None
        ) -> RunningPage:
            folder = tmp_path_factory.mktemp("page")
            key = prepare(folder) or ""
            service = running.enter_context(running_service(folder, model, *arguments))
            started.append(RunningPage(f"http://127.0.0.1:{service.port}", folder, service, key))
            return started[-1]

        yield serve
        for one in started:
            one.service.process.terminate()  # all at once: each takes a moment to end


@pytest.fixture(scope="session")
def running_page(serve_page: Callable[..., RunningPage], colour_model: Path) -> RunningPage:
    """A service with the tiny model; everybody's, so leave no settings behind."""
    return serve_page(colour_model)


@pytest.fixture(scope="session")
def builtin_page(serve_page: Callable[..., RunningPage]) -> RunningPage:
    """A service with the model that ships."""
    return serve_page(None)


@pytest.fixture(scope="session")
def keyed_page(serve_page: Callable[..., RunningPage], colour_model: Path) -> RunningPage:
    """A service with keys; ``make_key`` makes more of them while it runs."""
    return serve_page(colour_model, prepare=lambda folder: make_key(folder, "predict", "upload", "admin"))


@pytest.fixture(scope="session")
def taught_page(serve_page: Callable[..., RunningPage], colour_model: Path) -> RunningPage:
    """A service that is sent uploads, which stay."""
    return serve_page(colour_model)


@pytest.fixture
def untaught_page(taught_page: RunningPage) -> RunningPage:
    """The same, when it has forgotten what it was sent before."""
    forget_uploads(taught_page)
    return taught_page


def forget_uploads(where: RunningPage) -> None:
    """Take all uploads out of the database of a running service, when all of them are looked into."""
    with closing(sqlite3.connect(where.folder / "leafsight.db", timeout=60)) as database:
        alive = database.execute("SELECT id FROM jobs WHERE state IN ('queued', 'running')").fetchall()
        for (job,) in alive:
            with urllib.request.urlopen(f"{where.url}/v1/jobs/{job}/events", timeout=60) as events:
                events.read()
        with database:
            database.execute("DELETE FROM uploads")
            database.execute("DELETE FROM jobs")


@pytest.fixture(name="screenshot")
def screenshot_fixture() -> Callable[..., Path]:
    """``screenshot(page, "name")``: a picture in build/screenshots, or in the folder SCREENSHOT_DIR."""
    return screenshot


@pytest.fixture
def learning(running_page: RunningPage) -> Iterator[tuple[str, Learning]]:
    """A server that answers the routes of the learning loop by heart, and what it remembers."""
    remembered = Learning()
    with learning_server(running_page.url, remembered) as url:
        yield url, remembered
