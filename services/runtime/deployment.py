"""What Kafka and MongoDB must have before the services start: topics and indexes."""

from services.runtime.backends import mongo_client, mongo_store
from services.runtime.processes import MODULES, load
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.errors import Invalid
from shared.settings import Settings
from shared.store.mongo import closed


def topics_of(settings: Settings) -> KafkaTopics:
    """The topics as the settings want them."""
    _distributed(settings)
    return KafkaTopics(KafkaSettings.parse(settings.bus), settings.partitions)


async def migrate(settings: Settings) -> None:
    """Makes the indexes that are missing, of all services."""
    _distributed(settings)
    client = mongo_client(settings)
    try:
        for service in load(MODULES):
            await mongo_store(client, service, settings).migrate()
    finally:
        await closed(client)


def _distributed(settings: Settings) -> None:
    if not settings.distributed:
        raise Invalid("This is for the distributed runtime: set DUEWATCH_BUS and DUEWATCH_STORE")
