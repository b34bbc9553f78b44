"""A whole comparison: whom is asked what, what is refused, and what has to be said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.experiments.made_subjects import ASKING, made_index, made_subject

from leafsight.dataset import PhotoIndex, joined
from leafsight.errors import DatasetError, EvaluationError, UsageError
from leafsight.evaluation import EvaluationOptions
from leafsight.experiments import ComparedRuns, Subject, compare_runs

FAST = EvaluationOptions(resamples=100)


def split_index(judged: PhotoIndex, trained: PhotoIndex) -> PhotoIndex:
    return joined([judged, trained.with_column("split", ["train"] * len(trained))])


OWN = split_index(made_index(40), made_index(40, first=100))


def compared(*subjects: Subject, data: PhotoIndex | None = None, even_if_seen: bool = False) -> ComparedRuns:
    return compare_runs(subjects, ASKING, data=data, even_if_seen=even_if_seen, options=FAST)


def test_two_runs_of_one_index() -> None:
    found = compared(made_subject("a", OWN, wrong=range(10)), made_subject("b", OWN, wrong=range(2)))
    assert found.names == ("a", "b")
    assert [one.overall.photos for one in found.evaluations] == [40, 40]
    assert found.pairs[0].comparison.differences["accuracy"].value == pytest.approx(8 / 40)
    assert found.grouped
    assert found.seen == {"a": 0, "b": 0}
    assert found.notes == ()
    assert len(found.differing) == 8
    assert len(found.index) == 40


def test_json_holds_what_was_found() -> None:
    found = compared(
        made_subject("a", OWN, wrong=[1]), made_subject("b", OWN), made_subject("c", OWN, wrong=[1, 2])
    )
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [one["name"] for one in plain["runs"]] == ["a", "b", "c"]
    assert plain["photographs"] == 40
    assert plain["groups"] == 20
    assert [pair["run"] for pair in plain["pairs"]] == ["b", "c"]
    assert plain["pairs"][0]["only_b_right"] == 1
    assert plain["pairs"][0]["tests"]["mcnemar"] == 1.0
    assert plain["differing"][0]["answers"][0]["right"] is False
    assert plain["runs"][0]["metrics"]["accuracy"]["value"] == pytest.approx(39 / 40)
    assert sum(map(sum, plain["runs"][2]["confusion"])) == 40


def test_other_splits_of_one_collection_share_what_both_tested() -> None:
    """B tested on 20..59 and trained on 0..19 of the same photographs."""
    b_index = split_index(made_index(40, first=20), made_index(20))
    a, b = made_subject("a", OWN, wrong=[0, 1, 25]), made_subject("b", b_index, wrong=[30, 50])
    found = compared(a, b)
    assert found.evaluations[0].overall.photos == 20
    assert (found.pairs[0].tests.only_a_right, found.pairs[0].tests.only_b_right) == (1, 1)
    assert found.notes == (
        "Of the 40 photographs for a, 20 are common to all.",
        "Of the 40 photographs for b, 20 are common to all.",
    )
    # Each is asked by its own index, so what it answered before is not asked again.
    assert a.judge.asked[0][0] is OWN  # type: ignore[attr-defined]
    assert b.judge.asked[0][0] is b_index  # type: ignore[attr-defined]


def test_photographs_that_trained_one_are_refused_before_anybody_is_asked() -> None:
    a, b = made_subject("a", OWN), made_subject("b", split_index(made_index(5, first=200), made_index(7)))
    with pytest.raises(EvaluationError, match="of 40 photographs, 7 trained b") as refused:
        compared(a, b, data=made_index(40))
    assert "--even-if-seen" in refused.value.hint
    assert a.judge.asked == []  # type: ignore[attr-defined]
    found = compared(a, b, data=made_index(40), even_if_seen=True)
    assert found.seen == {"a": 0, "b": 7}
    assert found.notes == ("7 of the photographs trained b: its numbers are too good.",)


def test_everybody_who_saw_them_is_named() -> None:
    both = made_index(40).with_column("split", ["train"] * 40)
    with pytest.raises(EvaluationError, match="40 trained a and 40 trained b"):
        compared(made_subject("a", both), made_subject("b", both), data=made_index(40))


def test_the_training_split_itself_is_refused() -> None:
    subjects = [made_subject(name, OWN) for name in "ab"]
    asking = type(ASKING)(ASKING.folder, split="train")
    with pytest.raises(EvaluationError, match="40 trained a"):
        compare_runs(subjects, asking, options=FAST)


def test_a_model_file_takes_the_index_of_a_run_beside_it() -> None:
    run, file = made_subject("a", OWN), made_subject("file", None, kind="model file", wrong=[3])
    found = compared(run, file)
    assert found.seen == {"a": 0, "file": None}
    assert found.notes == ("What trained file is not known here, so it may have seen these.",)
    assert file.judge.asked[0][0] is OWN  # type: ignore[attr-defined]


def test_a_model_file_is_known_by_its_split() -> None:
    run = made_subject("a", OWN)
    file = made_subject("file", None, split_fingerprint=OWN.split_fingerprint())
    assert compared(run, file).seen == {"a": 0, "file": 0}
    with pytest.raises(EvaluationError, match="40 trained file"):
        compared(run, file, data=made_index(40, first=100))


def test_what_learned_more_is_said() -> None:
    file = made_subject("file", OWN, learned_more=True)
    found = compared(made_subject("a", OWN), file)
    assert found.notes == ("file also learned from contributions, which were not looked for here.",)


def test_without_any_index_data_must_be_named() -> None:
    with pytest.raises(UsageError, match="none of these has an index") as refused:
        compared(made_subject("a", None), made_subject("b", None))
    assert "--data" in refused.value.hint
    judged = compared(made_subject("a", None), made_subject("b", None), data=OWN)
    assert judged.evaluations[0].overall.photos == 40


def test_a_split_that_is_not_there() -> None:
    with pytest.raises(DatasetError, match="'test'"):
        compared(made_subject("a", OWN), made_subject("b", made_index(5, split="train")))


def test_classes_that_nobody_knows() -> None:
    strange = made_index(10, classes=("healthy", "rust", "blight"), group_size=0)
    with pytest.raises(EvaluationError, match="a does not know the classes blight"):
        compared(made_subject("a", OWN), made_subject("b", OWN), data=strange)


def test_other_orders_of_classes_are_no_difference() -> None:
    a = made_subject("a", OWN, wrong=[4])
    b = made_subject("b", OWN, classes=("scab", "healthy", "rust"))
    found = compared(a, b)
    assert found.evaluations[1].overall.metrics["accuracy"].value == 1.0
    assert found.evaluations[0].classes == found.evaluations[1].classes
    assert found.pairs[0].tests.only_b_right == 1


def test_photographs_that_one_cannot_read_are_left_out_for_all() -> None:
    found = compared(made_subject("a", OWN), made_subject("b", OWN, unreadable=[2, 3], wrong=[5]))
    assert [one.overall.photos for one in found.evaluations] == [38, 38]
    assert len(found.index) == 38
    assert found.index.column("path")[found.differing[0].row] == "0005.jpg"
    assert found.notes[0] == "Of the 40 photographs for a, 38 are common to all."


def test_recipes_are_told_apart_where_they_are_known() -> None:
    a = made_subject("a", OWN, decisive={"seed": 0, "model": {"dropout": 0.1}})
    b = made_subject("b", OWN, decisive={"seed": 1, "model": {"dropout": 0.1}})
    found = compared(a, made_subject("file", OWN), b)
    assert found.recipe == {"seed": ("0", "1")}
    assert found.with_recipe == ("a", "b")


def test_the_example_in_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    values: dict[str, object] = {}
    exec(compile(example, "docs/comparing.md", "exec"), values)
    assert "seed1 is right" in capsys.readouterr().out
    folder = values["folder"]
    assert isinstance(folder, Path)
    assert (folder / "compare.html").is_file()
    assert json.loads((folder / "compare.json").read_text())["recipe"]["differences"] == {"seed": ["0", "1"]}
