"""What is asked of a server about its models, and what its answers mean for a person.

Enters: a client. Leaves: records, among them failures with what to do about them. All of it waits: for
errands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leafsight.desktop.session.language import tr
from leafsight.desktop.session.photographs import Trouble
from leafsight.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    LeafsightError,
    MissingExtraError,
    NotFoundError,
    RemoteError,
    UsageError,
)

if TYPE_CHECKING:
    from leafsight.client import Client, ModelDescription, ModelEntry

SERVING = "serving"
MOST_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Gate:
    """What a training held a model to: whether that held, and the sentence about it."""

    passed: bool
    said: str


@dataclass(frozen=True, slots=True)
class Described:
    """One model in full, and the gate of the training that made it; None where there is none to be had."""

    model: ModelDescription
    gate: Gate | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server has.

    Attributes:
        models: newest first.
        changes: of what serves, newest first; None where they may not be seen.
        why_not: why nothing can be switched; None where it can.
        is_lost: whether the server went away before the changes came.
    """

    models: tuple[ModelEntry, ...]
    changes: tuple[Mapping[str, Any], ...] | None
    why_not: Trouble | None
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """What came instead.

    Attributes:
        trouble: for a person.
        again: whether asking again by itself may help.
        is_gate: whether it is a gate that did not hold, which a reason overrules.
    """

    trouble: Trouble
    again: bool = True
    is_gate: bool = False


def look(reached: Callable[[], Client]) -> Seen | Failed:
    """Which models there are, and who served when."""
    try:
        client = reached()
        models = client.models()
    except (AuthenticationError, ForbiddenError) as error:
        return Failed(Trouble(error.message, tr("give this server's key on the page Settings")), again=False)
    except (UsageError, MissingExtraError) as error:
        return Failed(Trouble.of(error), again=False)
    except LeafsightError as error:
        return Failed(Trouble.of(error))
    try:
        changes = client.learning.model_history(SERVING, MOST_CHANGES)
        return Seen(models, tuple(one for one in changes if isinstance(one, Mapping)), None)
    except RemoteError as error:
        return Seen(models, None, Trouble.of(error), is_lost=True)
    except LeafsightError as error:
        return Seen(models, None, _why_not(error))


def _why_not(error: LeafsightError) -> Trouble:
    """Why models may be looked at and not switched."""
    if isinstance(error, AuthenticationError | ForbiddenError):
        return Trouble(
            tr("Putting another model in service and reading the history want a key with the scope admin."),
            tr("Such a key is given on the page Settings."),
        )
    if isinstance(error, NotFoundError):
        return Trouble(
            tr("Another model is put in service on the admin side of this server."),
            tr("Its operator knows the address; it is chosen on the page Settings."),
        )
    return Trouble.of(error)


def describe(client: Client, model_id: str) -> Described:
    """One model in full; raises what the client raises."""
    model = client.model(model_id)
    made = model.provenance.get("retraining")
    job = made.get("job") if isinstance(made, Mapping) else None
    gate = None
    if isinstance(job, str):
        try:
            gate = _gate(client.learning.retraining(job).get("gate"), model_id)
        except LeafsightError:
            gate = None  # made elsewhere, or no right to see it; the server knows when it promotes
    return Described(model, gate)


def _gate(found: object, model_id: str) -> Gate | None:
    if not isinstance(found, Mapping) or found.get("candidate") != model_id:
        return None
    return Gate(found.get("passed") is True, str(found.get("said") or ""))


def switched(
    reached: Callable[[], Client], call: Callable[[Client], Mapping[str, Any]]
) -> Mapping[str, Any] | Failed:
    """The change that a call made, or why it made none."""
    try:
        return call(reached())
    except ConflictError as error:
        return Failed(Trouble.of(error), is_gate=True)
    except LeafsightError as error:
        return Failed(Trouble.of(error))
