"""What is wrong with a collection, and what it looks like: labels, balance, quality, reports for people.

Enters: an index, thumbnails, embeddings if there is a model. Leaves: findings that a person can act on.
It changes no photograph and no label, and it does not know how to train.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leafsight.inspection.balance import measure_balance
    from leafsight.inspection.balance_records import BalanceReport, ClassBalance
    from leafsight.inspection.checking import CheckOptions, check_collection
    from leafsight.inspection.findings import Case, Finding
    from leafsight.inspection.health import Health
    from leafsight.inspection.insight import (
        Figure,
        InsightOptions,
        Material,
        insight_figures,
        material_of,
        write_insight_page,
        write_pngs,
    )
    from leafsight.inspection.label_records import ConfusedLabels, LabelConflict, LabelReport, SuspiciousLabel
    from leafsight.inspection.labels import confident_joint, find_suspicious_labels
    from leafsight.inspection.looked import Looked
    from leafsight.inspection.page import write_health_report
    from leafsight.inspection.photographs import picture_of
    from leafsight.inspection.quality import QualityOptions
    from leafsight.inspection.reading import Collection, read_collection
    from leafsight.inspection.relatives import Relatives, find_copies, find_leaves

# Loaded when first asked for: who wants one table need not load the figures.
_LATE = {
    "Case": "findings",
    "Collection": "reading",
    "CheckOptions": "checking",
    "Finding": "findings",
    "Health": "health",
    "Looked": "looked",
    "QualityOptions": "quality",
    "Relatives": "relatives",
    "find_copies": "relatives",
    "find_leaves": "relatives",
    "check_collection": "checking",
    "picture_of": "photographs",
    "read_collection": "reading",
    "write_health_report": "page",
    "BalanceReport": "balance_records",
    "ClassBalance": "balance_records",
    "ConfusedLabels": "label_records",
    "LabelConflict": "label_records",
    "LabelReport": "label_records",
    "SuspiciousLabel": "label_records",
    "confident_joint": "labels",
    "find_suspicious_labels": "labels",
    "measure_balance": "balance",
    "Figure": "insight",
    "InsightOptions": "insight",
    "Material": "insight",
    "insight_figures": "insight",
    "material_of": "insight",
    "write_insight_page": "insight",
    "write_pngs": "insight",
}

__all__ = [
    "BalanceReport",
    "Case",
    "CheckOptions",
    "ClassBalance",
    "Collection",
    "ConfusedLabels",
    "Figure",
    "Finding",
    "Health",
    "InsightOptions",
    "LabelConflict",
    "LabelReport",
    "Looked",
    "Material",
    "QualityOptions",
    "Relatives",
    "SuspiciousLabel",
    "check_collection",
    "confident_joint",
    "find_copies",
    "find_leaves",
    "find_suspicious_labels",
    "insight_figures",
    "material_of",
    "measure_balance",
    "picture_of",
    "read_collection",
    "write_health_report",
    "write_insight_page",
    "write_pngs",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"leafsight.inspection.{_LATE[name]}"), name)
    raise AttributeError(f"module 'leafsight.inspection' has no attribute {name!r}")
