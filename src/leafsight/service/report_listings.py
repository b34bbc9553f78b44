"""The contract of reports and lists of uploads, in OpenAPI. Times are milliseconds since 1970, UTC."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from leafsight.service.listings import JobFound, Milliseconds, UploadFound
from leafsight.service.schemas import Created, Page


class ReportAccepted(Created):
    """A report that is being made."""

    job: str = Field(description="Follow it under /v1/jobs; the report has the same id.")


class ReportBrief(Created):
    """One report of the list."""

    created_at: Milliseconds
    collection: str
    photographs: int
    usable: int
    classes: int
    findings: dict[str, int] = Field(description="How many to mend, to look at, to know.")


class ReportsPage(Page):
    """Reports, newest first."""

    reports: list[ReportBrief]
    collection: str | None = Field(description="What a new report would be about; null without --data.")
    job: str | None = Field(description="A report that is being made now.")
    hint: str = Field(description="How to get reports, where there can be none.")


class CaseShown(BaseModel):
    """Photographs that a finding is about."""

    photographs: list[str]
    elsewhere: list[str]
    text: str


class FindingShown(BaseModel):
    """One thing that is wrong or worth knowing."""

    kind: str
    part: str
    weight: str = Field(description="mend, look or know.")
    sentence: str
    hint: str
    count: int
    of: int
    per_class: dict[str, int]
    cases: list[CaseShown]
    more_cases: int


class FigureShown(BaseModel):
    """A question, its answer, and the name of the picture."""

    name: str
    title: str
    question: str
    answer: str
    note: str
    kind: str
    picture: str


class ReportFileShown(BaseModel):
    """A file of a report."""

    media_type: str
    bytes: int


class ReportFound(Created):
    """One report: findings worst first, figures, files."""

    created_at: Milliseconds
    collection: str
    photographs: int
    usable: int
    is_clean: bool
    class_counts: dict[str, int]
    weights: dict[str, int]
    findings: list[FindingShown]
    not_looked_at: list[str]
    notes: list[str]
    figures: list[FigureShown]
    files: dict[str, ReportFileShown]


class Ticket(BaseModel):
    """An address that opens one file without a key, for a minute."""

    url: str
    expires_at: Milliseconds


class UploadShown(UploadFound):
    """An upload, and the job that looks into it."""

    job: JobFound | None


class UploadsPage(Page):
    """Uploads, newest first."""

    uploads: list[UploadShown]


HTML: dict[str, Any] = {"schema": {"type": "string"}}
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            "text/html": HTML,
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}
