"""What came of a training: whether the gate held, by which numbers, where the models differ, and what now."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from leafsight.desktop.session import Trouble
from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.session.learner import Learner
from leafsight.desktop.session.teach_answers import differing
from leafsight.desktop.session.teach_words import (
    check_numbers,
    check_title,
    is_main,
    points,
    sentence,
    signed,
)
from leafsight.desktop.session.wording import class_name, count, number, percent, verdict_name
from leafsight.desktop.window.controls import button, words
from leafsight.desktop.window.pages import Around
from leafsight.desktop.window.share_bar import ShareBar
from leafsight.desktop.window.tables import Cell, Table
from leafsight.desktop.window.theme import Tokens
from leafsight.desktop.window.thumbnails import Tile, Tiles, tile_view
from leafsight.errors import LeafsightError
from leafsight.storage import write_bytes

GATE_PAGE = "gate.html"
WHY_NOT = {
    "a person is asked": "It waits for you to promote it.",
    "the gate did not hold": "It was not promoted.",
    "it serves already": "The same model serves already.",
}
MEASURES = (
    ("accuracy", "First guess right", True),
    ("answered", "Names a condition", True),
    ("accuracy_answered", "Right when it names one", True),
    ("set_coverage", "Truth among what it cannot exclude", True),
    ("mean_set_size", "Classes that it cannot exclude, on average", False),
    ("macro_f1", "Macro F1", True),
    ("ece", "How far its probabilities are off", True),
)
CLASSES_SHOWN = 12


class OutcomeCard(QFrame):
    """The last training that ended."""

    troubled = Signal(object)

    def __init__(self, learner: Learner, around: Around) -> None:
        super().__init__()
        self.setObjectName("card")
        self._learner, self._around = learner, around
        self._shown: tuple[Any, ...] = ()
        self.title, self.said, self.facts, self.now = words("verdict"), words(), words("quiet"), words("sure")
        self.promote = button(tr("&Promote"), self._promote, "primary")
        self.discard = button(tr("Dis&card"), learner.dismiss)
        self.back = button(tr("Put the &former model back"), self._roll_back)
        self.report = button(tr("Open the whole &report"), self._report)
        self.before, self.after = ShareBar(tr("Before")), ShareBar(tr("After"))
        self.versus_said = words("quiet")
        self.tiles = Tiles(learner.photograph, self.devicePixelRatioF())
        self.grid, self._painter = tile_view(
            self.tiles, around.tokens(), tr("Photographs on which they differ")
        )
        self.grid.setMinimumHeight(200)
        self.differ = words("heading")
        self.checks, self.measures, self.classes = (
            Table(name, around.tokens(), fits=True)
            for name in (tr("Conditions of the gate"), tr("Before and after"), tr("Class by class"))
        )
        self.checks_title = words("heading", tr("What it was held against"))
        self.measures_title = words("heading", tr("Before and after"))
        self.classes_title = words("heading", tr("Class by class"))
        self._lay_out()

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 16)
        whole.setSpacing(10)
        deeds = QHBoxLayout()
        for one in (self.promote, self.discard, self.back, self.report):
            deeds.addWidget(one)
        deeds.addStretch()
        for part in (self.title, self.said, self.facts, self.now):
            whole.addWidget(part)
        whole.addLayout(deeds)
        self.numbers = QWidget()  # of a gate; a training that failed has none
        below = QVBoxLayout(self.numbers)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(10)
        for line in (
            self.versus_said, self.before, self.after, self.differ, self.grid, self.checks_title, self.checks,
            self.measures_title, self.measures, self.classes_title, self.classes,
        ):  # fmt: skip
            below.addWidget(line)
        whole.addWidget(self.numbers)

    def wear(self, tokens: Tokens) -> None:
        """Other colours."""
        self._painter.tokens = tokens
        self.grid.viewport().update()
        for table in (self.checks, self.measures, self.classes):
            table.rows.wear(tokens)
            table.fit()

    def say(self) -> None:
        """Show how things are."""
        outcome = self._learner.outcome
        there = outcome is not None and outcome["id"] not in self._learner.dismissed
        self.setVisible(there and self._learner.training is None)
        if outcome is None or not there:
            return
        serving = next((one.id for one in self._learner.models if one.serving), "")
        aliased = next((one.id for one in self._learner.models if "serving" in one.aliases), "")
        now = (outcome["id"], outcome["state"], serving, aliased, len(self._learner.models))
        if now == self._shown:
            return
        self._shown = now
        failed, gate = outcome["state"] == "failed", outcome["gate"]
        for part in (self.numbers, self.now, self.report):
            part.setVisible(not failed and gate is not None)
        if failed:
            self._say_failed(outcome.get("error") or {})
            return
        if gate is None:
            self._say_without_gate()
            return
        self.title.setText(tr("The gate held") if gate["passed"] else tr("The gate did not hold"))
        self.said.setText(sentence(gate["said"]))
        self._say_facts(outcome, gate)
        self._say_now(outcome, gate, aliased)
        self._say_versus(gate)
        self._say_differ(outcome)
        self._say_checks(gate)
        self._say_measures(gate)
        self._say_classes(gate)

    def _say_failed(self, error: dict[str, Any]) -> None:
        self.title.setText(tr("The training failed"))
        self.said.setText(f"{sentence(error.get('message'))} {sentence(error.get('hint'))}".strip())
        self.facts.setText(tr("The model in service is as it was; what was accepted stays accepted."))
        for deed in (self.promote, self.back):
            deed.setVisible(False)
        self.discard.setVisible(True)

    def _say_without_gate(self) -> None:
        self.title.setText(tr("The training ended"))
        self.said.setText(
            tr("Whether its gate held, this server does not say in a way that this window understands.")
        )
        self.facts.setText(tr("What was measured of the new model stands on the page Models."))
        for deed in (self.promote, self.back):
            deed.setVisible(False)
        self.discard.setVisible(True)

    def _say_facts(self, outcome: dict[str, Any], gate: dict[str, Any]) -> None:
        result = outcome["result"]
        said = []
        if result.get("photographs"):
            said.append(tr("Learned from {many}", many=count(result["photographs"], "accepted photograph")))
        added = [class_name(one) for one in result.get("classes_added") or ()]
        if added:
            said.append(tr("new classes: {names}", names=", ".join(added)))
        said.append(tr("new model {hash}", hash=str(result.get("candidate", ""))[:8]))
        said.append(tr("held against {hash}", hash=str(gate.get("champion", ""))[:8]))
        self.facts.setText(" \u00b7 ".join(said))

    def _say_now(self, outcome: dict[str, Any], gate: dict[str, Any], serving: str) -> None:
        candidate = outcome["result"].get("candidate")
        model = next((one for one in self._learner.models if one.id == candidate), None)
        serves = model is not None and model.id == serving
        self.promote.setVisible(model is not None and not serves)
        self.promote.setText(tr("&Promote") if gate["passed"] else tr("&Promote all the same"))
        self.discard.setVisible(not serves)
        self.back.setVisible(serves)
        if model is None:
            self.now.setText(tr("The new model is not kept any more."))
        elif serves:
            self.now.setText(tr("\u2713 It serves."))
        else:
            why = outcome["result"].get("why_not") or ""
            self.now.setText(tr(WHY_NOT[why]) if why in WHY_NOT else sentence(why))

    def _say_versus(self, gate: dict[str, Any]) -> None:
        pair = (gate.get("measured") or {}).get("accuracy")
        there = pair is not None and all(isinstance(one, int | float) for one in pair)
        for part in (self.before, self.after, self.versus_said):
            part.setVisible(there)
        if pair is None or not there:
            return
        self.before.show_share(pair[0])
        self.after.show_share(pair[1])
        self.versus_said.setText(
            tr(
                "First guess right on the {photos} of the locked test. The new model has {gained} right"
                " that the model before had wrong, and {lost} wrong that it had right.",
                photos=count(gate["photos"], "photograph"),
                gained=gate["gained"],
                lost=gate["lost"],
            )
        )

    def _say_differ(self, outcome: dict[str, Any]) -> None:
        rows = differing(outcome)
        self.differ.setVisible(bool(rows))
        self.grid.setVisible(bool(rows))
        if not rows:
            return
        many = max(len(rows), (outcome.get("gate") or {}).get("differing") or 0)
        self.differ.setText(
            tr(
                "{many} that neither learned from, and of which they say different things",
                many=count(many, "photograph"),
            )
        )
        self.tiles.show([_differ_tile(number, one) for number, one in enumerate(rows)])

    def _say_checks(self, gate: dict[str, Any]) -> None:
        checks = sorted(gate.get("checks", ()), key=lambda one: (one["passed"], not is_main(one)))
        rows = []
        for one in checks:
            held = Cell(tr("\u2713 held")) if one["passed"] else Cell(tr("\u2717 did not hold"), tone="bad")
            measured, limit = check_numbers(one)
            rows.append((Cell(check_title(one)), Cell(measured), Cell(limit), held))
        self.checks.show_rows((tr("Condition"), tr("Measured"), tr("Limit"), tr("Held?")), rows)

    def _say_measures(self, gate: dict[str, Any]) -> None:
        rows = []
        for key, title, share in MEASURES:
            pair = (gate.get("measured") or {}).get(key)
            if pair is None or not all(isinstance(one, int | float) for one in pair):
                continue
            before, after = pair
            change = points(after - before) if share else signed(after - before, 2)
            shown = [percent(one, 1) if share else number(one, 2) for one in pair]
            rows.append((tr(title), *shown, change))
        self.measures.setVisible(bool(rows))
        self.measures_title.setVisible(bool(rows))
        columns = (tr("On the locked test"), tr("Before"), tr("After"), tr("Change"))
        self.measures.show_rows(columns, [[Cell(one) for one in row] for row in rows])

    def _say_classes(self, gate: dict[str, Any]) -> None:
        rows = []
        for one in gate.get("classes", ()):
            before = None if one["champion"] is None else one["champion"] / one["photos"]
            after = one["candidate"] / one["photos"]
            weight = 2.0 if before is None else abs(after - before)
            change = (
                tr("new") if before is None else tr("the same") if weight < 0.0005 else points(after - before)
            )
            sent = tr(" (given, held out)") if one["where"] == "contributions" else ""
            shown = tr("not known") if before is None else percent(before, 1)
            interval = percent(after, 1)
            if one["low"] is not None and one["high"] is not None:
                interval = tr(
                    "{figure} ({low} to {high})",
                    figure=interval,
                    low=number(one["low"] * 100),
                    high=number(one["high"] * 100),
                )
            rows.append(
                (weight, (f"{class_name(one['name'])}{sent}", number(one["photos"]), shown, interval, change))
            )
        rows.sort(key=lambda pair: -pair[0])
        self.classes.setVisible(bool(rows))
        self.classes_title.setVisible(bool(rows))
        columns = (tr("Class"), tr("Photographs"), tr("Right before"), tr("Right now"), tr("Change"))
        self.classes.show_rows(columns, [[Cell(one) for one in row] for _, row in rows[:CLASSES_SHOWN]])

    def _promote(self) -> None:
        outcome = self._learner.outcome
        if outcome is None:
            return
        gate, candidate = outcome["gate"], outcome["result"]["candidate"]
        if gate["passed"]:
            asked = tr(
                "The new model {new} will answer instead of {old}, which can be put back at any time.",
                new=candidate[:8],
                old=str(gate["champion"])[:8],
            )
            sure = QMessageBox.question(self, tr("Promote this model?"), asked)
            if sure == QMessageBox.StandardButton.Yes:
                self._learner.promote(candidate, "", override=False)
            return
        reason, said = QInputDialog.getText(
            self,
            tr("Promote all the same?"),
            tr(
                "Its gate did not hold: {said}\nWhy shall it serve all the same?",
                said=translated(gate["said"]),
            ),
        )
        if said and reason.strip():
            self._learner.promote(candidate, reason.strip(), override=True)

    def _roll_back(self) -> None:
        serving = next((one for one in self._learner.models if "serving" in one.aliases), None)
        if serving is None:
            return
        reason, said = QInputDialog.getText(
            self,
            tr("Put the former model back?"),
            tr(
                "The model before {new} will answer again. Nothing is deleted.\nWhy (may stay empty)?",
                new=serving.id[:8],
            ),
        )
        if said:
            self._learner.roll_back(serving.id, reason.strip())

    def _report(self) -> None:
        if self._learner.outcome is not None:
            self._learner.report(self._learner.outcome["id"], self._open_report)

    def _open_report(self, page: bytes) -> None:
        path = self._around.options.state_dir / GATE_PAGE
        try:
            write_bytes(path, page)
        except LeafsightError as error:
            self.troubled.emit(Trouble.of(error))
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _differ_tile(number: int, one: dict[str, Any]) -> Tile:
    before, after = _in_words(one["champion"]), _in_words(one["candidate"])
    mark = "bad" if one["champion"]["right"] and not one["candidate"]["right"] else ""
    spoken = tr(
        "It is {name}. Before: {before}, {old}. After: {after}, {new}.",
        name=class_name(one["name"]),
        before=before,
        old=percent(one["champion"]["probability"]),
        after=after,
        new=percent(one["candidate"]["probability"]),
    )
    return Tile(
        one["id"] or f"none-{number}", f"{after}\n{tr('before: {before}', before=before)}", spoken, mark
    )


def _in_words(said: dict[str, Any]) -> str:
    if said["kind"] != "diagnosis":
        return verdict_name(said["kind"]).lower()
    return class_name(said["class_name"])
