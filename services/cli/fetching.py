"""`duewatch lists pull` and `schedule`: releases that the system fetches itself."""

import re
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from services.cli.command import command
from services.cli.failures import Failure, Refused, WrongUse
from services.cli.list_status import app as app
from services.cli.lists import ListId, Wait, follow
from services.cli.session import Session, segment
from services.cli.show import fields, table, when

_UNITS = {"m": 60, "h": 3_600, "d": 86_400}


@command(app, "pull", example="duewatch lists pull us_ofac_sdn", role="operator")
def pull(
    session: Session,
    list_id: Annotated[str, typer.Argument(metavar="[LIST]", help="The list's id; or --all.")] = "",
    address: Annotated[str | None, typer.Option(help="Where the file or a zip is; else the publisher's own address.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All lists whose addresses are known, one after the other.")] = False,
    wait: Wait = True,
) -> None:
    """Has the system fetch a release itself. With --all one that fails does not stop the others; the command then ends with 1."""
    if everything == bool(list_id) or (everything and address):
        raise WrongUse("Give a list, or --all without an address")
    if everything:
        _pull_all(session, wait=wait)
        return
    answer = session.api.post(f"/v1/lists/{segment(list_id)}/pulls", {"address": address}).body
    if answer["outcome"] == "unchanged":
        session.note("The publisher's files are still those of this release.")
    follow(session, list_id, answer["id"], wait=wait)


@command(app, "schedule", example="duewatch lists schedule us_ofac_sdn --every 6h", role="operator")
def schedule(
    session: Session,
    list_id: ListId,
    every: Annotated[str | None, typer.Option(help="How often, as 30m, 6h or 1d.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Not by itself any more.")] = False,
) -> None:
    """How often a list is fetched by itself, and what became of it last; with --every or --off it is set."""
    if every and off:
        raise WrongUse("Give --every or --off, not both")
    path = f"/v1/lists/{segment(list_id)}/schedule"
    answer = session.api.put(path, {"every_s": _seconds(every) if every else None}, nulls=True) if every or off else session.api.get(path)
    session.answer(answer, _schedule)


def _pull_all(session: Session, *, wait: bool) -> None:
    lists = [one["id"] for one in session.api.get("/v1/lists").body["items"] if all(f["address"] for f in one["files"])]
    rows: list[dict[str, Any]] = []
    with session.progress() as bars:
        bar = bars.start("Fetching")
        for n, list_id in enumerate(lists):
            bars.show(bar, n, f"{n} of {len(lists)}: {list_id}", total=len(lists))
            rows.append(_pulled(session, list_id, wait=wait))
        bars.show(bar, len(lists), f"{len(lists)} of {len(lists)}", total=len(lists))
    columns = {"list": "list", "outcome": "outcome", "release": "release_id", "entries": "entries", "reason": "reason"}
    session.tell({"items": rows}, table(rows, columns))
    if failed := [row["list"] for row in rows if row["outcome"] in ("failed", "refused")]:
        raise Refused(f"{len(failed)} of {len(rows)} lists could not be fetched", ", ".join(failed))


def _pulled(session: Session, list_id: str, *, wait: bool) -> dict[str, Any]:
    row = {"list": list_id, "outcome": "failed", "release_id": None, "entries": None, "reason": None}
    try:
        answer = session.api.post(f"/v1/lists/{segment(list_id)}/pulls", {}).body
        row |= {"outcome": answer["outcome"], "release_id": answer["id"]}
        if wait:
            path = f"/v1/lists/{segment(list_id)}/releases/{segment(answer['id'])}"
            release = session.api.wait(path, lambda body: body["state"] != "received").body
            told = "unchanged" if answer["outcome"] == "unchanged" and release["state"] == "accepted" else release["state"]
            row |= {"outcome": told, "entries": release["entries"], "reason": release["reason"]}
    except Failure as failure:
        if "status" not in failure.problem:  # the system itself cannot be reached: nor will it for the next
            raise
        row["reason"] = failure.problem.get("detail") or failure.problem.get("title")
    return row


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not found:
        raise WrongUse("--every is a number with m, h or d behind it: 30m, 6h, 1d")
    return int(found[1]) * _UNITS[found[2]]


def _schedule(body: Any) -> RenderableType:
    every = body["every_s"]
    return fields({
        "every": _every(every) if every else "not by itself", "set by": body["set_by"], "next": when(body["next_pull"]),
        "last attempt": when(body["attempted_at"]), "outcome": body["outcome"], "reason": body["reason"],
        "failures in a row": body["failures"] or None, "release": body["release_id"],
    })  # fmt: skip


def _every(seconds: int) -> str:
    unit, size = next((u, s) for u, s in reversed(_UNITS.items()) if seconds % s == 0 or s == 60)
    return f"{seconds / size:g}{unit}"
