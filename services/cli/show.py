"""How things look in the terminal: times, tiers, tables. What others wrote (names, reasons) is never taken for markup or control codes."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

STYLES: Final = {
    "low": "green", "medium": "yellow", "high": "dark_orange", "critical": "red", "prohibited": "bold red",
    "allow": "green", "allow_with_conditions": "yellow", "review": "dark_orange", "block": "bold red",
    "active": "green", "on_hold": "dark_orange", "blocked": "bold red", "inactive": "dim",
    "accepted": "green", "unchanged": "green", "refused": "red", "received": "yellow",
    "strong": "bold red", "weak": "dark_orange", "confirmed": "red", "open": "dark_orange", "escalated": "dark_orange",
    "cleared": "green", "withdrawn": "dim", "verified": "red", "rejected": "dim", "retracted": "dim",
    "dead": "red", "replayed": "green", "replaying": "yellow", "done": "green", "complete": "green", "running": "yellow", "failed": "red",
    "yes": "green", "no": "bold red",
}  # fmt: skip
_REASONS: Final[dict[str, str]] = {
    "exact": "{a}", "spacing": "{a} = {b}", "fuzzy": "{a} ~ {b}", "initial": "{a} for {b}", "form": "{a}", "form_family": "{a} like {b}",
    "country_agrees": "same country", "country_differs": "country {a} not {b}", "weak_alias": "weak alias", "other_kind": "of another kind",
    "identifier": "same number ({a})", "identifier_local": "same number of local registers ({a})", "identifier_conflict": "number {a} not {b}",
    "address": "same address ({a} = {b})", "birth_date": "born {a}", "birth_date_partial": "born {a} ~ {b}", "birth_date_conflict": "born {a} not {b}",
    "name_only": "same name, nothing else agrees",
}  # fmt: skip
_SHORT: Final = 20  # columns that a sentence gets at least; a time is as long
Row = Mapping[str, Any]
Columns = Mapping[str, str | Callable[[Any], object]]


def clean(value: object) -> str:
    """Text of one line, without control characters: a name must not be able to steer the terminal."""
    return "".join(" " if c in "\t\r\n" else "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in str(value))


def when(value: object) -> str:
    """A time of the API to the second, in UTC."""
    try:
        return datetime.fromisoformat(str(value)).strftime("%Y-%m-%d %H:%M:%SZ") if value else ""
    except ValueError:
        return clean(value)


def text(value: object, style: str = "") -> Text:
    """A value as a cell shows it: words with a meaning in their colour, numbers with thousands parted, nothing as a dash."""
    if value is None or value in ("", [], ()):
        return Text("–", "dim")
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, float):
        return Text(f"{value:.2f}", style)
    if isinstance(value, int):
        return Text(f"{value:,}", style)
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return Text(clean(value).replace("_", " ") if str(value) in STYLES else clean(value), style or STYLES.get(str(value), ""))


def table(rows: Iterable[Row], columns: Columns, *, empty: str = "Nothing there.") -> RenderableType:
    """A table of `rows`; `columns` maps a heading to the row's field, or to what makes a cell of the row."""
    cells = [[_cell(row, field) for field in columns.values()] for row in rows]
    return _Table(list(columns), cells) if cells else Text(empty, "dim")


class _Table:
    """Rows side by side; one below the other where the terminal is too narrow for that, so that ids stay whole and can be copied."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
        self._headings, self._rows = headings, rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        width = 0
        for heading, *cells in zip(self._headings, *self._rows, strict=True):
            told = [cell.plain for cell in cells if cell.plain != "–"]
            right = bool(told) and all(value.replace(",", "").replace(".", "").isdigit() for value in told)
            sentences = max(cell.cell_len for cell in cells) > _SHORT and any(" " in value for value in told)
            made.add_column(heading, justify="right" if right else "left", overflow="fold", no_wrap=not sentences)
            width += 3 + (_SHORT if sentences else max(len(heading), *(cell.cell_len for cell in cells)))
        if width <= options.max_width:
            for row in self._rows:
                made.add_row(*row)
            yield made
            return
        for row in self._rows:
            yield fields(dict(zip(self._headings, row, strict=True)))
            yield ""


def _cell(row: Row, field: str | Callable[[Any], object]) -> Text:
    value = row.get(field) if isinstance(field, str) else field(row)
    if isinstance(value, Text):
        return value
    return Text(when(value)) if isinstance(field, str) and value and field.endswith(("_at", "_until", "_as_of")) else text(value)


def page(body: Row, columns: Columns, *, empty: str = "Nothing there.") -> RenderableType:
    """A page of the API as a table, with the way to its next page."""
    shown = table(body["items"], columns, empty=empty)
    return Group(shown, Text(f"There is more: --cursor {body['next']}", "dim")) if body.get("next") else shown


def fields(rows: Mapping[str, object]) -> RenderableType:
    """One thing: its names and values, those without a value left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows.items():
        if value is not None and value not in ("", [], ()):
            made.add_row(name, value if isinstance(value, Text) else text(value))
    return made


def record(body: Row) -> RenderableType:
    """One thing of the API with all its plain fields, for those that need no look of their own; longer text keeps its lines."""
    return fields({name.replace("_", " "): _plain(name, value) for name, value in body.items() if _is_plain(value)})


def _is_plain(value: object) -> bool:
    return not isinstance(value, dict) and not (isinstance(value, list) and any(isinstance(one, dict) for one in value))


def _plain(name: str, value: object) -> object:
    if name.endswith("_at"):
        return when(value)
    if isinstance(value, str) and "\n" in value:
        return Text("\n".join(clean(line) for line in value.splitlines()))
    return value


def reasons(whys: Iterable[Row]) -> str:
    """The matcher's reasons in one line: words that agree, then what is missing."""
    told, missing = [], []
    for why in whys:
        a, b = why.get("a", why.get("asked", "")), why.get("b", why.get("found", ""))
        if "missing" in why["kind"]:
            missing.append(a or b)
        else:
            told.append(_REASONS.get(str(why["kind"]), str(why["kind"])).format(a=a, b=b))
    return ", ".join(told) + ("; not in both: " + ", ".join(missing) if missing else "")


def held_through(driver: Mapping[str, Any]) -> list[str]:
    """The chains of owners that a driver tells of, a line each: who holds what share of whom, and which list names the last one."""
    lines = []
    for path in driver.get("paths") or ():
        way = " ← ".join(f"{step['name']} {step.get('percent') or '?'} %" for step in path["steps"])
        signal = path.get("signal")
        end = f"{signal.get('name') or 'an entry'} on list {signal['source'].get('list')}" if signal else "followed no further"
        lines.append(clean(f"{way}: {end}"))
    return lines
