"""All figures of one collection."""

from __future__ import annotations

from leafsight.errors import DatasetError
from leafsight.inspection.insight import capture, counts, embedding_map, looks, sizes, tones
from leafsight.inspection.insight.figure import Figure
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.options import InsightOptions
from leafsight.progress import Progress, Silent


def insight_figures(
    material: Material, options: InsightOptions | None = None, *, progress: Progress | None = None
) -> list[Figure]:
    """Fifteen figures, in the order in which a person should look at them.

    Args:
        material: see ``material_of``.
        options: how much is shown.
        progress: is told about the three longest parts.

    Returns:
        The same figures for every collection: one that has nothing to show says why.

    Raises:
        DatasetError: there is no photograph.
    """
    if not len(material):
        raise DatasetError("there is no photograph to show", hint="leafsight check says what is wrong")
    chosen, talk = options or InsightOptions(), progress or Silent()
    most = chosen.classes
    talk.start("drawing insight", 3)
    seen = looks.look_over(material)
    talk.advance()
    layout = embedding_map.lay_out(material, chosen.points)
    talk.advance()
    figures = [
        counts.counts_figure(material, most),
        embedding_map.map_figure(material, layout),
        embedding_map.outliers_figure(material, layout, chosen.outliers),
        looks.means_figure(material, seen, most),
        looks.borders_figure(material, seen, min(most, 30)),
        tones.colour_figure(material, chosen.points),
        tones.green_figure(material, most),
        tones.lesion_figure(material, most),
        tones.brightness_figure(material, most),
        tones.contrast_figure(material, most),
        tones.sharpness_figure(material, most),
        sizes.sizes_figure(material),
        sizes.shapes_figure(material, most),
        capture.cameras_figure(material),
        capture.dates_figure(material),
    ]
    talk.advance()
    talk.finish(f"{len(figures)} figures")
    return figures
