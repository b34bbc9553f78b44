"""Figures that answer questions about a collection, each with its answer in words.

Enters: a ``Material``: labels, measures, small pictures and perhaps embeddings. Leaves: ``Figure`` records
of plain data, and of those one HTML page or PNG files. It does not know how photographs are read.
"""

from leafsight.inspection.insight.figure import Figure
from leafsight.inspection.insight.figures import insight_figures
from leafsight.inspection.insight.material import EmbeddingRecords, Material, SmallPictures, material_of
from leafsight.inspection.insight.options import InsightOptions
from leafsight.inspection.insight.page import insight_page, write_insight_page, write_pngs
from leafsight.inspection.insight.series import Axis, Bars, Matrix, Points, Series, Spreads, Tiles, Words

__all__ = [
    "Axis",
    "Bars",
    "EmbeddingRecords",
    "Figure",
    "InsightOptions",
    "Material",
    "Matrix",
    "Points",
    "Series",
    "SmallPictures",
    "Spreads",
    "Tiles",
    "Words",
    "insight_figures",
    "insight_page",
    "material_of",
    "write_insight_page",
    "write_pngs",
]
