"""Photo collections: the index, leak-free splits, duplicates, the packed pixel cache, drawn leaves.

Enters: folders, lists and archives of photographs. Leaves: tables, splits and one memory-mapped block of
pixels. It does not know what a network is, nor what a class name means.
"""

from leafsight.dataset.answer_file import AnswerFile, answer_counts
from leafsight.dataset.captures import capture_of, capture_runs
from leafsight.dataset.copying import CopyOptions, CopyReport, LeftOut, copy_photos
from leafsight.dataset.coverage import Coverage, class_coverage, coverage_sentence
from leafsight.dataset.elsewhere import Elsewhere, Seen, Wanted
from leafsight.dataset.embeddings import EMBEDDING_SUFFIX, Embedder, Embeddings
from leafsight.dataset.folds import fold_photos
from leafsight.dataset.group_rules import FoundSets, GroupOptions, Rule
from leafsight.dataset.groups import GroupReport, group_photos
from leafsight.dataset.indexing import index_photos, look_again
from leafsight.dataset.leaf_map import leaf_maps_inside, read_leaf_map
from leafsight.dataset.look import look_hash, pixel_hash
from leafsight.dataset.photo_index import PhotoIndex, joined
from leafsight.dataset.photo_table import COLUMNS, PhotoRow, table_of
from leafsight.dataset.pixel_cache import PixelCache
from leafsight.dataset.ratios import parse_ratios
from leafsight.dataset.reading import look_at
from leafsight.dataset.repair import RepairOptions, plan_repair
from leafsight.dataset.repair_journal import Journal
from leafsight.dataset.repair_moves import finish_moves, journal_for, move_files, undo_moves
from leafsight.dataset.repair_plan import Conflict, RepairPlan, RepairStep
from leafsight.dataset.sketches import SKETCH_SUFFIX, ByNumber, Sketches
from leafsight.dataset.split import SplitOptions, adopt_splits, split_photos
from leafsight.dataset.summary import ClassSummary, Leak, SplitSummary, split_summary
from leafsight.dataset.synth import SynthOptions, draw_background, draw_leaf, write_synthetic_collection
from leafsight.storage import ArchiveLimits

__all__ = [
    "AnswerFile",
    "ByNumber",
    "COLUMNS",
    "ArchiveLimits",
    "ClassSummary",
    "CopyOptions",
    "CopyReport",
    "Conflict",
    "Coverage",
    "EMBEDDING_SUFFIX",
    "Elsewhere",
    "Embedder",
    "Embeddings",
    "FoundSets",
    "GroupOptions",
    "GroupReport",
    "Journal",
    "Leak",
    "LeftOut",
    "PhotoIndex",
    "PhotoRow",
    "PixelCache",
    "Rule",
    "RepairOptions",
    "RepairPlan",
    "RepairStep",
    "SKETCH_SUFFIX",
    "Seen",
    "Sketches",
    "SplitOptions",
    "SplitSummary",
    "SynthOptions",
    "Wanted",
    "adopt_splits",
    "answer_counts",
    "capture_of",
    "capture_runs",
    "class_coverage",
    "copy_photos",
    "coverage_sentence",
    "draw_background",
    "draw_leaf",
    "finish_moves",
    "fold_photos",
    "group_photos",
    "index_photos",
    "joined",
    "journal_for",
    "leaf_maps_inside",
    "look_again",
    "look_at",
    "look_hash",
    "move_files",
    "parse_ratios",
    "pixel_hash",
    "plan_repair",
    "read_leaf_map",
    "split_photos",
    "split_summary",
    "table_of",
    "undo_moves",
    "write_synthetic_collection",
]
