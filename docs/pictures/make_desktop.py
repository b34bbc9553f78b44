"""Draws leaves, opens the window without a screen, and keeps pictures of it: empty, light, dark, large text.

    python docs/pictures/make_desktop.py [FOLDER]

Every photograph in them is drawn. FOLDER is where they go; this one by default.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SETTLE_S = 1.0


def main() -> None:
    """Keep the pictures."""
    from leafsight.desktop import DesktopOptions
    from leafsight.desktop.window.application import make_application, make_window

    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        photos = _drawn(Path(folder) / "photos")
        application = make_application()
        window = make_window(DesktopOptions(state_dir=Path(folder) / "state", threads=2))
        window.show()
        window._prefer(look="light")
        _settle(application)
        window.grab().save(str(target / "desktop-empty.png"))
        window.add([photos])
        while not len(window._session) or window._session.waiting:
            _settle(application, 0.1)
        for name, wish in (
            ("desktop", {"look": "light"}),
            ("desktop-dark", {"look": "dark"}),
            ("desktop-large", {"look": "light", "text_scale": 1.5}),
        ):
            window._prefer(**wish)
            _settle(application)
            window.grab().save(str(target / f"{name}.png"))
        window.close()


def _drawn(folder: Path) -> Path:
    from PIL import Image

    from leafsight.dataset import draw_leaf

    folder.mkdir()
    wanted = [("Roundleaf", "Rust"), ("Lanceleaf", "Blight"), ("Roundleaf", "healthy"), ("Lanceleaf", "Rust")]
    for number in range(12):
        crop, condition = wanted[number % len(wanted)]
        picture = draw_leaf(crop, condition, seed=number, field=number % 3 == 2, side_px=384)
        Image.fromarray(picture).save(folder / f"leaf {number + 1:02}.jpg", quality=92)
    (folder / "torn.jpg").write_bytes(b"no photograph")
    return folder


def _settle(application: Any, seconds: float = SETTLE_S) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        application.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
