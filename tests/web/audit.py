"""What a page must have whoever uses it, asked of Chromium itself.

Enters: a page that is open. Leaves: one line for each fault; no line is good. Names come from Chromium's
accessibility tree, colours from computed styles. It does not know any tab.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.web.looking import LOOKS, look_as

CONTROLS = {
    "button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "listbox", "slider",
    "spinbutton", "tab", "switch", "menuitem", "option", "image", "img",
    "DisclosureTriangle", "dialog", "table", "region",
}  # fmt: skip
NAMELESS = {"table", "image", "img"}
"""Need no name where they only decorate; Chromium leaves those of them out that are hidden from the tree."""
LANDMARKS = ("banner", "navigation", "main", "contentinfo")
ASKED = (Path(__file__).parent / "audit.js").read_text("utf-8")


def structure_faults(page: Any) -> list[str]:
    """Headings out of order, ids twice, references to nothing, landmarks missing, controls without a name."""
    faults = _ask(page, "structure")
    nodes = [node for node in tree_of(page) if not node.get("ignored")]
    roles = [node["role"]["value"] for node in nodes]
    faults += [f"{roles.count(one)} landmarks {one}" for one in LANDMARKS if roles.count(one) != 1]
    for node, role in zip(nodes, roles, strict=True):
        name = str(node.get("name", {}).get("value", "")).strip()
        if role in CONTROLS and role not in NAMELESS and not name:
            faults.append(f"a {role} has no name")
        if role == "button" and name and not re.search(r"\w", name):
            faults.append(f"the name of a button is {name!r}")
    return faults


def tree_of(page: Any) -> list[dict[str, Any]]:
    """Chromium's accessibility tree, flat."""
    session = page.context.new_cdp_session(page)
    try:
        nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    finally:
        session.detach()
    return nodes


def contrast_faults(page: Any) -> list[str]:
    """Text that is seen with less than 4.5 to 1 (WCAG 2.2, 1.4.3), 3 to 1 where it is large."""
    return _ask(page, "contrast")


def small_targets(page: Any, least_px: int = 44) -> list[str]:
    """Controls that a finger misses."""
    return _ask(page, "small", least_px)


def width_faults(page: Any) -> list[str]:
    """Whether somebody has to scroll sideways."""
    wide = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
    return [f"it is {wide} px wider than the window"] if wide > 0 else []


def faults_in_all_looks(
    page: Any,
    show: Callable[[str], object],
    *,
    looks: Iterable[tuple[int, str]] = LOOKS,
    height: int = 900,
    fingers_below_px: int = 1000,
) -> dict[str, list[str]]:
    """All of the above for one page at every width and in both themes; only what has faults.

    Args:
        page: open.
        show: told each look in one word, such as ``390-dark``, when the page has it.
        looks: widths in pixels and themes.
        height: of the window, in pixels.
        fingers_below_px: narrower windows are touched with fingers.
    """
    faults = {}
    for width, scheme in looks:
        name = look_as(page, width, scheme, height)
        faults[name] = contrast_faults(page) + structure_faults(page) + width_faults(page)
        if width < fingers_below_px:
            faults[name] += small_targets(page)
        show(name)
    return {name: found for name, found in faults.items() if found}


def window_faults(page: Any, show: Callable[[str], object]) -> dict[str, list[str]]:
    """The same while a window is over the page, which hides the landmarks below it from everybody."""
    found = faults_in_all_looks(page, show)
    left = {look: [one for one in faults if " landmarks " not in one] for look, faults in found.items()}
    return {look: faults for look, faults in left.items() if faults}


def _ask(page: Any, what: str, argument: Any = None) -> list[str]:
    functions = page.evaluate_handle(ASKED)
    faults: list[str] = functions.evaluate(f"(all, argument) => all.{what}(argument)", argument)
    return faults
