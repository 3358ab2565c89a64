"""`duewatch why`: what a decision, a rating, a match, an audit, a case or a finding rests on, as a tree back to what the world said.

The gate keeps the whole chain of a decision. Of the others the links are what each names as its cause, in the same shape.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.text import Text
from rich.tree import Tree

from services.cli.failures import WrongUse
from services.cli.session import Session, segment
from services.cli.show import STYLES, clean, held_through, when

Chain = dict[str, Any]
_TOLD = {
    "list": "list", "uid": "entry", "release_id": "release", "programs": "programs", "finding_id": "finding", "indicators": "indicators",
    "policy_version": "policy", "supplier_id": "supplier", "report_id": "report",
}  # fmt: skip


def why(
    session: Session,
    thing: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Of a decision, a match, an audit, a case or a finding; or a supplier, by id or SYSTEM:NUMBER, for its rating.",
        ),
    ],
) -> None:
    """Explains why something is as it is: the chain of causes, back to the list entry or the finding."""
    kind = "sup" if ":" in thing else thing.partition("_")[0]
    if kind == "dec":
        session.answer(session.api.get(f"/v1/decisions/{segment(thing)}/why"), _tree)
        return
    if kind not in _EXPLAINED:
        known = ", ".join(f"{one}_..." for one in ("dec", *_EXPLAINED))
        raise WrongUse("Of such an id no causes are known", f"Give one that begins as {known}, or a supplier as SYSTEM:NUMBER")
    role, path, chain = _EXPLAINED[kind]
    session.needs(role)
    id_ = session.supplier_id(thing) or thing
    body = chain(session.api.get(path.format(segment(id_))).body)
    session.tell(body, _tree(body))


def _of_rating(body: Any) -> Chain:
    drivers = [_driver(driver) for driver in body["drivers"]]
    main = drivers[0]["text"] if drivers else "nothing speaks against it"
    data = {name: body.get(name) for name in ("tier", "score", "policy_version", "supplier_id")}
    if drivers and (drivers[0]["paths"] or drivers[0]["obligations"]):
        data["driver"] = {"paths": drivers[0]["paths"], "obligations": drivers[0]["obligations"]}
    first = _step("assessment", body["supplier_id"], body["as_of"], f"The supplier is rated {body['tier']}: {main}", data)
    return {
        "chain": [first, *(drivers[0]["chain"] if drivers else [])],
        "others": [
            {"text": d["text"], "paths": d["paths"], "obligations": d["obligations"], "leads_to": d["chain"][-1] if d["chain"] else None}
            for d in drivers[1:]
        ],
    }


def _driver(driver: Any) -> Chain:
    """Its text, and its links; the last is the signal's where it rests on one."""
    links = [_step(link["service"], link["id"], link.get("time"), _words(link["type"]), {}) for link in driver["chain"]]
    if signal := driver.get("signal"):
        last = links.pop() if links else {}
        links.append(_signal({**signal["source"], "id": signal["id"], "name": signal.get("name")}, last.get("id"), last.get("time")))
    return {"text": driver["text"], "paths": driver.get("paths", []), "obligations": driver.get("obligations", []), "chain": links}


def _of_match(body: Any) -> Chain:
    said = f"{body['party_name'] or 'The supplier'} was matched, {body['strength']} at {body['score']:.2f}; the match is {body['state']}"
    if body["reviewed_by"]:
        said += f", reviewed by {body['reviewed_by']}" + (f" and {body['agreed_by']}" if body.get("agreed_by") else "")
    first = _step("screening", body["id"], body["opened_at"], said, {"supplier_id": body["supplier_id"]})
    return {"chain": [first, _signal(body["signal"])]}


def _of_audit(body: Any) -> Chain:
    return _followed("audits", "The audit", body)


def _of_case(body: Any) -> Chain:
    return _followed("remediation", "The case", body)


def _followed(service: str, what: str, body: Any) -> Chain:
    cause = body["cause"]
    holds = "" if body.get("cause_holds", True) else ", its cause holds no more"
    said = f"{what} is {body['state'].replace('_', ' ')}{holds}"
    chain = [_step(service, body["id"], body.get("opened_at"), said, {"supplier_id": body["supplier_id"]})]
    chain.append(_step("", cause["id"], cause.get("at"), _words(cause["type"]), {}))
    if cause.get("finding_id") or cause.get("list"):
        chain.append(_signal(cause, cause.get("signal_id")))
    return {"chain": chain}


def _of_finding(body: Any) -> Chain:
    about = body["about"]
    what = about.get("name") or f"goods from {about.get('region') or about.get('origin')}"
    by = f" by {body['decided_by']}" if body["decided_by"] else ""
    data = {"indicators": body["indicators"], "report_id": body["report_id"]}
    said = f"The finding about {what} was drafted by {body['drafted_by']}; it is {body['state']}{by}"
    return {"chain": [_step("intelligence", body["id"], body["drafted_at"], said, data)]}


_EXPLAINED: Final[dict[str, tuple[str, str, Callable[[Any], Chain]]]] = {
    "sup": ("buyer", "/v1/suppliers/{}/rating", _of_rating),
    "mat": ("analyst", "/v1/matches/{}", _of_match),
    "aud": ("auditor", "/v1/audits/{}", _of_audit),
    "case": ("case_worker", "/v1/cases/{}", _of_case),
    "fnd": ("analyst", "/v1/findings/{}", _of_finding),
}


def _signal(source: Any, id_: str | None = None, time: object = None) -> Chain:
    """What the world said: an entry of a list, or a finding."""
    data = {name: source.get(name) for name in ("list", "uid", "release_id", "programs", "finding_id", "indicators") if source.get(name)}
    if source.get("finding_id"):
        said = "A finding was verified by two people"
    elif source.get("kind") == "hotspot":
        said = f"Independent sources together make a hot-spot {source.get('name')}"
    else:
        said = f"{source.get('name') or 'An entry'} stands on list {source.get('list')}"
    return _step("hotspots" if source.get("kind") == "hotspot" else "intelligence", id_ or source.get("id") or "", time, said, data)


def _step(service: str, id_: str, time: object, summary: str, data: Chain) -> Chain:
    return {"service": service, "id": id_, "time": time, "summary": summary, "data": data}


def _words(type_: str) -> str:
    """`duewatch.rating.changed.v1` as words."""
    words = type_.removeprefix("duewatch.").rpartition(".v")[0] or type_
    return words.replace(".", " ").replace("_", " ").capitalize()


def _tree(body: Any) -> Tree:
    first, *rest = body["chain"]
    tree = Tree(_link(first), guide_style="dim")
    at = tree
    for link in rest:
        at = at.add(_link(link))
    if body.get("others"):
        others = tree.add(Text("also", "bold"))
        for other in body["others"]:
            leaf = others.add(_lines(Text(clean(other["text"])), [*held_through(other), _asked_in_short(other)]))
            if other.get("leads_to"):
                leaf.add(_link(other["leads_to"]))
    if body.get("override"):
        override = body["override"]
        tree.add(
            Text(
                clean(f"by an exception of {override['proposed_by']}, approved by {override['decided_by']}: {override['reason']}"),
                "yellow",
            )
        )
    return tree


def _link(link: Any) -> Text:
    """What happened, then where it can be looked up."""
    data = link.get("data") or {}
    said = [
        f"{title} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, title in _TOLD.items()
        if (value := data.get(key))
    ]
    place = " · ".join(part for part in (when(link.get("time")), link["service"], link["id"]) if part)
    shown = Text(clean(link["summary"]), STYLES.get(data.get("decision") or data.get("tier") or "", "bold"))
    return _lines(shown, [*held_through(data.get("driver") or {}), *_asked(data.get("driver") or {}), ", ".join(said), place])


def _asked(driver: Any) -> list[str]:
    """What laws ask because of a driver, a line each."""
    return [f"by law: {duty['text']} ({duty['id']})" for duty in driver.get("obligations") or ()]


def _asked_in_short(driver: Any) -> str:
    """The same in one line, where the words stand elsewhere or would hide the drivers."""
    ids = ", ".join(duty["id"] for duty in driver.get("obligations") or ())
    return f"by law: {ids}" if ids else ""


def _lines(shown: Text, lines: list[str]) -> Text:
    for line in filter(None, lines):
        shown.append(f"\n{clean(line)}", "dim")
    return shown
