"""The contract server, time that is told and not lived, and both clients behind one face."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.client.contract_server import ContractServer, contract_server

from leafsight.client import AsyncClient, Client, Surroundings


@dataclass
class ToldTime:
    """A clock that moves when somebody waits; chance that is always one half."""

    seconds: float = 1000.0
    waited: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.seconds += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(clock=self.clock, now=lambda: 1_700_000_000.0 + self.seconds, draw=lambda: 0.5)


class Waiting:
    """An ``AsyncClient`` with the face of a ``Client``."""

    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client, self._loop = client, loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(*values: Any, **named: Any) -> Any:
            result = found(*values, **named)
            return (
                self._all(result)
                if isinstance(result, AsyncIterator)
                else self._loop.run_until_complete(result)
            )

        return call

    def _all(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        nothing = object()

        async def step() -> Any:
            return await anext(items, nothing)

        while (item := self._loop.run_until_complete(step())) is not nothing:
            yield item


Ask = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as running:
        yield running


@pytest.fixture
def told() -> ToldTime:
    return ToldTime()


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, told: ToldTime) -> Iterator[Ask]:
    """Makes clients of the one and of the other kind; they are closed at the end."""
    loop, made = asyncio.new_event_loop(), []

    def make(url: str, **options: Any) -> Any:
        around = {"surroundings": told.surroundings, **options}
        if request.param == "sync":
            client = Client(url, **{"sleep": told.sleep, **around})
            made.append(client.close)
            return client
        other = AsyncClient(url, **{"sleep": told.sleep_async, **around})
        made.append(lambda: loop.run_until_complete(other.close()))
        return Waiting(other, loop)

    yield make
    for close in made:
        close()
    loop.close()


@pytest.fixture
def png() -> Callable[[np.ndarray], bytes]:
    return lambda rgb: _encoded(rgb, "PNG")


@pytest.fixture
def jpeg() -> Callable[[np.ndarray], bytes]:
    return lambda rgb: _encoded(rgb, "JPEG")


def _encoded(rgb: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind)
    return file.getvalue()
