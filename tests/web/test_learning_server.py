"""What the server of these tests answers by heart is what the contract of the real one says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel
from tests.web.learning_server import Learning
from tests.web.made_learning import quarantine
from tests.web.made_trainings import CHALLENGER, CHAMPION, a_change, a_gate, a_model, a_training, a_watch

from leafsight.service.contribution_listings import (
    ContributionsPage,
    ContributionsSummary,
    Decided,
    Decision,
    DeclaredClasses,
    DeclaredShown,
)
from leafsight.service.listings import ModelsPage
from leafsight.service.retraining_listings import (
    ChangeShown,
    ChangesPage,
    RetrainingAccepted,
    RetrainingFound,
    RetrainingsPage,
    WatchShown,
)


@pytest.fixture
def learning() -> Learning:
    trainings = [a_training(2, gate=a_gate(passed=False)), a_training(1)]
    models = [a_model(CHALLENGER, "b"), a_model(CHAMPION, "a", serving=True)]
    changes = [a_change(1, CHAMPION, None)]
    return Learning(
        contributions=quarantine(30),
        declared=["Bean___rust"],
        trainings=trainings,
        models=models,
        changes=changes,
        answers={"GET /v1/watch": a_watch()},
    )


REJECT = {"all": "clean", "state": "rejected", "reason": ""}
ASKED: list[tuple[str, str, dict[str, str], Any, type[BaseModel]]] = [
    ("GET", "/v1/contributions", {"limit": "5"}, None, ContributionsPage),
    ("GET", "/v1/contributions/summary", {}, None, ContributionsSummary),
    ("POST", "/v1/contributions/decide", {}, REJECT, Decided),
    ("GET", "/v1/classes/declared", {}, None, DeclaredClasses),
    ("POST", "/v1/classes/declared", {}, {"name": "Okra", "note": ""}, DeclaredShown),
    ("DELETE", "/v1/classes/declared/Bean___rust", {}, None, DeclaredClasses),
    ("GET", "/v1/retraining", {}, None, RetrainingsPage),
    ("POST", "/v1/retraining", {}, {"path": "quick", "reason": ""}, RetrainingAccepted),
    ("GET", f"/v1/retraining/{a_training(1)['id']}", {}, None, RetrainingFound),
    ("GET", "/v1/models", {}, None, ModelsPage),
    ("GET", "/v1/models/history", {}, None, ChangesPage),
    ("POST", "/v1/models/rollback", {}, {"alias": "serving", "steps": 1, "reason": ""}, ChangeShown),
    ("GET", "/v1/watch", {}, None, WatchShown),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "shape"), ASKED, ids=lambda one: str(one)[:40])
def test_answers_have_the_shape_of_the_contract(
    learning: Learning, method: str, path: str, query: dict[str, str], body: Any, shape: type[BaseModel]
) -> None:
    if path.endswith("rollback"):
        learning.changes.insert(0, a_change(2, CHALLENGER, CHAMPION))
    answer = learning.answer(method, path, query, body)
    wanted = {field.alias or name for name, field in shape.model_fields.items()}
    shape.model_validate(answer)
    if shape.model_config.get("extra") != "allow":
        assert set(answer) == wanted, "neither more nor less"


@pytest.mark.parametrize(
    "body",
    [
        {"ids": ["0" * 32], "state": "accepted"},
        {"ids": ["0" * 32], "state": "accepted", "label": "Bean___rust"},
        {"all": "clean", "state": "accepted"},
        {"all": "clean", "state": "accepted", "label": "Bean___rust"},
    ],
)
def test_what_the_page_sends_is_taken(body: dict[str, Any]) -> None:
    Decision.model_validate(body)
