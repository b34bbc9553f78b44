"""The exceptions themselves. Every error that a person can meet is one of these."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass


class LeafsightError(Exception):
    """Root of the tree. Not raised itself: a bare instance means a bug of ours.

    Args:
        message: what happened, with the offending value or path in it.
        hint: what the person can do about it; empty when there is nothing to do.
    """

    exit_code: int = 1
    http_status: int = 500
    slug: str = "internal"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, object]:
        """The error as plain values, for ``--json`` and for problem+json (RFC 9457)."""
        return {"type": self.slug, "status": self.http_status, "message": self.message, "hint": self.hint}


class UsageError(LeafsightError):
    """The command or request was put together wrongly."""

    exit_code, http_status, slug = 2, 400, "usage"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a configuration: where it stands, what was found there and what was wanted."""

    where: str
    key: str
    got: str
    wanted: str
    nearest: str = ""

    def __str__(self) -> str:
        meant = f" (did you mean '{self.nearest}'?)" if self.nearest else ""
        return f"{self.where}: {self.key}: got {self.got}, wanted {self.wanted}{meant}"


class ConfigError(LeafsightError):
    """A recipe, settings file or environment variable is wrong; carries every fault at once."""

    exit_code, http_status, slug = 2, 400, "configuration"

    def __init__(self, message: str, *, faults: Iterable[Fault] = (), hint: str = "") -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        lines = [message, *(f"  {fault}" for fault in self.faults)]
        super().__init__("\n".join(lines), hint=hint)


class MissingExtraError(LeafsightError):
    """A part of leafsight is wanted whose libraries are not installed."""

    exit_code, http_status, slug = 1, 501, "missing-extra"

    def __init__(self, package: str, extra: str) -> None:
        line = f"pip install 'leafsight[{extra}]'"
        frozen = getattr(sys, "frozen", False)  # nobody can install anything into the standalone program
        super().__init__(
            f"this needs '{package}', which is not installed",
            hint=f"the standalone program was built without it; with Python: {line}" if frozen else line,
        )
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """How it gets from one process to another."""
        return type(self), (self.package, self.extra)


class ImageError(LeafsightError):
    """A photograph cannot be used."""

    http_status, slug = 422, "image"


class UnsupportedImageError(ImageError):
    """The bytes are not one of the picture formats that leafsight reads."""

    http_status, slug = 415, "unsupported-image"


class ImageTooLargeError(ImageError):
    """The photograph is over a limit on bytes, sides or pixels; nothing was decoded."""

    http_status, slug = 413, "image-too-large"


class CorruptImageError(ImageError):
    """The photograph is truncated or damaged."""

    slug = "corrupt-image"


class DatasetError(LeafsightError):
    """A photo collection cannot be indexed, split or cached as asked."""

    http_status, slug = 422, "dataset"


class TaxonomyError(LeafsightError):
    """A crop or condition is not known."""

    http_status, slug = 422, "taxonomy"


class BundleError(LeafsightError):
    """A model file cannot be used."""

    slug = "bundle"


class BundleCorruptError(BundleError):
    """A part of the model file is missing, truncated or altered."""

    slug = "bundle-corrupt"


class BundleVersionError(BundleError):
    """The model file was written by a newer leafsight."""

    slug = "bundle-version"


class BundleMismatchError(BundleError):
    """The model file does not fit what it is used with, such as another list of classes."""

    slug = "bundle-mismatch"


class TrainingError(LeafsightError):
    """Training cannot start or go on."""

    slug = "training"


class NonFiniteLossError(TrainingError):
    """The loss became NaN or infinite; the message names the step."""

    slug = "non-finite-loss"


class DeviceMemoryError(TrainingError):
    """Even a batch of one does not fit into the memory of the device."""

    slug = "device-memory"


class EvaluationError(LeafsightError):
    """An evaluation is not possible with these photographs or predictions."""

    http_status, slug = 422, "evaluation"


class ExportError(LeafsightError):
    """A trained model cannot be exported, or the export does not give the same answers."""

    slug = "export"


class StorageError(LeafsightError):
    """A file could not be written or read."""

    slug = "storage"


class DiskFullError(StorageError):
    """No room is left on the disk; what was there before is untouched."""

    http_status, slug = 507, "disk-full"


class PermissionDeniedError(StorageError):
    """The operating system does not let us read or write there."""

    http_status, slug = 403, "permission-denied"


class NotFoundError(LeafsightError):
    """Nothing is kept under this id or name."""

    http_status, slug = 404, "not-found"


class ConflictError(LeafsightError):
    """What is asked for does not fit what is there already."""

    http_status, slug = 409, "conflict"


class AuthenticationError(LeafsightError):
    """The key is missing, unknown or revoked."""

    http_status, slug = 401, "authentication"


class ForbiddenError(LeafsightError):
    """The key may not do this."""

    http_status, slug = 403, "forbidden"


class RequestTooLargeError(LeafsightError):
    """A request is over a limit on bytes, parts or photographs; the rest of it was not read."""

    http_status, slug = 413, "request-too-large"


class OverloadError(LeafsightError):
    """There is more work than can be done in time; this piece was refused before it began.

    Args:
        message: what happened.
        hint: what the person can do about it.
        retry_after_s: when it is worth another try.
    """

    http_status, slug = 503, "overload"

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class RateLimitError(OverloadError):
    """The key has used up what it may ask for in this minute or day."""

    http_status, slug = 429, "rate-limit"


class StateError(LeafsightError):
    """What the service remembers cannot be read or written."""

    slug = "state"


class StateBusyError(StateError):
    """The database or the store for photographs does not answer at the moment."""

    http_status, slug = 503, "state-busy"


class StateFullError(StateBusyError):
    """There is no room for what the service shall remember; once there is, it goes on."""

    slug = "state-full"


class RemoteError(LeafsightError):
    """A leafsight server cannot be reached, or answers what no leafsight server would."""

    http_status, slug = 502, "remote"


class ClusterError(LeafsightError):
    """A cluster does not answer, does not fit, or lost what was at work on it more often than is allowed."""

    slug = "cluster"
