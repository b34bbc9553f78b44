"""Files that are not photographs, or want to be more than that: each gets an answer or a problem."""

from __future__ import annotations

import base64
import io
import json
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import RED
from tests.service.conftest import options_in

from leafsight.service import create_app
from leafsight.service.schemas import PredictAnswer, Problem

JPEG, PNG = picture_bytes(RED), picture_bytes(RED, kind="PNG")
IMAGE = {"content-type": "image/jpeg"}
PICTURE_MIB = 6000 * 6000 * 3 / 2**20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def client(folder: Path, colour_model: Path) -> Iterator[TestClient]:
    """One service for all files, which keeps what it can keep: what one does must not harm the next."""
    app = create_app(options_in(folder, model=colour_model, keep_photos="always", deadline_s=60.0))
    with TestClient(
        app, base_url="http://localhost:8000", client=("127.0.0.1", 1), raise_server_exceptions=False
    ) as one:
        yield one


def judged(answer: Any) -> dict[str, Any] | None:
    """The answer for one photograph; ``None`` for a problem. Nothing else is possible."""
    assert "Traceback" not in answer.text
    if answer.status_code == 200:
        said = PredictAnswer.model_validate(answer.json()).model_dump()
        json.loads(answer.content, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        one: dict[str, Any] = said["predictions"][0]
        assert one["verdict"] != "unreadable" or (one["error"]["type"] and not one["stored"])
        return one
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    Problem.model_validate(answer.json())
    return None


def png(width: int, height: int, data: bytes, *, colour: int = 2, extra: bytes = b"") -> bytes:
    """A PNG whose header says what we like."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def png_chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def tiff(width: int, height: int) -> bytes:
    """A TIFF of 58 bytes that says it has ``width`` times ``height`` pixels."""
    entries = [(256, width), (257, height), (258, 8), (262, 1)]
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4)


def webp(width: int, height: int) -> bytes:
    """A WebP with only its extended header."""
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + sides
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose frame header says what we like; the rest fits a small one."""
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


def exif_bomb() -> bytes:
    """A JPEG whose EXIF points to itself, over and over, and is as large as it may be."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    ifd = b"II*\x00" + struct.pack("<IH", 8, 5000) + entry * 5000 + struct.pack("<I", 8)
    segments = b"".join(
        b"\xff\xe1" + struct.pack(">H", 65_535) + (b"Exif\x00\x00" + ifd).ljust(65_533, b"\x00")
        for _ in range(40)
    )
    return JPEG[:2] + segments + JPEG[2:]


def zip_behind(image: bytes) -> bytes:
    file = io.BytesIO(image)
    file.seek(0, 2)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../../evil.py", "import os")
    return file.getvalue()


def saved(kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), RED).save(file, kind, **options)
    return file.getvalue()


ZEROS = zlib.compress(bytes(50_000_000), 9)
NOT_PHOTOGRAPHS: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"\xff",
    "only a signature": b"\x89PNG\r\n\x1a\n",
    "only the start of a JPEG": b"\xff\xd8\xff",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg that loads": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
    "billion laughs": b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><svg>&b;</svg>',
    "html": b"<html><script>alert(1)</script></html>",
    "php": b"\xff\xd8\xff<?php system($_GET['c']); ?>",
    "elf": b"\x7fELF" + bytes(60),
    "windows program": b"MZ" + bytes(60),
    "pdf": b"%PDF-1.7\n%%EOF",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file",
    "magick": b"push graphic-context\nfill 'url(https://127.0.0.1/x\"|ls \"-la)'",
    "zip": zip_behind(b""),
    "pickle": b"\x80\x04\x95cos\nsystem\n(S'ls'\ntR.",
    "gif": saved("GIF"),
    "gif with html": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//<script>",
    "ico": saved("ICO"),
    "icns or jp2": saved("JPEG2000") if "JPEG2000" in Image.SAVE else b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    "ppm": saved("PPM"),
    "huge png": png(30_000, 30_000, ZEROS),
    "widest png": png(2**31 - 1, 1, ZEROS),
    "empty png": png(0, 0, zlib.compress(b"")),
    "png without pixels": png(64, 64, b""),
    "png with other pixels": png(64, 64, b"not deflate"),
    "huge jpeg": jpeg_of(65_535, 65_535),
    "huge tiff": tiff(2**31, 2**31),
    "large tiff without pixels": tiff(10_000, 10_000),
    "huge webp": webp(2**24, 2**24),
    "large webp without pixels": webp(10_000, 10_000),
    "huge bmp": b"BM"
    + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**30, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
}
STILL_PHOTOGRAPHS: dict[str, bytes] = {
    "jpeg with a zip behind it": zip_behind(JPEG),
    "png with a zip behind it": zip_behind(PNG),
    "png with a page in its text": png(
        64, 64, zlib.compress(b"".join(b"\x00" + bytes(RED) * 64 for _ in range(64))),
        extra=png_chunk(b"tEXt", b"Comment\x00<script>alert(1)</script>"),
    ),
    "jpeg with a php comment": JPEG[:2] + b"\xff\xfe\x00\x1e<?php system($_GET['c']);?>x" + JPEG[2:],
    "exif that points to itself": exif_bomb(),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_PHOTOGRAPHS)
@pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream", "image/svg+xml"])
def test_what_is_no_photograph_is_unreadable(client: TestClient, name: str, kind: str) -> None:
    """Whatever its type says: only the content decides."""
    one = judged(client.post("/v1/predict", content=NOT_PHOTOGRAPHS[name], headers={"content-type": kind}))
    assert one is not None
    assert one["verdict"] == "unreadable", name


@pytest.mark.parametrize("name", STILL_PHOTOGRAPHS)
def test_polyglots_are_judged_as_the_photographs_they_are(
    client: TestClient, folder: Path, name: str
) -> None:
    """And nothing but the pixels is kept."""
    before = files_below(folder)
    one = judged(client.post("/v1/predict", content=STILL_PHOTOGRAPHS[name], headers=IMAGE))
    assert one is not None
    assert (one["verdict"], one["stored"]) == ("diagnosis", True), one
    (kept,) = files_below(folder) - before
    data = kept.read_bytes()
    assert not any(part in data for part in (b"<script>", b"<?php", b"PK\x03\x04", b"Exif"))
    Image.open(io.BytesIO(data)).load()


def files_below(folder: Path) -> set[Path]:
    return {path for path in (folder / "blobs").rglob("*") if path.is_file()}


@pytest.mark.parametrize("heatmap", ["", "?heatmap=png", "?heatmap=layer&combine=true"])
def test_truncated_files_are_answered(client: TestClient, heatmap: str) -> None:
    for data in (JPEG, PNG, saved("WEBP"), saved("TIFF"), saved("BMP")):
        for share in (0.02, 0.3, 0.6, 0.95):
            cut = data[: int(len(data) * share)]
            assert judged(client.post(f"/v1/predict{heatmap}", content=cut, headers=IMAGE)) is not None


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", JPEG[:200], PNG[:60], b"RIFF\x00\x00\x00\x00WEBP", b"II*\x00"]),
)
def test_any_bytes_are_answered(client: TestClient, data: bytes, head: bytes) -> None:
    assert judged(client.post("/v1/predict", content=head + data, headers=IMAGE)) is not None


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "BMP"]), st.integers(0, 2**32), st.integers(1, 60))
def test_corrupted_files_are_answered(client: TestClient, kind: str, seed: int, flips: int) -> None:
    data, dice = bytearray(saved(kind)), random.Random(seed)
    for _ in range(flips):
        data[dice.randrange(len(data))] = dice.randrange(256)
    answer = client.post("/v1/predict?heatmap=png", content=bytes(data), headers=IMAGE)
    assert judged(answer) is not None


NAMES = [
    "../../../../etc/passwd", "..\\..\\windows\\win.ini", "/etc/passwd", "C:\\boot.ini", "\\\\host\\share\\x",
    "a\x00.jpg", "a\r\nSet-Cookie: b=c.jpg", "a\x1b[2Jb.jpg", "a\u202egpj.exe", "\u200f\u200e", "", ".", "..",
    "~root", "-rf", "CON", "a" * 10_000, "ü" * 10_000, "$(ls)", "`ls`", "'; DROP TABLE predictions; --",
    "<script>alert(1)</script>.jpg", "%2e%2e%2f", "a.jpg.php", "\ufeff", "\U0001f345.jpg", "file:///etc/passwd",
    "a\ud800b",
]  # fmt: skip


def check_name(client: TestClient, folder: Path, answer: Any) -> None:
    one = judged(answer)
    if one is None:
        return
    assert one["photo"].isprintable()
    assert 1 <= len(one["photo"]) <= 200
    kept = [path.relative_to(folder / "blobs").as_posix() for path in files_below(folder)]
    assert f"photographs/{one['id']}.jpg" in kept
    assert all(path.startswith("photographs/") and path.isascii() for path in kept)
    client.get(f"/v1/predictions/{one['id']}").raise_for_status()


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_are_shown_and_never_become_paths(client: TestClient, folder: Path, name: str) -> None:
    encoded = base64.b64encode(JPEG).decode()
    body = json.dumps({"photos": [{"name": name, "base64": encoded}]}).encode()
    answer = client.post("/v1/predict", content=body, headers={"content-type": "application/json"})
    check_name(client, folder, answer)
    escaped = (
        name.encode("utf-8", "surrogatepass").replace(b'"', b"%22").replace(b"\r", b"").replace(b"\n", b"")
    )
    check_name(
        client,
        folder,
        client.post("/v1/predict", **form(b'form-data; name="p"; filename="' + escaped + b'"')),
    )


def form(disposition: bytes, charset: str = "") -> dict[str, Any]:
    body = (
        b"--b\r\nContent-Disposition: "
        + disposition
        + b"\r\nContent-Type: image/jpeg\r\n\r\n"
        + JPEG
        + b"\r\n--b--\r\n"
    )
    return {"content": body, "headers": {"content-type": f"multipart/form-data; boundary=b{charset}"}}


@pytest.mark.parametrize(
    "charset",
    ["idna", "punycode", "utf-7", "utf-16", "unicode_escape", "raw_unicode_escape", "hex", "rot13",
     "undefined", "mbcs", "no-such", "a" * 1000, "utf-8-sig", "cp037", "base64", "zlib_codec", "bz2"],
)  # fmt: skip
@pytest.mark.parametrize("name", [b"a.jpg", b"\xff\xfe\xfd", b"xn--a", b"\\ud800", b"\\x", b"+2AA-", b"..-"])
def test_a_form_may_not_choose_how_names_are_decoded_into_trouble(
    client: TestClient, charset: str, name: bytes
) -> None:
    disposition = b'form-data; name="p"; filename="' + name + b'"'
    judged(client.post("/v1/predict", **form(disposition, f"; charset={charset}")))


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\n\r\n\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="p"\r\n\r\n' + b"x" * 2_000_000 + b"\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="p"; filename*=utf-8\'\'%ff%00\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="' + b"p" * 100_000 + b'"\r\n\r\nx\r\n--b--\r\n',
        b"--b\r\n" + b"X-A: b\r\n" * 5_000 + b"\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="p"; filename="a"\r\n\r\nx',
        b"--b" * 10_000,
        b"\r\n" * 100_000,
        b"--b\r\nContent-Disposition: form-data; name=_charset_\r\n\r\nidna\r\n--b--\r\n",
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="p"\r\n\r\nx\r\n' for _ in range(100)
        ) + b"--b--\r\n",
    ],
    ids=range(11),
)  # fmt: skip
def test_forms_that_are_none(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    judged(client.post("/v1/predict", content=body, headers=headers))


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data", "multipart/form-data; boundary=", "image/", "image/jpeg; a=\xff", ";", "/",
        "multipart/form-data; boundary=" + "b" * 100_000, "multipart/form-data; boundary=\xff",
        "application/json; charset=utf-16",
    ],
)  # fmt: skip
def test_types_that_are_none(client: TestClient, kind: str) -> None:
    judged(client.post("/v1/predict", content=b"--b--", headers={"content-type": kind.encode("latin-1")}))


@pytest.mark.parametrize(
    "body",
    [
        b'{"photos":' + b"[" * 50_000, b'{"a":' * 50_000,
        b'{"photos":[{"base64":"' + b"A" * 1_000_001 + b'"}]}',
        b'{"photos":[{"base64":"\\ud800"}]}', b'{"photos":[{"base64":"\xff"}]}', b'{"photos": NaN}',
        b'{"photos":[{"name":1,"base64":""}]}', b'{"photos":[{"name":null,"base64":""}]}', b"1" * 5000,
        b'{"photos":[{"base64":"' + b"A" * 8 + b'"}],"photos":[]}', b"\xef\xbb\xbf{}",
        b'{"photos":[{"base64":""}]}',
    ],
    ids=range(12),
)  # fmt: skip
def test_json_that_wants_to_be_more(client: TestClient, body: bytes) -> None:
    judged(client.post("/v1/predict", content=body, headers={"content-type": "application/json"}))


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.dictionaries(
        st.sampled_from(
            ["accept", "origin", "host", "authorization", "idempotency-key", "x-request-id", "cookie",
             "range", "content-encoding", "content-type", "forwarded", "x-forwarded-proto", "expect"]
        ),
        st.binary(max_size=60).filter(lambda value: not set(value) & set(b"\r\n\x00")),
        max_size=5,
    )
)  # fmt: skip
def test_any_headers_are_answered(client: TestClient, headers: dict[str, bytes]) -> None:
    judged(client.post("/v1/predict", content=JPEG, headers={**IMAGE, **headers}))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_bodies_are_never_unpacked(client: TestClient, encoding: str) -> None:
    """So a bomb in a Content-Encoding is only some bytes that are no photograph."""
    headers = {**IMAGE, "content-encoding": encoding}
    one = judged(client.post("/v1/predict", content=ZEROS, headers=headers))
    assert one is not None
    assert one["verdict"] == "unreadable"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("image/png", JPEG), ("image/jpeg", b"<svg>"), ("application/zip", JPEG), ("image/tiff", b"II"),
        ("application/x-tar", b"\x1f\x8b" + bytes(600)), ("image/webp", b"RIFF"),
        ("application/gzip", b"PK\x03\x04"),
    ],
)  # fmt: skip
def test_an_upload_is_what_its_type_says(client: TestClient, folder: Path, kind: str, body: bytes) -> None:
    before = files_below(folder)
    answer = client.post("/v1/uploads", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    assert files_below(folder) == before


def test_the_name_of_an_upload_is_the_servers(client: TestClient, folder: Path) -> None:
    headers = {"content-type": "image/jpeg", "content-disposition": 'attachment; filename="../../x.php"'}
    before = files_below(folder)
    said = client.post("/v1/uploads?label=../../etc", content=JPEG, headers=headers).json()
    (kept,) = files_below(folder) - before
    assert kept.relative_to(folder / "blobs").as_posix() == f"uploads/{said['id']}.jpg"
    if sys.platform != "win32":
        assert kept.stat().st_mode & 0o111 == 0
        assert kept.stat().st_mode & 0o077 == 0


BOMBED = """
import resource, sys
from pathlib import Path
from starlette.testclient import TestClient
from tests.service.conftest import HERE, options_in
from leafsight.service import create_app

folder, model, bomb = map(Path, sys.argv[1:])
app = create_app(options_in(folder, model=model, keep_photos="always", deadline_s=60.0))
with TestClient(app, base_url="http://localhost:8000", client=HERE) as client:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    files = [("photo", (f"{n}.png", bomb.read_bytes(), "image/png")) for n in range(6)]
    answer = client.post("/v1/predict", files=files)
    assert [one["stored"] for one in answer.json()["predictions"]] == [True] * 6, answer.text
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kibibytes there")
def test_bombs_do_not_fill_the_memory(tmp_path: Path, colour_model: Path) -> None:
    """Each is decoded, judged, encoded again and forgotten before the next: memory for one, not for all.

    In a process of its own, as a worker is: what other tests left in this one would be counted, too.
    """
    side = 6000
    rows = zlib.compressobj(1)
    data = b"".join(rows.compress(bytes(1 + 3 * side)) for _ in range(side)) + rows.flush()
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png(side, side, data))
    assert bomb.stat().st_size < 2_000_000
    words = [sys.executable, "-c", BOMBED, str(tmp_path), str(colour_model), str(bomb)]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 5 * PICTURE_MIB, f"{done.stdout} MiB"
