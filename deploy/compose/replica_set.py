"""Makes the mongod of docker-compose.yml a replica set of one, where it is none yet, and returns when it takes writes."""

import sys
import time

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

_HOST = "mongo:27017"  # as the services call it: a replica set tells its clients where its members are
_NOT_YET_INITIALIZED, _ALREADY_INITIALIZED = 94, 23  # MongoDB's error codes
_LIMIT_S = 60.0


def _ready(client: MongoClient) -> bool:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        try:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": _HOST}]})
        except OperationFailure as late:
            if late.code != _ALREADY_INITIALIZED:
                raise
    return bool(client.admin.command("hello")["isWritablePrimary"])


def main() -> int:
    end, reason = time.monotonic() + _LIMIT_S, "it is not primary"
    with MongoClient(f"mongodb://{_HOST}/", directConnection=True, serverSelectionTimeoutMS=2000) as client:
        while time.monotonic() < end:
            try:
                if _ready(client):
                    return 0
            except PyMongoError as error:
                reason = type(error).__name__
            time.sleep(0.5)
    print(f"MongoDB does not take writes: {reason}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
