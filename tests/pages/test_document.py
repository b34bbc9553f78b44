from __future__ import annotations

import base64
import hashlib

from leafsight.pages import Script, document, tag


def test_without_scripts_nothing_may_run() -> None:
    page = document("<b>", tag("p", "x"))
    assert "default-src &#x27;none&#x27;" in page
    assert "script-src" not in page
    assert "<script" not in page
    assert "<title>&lt;b&gt;</title>" in page


def test_a_script_is_allowed_by_its_hash_and_stands_last() -> None:
    text = "document.title = 'a < b && c';\n"
    page = document("x", "plain & text", scripts=[Script(text)])
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;" in page
    assert f"plain &amp; text<script>{text}</script></body>" in page


def test_own_style_comes_after_that_of_the_house() -> None:
    page = document("x", "", style=".mine { color:red; }")
    assert page.index("--mark:") < page.index(".mine")
