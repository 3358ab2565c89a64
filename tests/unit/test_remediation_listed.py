"""The case of a supplier that an official list names."""

from datetime import timedelta

import msgspec

from services.remediation.playbook import tasks_for
from tests.unit.test_remediation_model import NOW, A, after, because, rated


def test_a_listed_party_is_left_responsibly() -> None:
    """No abuse is known: nobody asks its workers about one, but what leaving does to them is asked. A finding that joins brings its own tasks."""
    entry = msgspec.structs.replace(because("us_ofac_sdn:36"), kind="list_entry", list="us_ofac_sdn", uid="36")
    case = after(rated(entry, days=60))
    assert [t.key for t in case.tasks] == ["hold", "identity", "report", "licence_or_exit", "workers_at_exit"]
    assert case.due_at == NOW + timedelta(days=60)
    joined = after(rated(A, held=["us_ofac_sdn:36", "sig_a"]), case=case)
    assert {t.key for t in joined.tasks} == {t.key for t in case.tasks} | {p.key for p in tasks_for(["debt_bondage"])}
    gone = after(rated(held=[]), case=case)
    assert gone.state == "cancelled"
