from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.experiments.made_subjects import ASKING, made_index, made_subject

from leafsight.evaluation import EvaluationOptions
from leafsight.experiments import ComparedRuns, compare_runs, comparison_sentences, comparison_tests
from leafsight.experiments.comparing_words import chance, headline, limits, p_value

FAST = EvaluationOptions(resamples=100)


def found(*wrong: Sequence[int], group_size: int = 2, photographs: int = 200) -> ComparedRuns:
    index = made_index(photographs, group_size=group_size)
    subjects = [made_subject("abc"[number], index, wrong=one) for number, one in enumerate(wrong)]
    return compare_runs(subjects, ASKING, options=FAST)


def test_more_and_less_are_said_the_same_way_round() -> None:
    more, less = (
        headline(found(range(30), range(10)).pairs[0]),
        headline(found(range(10), range(30)).pairs[0]),
    )
    assert more.startswith("b is right 10.0 points more often than a [")
    assert more.endswith("; 0 photographs only a has right, 20 only b.")
    assert less.startswith("b is right 10.0 points less often than a [")
    assert less.endswith("; 20 photographs only a has right, 0 only b.")
    ends = [
        [float(end) for end in one[one.index("[") + 1 : one.index("]")].split(", ")] for one in (more, less)
    ]
    assert ends[0] == ends[1]
    assert 0 < ends[0][0] < 10 < ends[0][1]


def test_one_photograph_is_not_plural() -> None:
    assert "; 1 photograph only a has right, 3 only b." in headline(found(range(1, 4), [0]).pairs[0])


def test_as_often() -> None:
    pair = found([0, 1], [2, 3]).pairs[0]
    assert headline(pair).startswith("b is right as often as a [")
    assert "do not say whether b or a is better" in chance(pair)
    same = found([0], [0]).pairs[0]
    assert "[0.0, 0.0]" in headline(same)
    assert chance(same) == "b and a have exactly the same photographs right."


def test_chance_goes_by_whole_groups() -> None:
    """Six photographs more are three leaves: McNemar's test alone would call that a difference."""
    pair = found(range(6), []).pairs[0]
    assert pair.tests.mcnemar < 0.05
    assert chance(pair).startswith(
        "Chance alone sets two equally good models so far apart often enough (p 0.25"
    )
    assert chance(found(range(40), []).pairs[0]).startswith(
        "Chance alone would seldom set b and a so far apart"
    )


@pytest.mark.parametrize(
    ("p", "said"), [(None, ""), (1.0, "1.0000"), (0.0421, "0.0421"), (0.00001, "< 0.0001"), (0.0, "< 0.0001")]
)
def test_p_values_as_people_read_them(p: float | None, said: str) -> None:
    assert p_value(p) == said


def test_the_table_of_tests_has_what_there_is() -> None:
    columns, rows = comparison_tests(found(range(4), range(2), group_size=0))
    assert columns == ["pair", "only the first right", "only the other right", "McNemar p"]
    assert rows == [["a, b", "0", "2", "0.5000"]]
    columns, rows = comparison_tests(found(range(4), range(2), range(9)))
    assert columns.count("adjusted") == 2
    assert [len(row) for row in rows] == [7, 7]


def test_the_caveat_is_said() -> None:
    grouped, alone = found(range(4), range(2)), found(range(4), range(2), group_size=0)
    assert "200 photographs are 100 groups" in comparison_sentences(grouped)[-1]
    assert "No groups are known" in comparison_sentences(alone)[-1]
    assert any("single networks, not recipes" in one for one in limits(alone))
    assert "Holm" in comparison_sentences(found([1], [2], [3]))[-1]
