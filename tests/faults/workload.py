"""What happens in the world of the simulation: suppliers, imports, list releases, findings, reviews, in phases.

Inside a phase everything happens at once, and each supplier is touched by one change at most, so that every order has the same end.
"""

import hashlib
import random
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from services.assessment.policy import STANDARD, load
from services.assessment.tenant_policies import POLICY, SetPolicy
from services.intelligence.releases.model import RELEASE, Receive
from services.intelligence.releases.raw import raw_file
from services.onboarding.imports.files import Files
from services.onboarding.imports.model import IMPORTS
from services.onboarding.imports.model import Receive as ReceiveImport
from services.onboarding.model import SUPPLIERS, Change, Register
from services.partners.model import SUBSCRIPTION, Subscribe
from services.screening.model import MATCH
from services.screening.reviews import Review
from shared.events.envelope import PUBLIC
from shared.events.partners import Filters
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalName, SignalPublished, SignalWithdrawn, Source
from shared.events.suppliers import ExternalRef, Owner, Profile, SourcedGood, Upstream
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Cause, Decided, Document, Index, Item, Message, Outcome
from shared.kernel.service import Context
from shared.security.sealing import Sealed
from tests.faults.world import Command

TENANT = "default"
LIST = "us_ofac_sdn"
NAMES = (
    "Zephyr Cotton Mills", "Quorum Textile Works", "Banyan Leather Exports", "Obsidian Mining Combine", "Marigold Garment House",
    "Tundra Seafood Packers", "Juniper Brick Kilns", "Falcon Cocoa Traders", "Lapis Carpet Weavers", "Saffron Rice Millers",
    "Cobalt Ridge Minerals", "Heron Bay Shrimp Farms", "Ivory Coast Gravel Union", "Pelican Timber Brokers",
)  # fmt: skip
_NULLS = '"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
_PERSON = "Ivan Petrovich Sidorenko"


class Findings(msgspec.Struct, frozen=True):
    """Stands in for a verified finding: told, then perhaps retracted."""

    live: bool
    signal: Signal


def _finding(state: Findings | None, message: Message, _now: datetime) -> Decided[Findings] | None:
    signal, live = message.body
    if state is not None and state.live == live:
        return None
    return Decided(Findings(live, signal), [SignalPublished(signal=signal) if live else SignalWithdrawn(signal=signal, reason="retracted")])


FINDING: Aggregate[Findings] = Aggregate("finding", Findings, _finding, indexes=(Index("live", lambda s: int(s.live)),))


def supplier_id(n: int) -> str:
    return derive("sup", TENANT, "suppliers", f"s{n}")


def command(service: str, key: str, aggregate: Aggregate[Any], id_: str, body: Any, tenant: str = TENANT) -> Command:
    """One command with an Idempotency-Key, as the HTTP edge would give it to the kernel."""

    cause = Cause(derive("cmd", key), f"command.{type(body).__name__}", actor="ada")

    async def do(ctx: Context) -> Outcome:
        return await ctx.kernel.execute(Item(aggregate, tenant, id_, Message(body, cause, key=key, digest=key, answer=_version)))

    return Command(service, key, cause.id, do)


def _version(found: Document[Any]) -> bytes:
    return b"%d" % found.version


def _register(n: int, name: str, **profile: Any) -> Command:
    refs = (ExternalRef(system="erp", number=f"R{n}"),)
    body = Register(supplier_id=supplier_id(n), profile=Profile(name=name, country="CU", external_refs=refs, **profile))
    return command("onboarding", f"register {n}", SUPPLIERS, supplier_id(n), body)


def _owner(names: list[str], n: int, percent: int) -> Owner:
    """An owner that is a supplier; 5, 6 and 7 own each other, and so do 0 and 8."""
    return Owner(name=names[n], kind="organisation", percent=Decimal(percent), supplier_id=supplier_id(n))


def _change(n: int, **fields: Any) -> Command:
    body = Change(supplier_id=supplier_id(n), fields=fields)
    return command("onboarding", f"change {n} {sorted(fields)}", SUPPLIERS, supplier_id(n), body)


def _release(number: int, entries: Mapping[int, str]) -> Command:
    """A release in OFAC's layout: uid -> name and remark."""
    rows = ((uid, *line.partition("|")[::2], "individual" if line == _PERSON else "-0- ") for uid, line in sorted(entries.items()))
    text = "".join(f'{uid},"{name}",{kind},{_NULLS}"{remark}"\r\n' for uid, name, remark, kind in rows)
    content = text.encode()
    digest, id_ = hashlib.sha256(content).hexdigest(), derive("rel", LIST, str(number))

    cause = Cause(derive("cmd", id_, "receive"), "command.release.receive", id_, "ada")

    async def do(ctx: Context) -> Outcome:
        path = raw_file(ctx, digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        message = Message(Receive(LIST, digest, len(content), "upload"), cause, f"release {number}", digest, answer=_version)
        return await ctx.kernel.execute(Item(RELEASE, PUBLIC, id_, message))

    return Command("intelligence", f"release {number}", cause.id, do)


def _import(number: int, rows: list[tuple[str, str]]) -> Command:
    """A CSV of number and name, as the HTTP edge takes it in."""
    content = ("number,name,country\n" + "".join(f"{ref},{name},CU\n" for ref, name in rows)).encode()
    id_ = derive("imp", TENANT, str(number))

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    cause = Cause(derive("cmd", id_, "receive"), "command.import-receive", correlation=id_, actor="ada")

    async def do(ctx: Context) -> Outcome:
        files = Files(ctx.folder)
        stored = await files.store(files.name(ctx.clock.now(), TENANT, id_, ctx.ids.new("up")), chunks())
        body = ReceiveImport(source_system="erp", mode="apply", format="csv", upload=stored.name, size=stored.size, digest=stored.digest)
        message = Message(body, cause, key=f"import {number}", digest=stored.digest, answer=_version)
        outcome = await ctx.kernel.execute(Item(IMPORTS, TENANT, id_, message))
        if not outcome.changed:
            files.discard(stored.name)
        return outcome

    return Command("onboarding", f"import {number}", cause.id, do)


COTTON = (SourcedGood(hs="520100", origin="CU"),)


def _tell_exposure(n: int, live: bool = True) -> Command:
    """A finding about cotton: two of them and a confirmed match of one who sources it are a hot-spot."""
    source = Source(kind="finding", finding_id=f"fnd{n}", indicators=("debt_bondage",))
    signal = Signal(subject=ExposureSignal(hs="5201", origin="CU"), source=source, digest=f"f{n}")
    return command("intelligence", f"finding {n} {live}", FINDING, f"sig_fnd{n}", (signal, live))


def _tell_finding(n: int, name: str, live: bool) -> Command:
    subject = PartySignal(names=(SignalName(name=name, kind="primary"),), countries=("CU",))
    signal = Signal(subject=subject, source=Source(kind="finding", finding_id=f"fnd{n}", indicators=("debt_bondage",)), digest=f"f{n}")
    return command("intelligence", f"finding {n} {live}", FINDING, f"sig_fnd{n}", (signal, live))


def _review(n: int, uid: int, outcome: Any, by: str) -> Command:
    """A person's decision on the match of a supplier with an entry."""

    name = f"review {n} {by}"
    cause = Cause(derive("cmd", name), "command.Review", actor=by)

    async def do(ctx: Context) -> Outcome:
        found = await ctx.store.find("match", TENANT, {"supplier_id": supplier_id(n), "signal_id": f"{LIST}:{uid}"})
        if len(found) != 1:
            raise AssertionError(f"{len(found)} matches of supplier {n} with entry {uid}")
        message = Message(Review(outcome, "other", "seen", by), cause, key=name, digest="", answer=_version)
        return await ctx.kernel.execute(Item(MATCH, TENANT, found[0].id, message))

    return Command("screening", f"review {n} {uid}", cause.id, do)


Phase = tuple[list[Command], float]  # with the seconds that pass behind it


def phases(variant: int) -> list[Callable[[], Phase]]:
    """The workload of a variant: which names, and in what roles, differ; each phase is made anew, for commands are used once."""
    rng = random.Random(variant)
    names = rng.sample(NAMES, len(NAMES))
    fill = {100 + i: f"NOBODY WE BUY FROM {word}" for i, word in enumerate(("ALPHA", "BRAVO", "KILO", "MIKE", "OSCAR", "TANGO", "VICTOR"))}
    first = {1: names[1], 2: names[2], 3: names[3], 9: _PERSON, **fill}
    second = {**first, 2: f"{names[2]}|DOB 1970", 4: names[4], 20: names[10]}
    del second[3]
    third = {**second, 1: f"{names[1]}|Linked To: X", 3: names[3]}
    del third[100], third[4]
    day = 86_400.0
    rows = [(f"I{i}", names[10 + i]) for i in range(4)]

    def begin() -> Phase:
        sealed = Sealed(key=b"k", nonce=b"n", text=b"t")
        subscribe = Subscribe("https://partner.example/hook", Filters(), sealed)
        return [
            _register(0, names[0], upstream=(Upstream(supplier_id=supplier_id(1)),), owners=(_owner(names, 8, 50),)),
            _register(1, names[1]), _register(2, names[2]), _register(3, names[3]),
            _register(5, names[5], owners=(_owner(names, 1, 60), _owner(names, 7, 15))),
            _register(6, names[6], upstream=(Upstream(supplier_id=supplier_id(7)),), goods=COTTON, owners=(_owner(names, 5, 50), _owner(names, 7, 25))),
            _register(7, names[7], upstream=(Upstream(supplier_id=supplier_id(6)),), owners=(_owner(names, 6, 60),)),
            _register(8, names[8], owners=(Owner(name=_PERSON, kind="person", percent=Decimal(30)), _owner(names, 0, 20))),
            _import(1, rows), _release(1, first),
            command("partners", "subscribe", SUBSCRIPTION, "sub_1", subscribe),
        ], 3600.0  # fmt: skip

    def news() -> Phase:
        return [
            _register(4, names[4], goods=COTTON), _release(2, second), _tell_exposure(20), _tell_exposure(21), _tell_finding(7, names[7], True), _tell_finding(9, names[9], True),
            _change(8, owners=(Owner(name=_PERSON, kind="person", percent=Decimal(55)), _owner(names, 0, 20))),
            _import(2, [("I0", names[10]), ("I1", names[9]), ("I2", names[12]), ("I9", names[9])]),
        ], 3 * day  # fmt: skip

    def people() -> Phase:
        return [
            _review(2, 2, "cleared", "bo"), _review(4, 4, "confirmed", "bo"), _review(1, 1, "escalated", "bo"),
        ], 60.0  # fmt: skip

    def others() -> Phase:
        """Two of these took a second person, who agrees."""
        return [_review(2, 2, "cleared", "ada"), _review(4, 4, "confirmed", "ada")], 40 * day

    def stricter() -> Phase:
        text = STANDARD.read_text(encoding="utf-8").replace("weak: 0.30 ", "weak: 0.35 ")
        return [command("assessment", "policy", POLICY, TENANT, SetPolicy(text, load(text).version, "to see"))], day

    def later() -> Phase:
        return [
            _release(3, third), _tell_finding(7, names[7], False),
            _change(5, owners=(_owner(names, 7, 15),)), _change(0, name=f"{names[0]} Renamed"), _import(3, [("I3", names[13]), ("I1", names[8])]),
        ], 400 * day  # fmt: skip

    return [begin, news, people, others, stricter, later]
