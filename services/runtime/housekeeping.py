"""What every file needs now and then: signed journal heads, compacted state topics, topics cut to their retention."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from services.runtime.node import Node
from services.runtime.signing import HeadSigner
from shared.events.topics import TOPICS
from shared.kernel.journal import GENESIS, SignedHead, head_statement, roll
from shared.store.embedded import EmbeddedStore

log = logging.getLogger("duewatch.housekeeping")


async def keep_house(node: Node, signer: HeadSigner) -> None:
    """For ever, every `head_every_s`."""
    while True:
        await asyncio.sleep(node.settings.head_every_s)
        for store in node.stores.values():
            await sign_head(store, signer, node.clock.now())
        await tidy_topics(node)


async def sign_head(store: EmbeddedStore, signer: HeadSigner, now: datetime) -> None:
    """Rolls the digest over what has come since the last head, and signs it; nothing where nothing has come."""
    heads = await store.heads()
    seq, digest = (heads[-1].seq, heads[-1].digest) if heads else (0, GENESIS)
    begun = seq
    async for at, row in store.journal(after=seq):
        seq, digest = at, roll(digest, row.hash)
        if at % 1000 == 0:
            await asyncio.sleep(0)
    if seq > begun:
        signed_at = now.isoformat()
        signature = signer.sign(head_statement(store.name, seq, digest, signed_at))
        await store.add_head(SignedHead(seq, digest, signature, signed_at))


async def tidy_topics(node: Node) -> None:
    """Of compacted topics, what a later record supersedes; of others, what is older than their retention. The journal keeps all."""
    for topic in TOPICS.values():
        store = node.stores.get(topic.owner)
        if store is None:
            continue
        heads = await store.heads()
        if not heads:
            continue
        if topic.compacted:
            await store.compact(topic.name, upto=heads[-1].seq)
            continue
        oldest = node.clock.now() - timedelta(days=topic.retention_days)
        old = [h.seq for h in heads if datetime.fromisoformat(h.signed_at).astimezone(UTC) < oldest]
        if old:
            await store.retain(topic.name, upto=old[-1])
