"""The tab of models: what is kept, what serves, what each can do, how they differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.tiny_bundle import CLASSES, LABELS, write_tiny_bundle
from tests.web.harness import RunningPage
from tests.web.looking import at_rest, expect, next_frame, says

HOSTILE_CARD = """# older

## Limits

Knows **three** conditions of `Apple___Apple_scab`. <img src=x onerror="document.title = 'taken'">

## Judged on

| photographs | n |
|---|---|
| all | 100 |
| <script>document.title = 'taken'</script> | 2 |

- one [paper](https://leaf.example/paper), one [trap](javascript:document.title='taken')
- two

```
<b>code</b>
```
"""


def interval(value: float, spread: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": max(0.0, value - spread), "high": min(1.0, value + spread)}


def metrics_of(accuracy: float, ece: float, *, abroad: float | None = None) -> dict[str, Any]:
    def report(value: float, photos: int) -> dict[str, Any]:
        measures = {
            "accuracy": interval(value), "answered": interval(0.7), "accuracy_answered": interval(0.98),
            "macro_f1": interval(value - 0.02), "ece": interval(ece, 0.005),
        }  # fmt: skip
        per_class = [
            {
                "name": name,
                "photos": 40 - 12 * at,
                "answered": 30,
                "recall": interval(0.9),
                "precision": interval(0.8),
            }
            for at, name in enumerate(CLASSES)
        ]
        confused = [{"true": CLASSES[0], "answer": CLASSES[2], "photos": 3, "share": 0.075}]
        overall = {"name": "all", "photos": photos, "metrics": measures}
        return {"overall": overall, "domains": [overall], "per_class": per_class, "confused": confused}

    told: dict[str, Any] = {"test": report(accuracy, 1234)}
    if abroad is not None:
        told["abroad"] = {"field-apple": report(abroad, 367)}
    return told


@pytest.fixture(scope="session")
def two_models(
    serve_page: Callable[..., RunningPage], tmp_path_factory: pytest.TempPathFactory
) -> RunningPage:
    """A registry with two models beside the built-in one; "newer" serves."""
    folder = tmp_path_factory.mktemp("bundles")
    made_from = {"seed": 0, "split_fingerprint": "f" * 64, "photographs": {"train": 5000, "test": 1234}}

    def prepare(state: Path) -> None:
        from leafsight.registry import open_registry

        registry = open_registry(state / "registry")
        older = write_tiny_bundle(
            folder / "older.leafsight", name="older", card=HOSTILE_CARD, provenance=made_from,
            metrics=metrics_of(0.9, 0.02), labels=(*LABELS[:2], LABELS[2], LABELS[3]),
        )  # fmt: skip
        newer = write_tiny_bundle(
            folder / "newer.leafsight",
            name="newer",
            provenance=made_from,
            metrics=metrics_of(0.95, 0.05, abroad=0.4),
        )
        registry.add(older, note="the first one")
        registry.promote(registry.add(newer, note="after the corrections").hash)

    return serve_page(None, prepare=prepare)


def opened(page: Any, where: RunningPage, fragment: str = "models") -> Any:
    page.goto(f"{where.url}/#{fragment}")
    page.get_by_role("heading", name="Models on this server").wait_for()
    page.locator(".panel-models .fold").first.wait_for()
    return at_rest(page)


def row(page: Any, name: str) -> Any:
    return page.locator(".models-row").filter(has=page.locator(f"strong:text-is('{name}')"))


def test_the_model_in_service_is_marked_in_words_and_shown_first(page: Any, two_models: RunningPage) -> None:
    opened(page, two_models)
    expect(page.locator(".models-row strong")).to_have_text(["newer", "older", "plant-leaves"])
    expect(row(page, "newer").get_by_text("In service")).to_be_visible()
    expect(page.get_by_text("In service", exact=True)).to_have_count(1)
    says(row(page, "newer"), "after the corrections")
    expect(page.get_by_role("heading", level=2)).to_have_text(
        ["Models on this server", "In service, and before", "newer"]
    )
    says(page.get_by_role("tabpanel"), "leafsight models promote")


def test_a_model_is_shown_by_its_measures_with_intervals(page: Any, two_models: RunningPage) -> None:
    opened(page, two_models)
    says(
        page.get_by_role("tabpanel"),
        "It can name 3 conditions of 2 crops: apple, tomato.",
        "1,234 photographs that it had never seen.",
        "On photographs from elsewhere (field-apple)",
    )
    page.get_by_text("Measured", exact=True).click()
    table = page.get_by_role("table", name="Measures of newer")
    first_guess = table.get_by_role("row", name="First guess right (accuracy)")
    expect(first_guess.get_by_role("cell")).to_have_text(["95.0 % (94.0 to 96.0)", "40.0 % (39.0 to 41.0)"])
    with_crop = table.get_by_role("row", name="First guess right, crop given")
    expect(with_crop.get_by_role("cell")).to_have_text(["not measured", "not measured"])
    page.get_by_text("Class by class").click()
    scab = page.get_by_role("row", name="Apple: scab").get_by_role("cell")
    for at, text in enumerate(("40", "90.0 % (89.0 to 91.0)")):
        expect(scab.nth(at)).to_have_text(text)
    says(page.get_by_role("row", name="Tomato: early blight"), "few photographs")
    expect(page.get_by_text("Apple: scab taken for Tomato: early blight: 3 photographs")).to_be_visible()
    page.get_by_text("Made from", exact=True).click()
    says(page.locator(".facts"), "5,000 to learn from, 1,234 to test")


def test_the_builtin_model_is_read_whole(page: Any, two_models: RunningPage) -> None:
    opened(page, two_models)
    page.get_by_role("button", name="Show plant-leaves").click()
    expect(page.get_by_role("heading", name="plant-leaves", level=2)).to_be_focused()
    expect(page).to_have_url(re.compile(r"#models/[0-9a-f]{12}$"))
    says(
        page.get_by_role("tabpanel"),
        "It can name 48 conditions of 14 crops",
        "Limits, in the words of its maker",
    )
    page.get_by_text("Class by class").click()
    expect(page.locator(".fold table").nth(1).get_by_role("row")).to_have_count(50)
    page.reload()
    page.get_by_role("heading", name="plant-leaves", level=2).wait_for()  # the fragment names it


def test_a_card_is_read_and_never_run(page: Any, two_models: RunningPage) -> None:
    opened(page, two_models)
    page.get_by_role("button", name="Show older").click()
    page.get_by_text("Model card", exact=True).click()
    prose = page.locator(".prose").last
    expect(prose.get_by_role("heading")).to_have_text(["Limits", "Judged on"])
    expect(prose.locator("strong")).to_have_text(["three"])
    expect(prose.locator("code").first).to_have_text("Apple___Apple_scab")
    expect(prose.locator("pre")).to_have_text("<b>code</b>")
    expect(prose.locator("td")).to_have_text(["all", "100", "<script>document.title = 'taken'</script>", "2"])
    expect(prose.locator("img, script, b")).to_have_count(0)
    link = prose.get_by_role("link")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", "https://leaf.example/paper")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    says(prose, "[trap](javascript:")
    next_frame(page)
    expect(page).not_to_have_title(re.compile("taken"))


def test_models_are_compared_in_words(
    page: Any, two_models: RunningPage, screenshot: Callable[..., Path]
) -> None:
    opened(page, two_models)
    page.get_by_label("Compare older").check()
    page.get_by_text("Choose one more model").wait_for()
    page.get_by_label("Compare newer").check()
    page.get_by_role("heading", name="Compare 2 models").wait_for()
    table = page.get_by_role("table", name="Figures with their 95 % intervals")
    screenshot(page, "models-compared")
    heads = table.get_by_role("columnheader")
    for at, head in enumerate((r"^Compared$", r"^newer \(\w{8}\)$", r"^older \(\w{8}\)$")):
        expect(heads.nth(at)).to_have_text(re.compile(head))  # what serves comes first

    def cells(name: str, at: int = 0) -> Any:
        return table.get_by_role("row", name=name, exact=False).nth(at).get_by_role("cell")

    expect(cells("In service")).to_have_text(["yes", "no"])
    expect(cells("First guess right")).to_have_text(
        ["95.0 % (94.0 to 96.0)", "90.0 % (89.0 to 91.0) 5.0 points lower: worse"], use_inner_text=True
    )
    expect(cells("How far its probabilities are off")).to_have_text(
        ["5.0 % (4.5 to 5.5)", "2.0 % (1.5 to 2.5) 3.0 points lower: better"], use_inner_text=True
    )
    elsewhere = cells("First guess right", 2)
    expect(elsewhere.nth(1)).to_have_text("not measured")
    expect(cells("Right when it names one").nth(1)).to_have_text(re.compile("the same$"))
    expect(page.get_by_text("All were tested on the same photographs.")).to_be_visible()
    expect(page.get_by_text("All can name the same conditions.")).to_be_visible()
    page.get_by_label("Compare plant-leaves").check()
    page.get_by_role("heading", name="Compare 3 models").wait_for()
    expect(page.get_by_text("These models were tested on different photographs.")).to_be_visible()
    says(page.get_by_role("tabpanel"), "can also name: Apple: black rot")
    page.get_by_label("Compare plant-leaves").uncheck()
    page.get_by_role("heading", name="Compare 2 models").wait_for()


DIFFERENCES = [
    ((0.95, 0.94, 0.96), (0.90, 0.89, 0.91), "5.0 points higher: better", True),
    ((0.85, 0.84, 0.86), (0.90, 0.89, 0.91), "5.0 points lower: worse", False),
    ((0.91, 0.88, 0.94), (0.90, 0.87, 0.93), "1.0 points higher; may be chance", None),
    ((0.9001, 0.88, 0.94), (0.90, 0.87, 0.93), "the same", None),
    ((0.95, None, None), (0.90, 0.89, 0.91), "5.0 points higher; may be chance", None),
]


def test_what_chance_can_make_is_no_difference(page: Any, running_page: RunningPage) -> None:
    page.goto(running_page.url)
    names = ("value", "low", "high")
    pairs = [[dict(zip(names, one, strict=True)) for one in pair] for *pair, _, _ in DIFFERENCES]
    said = page.evaluate(
        """(pairs) => import('/page/models-compare.js').then((one) => pairs.map(([found, base]) =>
             one.difference(found, base, {better: 'higher', kind: 'share'})))""",
        pairs,
    )
    assert said == [{"words": words, "good": good} for _, _, words, good in DIFFERENCES]


def test_more_models_are_fetched_page_by_page(page: Any, two_models: RunningPage) -> None:
    page.route(
        re.compile(r"/v1/models\?limit=20"),
        lambda route: route.continue_(url=route.request.url.replace("=20", "=2")),
    )
    opened(page, two_models)
    expect(page.locator(".models-row")).to_have_count(2)
    page.get_by_role("button", name="More models").click()
    page.get_by_role("button", name="Show plant-leaves").wait_for()
    expect(page.locator(".models-row")).to_have_count(3)
    expect(page.get_by_role("button", name="More models")).to_have_count(0)


def test_a_model_without_measures_says_so(page: Any, two_models: RunningPage) -> None:
    def without(route: Any) -> None:
        route.fulfill(json={**route.fetch().json(), "metrics": {"accuracy": 1.0}, "provenance": {}})

    page.route(re.compile(r"/v1/models/[0-9a-f]{64}"), without)
    opened(page, two_models)
    expect(page.get_by_text("This model brings no measures.")).to_be_visible()
    page.get_by_text("Measured", exact=True).click()
    expect(page.get_by_text("Nothing was measured.")).to_be_visible()
    for name in ("older", "newer"):
        page.get_by_label(f"Compare {name}").check()
    page.get_by_text("It is not known whether these models were tested on the same photographs.").wait_for()
    cells = page.get_by_role("row", name="Macro F1").get_by_role("cell")
    expect(cells).to_have_text(["not measured", "not measured"])


def test_a_served_file_that_is_not_kept_is_said(page: Any, running_page: RunningPage) -> None:
    opened(page, running_page)
    expect(page.get_by_text("The model in service is a file that the operator named.")).to_be_visible()
    expect(page.get_by_text("In service", exact=True)).to_have_count(0)


def test_a_model_that_went_away_is_said(page: Any, two_models: RunningPage) -> None:
    page.allow("404")
    opened(page, two_models)
    page.route(
        re.compile(r"/v1/models/[0-9a-f]{64}"),
        lambda route: route.fulfill(
            status=404, json={"status": 404, "title": "Not Found", "detail": "it was removed"}
        ),
    )
    page.get_by_role("button", name="Show older").click()
    page.get_by_role("alert").get_by_text("it was removed").wait_for()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="older", level=2).wait_for()
