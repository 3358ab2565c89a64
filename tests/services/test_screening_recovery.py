"""Screening begins anew: what it keeps in memory is rebuilt, whatever stands on its topics."""

import sqlite3
from contextlib import closing
from pathlib import Path

from services.screening.service import SERVICE
from shared.events.matches import SupplierScreened
from shared.events.suppliers import Profile, SupplierRegistered
from tests.services.harness import Harness, harness


async def register(h: Harness, id_: str, name: str) -> None:
    profile = Profile(name=name, country="DE")
    await h.publish("suppliers", SupplierRegistered(profile=profile), subject=id_, kind="supplier")


async def screened(h: Harness) -> list[str]:
    return [told.supplier_id for told in await h.told("matches") if isinstance(told, SupplierScreened)]


async def test_a_message_that_cannot_be_read_stops_no_start(tmp_path: Path) -> None:
    """It became a dead letter; the next start must not stumble over it again."""
    async with harness(tmp_path, SERVICE) as h:
        await register(h, "sup_1", "Quiet Meadow Dairy")
        await register(h, "sup_2", "Broken Bridge Works")
        with closing(sqlite3.connect(tmp_path / "onboarding.db")) as db, db:
            db.execute("UPDATE journal SET data = ? WHERE subject = 'sup_2'", (b'{"profile": {"name": 7}}',))
        await h.step()
        assert await screened(h) == ["sup_1"]
        assert [letter.type for letter in await h.ctx.store.dead_letters()] == ["duewatch.supplier.registered.v1"]
    async with harness(tmp_path, SERVICE) as h:
        await register(h, "sup_3", "Third Mill Works")
        await h.step()
        assert await screened(h) == ["sup_1", "sup_3"]
