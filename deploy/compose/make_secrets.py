"""Makes the secrets of compose.yaml, each in a file of its own: ``python3 deploy/compose/make_secrets.py``.

Needs Python 3.9 and nothing else. Enters: a folder, ``deploy/compose/secrets`` unless one is named. Leaves:
what is not there yet; a secret that is there stays as it is, so running it again is harmless. Nothing is
printed but names.

The folder can be entered by its owner alone. The files in it can be read by whoever gets that far, since
the users of the containers, who have them mounted one by one, are not the user who runs this.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "secrets"
BUCKET = "leafsight"
USER, HOST, DATABASE = "leafsight", "database", "leafsight"


def main() -> int:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where they lie (%(default)s)")
    folder = parser.parse_args().folder
    try:
        made = make_missing(folder)
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}\nhint: choose another --folder", file=sys.stderr)
        return 1
    print(f"made in {folder}: {', '.join(made)}" if made else f"all secrets are in {folder} already")
    return 0


def make_missing(folder: Path) -> list[str]:
    """The names of what was made. A secret that two files hold is taken from the one that is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[str] = []

    def kept(name: str, text: str) -> str:
        path = folder / name
        if path.exists():
            return path.read_text(encoding="ascii")
        write(path, text)
        made.append(name)
        return text

    password = kept("database_password", secrets.token_hex(24))
    kept("database_url", f"postgresql://{USER}:{password}@{HOST}/{DATABASE}")
    name, secret = secrets.token_hex(10), secrets.token_hex(20)
    lines = kept("store_credentials", credentials(name, secret)).splitlines()
    name, secret = (line.partition(" = ")[2] for line in lines[1:3])
    kept("store_identities", identities(name, secret))
    kept("metrics_key", secrets.token_hex(32))
    kept("grafana_password", secrets.token_urlsafe(18))
    return made


def write(path: Path, text: str) -> None:
    """Whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o444)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
    unfinished.replace(path)


def credentials(name: str, secret: str) -> str:
    """As programs for S3 read them (AWS_SHARED_CREDENTIALS_FILE)."""
    return f"[default]\naws_access_key_id = {name}\naws_secret_access_key = {secret}\n"


def identities(name: str, secret: str) -> str:
    """As the store reads them: leafsight may do everything in its one bucket, and nothing elsewhere."""
    actions = [f"{what}:{BUCKET}" for what in ("Admin", "Read", "Write", "List", "Tagging")]
    identity = {
        "name": "leafsight",
        "credentials": [{"accessKey": name, "secretKey": secret}],
        "actions": actions,
    }
    return json.dumps({"identities": [identity]}, indent=1)


if __name__ == "__main__":
    raise SystemExit(main())
