"""`duewatch match`: the matcher over CSV files, without a system."""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from services.cli.command import command, group
from services.cli.failures import WrongUse
from services.cli.session import Session
from services.cli.show import reasons

app = group("Match names in CSV files, without a running system.", "duewatch match pairs pairs.csv --out scored.csv")

Out = Annotated[Path, typer.Option(help="The CSV file to write.", dir_okay=False)]
_SHOW_EVERY_S = 0.1


@command(app, "pairs", example="duewatch match pairs pairs.csv --out scored.csv", local=True)
def pairs(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(metavar="IN.csv", help="With columns name1, name2 and, if wanted, schema and country.", exists=True, dir_okay=False),
    ],
    out: Out,
) -> None:
    """Scores pairs of names: adds score (0 to 1), match (true or false) and why to each row."""
    from services.screening.matching.pairs import score_pair

    began, rows = time.monotonic(), 0
    with _table(file, "name1", "name2") as asked, session.progress() as bars:
        bar, shown = bars.start("Scoring", file.stat().st_size or 1), 0.0
        columns = [name for name in asked.names if name not in ("score", "match", "why")]
        with _written(out, [*columns, "score", "match", "why"]) as writer:
            for row in asked:
                scored = score_pair(row["name1"], row["name2"], row.get("schema") or "organisation", row.get("country") or "")
                match = "true" if scored.match else "false"
                writer.writerow([*(row[name] for name in columns), f"{scored.score:.4f}", match, _why(scored.why)])
                rows += 1
                if time.monotonic() - shown > _SHOW_EVERY_S:
                    shown = time.monotonic()
                    bars.show(bar, asked.position(), f"{rows:,} pairs")
        bars.end(bar, f"{rows:,} pairs")
    _end(session, {"pairs": rows, "out": str(out)}, began, rows, "pairs")


@command(app, "batch", example="duewatch match batch --list list.csv --names names.csv --out found.csv --alert-rate 0.01", local=True)
def batch(
    session: Session,
    list_: Annotated[
        Path,
        typer.Option(
            "--list", help="Listed parties: columns id and name, several rows of one id are aliases.", exists=True, dir_okay=False
        ),
    ],
    names: Annotated[Path, typer.Option(help="The names asked: columns id and name.", exists=True, dir_okay=False)],
    out: Out,
    alert_rate: Annotated[
        float | None, typer.Option(help="Keep only scores that at most this share of the names (0 to 1) reaches.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="The most rows for one name.", min=1)] = None,
) -> None:
    """Holds many names against a list: writes name_id, list_id, score and why, best first."""
    from services.screening.matching.batch import batch as match_batch

    began, rows, shown = time.monotonic(), 0, 0.0
    with session.progress() as bars, _written(out, ["name_id", "list_id", "score", "why"]) as writer:
        bar = bars.start("Reading")
        listed, asked = _id_names(list_), _id_names(names)
        places = {name_id: place for place, (name_id, _) in enumerate(asked)}
        bars.show(bar, told=f"{len(asked):,} names, {len(listed):,} rows of the list")
        for row in match_batch(listed, asked, alert_rate=alert_rate, limit=limit):
            writer.writerow([row.name_id, row.list_id, f"{row.score:.4f}", _why(row.why)])
            rows += 1
            if time.monotonic() - shown > _SHOW_EVERY_S:
                shown = time.monotonic()
                bars.show(bar, places[row.name_id], f"{places[row.name_id]:,} of {len(asked):,} names", total=len(asked))
        bars.end(bar, f"{len(asked):,} names")
    _end(session, {"names": len(places), "rows": rows, "out": str(out)}, began, len(asked), "names")


class _Table:
    """Rows of a CSV file by their column names."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file, self._reader = file, csv.DictReader(file, restval="")
        self.names, self._path = list(self._reader.fieldnames or []), path

    def __iter__(self) -> Iterator[dict[str, str]]:
        for row in self._reader:
            if None in row:
                raise WrongUse(f"{self._path}: line {self._reader.line_num} has more cells than the header")
            yield row

    def position(self) -> int:
        """Bytes read of the file, to a buffer's length."""
        return self._file.buffer.tell()


@contextmanager
def _table(path: Path, *required: str) -> Iterator[_Table]:
    """A CSV file in UTF-8 that has the required columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = _Table(file, path)
            if missing := [name for name in required if name not in found.names]:
                raise WrongUse(f"{path} lacks the column {' and '.join(missing)}")
            yield found
    except UnicodeDecodeError:
        raise WrongUse(f"{path} is not UTF-8") from None
    except csv.Error as error:
        raise WrongUse(f"{path} is not CSV", str(error)) from None


@contextmanager
def _written(path: Path, columns: list[str]) -> Iterator[Any]:
    """Takes its name when it is whole: a run that fails leaves the result of the last one, and the file asked may be the one written."""
    whole = not path.exists() or path.is_file()  # else a device or a pipe
    part = path.with_name(f".{path.name}.part") if whole else path
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            yield writer
        if whole:
            part.replace(path)
    finally:
        if whole:
            part.unlink(missing_ok=True)


def _id_names(path: Path) -> list[tuple[str, str]]:
    with _table(path, "id", "name") as rows:
        return [(row["id"], row["name"]) for row in rows]


def _why(whys: Any) -> str:
    return reasons({"kind": why.kind, "a": why.a, "b": why.b} for why in whys)


def _end(session: Session, done: dict[str, Any], began: float, count: int, what: str) -> None:
    seconds = time.monotonic() - began
    told = f"{count:,} {what} in {seconds:.1f} s ({count / max(seconds, 0.001):,.0f} a second); the result is in {done['out']}"
    session.tell(done | {"seconds": round(seconds, 3)}, told)
