"""No test of the page looks at it once and asserts what it saw, and none waits for a time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = sorted(HERE.glob("*.py"))
ONE_LOOK = {
    "all_inner_texts", "all_text_contents", "get_attribute", "inner_text", "input_value", "is_checked",
    "is_disabled", "is_enabled", "is_hidden", "is_visible", "query_selector", "query_selector_all",
    "text_content", "title",
}  # fmt: skip
SLEEPS = {"sleep", "wait_for_timeout"}


def calls_in(tree: ast.AST) -> list[tuple[str, ast.Call]]:
    """Calls of methods, by their names."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [(call.func.attr, call) for call in found if isinstance(call.func, ast.Attribute)]


def faults_of(source: str) -> list[str]:
    """Lines that will fail on a slow computer, or that make every computer slow."""
    tree, faults = ast.parse(source), []
    for one in (node for node in ast.walk(tree) if isinstance(node, ast.Assert)):
        for name, call in calls_in(one):
            if name in ONE_LOOK or (name == "count" and not call.args):
                faults.append(f"line {call.lineno}: asserts what {name}() saw at once")
            elif name == "evaluate" and "activeElement" in ast.unparse(call):
                faults.append(f"line {call.lineno}: asserts where the focus was at once")
    for name, call in calls_in(tree):
        if name in SLEEPS or (name == "wait_for_load_state" and "networkidle" in ast.unparse(call)):
            faults.append(f"line {call.lineno}: {name}() waits for a time")
    return faults


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_tests_wait_for_what_they_assert(path: Path) -> None:
    assert faults_of(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("assert page.locator('.a').is_hidden()", "is_hidden"),
        ("assert page.locator('.a').count() == 1", "count"),
        ("assert 'a' in row.inner_text()", "inner_text"),
        ("assert page.evaluate('document.activeElement.id') == 'a'", "focus"),
        ("page.wait_for_timeout(600)", "wait_for_timeout"),
        ("page.wait_for_load_state('networkidle')", "wait_for_load_state"),
    ],
)
def test_what_looks_once_is_found(line: str, fault: str) -> None:
    (found,) = faults_of(line)
    assert fault in found


@pytest.mark.parametrize(
    "line",
    [
        "expect(page.locator('.a')).to_be_hidden()",
        "assert 'abc'.count('a') == 1",
        "assert page.evaluate('localStorage.length') == 0",
        "texts = page.locator('.a').all_inner_texts()",
    ],
)
def test_what_waits_is_not(line: str) -> None:
    assert faults_of(line) == []
