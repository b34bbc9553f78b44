"""The photographs of a study: drawn once in the sizes of the mix, or taken from a folder.

Enters: a folder and a seed. Leaves: files and their table (name, size, bytes, weight). Drawn ones are leaves
of ``dataset`` at up to 512 px, enlarged to their size, with a sensor's noise at full size so that files have
the bytes of real ones; no diagnosis of them means anything.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.errors import DatasetError
from leafsight.loadtest.mix import SIZES, Size
from leafsight.progress import Progress, Silent
from leafsight.storage import write_bytes, write_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLE = "photographs.json"
PER_SIZE, MOST_DRAWN_PX = 6, 512
MOST_TAKEN = 96
CROPS = ("Roundleaf", "Lanceleaf")
CONDITIONS = ("healthy", "Leaf_spot", "Rust", "Powdery_mildew", "Blight")
SUFFIXES = (".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class Photograph:
    """One file that is sent.

    Attributes:
        path: where it lies.
        size: its name in the mix.
        width_px, height_px: of the picture.
        size_bytes: of the file.
        weight: how often it is sent; all of a table together give 100.
    """

    path: str
    size: str
    width_px: int
    height_px: int
    size_bytes: int
    weight: float

    @property
    def name(self) -> str:
        """As it is sent; no two photographs of a table have the same."""
        return Path(self.path).name

    def read(self) -> bytes:
        """The bytes of the file."""
        return Path(self.path).read_bytes()


def draw_photographs(
    folder: Path, *, seed: int = 0, sizes: Sequence[Size] = SIZES, each: int = PER_SIZE,
    progress: Progress | None = None,
) -> list[Photograph]:  # fmt: skip
    """Draw the photographs of the mix, or read the table of those that are there already.

    Args:
        folder: where they are kept.
        seed: another seed draws other leaves.
        sizes: the mix.
        each: photographs of each size.
        progress: hears of each.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: the folder cannot be written.
    """
    wanted = {"seed": seed, "each": each, "sizes": [asdict(size) for size in sizes], "version": 1}
    if (found := _kept(folder, wanted)) is not None:
        return found
    progress = progress or Silent()
    progress.start("drawing photographs", len(sizes) * each)
    photographs = []
    total = sum(size.weight for size in sizes)
    for size in sizes:
        for number in range(each):
            path = folder / f"{size.name.replace(' ', '').replace('.', '-')}-{seed}-{number:02d}.jpg"
            data = _drawn(size, seed * 1000 + number)
            write_bytes(path, data)
            weight = 100 * size.weight / total / each
            photographs.append(
                Photograph(str(path), size.name, size.width_px, size.height_px, len(data), weight)
            )
            progress.advance()
    rows = [asdict(one) | {"path": one.name} for one in photographs]
    write_text(folder / TABLE, json.dumps({"wanted": wanted, "photographs": rows}, indent=1) + "\n")
    progress.finish(f"{len(photographs)} photographs")
    return photographs


def _kept(folder: Path, wanted: dict[str, Any]) -> list[Photograph] | None:
    """The table of ``folder`` if it holds what is wanted and every file is there."""
    try:
        table = json.loads((folder / TABLE).read_text(encoding="utf-8"))
        rows = [Photograph(**(row | {"path": str(folder / row["path"])})) for row in table["photographs"]]
        whole = all(Path(one.path).stat().st_size == one.size_bytes for one in rows)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return rows if whole and table.get("wanted") == wanted else None


def _drawn(size: Size, seed: int) -> bytes:
    import numpy as np
    from PIL import Image

    from leafsight.dataset import draw_leaf

    choice = random.Random(f"{size.name} {seed}")  # noqa: S311 (a drawing, no secret)
    longest = max(size.width_px, size.height_px)
    leaf = draw_leaf(
        choice.choice(CROPS), choice.choice(CONDITIONS), seed=seed * 131 + size.width_px,
        field=choice.random() < 0.7, side_px=min(longest, MOST_DRAWN_PX),
    )  # fmt: skip
    picture = Image.fromarray(leaf).resize((longest, longest), Image.Resampling.BICUBIC)
    left, top = (longest - size.width_px) // 2, (longest - size.height_px) // 2
    picture = picture.crop((left, top, left + size.width_px, top + size.height_px))
    noisy = _with_grain(np.asarray(picture), size.grain, seed)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=size.quality)
    return file.getvalue()


def _with_grain(pixels: NDArray[np.uint8], grain: float, seed: int) -> NDArray[np.uint8]:
    """Noise of brightness in each pixel."""
    import numpy as np

    noise = np.random.default_rng(seed).normal(0.0, grain, (*pixels.shape[:2], 1))
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def take_photographs(folder: Path, *, seed: int = 0, most: int = MOST_TAKEN) -> list[Photograph]:
    """JPEG files of a folder, all sent equally often.

    Args:
        folder: looked through with all folders in it.
        seed: chooses, when there are more than ``most``.
        most: photographs at most.

    Raises:
        DatasetError: it holds none, or one that is no picture.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise DatasetError(f"{folder} holds no JPEG photographs", hint="give another folder to --photos")
    chosen = sorted(random.Random(seed).sample(paths, min(most, len(paths))))  # noqa: S311 (no secret)
    names = [path.name for path in chosen]
    chosen = [path for path in chosen if names.count(path.name) == 1]  # an answer is told by its name
    return [_looked_at(path, 100 / len(chosen)) for path in chosen]


def _looked_at(path: Path, weight: float) -> Photograph:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            width, height = picture.size
    except OSError as error:
        raise DatasetError(f"{path} is no picture", hint="take it out of the folder of --photos") from error
    return Photograph(str(path), _size_name(width, height), width, height, path.stat().st_size, weight)


def _size_name(width_px: int, height_px: int) -> str:
    megapixels = width_px * height_px / 1e6
    for most, name in ((0.2, "< 0.2 MP"), (1.0, "0.2-1 MP"), (4.0, "1-4 MP"), (8.0, "4-8 MP")):
        if megapixels < most:
            return name
    return "8 MP and more"


def digest_of(photographs: Sequence[Photograph]) -> str:
    """A short hash of all bytes and weights: the same photographs have the same."""
    digest = hashlib.sha256()
    for one in photographs:
        digest.update(one.read())
        digest.update(f"{one.name} {one.weight:.6f}".encode())
    return digest.hexdigest()[:16]
