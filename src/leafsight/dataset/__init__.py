"""Photo collections: the index, leak-free splits, the packed pixel cache, a first health check, drawn leaves.

Enters: folders, lists and archives of photographs. Leaves: tables, splits and one memory-mapped block of
pixels. It does not know what a network is, nor what a class name means.
"""

from leafsight.dataset.archive_members import ArchiveLimits
from leafsight.dataset.captures import capture_of, capture_runs
from leafsight.dataset.groups import GroupOptions, GroupReport, group_photos, read_leaf_map
from leafsight.dataset.health import Duplicates, HealthReport, check_photos
from leafsight.dataset.indexing import index_photos
from leafsight.dataset.photo_index import PhotoIndex, joined
from leafsight.dataset.photo_table import COLUMNS, PhotoRow, table_of
from leafsight.dataset.pixel_cache import PixelCache
from leafsight.dataset.ratios import parse_ratios
from leafsight.dataset.split import SplitOptions, adopt_splits, fold_photos, split_photos
from leafsight.dataset.summary import ClassSummary, Leak, SplitSummary, split_summary
from leafsight.dataset.synth import SynthOptions, draw_background, draw_leaf, write_synthetic_collection

__all__ = [
    "COLUMNS",
    "ArchiveLimits",
    "ClassSummary",
    "Duplicates",
    "GroupOptions",
    "GroupReport",
    "HealthReport",
    "Leak",
    "PhotoIndex",
    "PhotoRow",
    "PixelCache",
    "SplitOptions",
    "SplitSummary",
    "SynthOptions",
    "adopt_splits",
    "capture_of",
    "capture_runs",
    "check_photos",
    "draw_background",
    "draw_leaf",
    "fold_photos",
    "group_photos",
    "index_photos",
    "joined",
    "parse_ratios",
    "read_leaf_map",
    "split_photos",
    "split_summary",
    "table_of",
    "write_synthetic_collection",
]
