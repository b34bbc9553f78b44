"""``python notebooks/build.py``: makes leafsight.ipynb from leafsight.py (percent format), and runs it.

Enters: the source. Leaves: the notebook with its outputs, without times, paths of this machine or user names.
``--out FILE`` writes elsewhere, ``--work FOLDER`` runs in a folder that stays.
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
SOURCE, NOTEBOOK = HERE / "leafsight.py", HERE / "leafsight.ipynb"
TIMEOUT_S = 900
"""For one cell."""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def cells_of(source: str) -> list[tuple[str, str]]:
    """Kind (``markdown`` or ``code``) and text of each cell of a source in percent format."""
    parts = re.split(r"^# %%(.*)\n", source, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError("there is text before the first cell")
    cells = []
    for mark, text in zip(parts[1::2], parts[2::2], strict=True):
        kind = "markdown" if mark.strip() == "[markdown]" else "code"
        lines = [re.sub(r"^# ?", "", line) for line in text.strip().splitlines()]
        cells.append((kind, "\n".join(lines) if kind == "markdown" else text.strip()))
    return cells


def notebook_of(source: str) -> Any:
    """The notebook without outputs; equal sources give equal notebooks."""
    make = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    cells = [
        make[kind](text, id=f"cell-{number:03d}") for number, (kind, text) in enumerate(cells_of(source), 1)
    ]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )


def faults_of(notebook: Any) -> list[str]:
    """What must not stand in the outputs: warnings, errors, and what only this machine knows."""
    private = {
        str(Path.home()),
        str(Path.cwd()),
        str(HERE.parent),
        tempfile.gettempdir() + os.sep,
        sys.prefix,
    }
    names = [rf"\b{re.escape(name)}\b" for name in (getpass.getuser(), socket.gethostname())]
    pattern = re.compile("|".join([*map(re.escape, private - {os.sep}), *names]))
    faults = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "") + "".join(output.get("data", {}).get("text/plain", ""))
            if output.output_type == "error" or output.get("name") == "stderr":
                faults.append(f"{cell.id}: {output.get('text', output.get('evalue', ''))[:2000]}")
            faults += [f"{cell.id}: the output names {found.group()}" for found in pattern.finditer(text)]
    return faults


def executed(source: str, work: Path) -> Any:
    """The notebook with the outputs of a run in ``work``; a cell that fails raises ``CellExecutionError``."""
    notebook = notebook_of(source)
    with tempfile.TemporaryDirectory() as profile:
        # Nothing of it is left in the home folder.
        os.environ |= {"IPYTHONDIR": profile, "JUPYTER_RUNTIME_DIR": profile}
        NotebookClient(
            notebook, kernel_name="python3", timeout=TIMEOUT_S, record_timing=False, coalesce_streams=True,
            resources={"metadata": {"path": str(work)}},
        ).execute()  # fmt: skip
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    return notebook


def main() -> int:
    """Build, run, look through, write; nothing is written when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=NOTEBOOK)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leafsight-notebook-") as made:
        notebook = executed(SOURCE.read_text(encoding="utf-8"), asked.work or Path(made))
    faults = faults_of(notebook)
    print(*faults, sep="\n", file=sys.stderr, end="\n" if faults else "")
    if not faults:
        asked.out.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
