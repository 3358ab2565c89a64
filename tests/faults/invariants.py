"""What must hold whatever went wrong, and what must come out of it. What is no matter of where it lies serves the tests on real servers, too."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from services.assessment.decisions.gate import Gate
from services.assessment.decisions.question import Question
from services.assessment.gate import answer
from services.assessment.holdings import held, of_itself
from services.assessment.listings import listed_itself
from services.assessment.model import ASSESSMENT, Assessment
from services.assessment.ownership import Ownership, Share, Stake
from services.assessment.policy import STANDARD, load
from services.assessment.tenant_policies import POLICY
from services.audits.model import AUDITS
from services.hotspots.model import HOTSPOT
from services.intelligence.releases.model import ENTRY, RELEASE
from services.onboarding.imports.model import IMPORTS
from services.onboarding.model import SUPPLIERS
from services.remediation.model import CASES
from services.screening.model import MATCH, MatchDocument
from services.screening.sweep import SWEEP
from shared.events.envelope import Meta
from shared.kernel.aggregate import Aggregate
from shared.kernel.journal import JournalRow, link, payload_digest
from tests.faults.memory import Database
from tests.faults.workload import TENANT
from tests.faults.world import World

_meta = msgspec.json.Decoder(Meta)
Effect = tuple[str, tuple[str, str, str, int]]  # a cause, and the version of an aggregate (kind, tenant, id) that it made


def check(world: World) -> list[str]:
    """Everything that is wrong, in words; nothing where all holds."""
    wrong: list[str] = []
    for name, database in world.memory.databases.items():
        wrong += [f"{name}: {fault}" for fault in (*_chains(database), *doubled(_effects(database)))]
        wrong += [f"{name}: {letter.group} gave up on {letter.type} ({letter.error})" for letter in database.dead.values()]
        if database.pending:
            wrong.append(f"{name}: {len(database.pending)} events were never published")
    logs = {f"{topic}/{p}": [r.meta for r in log] for (topic, p), log in world.memory.log.items()}
    return wrong + _answered(world) + _published(world) + disordered(logs)


def _answered(world: World) -> list[str]:
    """Every command that was answered stands in the journal, and only once."""
    wrong = []
    causes = {name: Counter(c for c, _ in _effects(database)) for name, database in world.memory.databases.items()}
    for service, cause in sorted(world.answered):
        if causes[service][cause] != 1:
            wrong.append(f"{service}: the command {cause} was answered and stands in the journal {causes[service][cause]} times")
    return wrong


def _effects(database: Database) -> set[Effect]:
    """Each cause with the versions of aggregates that it made."""
    return {(_meta.decode(r.meta).causationid, (r.kind, r.tenant, r.subject, r.version)) for r in database.journal}


def _chains(database: Database) -> list[str]:
    """Every chain, computed anew, and every document against its chain."""
    wrong: list[str] = []
    last: dict[tuple[str, str, str], tuple[int, int, bytes]] = {}
    ends: dict[tuple[str, str, str], JournalRow] = {}
    for r in database.journal:
        key = (r.kind, r.tenant, r.subject)
        version, n, head = last.get(key, (0, -1, b""))
        if (r.version, r.n) not in ((version, n + 1), (version + 1, 0)):
            wrong.append(f"{r.kind} {r.subject}: {r.version}.{r.n} follows {version}.{n}")
        if r.hash != link(head, r.meta, r.digest) or (r.data is not None and r.digest != payload_digest(r.salt, r.data)):
            wrong.append(f"{r.kind} {r.subject}: the chain breaks at {r.version}.{r.n}")
        last[key] = (r.version, r.n, r.hash)
        ends[key] = r
    for kind, kept in database.documents.items():
        for (tenant, id_), document in kept.items():
            version, _, head = last.get((kind, tenant, id_), (0, 0, b""))
            if (document.stored.version, document.stored.head) != (version, head):
                wrong.append(f"{kind} {id_}: the document is not what its journal says")
            elif payload_digest((end := ends[kind, tenant, id_]).salt, document.stored.state).hex() != _meta.decode(end.meta).state:
                wrong.append(f"{kind} {id_}: the state is not what its journal says")
    return wrong


def doubled(effects: Iterable[Effect]) -> list[str]:
    """No cause has two effects on one aggregate: a command answered, an event, an alarm each act once."""
    made: dict[tuple[str, str, str, str], set[int]] = defaultdict(set)
    for cause, (kind, tenant, id_, version) in effects:
        made[cause, kind, tenant, id_].add(version)
    return [f"{kind} {id_}: one cause made versions {sorted(v)}" for (_, kind, _, id_), v in made.items() if len(v) > 1]


def _published(world: World) -> list[str]:
    """What is on the bus was saved, and what was saved is on the bus, in every partition where it belongs."""
    saved = {
        (r.topic, p, r.meta, r.data) for d in world.memory.databases.values() for r in d.journal if r.topic for p in r.partitions
    }  # fmt: skip
    told = {(t, p, msgspec.json.encode(r.meta), r.data) for (t, p), log in world.memory.log.items() for r in log}
    saved = {(t, p, msgspec.json.encode(_meta.decode(meta)), data) for t, p, meta, data in saved}
    wrong = [f"published, but never saved: on {t}" for t, *_ in told - saved]
    return wrong + [f"saved, but never published: on {t}" for t, *_ in saved - told]


def disordered(logs: Mapping[str, Iterable[Meta]]) -> list[str]:
    """Of one aggregate, events stand in order where they come for the first time; of each partition, by its name."""
    wrong = []
    for name, log in logs.items():
        seen: dict[tuple[str, str, str], tuple[int, int]] = {}
        known = set()
        for meta in log:
            key, place = (meta.kind, meta.tenant, meta.subject), (meta.sequence, meta.n)
            if (key, place) not in known and place < seen.get(key, (0, 0)):
                wrong.append(f"{name}: {key[0]} {place} came behind {seen[key]}")
            known.add((key, place))
            seen[key] = max(seen.get(key, (0, 0)), place)
    return wrong


async def _states(world: World, service: str, aggregate: Aggregate[Any]) -> dict[str, Any]:
    return {s.id: aggregate.decoder.decode(s.state) async for s in world.stores()[service].documents(aggregate.kind)}


async def consistent(world: World) -> list[str]:
    """Between services: what one says of another is so."""
    policies = {p.version for p in (await _states(world, "assessment", POLICY)).values()}
    return disagreeing(await _states(world, "assessment", ASSESSMENT), await _states(world, "screening", MATCH), policies)


def disagreeing(assessments: Mapping[str, Assessment], matches: Mapping[str, MatchDocument], policies: set[str]) -> list[str]:
    """Of one tenant, by id: every assessment is by a policy in force, knows the matches that are live, and no others, and who owns it."""
    wrong = []
    live: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for i, m in matches.items():
        if m.match.state != "withdrawn":
            live[m.match.supplier_id][i] = (m.match.state, m.match.strength)
    for id_, assessment in assessments.items():
        if assessment.rating.policy_version not in policies:
            wrong.append(f"{id_} is rated by a policy that was replaced")
        known = {i: (f.match.state, f.match.strength) for i, f in assessment.facts.matches.items()}
        if known != live.get(id_, {}):
            wrong.append(f"the assessment of {id_} knows matches {known}, there are {live.get(id_, {})}")
    return wrong + misheld(assessments)


def misheld(assessments: Mapping[str, Assessment]) -> list[str]:
    """Every supplier has come to the blocked share that the whole graph of owners gives it, which none of them has seen."""
    policy = load(STANDARD.read_text(encoding="utf-8"))
    stakes, blocked = [], set()
    for id_, a in assessments.items():
        if listed_itself(a.facts, policy):
            blocked.add(id_)
        for n, owner in enumerate(of_itself(a.facts, policy).shares):
            name = f"{id_}#{n}" if owner.signal else owner.supplier_id or ""
            stakes.append(Stake(id_, name, owner.percent, n))
            if owner.signal:
                blocked.add(name)
    wrong, graph = [], Ownership(stakes, blocked)
    for id_, a in assessments.items():
        if id_ in blocked:  # and so without its owners; whom it blocks itself need not tell it who else blocks them
            continue
        whole, found = graph.share(id_), held(a.facts, policy)
        if (found.share if found else Share())[:3] != whole[:3] or bool(found and found.unknown) != bool(whole.unknown):
            wrong.append(f"{id_} takes {found and found.share} of it for blocked, it is {whole}")
    return wrong


async def outcome(world: World) -> dict[str, Any]:
    """What came of it, in words that do not depend on the way there."""
    suppliers = await _states(world, "onboarding", SUPPLIERS)
    matches = [m.match for m in (await _states(world, "screening", MATCH)).values()]
    assessments = await _states(world, "assessment", ASSESSMENT)
    entries = await _states(world, "intelligence", ENTRY)
    gate = world.process("gate").context.own
    return {
        "suppliers": {i: (s.profile.name, s.status, s.tier or "low") for i, s in suppliers.items()},
        "matches": sorted((m.supplier_id, m.signal.id, m.state, m.strength, m.score) for m in matches if m.state != "withdrawn"),
        "ratings": {i: (a.rating.tier, a.rating.score, a.rating.policy_version, a.facts.version > 0) for i, a in assessments.items()},
        "handed": {i: sorted((h.supplier_id, h.tier, h.hops) for h in a.handed) for i, a in assessments.items() if a.handed},
        "owned": {i: [(o.supplier_id, [(s.name, s.percent) for s in o.shares]) for o in a.owned] for i, a in assessments.items() if a.owned},
        "entries": {i: (e.live, e.signal.digest) for i, e in entries.items()},
        "releases": {i: (r.state, r.published) for i, r in (await _states(world, "intelligence", RELEASE)).items()},
        "imports": {i: (s.state, s.counts.rejected) for i, s in (await _states(world, "onboarding", IMPORTS)).items()},
        "audits": sorted((a.supplier_id, a.cause.signal_id, a.state, a.overdue) for a in (await _states(world, "audits", AUDITS)).values() if a.live),
        "cases": sorted((c.supplier_id, c.indicators, c.state, c.overdue) for c in (await _states(world, "remediation", CASES)).values() if c.live),
        "sweeps": {i: (sorted(s.done), s.completed_at is not None, s.signals) for i, s in (await _states(world, "screening", SWEEP)).items()},
        "hotspots": {
            i: (h.spot, h.told is not None, sorted(o for o, one in h.observations.items() if one.live))
            for i, h in (await _states(world, "hotspots", HOTSPOT)).items()
        },
        "gate": await _decisions(world, gate, sorted(suppliers)),
    }  # fmt: skip


async def _decisions(world: World, gate: Gate, ids: list[str]) -> dict[str, str]:
    rows = await gate.rows(TENANT, [Question(supplier_id=id_) for id_ in ids])
    policy = gate.policies.of(TENANT)
    answers = [answer(row.gate if row else None, "purchase_order", world.clock.now(), policy).decision for row in rows]
    return dict(zip(ids, answers, strict=True))


def revisions(world: World) -> dict[str, int]:
    """How often anything changed, by service: what a redelivery must not add to."""
    return {name: len(d.journal) for name, d in world.memory.databases.items()}
