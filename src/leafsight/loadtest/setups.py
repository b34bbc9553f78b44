"""What is compared: set-ups of containers, and the loads that each is put under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class SetUp:
    """One arrangement of containers.

    Attributes:
        replicas: containers of the service.
        model: a model file, or ``built-in``.
        proxy: whether a proxy stands in front and shares out.
    """

    replicas: int
    model: str = BUILT_IN
    proxy: bool = False

    @property
    def model_name(self) -> str:
        """The model in tables."""
        return self.model if self.model == BUILT_IN else Path(self.model).stem

    @property
    def family(self) -> str:
        """What set-ups have in common that differ by the number of replicas only."""
        return f"{self.model_name}, {'proxy' if self.proxy else 'direct'}"

    @property
    def name(self) -> str:
        """In tables."""
        return f"{self.replicas} x {self.family}"

    @property
    def ladder(self) -> str:
        """Set-ups with the same are driven at the same rates: with and without a proxy can be compared."""
        return f"{self.replicas} x {self.model_name}"

    @property
    def slug(self) -> str:
        """In names of files."""
        model = "".join(one if one.isalnum() else "-" for one in self.model_name)
        return f"{self.replicas}x-{model}-{'proxy' if self.proxy else 'direct'}"


@dataclass(frozen=True, slots=True)
class Load:
    """One way to drive a set-up: a rate (open loop), or people (closed loop).

    Attributes:
        rate_per_s: of the open loop; 0 for people.
        users: people; 0 for the open loop.
    """

    rate_per_s: float = 0.0
    users: int = 0

    @property
    def name(self) -> str:
        """In tables."""
        return f"{self.users} people" if self.users else f"{self.rate_per_s:g} a second"

    @property
    def slug(self) -> str:
        """In names of files."""
        return f"users{self.users}" if self.users else f"rate{self.rate_per_s:g}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One load on one set-up in one round of the study.

    Attributes:
        setup: what is driven.
        load: how.
        repeat: in which round, from 0.
    """

    setup: SetUp
    load: Load
    repeat: int

    @property
    def name(self) -> str:
        """Of its files, and of it in the journal of the study."""
        return f"{self.setup.slug}.{self.load.slug}.r{self.repeat}"


def plan_setups(
    replicas: Sequence[int], models: Sequence[str], proxies: Sequence[bool], *, cross: bool
) -> list[SetUp]:
    """All set-ups of a study.

    Args:
        replicas: numbers of containers.
        models: model files.
        proxies: with, without.
        cross: every combination; else the first model without (or with) a proxy, and each other model and
            the other way of sharing out against that one, which is what the comparisons need.
    """
    if cross:
        chosen: Iterable[tuple[str, bool]] = product(models, proxies)
    else:
        chosen = [(models[0], proxies[0])]
        chosen += [(models[0], proxy) for proxy in proxies[1:]] + [
            (model, proxies[0]) for model in models[1:]
        ]
    return [SetUp(count, model, proxy) for model, proxy in chosen for count in replicas]


def setup_from(values: dict[str, Any]) -> SetUp:
    """The set-up in a result."""
    return SetUp(values["replicas"], values["model"], values["proxy"])


def load_from(values: dict[str, Any]) -> Load:
    """The load in a result."""
    return Load(values["rate_per_s"], values["users"])
