"""One tree of exceptions: each carries a message, a hint, an exit code and an HTTP status.

Enters: what went wrong, in the words of the room that saw it. Leaves: the same two sentences for a
terminal, an HTTP answer and a window. It does not know how any of those three draws them.
"""

from leafsight.errors.requirements import require
from leafsight.errors.tree import (
    BundleCorruptError,
    BundleError,
    BundleMismatchError,
    BundleVersionError,
    ConfigError,
    CorruptImageError,
    DatasetError,
    DeviceMemoryError,
    DiskFullError,
    EvaluationError,
    ExportError,
    Fault,
    ImageError,
    ImageTooLargeError,
    LeafsightError,
    MissingExtraError,
    NonFiniteLossError,
    PermissionDeniedError,
    StorageError,
    TaxonomyError,
    TrainingError,
    UnsupportedImageError,
    UsageError,
)
from leafsight.errors.validation import faults_from_validation, nearest, validated

__all__ = [
    "BundleCorruptError",
    "BundleError",
    "BundleMismatchError",
    "BundleVersionError",
    "ConfigError",
    "CorruptImageError",
    "DatasetError",
    "DeviceMemoryError",
    "DiskFullError",
    "EvaluationError",
    "ExportError",
    "Fault",
    "ImageError",
    "ImageTooLargeError",
    "LeafsightError",
    "MissingExtraError",
    "NonFiniteLossError",
    "PermissionDeniedError",
    "StorageError",
    "TaxonomyError",
    "TrainingError",
    "UnsupportedImageError",
    "UsageError",
    "faults_from_validation",
    "nearest",
    "require",
    "validated",
]
