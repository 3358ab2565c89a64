"""`duewatch lists`: official lists, their releases and entries."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from services.cli.command import Cursor, Limit, command, group
from services.cli.failures import Refused, WrongUse
from services.cli.packages import Package, package
from services.cli.session import Session, segment
from services.cli.show import Columns, fields, page, table, when

app = group("Load official lists, and look at their releases and entries.", "duewatch lists load us_ofac_sdn ./2023-01")

ListId = Annotated[str, typer.Argument(metavar="LIST", help="The list's id, as `duewatch lists show` names it.")]
Wait = Annotated[bool, typer.Option(help="Wait until it is compared and held against all suppliers.")]
_CHUNK = 256 * 1024
_ADDRESSES = ("http://", "https://")
_ROWS_TOLD = 5


@command(app, "load", example="duewatch lists load us_ofac_sdn ./2023-01", role="operator")
def load(
    session: Session,
    list_id: ListId,
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help="A folder with the official files, a zip of them, the files, or an https:// address of one."),
    ],
    wait: Wait = True,
) -> None:
    """Loads a release: sends the official files, waits for the comparison and for the sweep over all suppliers.

    An address is fetched by the system itself, as `duewatch lists pull` has it.
    """
    if any(source.startswith(_ADDRESSES) for source in sources):
        if len(sources) > 1:
            raise WrongUse("Give one address, of a file or of a zip with all of them")
        answer = session.api.post(f"/v1/lists/{segment(list_id)}/pulls", {"address": sources[0]}).body
        follow(session, list_id, answer["id"], wait=wait)
        return
    paths = [Path(source) for source in sources]
    if missing := [path for path in paths if not path.exists()]:
        raise WrongUse(f"{missing[0]}: there is no such file or folder")
    layouts = session.api.get(f"/v1/lists/{segment(list_id)}").body["layouts"]
    official = list(dict.fromkeys(file["name"] for layout in layouts for file in layout["files"]))
    with package(official, paths) as sent:
        answer = _send(session, list_id, sent)
    follow(session, list_id, answer["id"], wait=wait)


@command(app, "accept", example="duewatch lists accept us_ofac_sdn rel_... --reason 'OFAC announced the delisting'", role="operator")
def accept(
    session: Session,
    list_id: ListId,
    release_id: Annotated[str, typer.Argument(metavar="RELEASE")],
    reason: Annotated[str, typer.Option(help="Why it may act; it stays with the release, with your name.")],
    wait: Wait = True,
) -> None:
    """Lets in a release that a guard rail refused."""
    session.api.post(f"{_release(list_id, release_id)}/acceptance", {"reason": reason})
    follow(session, list_id, release_id, wait=wait)


@command(app, "show", example="duewatch lists show us_ofac_sdn", role="analyst")
def show(session: Session, list_id: Annotated[str, typer.Argument(metavar="[LIST]", help="One list; without it all.")] = "") -> None:
    """The lists that can be loaded, or one of them, each with the release that acts."""
    if list_id:
        session.answer(session.api.get(f"/v1/lists/{segment(list_id)}"), _list)
        return
    columns: Columns = {
        "list": "id",
        "title": "title",
        "entries": "entries",
        "release": _acting("id"),
        "in force since": _acting("accepted_at"),
        "checked": "checked_at",
        "refused last": lambda row: when((row["last_refused"] or {}).get("received_at")),
    }
    session.answer(session.api.get("/v1/lists"), lambda body: page(body, columns))


@command(app, "releases", example="duewatch lists releases us_ofac_sdn", role="analyst")
def releases(
    session: Session,
    list_id: ListId,
    state: Annotated[str | None, typer.Option(help="received, accepted, unchanged or refused.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """All releases of a list, those refused among them."""
    answer = session.api.get(f"/v1/lists/{segment(list_id)}/releases", {"state": state, "limit": limit, "cursor": cursor})
    columns: Columns = {
        "release": "id", "state": "state", "received": "received_at", "entries": "entries", "added": "added", "modified": "modified",
        "deleted": "deleted", "by": "loaded_by", "reason": "reason",
    }  # fmt: skip
    session.answer(answer, lambda body: page(body, columns, empty="No such release."))


@command(app, "raw", example="duewatch lists raw us_ofac_sdn rel_... --out received.zip", role="analyst")
def raw(
    session: Session,
    list_id: ListId,
    release_id: Annotated[str, typer.Argument(metavar="RELEASE")],
    out: Annotated[Path, typer.Option(help="Where to; a file that is there already is left alone.")],
) -> None:
    """Saves the very bytes of a release as they were received, and holds them against their hash."""
    release = session.api.get(_release(list_id, release_id)).body
    with out.open("x+b") as file:
        size = session.api.download(f"{_release(list_id, release_id)}/raw", file)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != release["sha256"]:
        raise Refused("What was kept is not what was received", f"It should be {release['sha256']}, and is {digest}")
    session.tell({"file": str(out), "size": size, "sha256": digest}, fields({"file": str(out), "bytes": size, "sha256": digest}))


@command(app, "entries", example="duewatch lists entries us_ofac_sdn 36", role="analyst")
def entries(
    session: Session,
    list_id: ListId,
    uid: Annotated[str, typer.Argument(metavar="[UID]", help="One entry, by the publisher's own id.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """The entries in force; or one entry, and how it changed from release to release, also when it is gone."""
    path = f"/v1/lists/{segment(list_id)}/entries"
    if uid:
        session.answer(session.api.get(f"{path}/{segment(uid)}", {"withdrawn": True}), _entry)
        return
    columns: Columns = {
        "uid": "uid",
        "name": _named,
        "kind": lambda row: row.get("schema", "organisation") if row["about"] == "party" else row["about"],
        "countries": "countries",
        "programs": "programs",
    }
    answer = session.api.get(path, {"limit": limit, "cursor": cursor})
    session.answer(answer, lambda body: page(body, columns, empty="No release of this list is in force."))


def _release(list_id: str, release_id: str) -> str:
    return f"/v1/lists/{segment(list_id)}/releases/{segment(release_id)}"


def _acting(field: str) -> Any:
    return lambda row: when(row["release"][field]) if field.endswith("_at") and row["release"] else row["release"] and row["release"][field]


def _send(session: Session, list_id: str, sent: Package) -> Any:
    with session.progress() as bars:
        chunks = bars.read("Sending", iter(lambda: sent.file.read(_CHUNK), b""), sent.size)
        return session.api.upload(f"/v1/lists/{segment(list_id)}/releases", chunks, sent.size, sent.content_type).body


def follow(session: Session, list_id: str, release_id: str, *, wait: bool) -> None:
    """Shows the release, after its comparison and its sweep where that is waited for; a refused one is a failure."""
    path = _release(list_id, release_id)
    if not wait:
        session.answer(session.api.get(path), lambda release: _summary(release, None))
        return
    with session.progress() as bars:
        bar = bars.start("Comparing with the release in force")
        release = session.api.wait(path, lambda body: body["state"] != "received")
        bars.end(bar)
        sweep = _sweep(session, release.body, bars) if release.body["state"] == "accepted" else None
    session.answer(release, lambda body: _summary(body, sweep))
    if release.body["state"] == "refused":
        who = release.body["let_in_by"]
        how = [f"If it is right all the same, the role {who['role']} may let it in: {who['command']}"] if who else []
        raise Refused("The release was refused; the last good one stays in force", *how)


def _sweep(session: Session, release: Any, bars: Any) -> Any:
    """The finished sweep; None for a caller who may load lists but not see what they touch."""
    bar = bars.start("Holding it against all suppliers")

    def done(sweep: Any) -> bool:
        bars.show(
            bar, sweep["partitions_done"], f"{sweep['partitions_done']} of {sweep['partitions']} partitions", total=sweep["partitions"]
        )
        return bool(sweep["state"] == "complete")

    try:
        return session.api.wait(f"/v1/sweeps/{release['sweep_id']}", done).body
    except Refused:
        bars.end(bar, "counted for the roles analyst and admin only")
        return None


def _summary(release: Any, sweep: Any) -> RenderableType:
    rows = {
        "release": release["id"], "state": release["state"], "reason": release["reason"], "layout": release["layout"], "dated": release["dated"],
        "version": release["version"], "entries": release["entries"], "unread": _unread(release), "added": release["added"],
        "modified": release["modified"], "deleted": release["deleted"],
    }  # fmt: skip
    if sweep:
        swept = f"{sweep['state']}, {sweep['partitions_done']} of {sweep['partitions']} partitions"
        rows |= {"sweep": f"{sweep['id']} ({swept})", "suppliers": sweep["suppliers"], "signals": sweep["signals"], "hits": sweep["hits"]}
    return fields(rows)


def _unread(release: Any) -> str | None:
    """How many rows became no entry, and what is wrong with the first of them."""
    if not release["quarantined"]:
        return None
    rows = [f"row {one['row']}: {one['reason']}" for one in release["unread"][:_ROWS_TOLD]]
    return f"{release['quarantined']:,} rows; " + "; ".join(rows) + ("; ..." if release["quarantined"] > len(rows) else "")


def _named(entry: Any) -> str:
    """The name of a party, or the good and place that an exposure is about."""
    if entry["name"]:
        return str(entry["name"])
    good = f"HS {entry['hs']} " if entry.get("hs") else ""
    return f"{good}from {entry.get('region') or entry.get('origin') or 'anywhere'}"


def _list(body: Any) -> RenderableType:
    release, refused = body["release"] or {}, body["last_refused"] or {}
    rows = {
        "list": body["id"], "title": body["title"], "publisher": body["publisher"], "licence": body["licence"], "entries": body["entries"],
        "release": release.get("id") or "none in force", "in force since": when(release.get("accepted_at")), "let in by": release.get("accepted_by"),
        "because": release.get("accepted_because"), "sha256": release.get("sha256"), "checked": when(body["checked_at"]),
        "refused last": refused.get("id"), "received": when(refused.get("received_at")), "why": refused.get("reason"),
    }  # fmt: skip
    return Group(fields(rows), "", table(body["files"], {"file": "name", "role": "role", f"address ({body['addresses']})": "address"}))


def _entry(body: Any) -> RenderableType:
    rows = {k.replace("_", " "): v for k, v in body.items() if not (isinstance(v, list) and v and isinstance(v[0], dict))}
    parts: list[RenderableType] = [fields(rows)]
    if names := body.get("names"):
        parts += ["", table(names, {"name": "name", "kind": lambda row: row.get("kind", "alias") + (", weak" if row.get("weak") else "")})]
    if numbers := body.get("identifiers"):
        parts += ["", table(numbers, {"number": "value", "kind": "kind", "country": "country"})]
    if places := body.get("addresses"):
        parts += ["", table(places, {"address": "text", "city": "city", "country": "country"})]
    parts += [
        "",
        table(body["history"], {"change": "change", "release": "release_id", "when": lambda row: when(row["at"]), "of its": "parts"}),
    ]
    return Group(*parts)
