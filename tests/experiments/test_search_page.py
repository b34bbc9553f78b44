from __future__ import annotations

from html.parser import HTMLParser

from tests.experiments.test_search_outcome import outcome, row

from leafsight.experiments.search_page import search_page


class Seen(HTMLParser):
    """Tags and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.classes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.classes.append(dict(attrs).get("class") or "")

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_page_for_people() -> None:
    text = search_page(outcome())
    seen = Seen(text)
    assert "script" not in seen.tags
    assert "http://" not in text.replace("http://www.w3.org", "")
    for words in (
        "4 of 9 trials are finished, 1 of them ended early",
        "The best is trial 2",
        "validation split only",
        "too high",
        "What mattered",
        "75%",
        "Range test",
        "<worse> than the median",
    ):
        assert words in seen.words, words
    # history, importance, three keys, one range test
    assert seen.tags.count("svg") == 6
    # the best in the history, at each of three keys, and the suggestion of the range test
    assert seen.classes.count("best") == 5
    assert seen.classes.count("asis") == seen.classes.count("pruned") == 4


def test_a_search_that_has_nothing_yet() -> None:
    seen = Seen(search_page(outcome(row(1, None, complete=False))))
    assert "None came to its end yet" in seen.words
    assert seen.tags.count("svg") == 1  # the range test


def test_few_trials_say_nothing_of_importance() -> None:
    from dataclasses import replace

    seen = Seen(search_page(replace(outcome(), importance={}, tests=())))
    assert "Not told" in seen.words
    assert "Range test" not in seen.words


def test_the_recipe_as_it_stands_may_be_the_best() -> None:
    assert "trial 1 (the recipe as it stands)" in search_page(outcome(row(1, 0.9), row(2, 0.8)))
