"""One HTML file with everything in it, and a policy under which nothing else can run or be fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from leafsight.pages.markup import Content, Html, tag

# Nothing may be fetched and nothing may run, whatever a class name holds.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Script:
    """A program that may run in a page; the policy names it by its hash.

    Attributes:
        text: JavaScript. It comes from a file of ours and never holds anything that a user wrote.
    """

    text: str

    @property
    def source(self) -> str:
        """The hash as a Content-Security-Policy spells it (W3C CSP Level 3, hash-source)."""
        digest = hashlib.sha256(self.text.encode("utf-8")).digest()
        return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def document(title: str, body: Content, *, style: str = "", scripts: Sequence[Script] = ()) -> str:
    """A whole page in the house's style.

    Args:
        title: of the window.
        body: what the page shows.
        style: CSS after that of the house. Like a script it comes from a file of ours.
        scripts: run after the body; without any the policy forbids all.
    """
    allowed = f"; script-src {' '.join(script.source for script in scripts)}" if scripts else ""
    house = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        [
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=POLICY + allowed),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            tag("style", Html(house + style)),
        ],
    )
    pieces = [body] if isinstance(body, str) else list(body)
    programs = [tag("script", Html(script.text)) for script in scripts]
    return "<!DOCTYPE html>\n" + tag("html", [head, tag("body", [*pieces, *programs])], lang="en") + "\n"
