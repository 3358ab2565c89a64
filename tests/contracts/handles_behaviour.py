"""What every store promises to several processes at once. Inherited like store_behaviour.py."""

import asyncio

from shared.store.port import Commit, Store
from tests.contracts.store_behaviour import Adapter, letter, seqs, versions, write


class TwoHandles:
    """Two handles on the same data, as two processes have."""

    async def test_of_two_writers_one_wins(self, adapter: Adapter) -> None:
        one, _ = await adapter.open("onboarding")
        two, _ = await adapter.open("onboarding")
        for version in range(20):
            told = await asyncio.gather(one.commit(Commit([write("a", version)])), two.commit(Commit([write("a", version)])))
            assert sorted(map(len, told)) == [0, 1]
        assert await versions(one, "a") == await versions(two, "a") == [20]
        assert [seq for seq, _, _ in await seqs(two)] == list(range(1, 21))

    async def test_writers_of_different_things_lose_nothing(self, adapter: Adapter) -> None:
        one, _ = await adapter.open("onboarding")
        two, _ = await adapter.open("onboarding")

        async def fill(store: Store, name: str) -> None:
            for i in range(30):
                assert await store.commit(Commit([write(f"{name}{i}-{j}") for j in range(5)], {f"{name}/x/0": i})) == []

        await asyncio.gather(fill(one, "a"), fill(one, "b"), fill(two, "c"))
        found = await seqs(one)
        assert [seq for seq, _, _ in found] == list(range(1, 451))
        assert len({s for _, s, _ in found}) == 450
        assert await two.positions("") == {"a/x/0": 29, "b/x/0": 29, "c/x/0": 29}

    async def test_a_reader_during_a_bulk_write(self, adapter: Adapter) -> None:
        """It sees what was before or what is, each document whole with its fields, and waits for nobody."""
        one, _ = await adapter.open("onboarding")
        two, _ = await adapter.open("onboarding")
        await one.commit(Commit([write("known", colour="red")]))
        bulk = [write(f"d{i:04}", state=b'{"x":"%s"}' % (b"y" * 300), colour="blue", many={"number": (f"n{i}",)}) for i in range(800)]
        writing, reads = asyncio.create_task(two.commit(Commit(bulk))), 0
        while not writing.done():
            assert await versions(one, "known") == [1]
            found = await one.find("thing", "t", {"colour": "blue"}, limit=5)
            assert all((s.version, len(s.state)) == (1, 308) for s in found)
            assert set(await one.resolve("thing", "t", "number", ["n799"])) <= {"n799"}
            reads += 1
            await asyncio.sleep(0)
        assert await writing == []
        assert reads > 1  # while it was being written
        assert await one.count("thing", "t", {"colour": "blue"}) == 800

    async def test_what_one_wrote_the_other_reads(self, adapter: Adapter) -> None:
        one, _ = await adapter.open("onboarding")
        await one.commit(Commit([write("a", colour="red", many={"number": ("n",)})], {"g/x/0": 1}, [letter("l")]))
        two, _ = await adapter.open("onboarding")
        assert await versions(two, "a") == [1]
        assert await two.resolve("thing", "t", "number", ["n"]) == {"n": "a"}
        assert await two.positions("g/") == {"g/x/0": 1}
        assert len(await two.dead_letters()) == 1

    async def test_services_are_apart(self, adapter: Adapter) -> None:
        one, _ = await adapter.open("onboarding")
        other, _ = await adapter.open("screening")
        await one.commit(Commit([write("a")], {"g/x/0": 1}))
        assert await versions(other, "a") == [None]
        assert await other.positions("") == {}
        assert await other.commit(Commit([write("a")])) == []
