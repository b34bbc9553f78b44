"""An ``Evaluation`` as one page for people: no script, no request, drawn by hand in SVG."""

from leafsight.evaluation.report.page import write_report

__all__ = ["write_report"]
