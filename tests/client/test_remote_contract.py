"""The promises of every predictor (``tests/inference/test_contract.py``), kept over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.client.contract_server import ContractServer
from tests.inference.test_contract import *  # noqa: F403 (the same tests, with another predictor)

from leafsight.client import Client, RemotePredictor

# Slow over HTTP; test_remote_predictor.py has threads of its own.
del test_several_threads_get_the_answers_of_one  # noqa: F821


@pytest.fixture
def anyone(server: ContractServer) -> Iterator[RemotePredictor]:
    with Client(server.url) as client:
        yield RemotePredictor(client)
