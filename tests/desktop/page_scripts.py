"""The functions of the web page's scripts, asked through node.

Enters: files, functions, arguments. Leaves: what each function says. So what the window says is held against
what the page says.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parents[2] / "src" / "leafsight" / "web" / "files"
# Nodes become their text, so that functions that make nodes can be asked for words, but for what is folded.
ASKING = """
import { readFileSync } from "node:fs";
import * as words from "./words.js";
const flat = (one) => (Array.isArray(one) ? one.map(flat).join("") : String(one ?? ""));
const shown = { details: () => "", p: (inside) => `${flat(inside)} ` };
const h = (tag, attributes, ...inside) => (shown[tag] ?? flat)(inside);
const said = [];
for (const [file, name, args] of JSON.parse(readFileSync(process.argv[2], "utf-8"))) {
  const values = name === "result" ? [...args, { elements: { h }, words }] : args;
  said.push((await import(`./${file}`))[name](...values));
}
console.log(JSON.stringify(said));
"""
HAS_NODE = shutil.which("node") is not None
Asked = tuple[str, str, list[Any]]


def asked(
    questions: Sequence[Asked], scripts: Sequence[str], folder: Path, asking: str = ASKING
) -> list[Any]:
    """What the page's functions say.

    Args:
        questions: file, function, arguments.
        scripts: files of the page that are needed.
        folder: for copies of them.
        asking: the script that reads questions and says what each function says.
    """
    for script in scripts:
        shutil.copy(WEB / script, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "asking.mjs").write_text(asking)
    (folder / "asked.json").write_text(json.dumps(questions, allow_nan=False))
    command = [str(shutil.which("node")), "asking.mjs", "asked.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    assert len(answers) == len(questions)
    return answers
