"""What must hold is looked at in earnest: where it is broken on purpose, the checker says so."""

import msgspec
import pytest

from services.assessment.model import ASSESSMENT
from shared.events.envelope import encode
from tests.faults.servers.scene import Scene

pytestmark = pytest.mark.timeout(240)

WORDS = [
    "is not what was written", "the document of supplier", "of 1111 suppliers", "sup_strange was answered and is not there",
    "partners gave up on strange", "published, but never saved: on suppliers",
]  # fmt: skip


def test_what_is_broken_is_found(scene: Scene) -> None:
    checker, ledger = scene.checker, scene.checker.ledger
    scene.work.ready()
    scene.work.end_release(scene.work.begin_release("b"))
    scene.ends_well()
    assessments, suppliers = ledger.database("assessment")["assessment"], ledger.database("onboarding")["supplier"]
    rated = assessments.find_one({"t": scene.tenant})
    assert rated is not None
    state = ASSESSMENT.decoder.decode(rated["s"])
    known = suppliers.find_one({"t": scene.tenant, "v": {"$gt": 1}})  # of one that was never changed all entries would go with it
    assert known is not None
    forged = msgspec.structs.replace(state, rating=msgspec.structs.replace(state.rating, tier="prohibited"))
    assessments.update_one({"_id": rated["_id"]}, {"$set": {"s": encode(forged)}})
    suppliers.delete_one({"_id": known["_id"]})
    ledger.database("partners")["dead_letter"].insert_one({"_id": "dl_strange", "group": "partners", "type": "strange", "error": "Strange"})
    told = scene.world.log.messages(["suppliers"])[-1]
    scene.world.log.put([told._replace(headers=[(name, b"evt_strange" if name == "ce_id" else value) for name, value in told.headers])])
    try:
        found = "\n".join(checker.check(scene.tenant, ["sup_strange"]))
    finally:
        assessments.replace_one({"_id": rated["_id"]}, rated)
        suppliers.insert_one(known)
        ledger.database("partners")["dead_letter"].delete_one({"_id": "dl_strange"})
        checker.put_on_log(["evt_strange"])
        checker.forget("sup_strange")
    for words in WORDS:
        assert words in found
    scene.ends_well()
