"""Lists that are older than they may be are named by every decision, and change none unless the policy says so."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.assessment import service as assessment
from services.assessment.decisions import service as gate
from services.assessment.policy import STANDARD, load
from shared.events.envelope import PUBLIC
from shared.events.intelligence import ListWatched
from tests.services.assessment_steps import asked, screened
from tests.services.harness import Harness, harness

DAY = 86_400
STRICT = STANDARD.read_text() + "\nstale_lists:\n  purchase_order: review\n  new_site: block\n  payment: allow\n"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, assessment.SERVICE, gate.SERVICE) as started:
        yield started


async def told(h: Harness, list_id: str, *, days_ago: float | None, most_days: float | None) -> None:
    now = h.clock.now()
    payload = ListWatched(
        list=list_id, since=now, checked_at=None if days_ago is None else now - timedelta(days=days_ago),
        max_age_s=None if most_days is None else round(most_days * DAY),
    )  # fmt: skip
    await h.publish("lists", payload, subject=list_id, tenant=PUBLIC, kind="thing")
    await h.step()
    await h.node.contexts["gate"].own.refresh()


async def test_a_decision_names_stale_lists_and_stays_what_it_is(h: Harness) -> None:
    await screened(h)
    await told(h, "us_ofac_sdn", days_ago=1, most_days=3)
    await told(h, "own", days_ago=900, most_days=None)
    await told(h, "un_sc", days_ago=None, most_days=3)
    assert (await asked(h))["stale_lists"] == []
    h.clock.advance(2.5 * DAY)  # time alone makes a list stale
    given = await asked(h)
    assert (given["decision"], given["reasons"], given["stale_lists"]) == ("allow", [], ["us_ofac_sdn"])
    kept = (await h.client("buyer").get(f"/v1/decisions/{given['id']}")).json()
    assert kept["stale_lists"] == ["us_ofac_sdn"]
    h.clock.advance(DAY)
    assert (await asked(h))["stale_lists"] == ["un_sc", "us_ofac_sdn"]  # one that never came is no younger
    await told(h, "us_ofac_sdn", days_ago=0, most_days=3)
    assert (await asked(h))["stale_lists"] == ["un_sc"]


async def test_a_policy_may_ask_for_more_while_a_list_is_stale(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(STRICT)
    async with harness(tmp_path / "data", assessment.SERVICE, gate.SERVICE, policy=str(tmp_path / "policy.yaml")) as h:
        await screened(h)
        assert (await asked(h))["decision"] == "allow"
        await told(h, "un_sc", days_ago=9, most_days=3)
        given = await asked(h)
        assert (given["decision"], [r["code"] for r in given["reasons"]]) == ("review", ["stale_list"])
        assert (await asked(h, "new_site"))["decision"] == "block"
        assert (await asked(h, "payment"))["decision"] == "allow"


def test_a_policy_that_says_nothing_of_it_keeps_its_version() -> None:
    assert load(STANDARD.read_text()).stale_lists is None
    assert load(STRICT).version != load(STANDARD.read_text()).version
