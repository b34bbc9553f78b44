"""What is said of models: held against the scripts of the web page, and read with care."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.desktop.page_scripts import HAS_NODE, WEB, asked
from tests.fakes.models_server import interval, metrics, model_id, report
from tests.fakes.tiny_bundle import LABELS

from leafsight.bundle import builtin_bundle_path, open_bundle
from leafsight.client import ModelDescription
from leafsight.desktop.session import model_comparison, model_words
from leafsight.desktop.session.card_text import MOST_CHARACTERS, readable_card
from leafsight.desktop.session.wording import Measured

# Reads [file, function, arguments]; a measure of ``difference`` is named by its key.
ASKING = """
import { readFileSync } from "node:fs";
globalThis.document = { addEventListener() {} };
const { MEASURES } = await import("./models-measures.js");
const asked = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const said = [];
for (const [file, name, args] of asked) {
  const module = await import(`./${file}`);
  if (name === "MEASURES") said.push(MEASURES);
  else if (name === "difference") {
    said.push(module[name](args[0], args[1], MEASURES.find((one) => one.key === args[2])));
  }
  else if (name === "measure") said.push(module[name](module.atHome(args[0]), args[1]));
  else said.push(module[name](...args));
}
console.log(JSON.stringify(said));
"""


def described(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": model_id("b"), "name": "orchard", "bytes": 10_000, "metrics": metrics(0.9, abroad=0.5),
        "labels": [label.to_dict() for label in LABELS], "provenance": {"split_fingerprint": "f1"},
    }  # fmt: skip
    return plain | changes


def builtin() -> dict[str, Any]:
    bundle = open_bundle(builtin_bundle_path())
    return described(
        name=bundle.name, metrics=bundle.metrics, provenance=bundle.provenance, card=bundle.card,
        labels=[label.to_dict() for label in bundle.labels],
    )  # fmt: skip


def models() -> list[dict[str, Any]]:
    odd = {"name": "all", "photos": None, "metrics": {"accuracy": 0.5, "ece": {"value": None}}}
    return [
        described(),
        builtin(),
        described(metrics={}, provenance={}, labels=[]),
        described(metrics={"test": {"overall": odd}}, provenance={"data_fingerprint": "d"}),
        described(metrics={"test": {"overall": report(0.5), "domains": [report(0.5)], "per_class": "none"}}),
        described(metrics={"abroad": {"x": {"overall": report(0.1)}, "y": None}}),
    ]


def changes(*moves: tuple[str, str, str | None]) -> list[dict[str, Any]]:
    """From oldest to newest, given newest first as a server does."""
    return [{"kind": kind, "model": model, "former": former} for kind, model, former in reversed(moves)]


HISTORIES = [
    [],
    changes(("promote", "b", "a")),
    changes(("promote", "b", "a"), ("promote", "c", "b")),
    changes(("promote", "b", "a"), ("promote", "c", "b"), ("rollback", "b", "c")),
    changes(("promote", "b", "a"), ("promote", "c", "b"), ("rollback", "a", "c")),
    changes(("promote", "b", "a"), ("rollback", "a", "b"), ("promote", "c", "a"), ("promote", "b", "c")),
    changes(("rollback", "b", "c"), ("promote", "d", "b")),
    changes(("promote", "b", None), ("promote", "c", "b")),
]


CONTRIBUTED: list[Any] = [
    None,
    {},
    {"train": 1200, "probe": 5, "note": "text"},
    {"Okra___Rust": {"train": 20, "probe": 5}, "Okra___Blight": {"train": 1200, "other_use": 3}},
]


def figures() -> list[dict[str, Any]]:
    found = [interval(value, spread) for value in (0.1, 0.5, 0.5004, 0.52, 0.9) for spread in (0.001, 0.03)]
    return [
        *found,
        {"value": 0.4, "low": None, "high": None},
        {"value": 0.8},
        {"value": 2.5, "low": 2.0, "high": 3.0},
    ]


def questions() -> list[tuple[str, str, list[Any], Any]]:
    here = model_words
    found: list[tuple[str, str, list[Any], Any]] = [
        ("models-measures.js", "MEASURES", [], [_as_page(one) for one in here.MEASURES])
    ]
    for plain in models():
        model = ModelDescription.model_validate(plain)
        conditions, crops = here.known(model)
        answers: dict[str, Any] = {
            "testedOn": [asdict(one) for one in here.tested_on(model)],
            "byClass": [
                {"photos": one.photos, "found": _plain(one.found), "right": _plain(one.right)}
                for one in here.by_class(model)
            ],
            "mixUps": [asdict(one) for one in here.mix_ups(model)],
            "known": {"conditions": len(conditions), "crops": crops},
            "testFingerprint": here.fingerprint_of_test(model),
        }
        found += [("models-measures.js", name, [plain], said) for name, said in answers.items()]
        home = here.at_home(model)
        for one in here.MEASURES:
            said = _plain(here.measured(home, one.key))
            found.append(("models-measures.js", "measure", [plain, one.key], said))
    for moves in HISTORIES:
        found.append(("models-history.js", "wayBack", [moves], here.way_back(moves)))
    for name in ("Tomato___Early_blight", "Corn_(maize)___Common_rust_", "", None):
        found.append(("teach-training-words.js", "className", [name], here.class_name(name)))
    for sent in CONTRIBUTED:
        found.append(("models-details.js", "contributed", [sent], here.contributed(sent)))
    for ours in (None, *figures()):
        for theirs in figures():
            for one in here.MEASURES:
                base = None if ours is None else Measured(**ours)
                said = asdict(model_comparison.difference(Measured(**theirs), base, one))
                found.append(("models-compare.js", "difference", [theirs, ours, one.key], said))
    return found


def _as_page(one: model_words.Measure) -> dict[str, Any]:
    found = {"key": one.key, "title": one.title, "better": one.better or None, "kind": one.kind}
    return found | ({"name": one.name} if one.name else {})


def _plain(found: Measured | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _alike(name: str, there: Any) -> Any:
    if name == "byClass":
        return [{key: one[key] for key in ("photos", "found", "right")} for one in there]
    return there


@pytest.mark.skipif(not HAS_NODE, reason="needs node to run the scripts of the web page")
def test_the_window_says_of_models_what_the_web_page_says(tmp_path: Path) -> None:
    wanted = questions()
    said = asked([one[:3] for one in wanted], [one.name for one in WEB.glob("*.js")], tmp_path, ASKING)
    assert len(said) > 1000
    different = [
        (name, args[1:], there, ours)
        for (_, name, args, ours), there in zip(wanted, said, strict=True)
        if _alike(name, there) != ours
    ]
    assert different == []


def test_better_and_worse_only_where_chance_alone_cannot_make_it() -> None:
    accuracy, ece = model_words.MEASURES[0], model_words.MEASURES[-1]
    narrow, far = Measured(0.5, 0.49, 0.51), Measured(0.6, 0.59, 0.61)
    say = model_comparison.difference
    assert say(far, narrow, accuracy).words == "10.0 points higher: better"
    assert say(far, narrow, ece).words == "10.0 points higher: worse"
    assert say(far, Measured(0.5, 0.4, 0.6), accuracy).words == "10.0 points higher; may be chance"
    assert say(far, Measured(0.5), accuracy).good is None, "without an interval nobody can tell"
    assert say(far, None, accuracy).words == "nothing to compare with"


def test_whether_the_tests_were_the_same_is_said() -> None:
    one = ModelDescription.model_validate(described())
    other = ModelDescription.model_validate(described(provenance={"split_fingerprint": "f2"}))
    silent = ModelDescription.model_validate(described(provenance={}))
    assert model_comparison.same_test(one, one) == ("Both were tested on the same photographs.", True)
    said, is_same = model_comparison.same_test(one, other)
    assert said.startswith("These models were tested on different photographs. A difference may come from")
    assert not is_same
    assert model_comparison.same_test(one, silent)[0].startswith("It is not known whether")


def test_what_one_can_name_and_the_other_cannot() -> None:
    one = ModelDescription.model_validate(described())
    fewer = ModelDescription.model_validate(described(labels=[label.to_dict() for label in LABELS[:2]]))
    assert model_comparison.class_differences(one, fewer) == ["It cannot name: Tomato: early blight."]
    assert model_comparison.class_differences(fewer, one) == ["It can also name: Tomato: early blight."]
    assert model_comparison.class_differences(one, one) == ["Both can name the same conditions."]


def test_how_a_retraining_made_it_is_told_also_of_contributions_by_class() -> None:
    made = {
        "retraining": {
            "parent": "c" * 64, "path": "quick", "snapshot": "d" * 64,
            "classes_added": ["Okra___Rust"], "classes_removed": [],
            "contributions": {"Okra___Rust": {"train": 20, "probe": 5}, "Okra___Blight": {"train": 1200}},
        },
        "lineage": [{"parent": "e" * 64}, {"parent": "c" * 64}],
    }  # fmt: skip
    facts = dict(model_words.lineage(ModelDescription.model_validate(described(provenance=made))))
    assert facts["Photographs that people sent"] == "1,220 to learn from, 5 held out, to measure"
    assert facts["New classes"] == "Okra: Rust"
    assert facts["Before that"] == "eeeeeeee"
    assert "Classes that it lost" not in facts
    assert model_words.lineage(ModelDescription.model_validate(described())) == []


def test_a_model_of_another_make_is_read_with_care() -> None:
    wild = described(
        metrics={"test": [1], "abroad": "far", "probe": None},
        provenance={"retraining": "yes", "run": 3, "photographs": [], "sources": [None, {"name": "x"}]},
        labels=[{}, {"is_leaf": True, "display": None}],
    )
    model = ModelDescription.model_validate(wild)
    assert model_words.tested_on(model) == []
    assert model_words.doubts(model).startswith("This model brings no measures.")
    assert [one.name for one in model_words.by_class(model)] == ["Not a leaf", ""]
    assert ("Collections", "x") in model_words.provenance(model)
    assert model_comparison.comparison(model, model)


def test_a_card_that_would_hold_up_the_window_is_shown_as_it_is_written() -> None:
    assert readable_card("# A\n\n| a | b |\n|-|-|\n| 1 | 2 |") == ("# A\n\n| a | b |\n|-|-|\n| 1 | 2 |", True)
    for hostile in (
        "|a|b|\n" * 900,
        ">" * 100 + "a",
        "x" * 50_000,
        "_a_ " * 3000,
        "  " * 40 + "- a",
        "- a\n" * 9_000,
    ):
        shown, is_markdown = readable_card(hostile)
        assert not is_markdown, hostile[:20]
        assert shown
    long, _ = readable_card("word " * MOST_CHARACTERS)
    assert long.endswith("The rest is left out: it is too long to show.")
    assert readable_card("a\u202eb\x00c")[0] == "abc"
    bundle = open_bundle(builtin_bundle_path())
    assert readable_card(bundle.card)[1]
