"""Credentials for a bucket that stand in a file, as other programs for S3 read them.

Enters: the environment. Leaves: what obstore is told beside it. obstore itself reads ``AWS_ACCESS_KEY_ID``
and ``AWS_SECRET_ACCESS_KEY``, and not the file that ``AWS_SHARED_CREDENTIALS_FILE`` names; with it, no secret
need be in the environment. Source of the form: AWS SDKs and Tools Reference Guide, "Shared config and
credentials files".
"""

from __future__ import annotations

from collections.abc import Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import TYPE_CHECKING

from leafsight.errors import ConfigError

if TYPE_CHECKING:
    from obstore.store import S3Config

FILE = "AWS_SHARED_CREDENTIALS_FILE"
MOST_BYTES = 64 * 1024


def credentials_in_file(environment: Mapping[str, str]) -> S3Config:
    """What the file says that ``AWS_SHARED_CREDENTIALS_FILE`` names; nothing where a variable says it.

    Args:
        environment: usually ``os.environ``. ``AWS_PROFILE`` chooses the section, ``default`` otherwise.

    Raises:
        ConfigError: the file cannot be read, or has no credentials. No message shows any of it.
    """
    path = environment.get(FILE, "")
    if not path or environment.get("AWS_ACCESS_KEY_ID"):
        return {}
    profile = environment.get("AWS_PROFILE") or "default"
    # default_section: "[default]" is a section like the others here, and "%" an ordinary character.
    parser = ConfigParser(interpolation=None, default_section="", strict=False)
    try:
        with Path(path).open(encoding="utf-8") as file:
            parser.read_string(file.read(MOST_BYTES))
        section = parser[profile]
        found: S3Config = {
            "access_key_id": section["aws_access_key_id"],
            "secret_access_key": section["aws_secret_access_key"],
        }
        if "aws_session_token" in section:
            found["session_token"] = section["aws_session_token"]
    except OSError as error:
        raise ConfigError(
            "the file with the credentials for the bucket cannot be read",
            hint=f"check {FILE} and who may read it",
        ) from error
    except (Error, KeyError, ValueError):
        # not chained: the cause may show a line of the file
        raise ConfigError(
            "the file with the credentials for the bucket has none",
            hint="it holds [default], aws_access_key_id = ... and aws_secret_access_key = ..., a line each",
        ) from None
    return found
