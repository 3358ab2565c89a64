"""Reports and findings as the HTTP interface has them: bodies that come in, answers that go out."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from services.intelligence.findings.about import About, shown
from services.intelligence.findings.model import Finding, Outcome, State
from services.intelligence.findings.reports import Report
from services.intelligence.findings.vault import Part, Vault
from shared.events.intelligence import ErasureReason, Indicator
from shared.http.application import Body
from shared.http.strings import Country, HsCode, Name, Region, Text
from shared.kernel.aggregate import Document
from shared.security.sealing import Sealed

Became = Literal["received", "in_review", "verified", "rejected", "retracted", "erased"]


def _fault(message: str) -> PydanticCustomError:
    return PydanticCustomError("duewatch", "{message}", {"message": message})


class PartyBody(Body):
    kind: Literal["party"]
    name: Name
    country: Country | None = None


class ExposureBody(Body):
    kind: Literal["exposure"]
    hs: HsCode | None = None
    origin: Country
    region: Region | None = None

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        if self.hs is None and self.region is None:
            raise _fault("Give the good (hs), the region, or both: a whole country is too wide")
        if self.region and not self.region.startswith(f"{self.origin}-"):
            raise _fault("The region must be one of the origin")
        return self


class SiteBody(Body):
    kind: Literal["site"]
    name: Name
    country: Country
    region: Region | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.region and not self.region.startswith(f"{self.country}-"):
            raise _fault("The region must be one of the country")
        return self


AboutBody = Annotated[PartyBody | ExposureBody | SiteBody, Field(discriminator="kind")]
Reason = Annotated[Text, Field(min_length=3, max_length=1_000)]


class ReportBody(Body):
    """What somebody tells us."""

    about: AboutBody
    indicators: Annotated[list[Indicator], Field(max_length=13)] = []
    text: Text


class SummaryBody(Body):
    """What we assert, without anything that tells who reported it."""

    summary: Annotated[Text, Field(min_length=3, max_length=5_000)]


class VerificationBody(Body):
    outcome: Outcome
    reason: Reason


class ReasonBody(Body):
    reason: Reason


class ErasureBody(Body):
    reason: ErasureReason


class Sent(BaseModel):
    """The receipt shows to whoever holds it what became of the report; we keep only a digest of it."""

    id: str
    receipt: str


class Followed(BaseModel):
    """What became of a report, for its sender: nothing of what it says, in case others look on."""

    id: str
    state: Became
    received_at: datetime


class ReportView(Followed):
    """A report for analysts; never who sent it. `about` and `text` are empty once it is erased, `text` also where several are listed."""

    about: AboutBody | None
    indicators: list[Indicator]
    findings: list[str]
    text: str | None
    erased_because: ErasureReason | None


class Identity(BaseModel):
    """Who sent a report, as their token said it."""

    id: str
    subject: str


class FindingView(BaseModel):
    """A finding; what people wrote is empty once its report is erased."""

    id: str
    state: State
    report_id: str
    about: AboutBody
    indicators: list[Indicator]
    summary: str | None
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None
    retracted_by: str | None
    retracted_at: datetime | None
    retraction: str | None


def about_of(body: PartyBody | ExposureBody | SiteBody) -> About:
    """The checked body as a value."""
    found: About = msgspec.convert(body.model_dump(exclude_none=True), About)
    return found


def became(report: Report, findings: list[Document[Finding]]) -> Became:
    """What a report has come to; `findings` of it, oldest first."""
    if report.erased_at:
        return "erased"
    if not findings:
        return "received"
    state: State = findings[-1].state.state
    return "in_review" if state == "draft" else state


def followed(found: Document[Report], findings: list[Document[Finding]]) -> dict[str, Any]:
    """For its sender."""
    return {"id": found.id, "state": became(found.state, findings), "received_at": found.state.received_at}


def report_view(found: Document[Report], findings: list[Document[Finding]], text: str | None = None) -> dict[str, Any]:
    """For analysts."""
    s: Report = found.state
    return followed(found, findings) | {
        "about": shown(s.about) if s.about else None,
        "indicators": s.indicators,
        "findings": [f.id for f in findings],
        "text": text,
        "erased_because": s.erased_because,
    }


def finding_view(vault: Vault, found: Document[Finding]) -> dict[str, Any]:
    """Unsealed, for analysts."""
    s: Finding = found.state

    def written(sealed: Sealed | None, part: Part) -> str | None:
        return None if sealed is None or s.erased else vault.open(sealed, found.tenant, found.id, part)

    return {
        "id": found.id,
        "state": s.state,
        "report_id": s.report_id,
        "about": shown(s.about),
        "indicators": s.signal.source.indicators,
        "summary": written(s.summary, "summary"),
        "drafted_by": s.drafted_by,
        "drafted_at": s.drafted_at,
        "decided_by": s.decided_by or None,
        "decided_at": s.decided_at,
        "reason": written(s.reason, "reason"),
        "retracted_by": s.retracted_by or None,
        "retracted_at": s.retracted_at,
        "retraction": written(s.retraction, "retraction"),
    }
