"""The look for drift: what it says of alike and of other photographs, and when it says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leafsight.monitoring import Spread, deals, means_differ, p_values, shares_differ
from leafsight.service.drift import LEAST_OCCASIONS, LEAST_PHOTOGRAPHS, MOST_OCCASIONS, compared
from leafsight.state import SampledPrediction

HOUR = 3_600_000


def answers(
    seed: int, many: int, hours: int, *, first_hour: int = 0, **changes: Any
) -> list[SampledPrediction]:
    """Photographs without any pattern; ``bright``, ``moved``, ``told`` change what is measured."""
    rng = np.random.default_rng(seed)
    bright, moved, told = changes.get("bright", 0.0), changes.get("moved", 0.0), changes.get("told", 0.8)
    rows = []
    for at in range(many):
        named = rng.random() < told
        rows.append(
            SampledPrediction(
                created_ms=(first_hour + at % hours) * HOUR,
                key_id=changes.get("key_id"),
                verdict="diagnosis" if named else "cannot_tell",
                class_key=str(rng.choice(["apple/scab", "apple/healthy"])) if named else None,
                answer={"top": [{"probability": float(rng.random())}], "unfamiliarity": float(rng.random())},
                quality={"brightness": float(rng.normal(0.5 + bright, 0.1))},
                embedding=(rng.standard_normal(8) + moved).astype(np.float16),
            )
        )
    return rows


def difference(found: dict[str, Any], name: str) -> dict[str, Any]:
    (one,) = [one for one in found["measures"] if one["name"] == name]
    return dict(one["difference"])


def test_alike_photographs_are_called_alike() -> None:
    found = compared(answers(1, 200, 40), answers(2, 100, 20, first_hour=100))
    assert (found["state"], found["said"]) == ("none", "No difference but what chance makes.")
    assert found["reference"] == {"photographs": 200, "occasions": 40}
    assert found["recent"] == {"photographs": 100, "occasions": 20}
    assert [one["name"] for one in found["measures"]] == [
        "verdict", "class", "probability", "unfamiliarity", "brightness", "look",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"bright": -0.2}, "brightness", "the brightness"),
        ({"moved": 1.0}, "look", "what the photographs look like to the model"),
        ({"told": 0.3}, "verdict", "the verdicts"),
    ],
)
def test_what_changed_is_named_and_nothing_else(change: dict[str, float], name: str, said: str) -> None:
    found = compared(answers(1, 200, 40), answers(2, 100, 20, first_hour=100, **change))
    assert found["state"] == "drift"
    assert found["said"] == f"Drift: more changed than chance makes, namely {said}."
    assert difference(found, name)["large"]
    others = [one for one in found["measures"] if one["name"] != name and "difference" in one]
    assert not any(one["difference"]["differs"] for one in others)


def test_a_visitor_with_a_camera_of_their_own_is_one_occasion() -> None:
    """A hundred dark photographs of one hour are one visit, which chance puts on one side or the other."""
    home = answers(1, 200, 40)
    visit = answers(3, 100, 1, first_hour=119, bright=-0.3)
    found = compared(home, [*answers(2, 100, 19, first_hour=100), *visit])
    assert not difference(found, "brightness")["differs"]


@pytest.mark.parametrize(
    ("reference", "recent"),
    [
        ((LEAST_PHOTOGRAPHS - 1, 20), (100, 20)),
        ((100, 20), (LEAST_PHOTOGRAPHS - 1, 20)),
        ((100, LEAST_OCCASIONS - 1), (100, 20)),
        ((100, 20), (100, LEAST_OCCASIONS - 1)),
        ((100, 20), (0, 1)),
        ((0, 1), (0, 1)),
    ],
)
def test_with_too_few_nothing_is_judged(reference: tuple[int, int], recent: tuple[int, int]) -> None:
    found = compared(answers(1, *reference), answers(2, *recent, first_hour=100, bright=9.0, moved=9.0))
    assert found["state"] == "too_few"
    assert "Too few photographs to tell: at least 50 on 8 occasions" in found["said"]
    assert not [one for one in found["measures"] if "difference" in one]


def test_without_an_earlier_time() -> None:
    found = compared([], answers(1, 100, 20))
    assert (found["state"], found["reference"]["photographs"]) == ("no_earlier_time", 0)
    assert found["measures"][0]["recent"]["shares"]["diagnosis"] > 0.5


def test_a_measure_with_too_few_is_left_out_of_the_judgement() -> None:
    found = compared(answers(1, 200, 40, told=0.05), answers(2, 100, 20, first_hour=100, told=0.05))
    measures = {one["name"]: one for one in found["measures"]}
    assert "difference" not in measures["class"]
    assert "difference" in measures["verdict"]


def test_what_is_missing_or_odd_is_left_out() -> None:
    rows = [
        SampledPrediction(
            created_ms=at * HOUR, key_id=None, verdict="unreadable", class_key=None,
            answer=[{}, {"top": []}, {"top": [3]}, {"top": "x", "unfamiliarity": "far"}][at % 4],
            quality={"sharpness": [None, float("nan"), True, "sharp"][at % 4]},
            embedding=[None, np.full(3, np.inf, np.float16)][at % 2],
        )
        for at in range(120)
    ]  # fmt: skip
    found = compared(rows[:60], rows[60:])
    assert found["state"] == "none"
    assert [one["name"] for one in found["measures"]] == ["verdict", "class", "look"]


def test_other_models_lengths_of_embedding_do_not_mix() -> None:
    other = [
        SampledPrediction(created_ms=at * HOUR, key_id=None, verdict="diagnosis", class_key=None, answer={},
                          quality={}, embedding=np.zeros(3, np.float16))
        for at in range(100)
    ]  # fmt: skip
    found = compared(answers(1, 100, 20), other)
    assert "difference" not in next(one for one in found["measures"] if one["name"] == "look")


def test_many_occasions_are_put_together() -> None:
    found = compared(answers(1, 900, 900), answers(2, 100, 100, first_hour=1000), permutations=99)
    assert found["reference"]["occasions"] <= MOST_OCCASIONS
    assert found["recent"]["occasions"] == 100


def test_two_keys_in_one_hour_are_two_occasions() -> None:
    rows = [*answers(1, 60, 10, key_id="a"), *answers(2, 60, 10, key_id="b")]
    assert compared(rows, rows)["reference"]["occasions"] == 20


def test_the_same_question_has_the_same_answer() -> None:
    first, second = answers(1, 100, 20), answers(2, 100, 20, first_hour=100)
    assert compared(first, second) == compared(first, second)


def test_shares_by_hand() -> None:
    """Two kinds, 30 and 10 then, 10 and 30 now: G = 2 (2 * 30 ln 1.5 + 2 * 10 ln 0.5)."""
    counts = np.array([[30, 10], [10, 30]])
    found = shares_differ(counts, deals(1, 1, 9))
    assert found.statistic[0] == pytest.approx(2 * (60 * np.log(1.5) + 20 * np.log(0.5)))
    p, q = 30.5 / 41, 10.5 / 41
    assert found.size[0] == pytest.approx(2 * (p - q) * np.log(p / q))


def test_means_by_hand() -> None:
    """Four numbers, 0 and 2 then, 4 and 6 now: 16 of 20 between."""
    sums, sizes = np.array([[2.0], [10.0]]), np.array([2.0, 2.0])
    found = means_differ(sums, sizes, 0 + 4 + 16 + 36, deals(1, 1, 9))
    assert found.size[0] == pytest.approx(16 / 20)


def test_p_values_count_the_real_deal_and_hold_for_all_measures_together() -> None:
    rng = np.random.default_rng(0)
    chance = [rng.random(1000) for _ in range(20)]
    chance[3][0] = 2.0
    alone, together = p_values([Spread(one, one) for one in chance])
    assert alone[3] == 1 / 1000
    assert (
        0.01 < together[3] < 0.03
    )  # twenty measures: the largest of all is as rare as that about twenty times
    assert p_values([]) == ([], [])


def test_deals_keep_how_many_occasions_are_recent() -> None:
    dealt = deals(5, 3, 50)
    assert dealt.shape == (51, 8)
    assert (dealt.sum(axis=1) == 3).all()
    assert dealt[0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert len({tuple(row) for row in dealt.tolist()}) > 20


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_promised() -> None:
    """Also where the photographs of an occasion are alike, which is where others raise alarms."""
    rng = np.random.default_rng(5)

    def visits(many: int, first: int) -> list[SampledPrediction]:
        rows = []
        for hour in range(many):
            light, look = rng.normal(0.5, 0.15), rng.standard_normal(8)
            rows += [
                SampledPrediction(
                    created_ms=(first + hour) * HOUR,
                    key_id=None,
                    verdict="diagnosis",
                    class_key=None,
                    answer={},
                    quality={"brightness": float(light + rng.normal(0, 0.02))},
                    embedding=(look + rng.normal(0, 0.2, 8)).astype(np.float16),
                )
                for _ in range(8)
            ]
        return rows

    states = [compared(visits(30, 0), visits(15, 100), permutations=499)["state"] for _ in range(80)]
    assert sum(one != "none" for one in states) <= 4  # at 0.01 five or more come once in a thousand runs
