"""Goes through every page as the pictures of the documentation do, in a marked language; prints what is bare.

    python tests/desktop/words_of_every_page.py FOLDER

The photographs are drawn, and a model is taught on the way.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.desktop.marked_language import outside, shown_texts, write_marked

PICTURES = Path(__file__).parents[2] / "docs" / "pictures" / "make_desktop.py"
CODE = "zz"


def heard_painting() -> set[str]:
    """What is painted from now on by hand: every such text is cut to its place first."""
    from PySide6.QtGui import QFontMetrics

    painted: set[str] = set()
    cut = QFontMetrics.elidedText

    def heard(self: QFontMetrics, text: str, *how: Any) -> str:
        painted.add(text)
        return cut(self, text, *how)

    QFontMetrics.elidedText = heard  # type: ignore[method-assign]
    return painted


def main() -> None:
    """One JSON object: by page, the texts that nobody could translate, with what shows them."""
    spec = importlib.util.spec_from_file_location("make_desktop", PICTURES)
    assert spec is not None
    assert spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    folder = Path(sys.argv[1])
    state = folder / "state" / "desktop"
    write_marked(state / "languages" / f"{CODE}.po")
    (state / "preferences.json").write_text(json.dumps({"language": CODE}))
    found: dict[str, list[tuple[str, str, str]]] = {}
    painted = heard_painting()
    said: set[str] = set()

    class Listener(pictures.Studio):  # type: ignore[misc, name-defined]
        """Keeps words instead of pictures."""

        def keep(self, name: str) -> None:
            self.rest(0.3)
            texts: Any = shown_texts(self.window)
            for what, text in (*texts, *(("painted", one) for one in painted)):
                said.add(text)
                if bare := outside(text):
                    found.setdefault(name, []).append((what, bare, text))
            painted.clear()

    studio = Listener(folder, folder, True)
    for page in (
        pictures._diagnose,
        pictures._understand,
        pictures._teach,
        pictures._models,
        pictures._settings,
    ):
        page(studio)
    studio.window.close()
    (folder / "said.json").write_text(json.dumps({"bare": found, "said": sorted(said)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
