"""Reading in the order of a field on SQLite costs what is read, not what is there."""

from pathlib import Path

from shared.store.embedded import EmbeddedStore
from tests.contracts.store_behaviour import OTHERS, THINGS


async def test_reading_in_order_walks_an_index_and_sorts_nothing(tmp_path: Path) -> None:
    store, asked = EmbeddedStore(tmp_path / "onboarding.db", [THINGS, OTHERS]), list[str]()
    store._db.set_trace_callback(asked.append)
    await store.ordered("thing", "t", "turn", begins="open/", after=("open/1", "a"))
    store._db.set_trace_callback(None)
    plan = [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {asked[-1]}")]
    assert len(plan) == 1
    assert "USING INDEX doc_thing_turn (tenant=? AND f_turn>? AND f_turn<?)" in plan[0]
    await store.close()
