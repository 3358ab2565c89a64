"""The name that stands for a sender must not be found by trying names: it hangs on a key that only this system and tenant have."""

from pathlib import Path

from services.intelligence.findings.vault import Vault
from services.intelligence.service import SERVICE
from tests.services.harness import harness


async def test_a_sender_is_recognised_only_under_the_own_key(tmp_path: Path) -> None:
    async with harness(tmp_path / "one", SERVICE) as one, harness(tmp_path / "two", SERVICE) as two:
        here = await Vault(one.ctx).sender("default", "org-1")
        assert await Vault(one.ctx).sender("default", "org-1") == here  # in each process the same
        assert await Vault(one.ctx).sender("default", "org-2") != here
        assert await Vault(one.ctx).sender("other", "org-1") != here
        assert await Vault(two.ctx).sender("default", "org-1") != here
        assert await Vault(two.ctx).receipt("default", "rep_1") != await Vault(one.ctx).receipt("default", "rep_1")
