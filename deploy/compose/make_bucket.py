"""Makes the bucket of a store that speaks S3, if it is not there.

    python make_bucket.py http://store:8333 leafsight

Runs in the image of leafsight, with Python alone. Enters: the address of the store, the name of the bucket,
and credentials in the file that ``AWS_SHARED_CREDENTIALS_FILE`` names. Ends with 0 when the bucket is there.
Source of the signature: AWS, "Create a signed AWS API request" (Signature Version 4).
"""

from __future__ import annotations

import configparser
import datetime as dt
import hashlib
import hmac
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

REGION, SERVICE = "us-east-1", "s3"
PATIENCE_S = 60.0
EMPTY = hashlib.sha256(b"").hexdigest()
THERE = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")


def main(endpoint: str, bucket: str) -> int:
    """Ask until there is an answer."""
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    parser.read(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    name, secret = (parser["default"][key] for key in ("aws_access_key_id", "aws_secret_access_key"))
    until = time.monotonic() + PATIENCE_S
    while True:
        status, said = ask(endpoint, bucket, name, secret)
        if status == 200 or any(word in said for word in THERE):
            print(f"the bucket {bucket} is there")
            return 0
        if 400 <= status < 500 or time.monotonic() > until:
            print(f"error: the store answered {status} to the wish for the bucket {bucket}: {said[:300]}")
            return 1
        time.sleep(1)


def ask(endpoint: str, bucket: str, name: str, secret: str) -> tuple[int, str]:
    """One ``PUT /bucket``: the status, 0 without an answer, and what was said."""
    headers = signed("PUT", endpoint, f"/{bucket}", name, secret, dt.datetime.now(dt.UTC))
    request = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read(2000).decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def signed(method: str, endpoint: str, path: str, name: str, secret: str, now: dt.datetime) -> dict[str, str]:
    """The headers of a request without a body."""
    host = urllib.parse.urlsplit(endpoint).netloc
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{key}:{value}\n" for key, value in headers.items())
    canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{EMPTY}"
    scope = f"{moment[:8]}/{REGION}/{SERVICE}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={name}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return {**headers, "authorization": authorization}


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
