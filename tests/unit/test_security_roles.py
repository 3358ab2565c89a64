"""The role table, row by row: what each may is written out, so that a change of the table is a change here."""

import pytest

from shared.security.roles import GRANTS, Permission, Principal, Role

P, R = Permission, Role


def caller(*roles: Role) -> Principal:
    return Principal(subject="ada", tenant="default", roles=frozenset(roles))


def test_every_role_has_a_row_and_every_permission_someone_who_may() -> None:
    assert set(GRANTS) == set(Role)
    assert frozenset[Permission]().union(*GRANTS.values()) == set(Permission)


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (R.BUYER, [P.CASES_READ, P.LISTS_READ, P.LISTS_LOAD, P.MATCHES_READ, P.TOKENS_ISSUE, P.OVERRIDES_WRITE]),
        (R.AUDITOR, [P.IMPORTS_WRITE, P.SUPPLIERS_WRITE, P.CASES_READ, P.GATE_ASK]),
        (R.ANALYST, [P.TOKENS_ISSUE, P.AUDITS_READ, P.CASES_READ, P.SUPPLIERS_WRITE, P.LISTS_LOAD, P.REPORTERS_OPEN]),
        (R.ADMIN, [P.REPORTERS_OPEN, P.VICTIMS_READ, P.LISTS_LOAD, P.DEAD_LETTERS, P.JOURNAL, P.SUPPLIERS_WRITE]),
        (R.PARTNER, [P.SUPPLIERS_READ, P.SUPPLIERS_WRITE, P.RATINGS_READ]),
        (R.CASE_WORKER, [P.AUDITS_WRITE, P.REPORTS_READ]),
    ],
)
def test_a_role_may_not(role: Role, refused: list[Permission]) -> None:
    assert [permission for permission in refused if caller(role).may(permission)] == []


def test_roles_of_one_purpose_have_just_that() -> None:
    assert GRANTS[R.REPORTER] == {P.REPORTS_SEND}
    assert GRANTS[R.CUSTODIAN] == {P.REPORTERS_OPEN}
    assert GRANTS[R.PARTNER] == {P.SUBSCRIPTIONS_READ, P.SUBSCRIPTIONS_WRITE, P.FEED_READ}
    assert GRANTS[R.OPERATOR] == {P.LISTS_READ, P.LISTS_LOAD, P.TOKENS_ISSUE, P.DEAD_LETTERS, P.JOURNAL}


def test_only_the_named_roles_open_what_is_confidential() -> None:
    assert [role for role in Role if P.VICTIMS_READ in GRANTS[role]] == [R.CASE_WORKER]
    assert [role for role in Role if P.REPORTERS_OPEN in GRANTS[role]] == [R.CUSTODIAN]


def test_an_admin_may_what_an_analyst_may_and_several_roles_add_up() -> None:
    assert GRANTS[R.ADMIN] > GRANTS[R.ANALYST]
    both = caller(R.BUYER, R.AUDITOR)
    assert both.may(P.IMPORTS_WRITE)
    assert both.may(P.AUDITS_WRITE)
    assert not caller().may(P.SUPPLIERS_READ)
