"""What stands on the log is no event, cannot be handled, or stands there a second time."""

import json
import os
import subprocess
import time
from typing import Any

import pytest

from shared.bus.kafka_records import Message
from shared.ids import derive
from tests.faults.servers.log import PARTITIONS
from tests.faults.servers.scene import Scene
from tests.faults.servers.work import suppliers, until
from tests.infra.distributed import DUEWATCH

pytestmark = pytest.mark.timeout(240)

_BYTES = b"\x00\xff this is no event"
_REFUSED = 2  # mongod's BadValue: nobody tries that again


def command(scene: Scene, *words: str) -> Any:
    """What the command line says to the operator."""
    asked = [DUEWATCH, "dead-letters", *words, "--json", "--url", scene.world.system.url]
    environment = {**os.environ, "DUEWATCH_TOKEN_FILE": str(scene.world.system.folder / "admin-token")}
    return json.loads(subprocess.run(asked, env=environment, check=True, capture_output=True, text=True).stdout)


def test_bytes_that_are_no_event(scene: Scene) -> None:
    """In every partition, in the middle of an import: each is put aside once, and what stands behind it is handled."""
    scene.work.end_release(scene.work.begin_release("a"))
    import_id, began = scene.work.begin_import(), time.monotonic()
    places = scene.world.log.put(Message("suppliers", number, b"poison", _BYTES, []) for number in range(PARTITIONS))
    strange = [derive("message", "suppliers", str(number), str(offset)) for number, offset in enumerate(places)]
    letters = {derive("dead", "screening", id_) for id_ in strange}
    scene.checker.put_on_log(strange, letters)
    until(lambda: {one["_id"] for one in scene.checker.ledger.dead_letters()} >= letters, bool)
    scene.since(
        began, "poison_aside_s", "from bytes that are no event, one in each partition, until all of them are dead letters", PARTITIONS
    )
    scene.answered = scene.work.register()
    scene.work.end_import(import_id)
    scene.work.end_release(scene.work.begin_release("b"))
    scene.ends_well()
    listed = {one["id"]: one for one in command(scene, "list", "--limit", "500")["items"]}
    assert {listed[id_]["state"] for id_ in letters} == {"dead"}
    one = sorted(letters)[0]
    command(scene, "replay", one)  # it is no event still
    again = until(lambda: command(scene, "show", one), lambda letter: letter["attempts"] > listed[one]["attempts"])
    assert again["state"] == "dead"


def test_an_event_that_its_reaction_breaks_on(scene: Scene) -> None:
    """Everybody else is handled meanwhile, and a replay does what was left undone; one that comes too late does no harm."""
    scene.answered = scene.work.ready()
    scene.work.end_release(scene.work.begin_release("b"))
    scene.settles()  # else what breaks first may be what is still coming of the release
    number = sorted(suppliers())[-1]
    supplier = scene.caller.get(f"/v1/suppliers?external_ref=S4:{number}")["items"][0]
    letters = []
    for city in ("Zarvonak", "Mirdolak"):
        broken = {"failCommands": ["update"], "errorCode": _REFUSED, "namespace": "duewatch_assessment.assessment"}
        known = {one["_id"] for one in scene.checker.ledger.dead_letters()}
        with scene.checker.ledger.failing(1_000, broken):
            body = {"sites": [{"name": "Mill", "country": "CN", "region": "CN-XJ", "address": city}]}
            scene.caller.ask("PATCH", f"/v1/suppliers/{supplier['id']}", json=body)
            (letter,) = until(lambda known=known: {one["_id"] for one in scene.checker.ledger.dead_letters()} - known, bool)
        letters.append(letter)
    scene.checker.put_on_log((), letters)
    facts = _facts(scene, supplier["id"])
    assert not facts.places
    began = time.monotonic()
    for letter in reversed(letters):  # the newer one first: the older has nothing to say any more
        command(scene, "replay", letter)
        until(lambda letter=letter: command(scene, "show", letter)["state"], lambda state: state == "replayed")
    scene.since(began, "dead_letters_replayed_s", "two events of one supplier, by the command line", 2)
    facts = _facts(scene, supplier["id"])
    assert ([place.region for place in facts.places], facts.version) == (["CN-XJ"], 3)
    scene.caller.ask("PATCH", f"/v1/suppliers/{supplier['id']}", json={"sites": []})
    scene.ends_well()


def _facts(scene: Scene, supplier_id: str) -> Any:
    return scene.checker.ledger.states("assessment", "assessment", scene.tenant)[supplier_id].facts
