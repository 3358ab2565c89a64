"""Who may do what: one table, in code, so that a change of it is reviewed and tested like any other.

Deny by default: what a row does not name is refused. Several roles give the union of their rows.
"""

from enum import StrEnum
from functools import cache

import msgspec

from shared.errors import Invalid


class Permission(StrEnum):
    """One thing that an HTTP route can ask for."""

    SUPPLIERS_READ = "suppliers.read"
    SUPPLIERS_WRITE = "suppliers.write"
    IMPORTS_READ = "imports.read"
    IMPORTS_WRITE = "imports.write"
    GATE_ASK = "gate.ask"
    DECISIONS_READ = "decisions.read"  # a decision and its why
    RATINGS_READ = "ratings.read"
    LISTS_READ = "lists.read"
    LISTS_LOAD = "lists.load"  # and let a refused release in
    SWEEPS_READ = "sweeps.read"
    MATCHES_READ = "matches.read"
    MATCHES_REVIEW = "matches.review"
    SCREENING_ASK = "screening.ask"
    REPORTS_SEND = "reports.send"  # and see what became of the own ones
    REPORTS_READ = "reports.read"  # their text, never their sender
    REPORTS_ERASE = "reports.erase"  # for good, where privacy law asks for it
    REPORTERS_OPEN = "reporters.open"  # the sender, sealed otherwise
    FINDINGS_READ = "findings.read"
    FINDINGS_WRITE = "findings.write"
    AUDITS_READ = "audits.read"
    AUDITS_WRITE = "audits.write"
    CASES_READ = "cases.read"
    CASES_WRITE = "cases.write"
    VICTIMS_READ = "victims.read"
    SUBSCRIPTIONS_READ = "subscriptions.read"
    SUBSCRIPTIONS_WRITE = "subscriptions.write"
    FEED_READ = "feed.read"
    POLICY_READ = "policy.read"
    POLICY_WRITE = "policy.write"
    OVERRIDES_WRITE = "overrides.write"  # propose or approve; that these are two people is the gate's own rule
    TOKENS_ISSUE = "tokens.issue"
    DEAD_LETTERS = "dead_letters"
    JOURNAL = "journal"


class Role(StrEnum):
    """What a token can carry; INTERFACE.md says what each is for."""

    OPERATOR = "operator"
    ADMIN = "admin"
    BUYER = "buyer"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    CASE_WORKER = "case_worker"
    REPORTER = "reporter"
    PARTNER = "partner"
    CUSTODIAN = "custodian"


def parse_role_names(text: str) -> dict[str, Role]:
    """`Purchasing=buyer, DD team=analyst` (DUEWATCH_OIDC_ROLE_NAMES): an issuer's names of roles, and ours; Invalid where it is none."""
    names = {}
    for part in filter(None, map(str.strip, text.split(","))):
        theirs, _, ours = map(str.strip, part.rpartition("="))
        if not theirs or ours not in frozenset(Role):
            raise Invalid("Write an issuer's names of roles as theirs=ours, parted by commas; ours are " + ", ".join(sorted(Role)))
        names[theirs] = Role(ours)
    return names


P = Permission

_ANALYST = frozenset({
    P.SUPPLIERS_READ, P.LISTS_READ, P.SWEEPS_READ, P.MATCHES_READ, P.MATCHES_REVIEW, P.SCREENING_ASK, P.RATINGS_READ,
    P.DECISIONS_READ, P.REPORTS_READ, P.FINDINGS_READ, P.FINDINGS_WRITE, P.POLICY_READ, P.OVERRIDES_WRITE,
})  # fmt: skip
_SUBSCRIBER = frozenset({P.SUBSCRIPTIONS_READ, P.SUBSCRIPTIONS_WRITE})
_SUPPLIER_AT_A_GLANCE = frozenset({P.SUPPLIERS_READ, P.RATINGS_READ})

GRANTS: dict[Role, frozenset[Permission]] = {
    # Runs the platform and sees no tenant's data by it: no suppliers, matches or sweeps (a sweep counts a tenant's own).
    Role.OPERATOR: frozenset({P.LISTS_READ, P.LISTS_LOAD, P.TOKENS_ISSUE, P.DEAD_LETTERS, P.JOURNAL}),
    Role.ADMIN: _ANALYST | _SUBSCRIBER | {P.TOKENS_ISSUE, P.POLICY_WRITE, P.REPORTS_ERASE},
    Role.BUYER: frozenset({
        P.SUPPLIERS_READ, P.SUPPLIERS_WRITE, P.IMPORTS_READ, P.IMPORTS_WRITE, P.GATE_ASK, P.DECISIONS_READ,
        P.RATINGS_READ,
    }),
    Role.ANALYST: _ANALYST,
    Role.AUDITOR: _SUPPLIER_AT_A_GLANCE | {P.AUDITS_READ, P.AUDITS_WRITE},
    Role.CASE_WORKER: _SUPPLIER_AT_A_GLANCE | {P.CASES_READ, P.CASES_WRITE, P.VICTIMS_READ},
    Role.REPORTER: frozenset({P.REPORTS_SEND}),
    Role.PARTNER: _SUBSCRIBER | {P.FEED_READ},
    Role.CUSTODIAN: frozenset({P.REPORTERS_OPEN}),
}  # fmt: skip


@cache
def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """The union of the rows of `roles`; cached, for the gate asks it at every decision (there are at most 512 sets)."""
    return frozenset[Permission]().union(*(GRANTS[role] for role in roles))


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls, as a verified token says it: `subject` within `tenant`, with `roles`."""

    subject: str
    tenant: str
    roles: frozenset[Role]

    def may(self, permission: Permission) -> bool:
        return permission in permissions_of(self.roles)
