"""Which process of the embedded runtime does what. Services are imported by those who run them only: a start takes as long as its imports."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass

from shared.kernel.service import Role, Service
from shared.security.roles import Permission

MODULES = {
    "onboarding": "services.onboarding.service",
    "intelligence": "services.intelligence.service",
    "screening": "services.screening.service",
    "hotspots": "services.hotspots.service",
    "assessment": "services.assessment.service",
    "gate": "services.assessment.decisions.service",
    "audits": "services.audits.service",
    "remediation": "services.remediation.service",
    "partners": "services.partners.service",
}

READS = {"gate": ("assessment",)}  # whose stores a service reads beside its own


def load(names: Iterable[str]) -> tuple[Service, ...]:
    """The services of these names."""
    return tuple(importlib.import_module(MODULES[name]).SERVICE for name in names)


@dataclass(frozen=True)
class Process:
    """What one process beside the front does."""

    name: str
    services: tuple[str, ...]
    roles: tuple[Role, ...]
    inner_api: str = ""  # the service whose inner API it answers, for the front to forward to
    keeps_house: bool = False  # signs the journal heads of its services, compacts and cuts their topics


# Matching and bulk work never share a process with the gate, nor with each other. The front has the API of all.
WORKERS: tuple[Process, ...] = (
    Process("screening", ("screening",), ("reactions",), inner_api="screening", keeps_house=True),
    Process(
        "reactions",
        ("assessment", "gate", "onboarding", "intelligence", "hotspots", "audits", "remediation", "partners"),
        ("reactions",),
        keeps_house=True,
    ),
    Process("bulk", ("onboarding", "intelligence"), ("bulk",)),
)

# What the front hands on: to which process, and who may ask.
FORWARDED: dict[tuple[str, str], tuple[str, Permission]] = {("POST", "/v1/screenings"): ("screening", Permission.SCREENING_ASK)}
