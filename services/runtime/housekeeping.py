"""What every file needs now and then: signed journal heads, compacted state topics, topics cut to their retention."""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.runtime.node import Node
from services.runtime.signing import HeadSigner
from shared.events.topics import TOPICS
from shared.kernel.journal import GENESIS, SignedHead, head_statement
from shared.kernel.reactor import TRANSIENT
from shared.store.embedded import EmbeddedStore
from shared.store.port import Store
from shared.telemetry.metrics import JOURNAL_COVERED

log = logging.getLogger("duewatch.housekeeping")


async def keep_house(node: Node, signer: HeadSigner, names: Sequence[str] | None = None) -> None:
    """For ever, every `head_every_s`, of these services (None: of all). What cannot be done now (a disk that is full) is done the next time.

    It begins at any moment of the interval: processes that start together share out what has come, and do not all sign at once."""
    stores = [node.stores[name] for name in names or node.stores]
    for store in stores:  # until the first look, what begins now is as good as covered: an alarm is for what does not happen
        JOURNAL_COVERED.labels(store.name).set(node.clock.now().timestamp())
    await asyncio.sleep(random.uniform(0, node.settings.head_every_s))  # noqa: S311  # no secret
    while True:
        try:
            for store in stores:
                await sign_head(store, signer, node.clock.now())
                JOURNAL_COVERED.labels(store.name).set(node.clock.now().timestamp())
            await tidy_topics(node)
        except TRANSIENT as error:
            log.warning("housekeeping waits for its store: %s", type(error).__name__)
        await asyncio.sleep(node.settings.head_every_s)


async def sign_head(store: Store, signer: HeadSigner, now: datetime) -> None:
    """Rolls the digest over what has come since the last head, and signs it; nothing where nothing has come."""
    heads = await store.heads(last=1)
    begun, digest = (heads[0].seq, heads[0].digest) if heads else (0, GENESIS)
    seq, digest = await store.rolled(begun, digest)
    if seq > begun:
        signed_at = now.isoformat()
        signature = signer.sign(head_statement(store.name, seq, digest, signed_at))
        await store.add_head(SignedHead(seq, digest, signature, signed_at))


async def tidy_topics(node: Node) -> None:
    """Of compacted topics, what a later record supersedes; of others, what is older than their retention. The journal keeps all."""
    for topic in TOPICS.values():
        store = node.stores.get(topic.owner)
        if not isinstance(store, EmbeddedStore):  # not ours, or Kafka keeps it tidy
            continue
        oldest = None if topic.compacted else (node.clock.now() - timedelta(days=topic.retention_days)).isoformat()
        for head in await store.heads(last=1, before=oldest):
            await (store.compact if topic.compacted else store.retain)(topic.name, upto=head.seq)
