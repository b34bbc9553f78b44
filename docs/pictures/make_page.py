"""Makes page.png: the page of `leafsight serve` with a drawn leaf that the built-in model was never taught.

.venv/bin/python docs/pictures/make_page.py    (needs Chromium)
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from leafsight.dataset import draw_leaf

TARGET = Path(__file__).with_name("page.png")
SERVE = "from leafsight.cli import main; main()"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    """Draw a leaf, serve, look."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "leaf.jpg"
        picture = draw_leaf("Lanceleaf", "Blight", seed=9_000_004, field=False, side_px=480)
        Image.fromarray(picture).save(photo, quality=92)
        words = ["serve", "--port", "0", "--workers", "1", "--state-dir", f"{folder}/state"]
        server = subprocess.Popen([sys.executable, "-c", SERVE, *words], stderr=subprocess.PIPE, text=True)
        try:
            assert server.stderr is not None
            ready = (re.search(r"ready on (http://\S+)", line) for line in server.stderr)
            look(next(found for found in ready if found)[1], photo)
        finally:
            server.terminate()
            server.communicate()


def look(address: str, photo: Path) -> None:
    """Diagnose as a person would, and keep the picture of it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 980})
        page.goto(address)
        page.locator("input[type=file]").first.set_input_files(photo)
        page.get_by_role("button", name=re.compile("^Diagnose")).click()
        page.get_by_text("Do you know what it shows?").wait_for()
        page.evaluate("window.scrollTo(0, 0)")
        page.wait_for_timeout(1000)  # the heatmap is drawn
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main()
