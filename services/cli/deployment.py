"""`duewatch topics` and `store`: what Kafka and MongoDB must have before the services start. They talk to these, not to the API."""

import asyncio

from services.cli.command import command, group
from services.cli.failures import Failure
from services.cli.session import Session
from shared.settings import Settings

topics = group("The topics on Kafka, by DUEWATCH_BUS.", "duewatch topics apply")
store = group("The collections in MongoDB, by DUEWATCH_STORE.", "duewatch store migrate")


@command(topics, "apply", example="duewatch topics apply", local=True)
def apply(session: Session) -> None:
    """Makes the topics that are missing; changes none that is there."""
    from services.runtime.deployment import topics_of

    made = asyncio.run(topics_of(Settings.read()).apply())
    session.tell({"made": made}, f"Made {', '.join(made)}." if made else "All topics are there.")


@command(topics, "check", example="duewatch topics check", local=True)
def check(session: Session) -> None:
    """Says what differs from what the services need."""
    from services.runtime.deployment import topics_of

    differs = asyncio.run(topics_of(Settings.read()).check())
    if differs:
        raise Failure("The topics are not as they should be", "; ".join(differs))
    session.tell({"differs": []}, "All topics are as they should be.")


@command(store, "migrate", example="duewatch store migrate", local=True)
def migrate(session: Session) -> None:
    """Makes the indexes that are missing, of all services."""
    from services.runtime.deployment import migrate as run_migrate

    asyncio.run(run_migrate(Settings.read()))
    session.tell({"migrated": True}, "Every collection has its indexes.")
