"""The limits of the gate, each with its reason."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from leafsight.errors import ConfigError, Fault, validated

WHERE = "gate_limits"


class GateOptions(BaseModel):
    """What a candidate may lose against the champion, and what it must reach.

    With about 1,700 photographs of the locked test the interval of a paired difference is about half a point
    wide to each side, with 40 of a class it is ten points: hence the amounts.

    Attributes:
        margin: share of the locked test that may be lost overall, by the lower end of the interval.
        resamples, confidence, seed: of the paired bootstrap over groups.
        least_class_photos: a class with fewer is shown and not judged: one photograph would be four points.
        class_loss: share of a class that may be lost; more is allowed only if it may be chance.
        least_domain_photos: the same for domains (lab, field).
        domain_loss: share of a domain that may be lost.
        chance: a loss is more than chance when so many gains and losses of groups fall so unevenly with less
            than this probability (sign test).
        macro_f1_loss: of the locked test.
        ece_rise: of the calibration error.
        coverage_slack: how far conformal sets may stay below what they promise.
        answered_loss: share of the locked test that may become "cannot tell".
        false_silence_rise: the same among photographs that the first guess has right.
        not_leaf_rise: share of leaves that may become "not a leaf".
        not_leaf_loss: share of photographs without a leaf that may become something else.
        new_recall: share of each taught class, on contributions that were held out, that must be right.
        logit_tolerance: between graph and head.
        latency_ratio: how many times as long a photograph may take; a median over interleaved pairs.
        latency_rounds: of these; what looks slow is measured again with twice as many, three times at most.
        size_ratio: how many times as large the file may be without its memory.
        new_class_bytes: what a class that the champion does not know may add to that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(default=0.005, ge=0, le=1)
    resamples: int = Field(default=2000, ge=100, le=100_000)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)
    least_class_photos: int = Field(default=25, ge=1)
    class_loss: float = Field(default=0.05, ge=0, le=1)
    least_domain_photos: int = Field(default=50, ge=1)
    domain_loss: float = Field(default=0.02, ge=0, le=1)
    chance: float = Field(default=0.05, gt=0, lt=1)
    macro_f1_loss: float = Field(default=0.01, ge=0, le=1)
    ece_rise: float = Field(default=0.01, ge=0, le=1)
    coverage_slack: float = Field(default=0.02, ge=0, le=1)
    answered_loss: float = Field(default=0.05, ge=0, le=1)
    false_silence_rise: float = Field(default=0.05, ge=0, le=1)
    not_leaf_rise: float = Field(default=0.01, ge=0, le=1)
    not_leaf_loss: float = Field(default=0.05, ge=0, le=1)
    new_recall: float = Field(default=0.5, ge=0, le=1)
    logit_tolerance: float = Field(default=1e-3, gt=0)
    latency_ratio: float = Field(default=1.15, ge=1)
    latency_rounds: int = Field(default=20, ge=3, le=1000)
    size_ratio: float = Field(default=1.25, ge=1)
    new_class_bytes: int = Field(default=64 * 1024, ge=0)


def gate_limits(text: str) -> dict[str, float]:
    """What an operator says in one line, such as ``margin=0.01, class_loss=0.1``; empty for the usual limits.

    Args:
        text: fields of ``GateOptions`` with their values, between commas.

    Raises:
        ConfigError: a limit that there is not, or that cannot be.
    """
    found: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, value = (one.strip() for one in part.partition("="))
        try:
            found[name] = float(value)
        except ValueError:
            faults = [Fault(WHERE, name, repr(value)[:80], "a number, such as margin=0.01")]
            raise ConfigError(f"{WHERE}: 1 fault", faults=faults) from None
    validated(GateOptions, found, WHERE)
    return found
