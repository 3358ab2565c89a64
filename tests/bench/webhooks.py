"""Webhook deliveries a second: what the feed holds is replayed to several subscribers that answer at once."""

import contextlib
import json
import subprocess
import sys
import time

import httpx

from tests.bench.figures import show
from tests.system.running import free_port

_SUBSCRIPTIONS = 4
_PATIENCE_S = 90.0


def run(client: httpx.Client) -> None:
    """Needs risk changes in the feed."""
    changes, before = _changes(client), -1
    while changes != before:  # the sweep before may still move tiers
        time.sleep(3)
        changes, before = _changes(client), changes
    port, wanted, pipe = free_port(), changes * _SUBSCRIPTIONS, subprocess.PIPE
    command = [sys.executable, "-m", "tests.bench.receiver", str(port), str(wanted)]
    receiver = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
    assert receiver.stderr
    try:
        receiver.stderr.readline()
        urls = [f"http://127.0.0.1:{port}/hook{i}" for i in range(_SUBSCRIPTIONS)]
        made = [client.post("/v1/subscriptions", json={"url": url, "filters": {}}).raise_for_status().json()["id"] for url in urls]
        for subscription in made:
            client.post(f"/v1/subscriptions/{subscription}/replay", json={}).raise_for_status()
        with contextlib.suppress(subprocess.TimeoutExpired):
            receiver.wait(_PATIENCE_S)
        receiver.terminate()
        got = json.loads(receiver.communicate(timeout=20)[0])
    finally:
        receiver.kill()
        receiver.wait()
    for subscription in made:
        client.delete(f"/v1/subscriptions/{subscription}").raise_for_status()
    note = (
        f"of {wanted}: {changes} changes replayed to {_SUBSCRIPTIONS} subscribers; made, signed, sent, from the first to the last that came"
    )
    show("webhook_deliveries_per_s", got["n"] / got["seconds"] if got["seconds"] else 0.0, "1/s", got["n"], note)


def _changes(client: httpx.Client) -> int:
    """How many the feed holds."""
    found = 0
    page = client.get("/v1/risk-changes?limit=500").raise_for_status().json()
    while page["items"]:
        found += len(page["items"])
        page = client.get("/v1/risk-changes", params={"limit": 500, "after": page["next"]}).raise_for_status().json()
    return found
