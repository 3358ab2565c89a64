"""`duewatch match`: CSV in, CSV out, and what is wrong with a file said with its name."""

import csv
import json
from pathlib import Path

import pytest

from services.cli.main import run


def duewatch(*arguments: object) -> int:
    """Runs a command here; its exit code."""
    with pytest.raises(SystemExit) as end:
        run([str(one) for one in arguments])
    return int(end.value.code or 0)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_pairs_keep_their_columns_and_get_three_more(tmp_path: Path) -> None:
    asked = written(
        tmp_path / "in.csv", 'note,name1,name2,schema,country\n"a, b",Acme Trading Ltd,ACME Trading Limited,Company,GB\n,Acme,Zenith,,\n'
    )
    assert duewatch("match", "pairs", asked, "--out", tmp_path / "out.csv") == 0
    first, second = rows(tmp_path / "out.csv")
    assert list(first) == ["note", "name1", "name2", "schema", "country", "score", "match", "why"]
    assert (first["note"], first["name2"], first["match"]) == ("a, b", "ACME Trading Limited", "true")
    assert float(first["score"]) > 0.9
    assert "acme" in first["why"]
    assert (second["match"], second["schema"]) == ("false", "")
    assert 0 <= float(second["score"]) < 0.5


def test_pairs_without_the_optional_columns_and_with_a_byte_order_mark(tmp_path: Path) -> None:
    asked = written(tmp_path / "in.csv", "name1,name2\nООО Ромашка,Romashka LLC\n", "utf-8-sig")
    assert duewatch("match", "pairs", asked, "--out", tmp_path / "out.csv") == 0
    (row,) = rows(tmp_path / "out.csv")
    assert list(row) == ["name1", "name2", "score", "match", "why"]
    assert row["name1"] == "ООО Ромашка"


def test_columns_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    asked = written(tmp_path / "in.csv", "name1,name2,score,match,why\nAcme Mills,Acme Mills,0.1,false,x\n")
    assert duewatch("match", "pairs", asked, "--out", tmp_path / "out.csv") == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == "name1,name2,score,match,why"
    assert rows(tmp_path / "out.csv")[0]["match"] == "true"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    listed = written(
        tmp_path / "list.csv", "id,name\nL1,Blue Harbour Shipping Ltd\nL1,Golden Reef Lines\nL2,Crimson Valley Cotton Company\n"
    )
    names = written(tmp_path / "names.csv", "id,name\nN1,Golden Reef Lines SA\nN2,Quiet Meadow Dairy\nN3,Crimson Valley Coton Co\n")
    return listed, names


def test_batch_finds_aliases_and_misspellings_in_the_order_asked(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert duewatch("match", "batch", "--list", files[0], "--names", files[1], "--out", tmp_path / "out.csv") == 0
    found = rows(tmp_path / "out.csv")
    assert list(found[0]) == ["name_id", "list_id", "score", "why"]
    assert [(row["name_id"], row["list_id"]) for row in found] == [("N1", "L1"), ("N3", "L2")]
    assert all(0 < float(row["score"]) <= 1 and row["why"] for row in found)


def test_batch_with_an_alert_rate_keeps_so_many(files: tuple[Path, Path], tmp_path: Path) -> None:
    command = ["match", "batch", "--list", files[0], "--names", files[1], "--out", tmp_path / "out.csv", "--alert-rate"]
    assert duewatch(*command, "0.34") == 0
    (best,) = rows(tmp_path / "out.csv")
    assert best["name_id"] in ("N1", "N3")
    assert duewatch(*command, "0") == 0
    assert rows(tmp_path / "out.csv") == []
    assert duewatch(*command, "7") == 2


def test_json_tells_what_was_done(files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert duewatch("match", "batch", "--list", files[0], "--names", files[1], "--out", tmp_path / "out.csv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["names"], told["rows"]) == (3, 2)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name1,name\na,b\n", "lacks the column name2"),
        (b"", "lacks the column name1 and name2"),
        (b"name1,name2\na,\xff\xfe\n", "not UTF-8"),
        (b"name1,name2\na,b,c\n", "line 2 has more cells than the header"),
        (b"name1,name2\na," + b"x" * 200_000 + b"\n", "not CSV"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(
    content: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    assert duewatch("match", "pairs", tmp_path / "in.csv", "--out", tmp_path / "out.csv") == 2
    said = capsys.readouterr().err
    assert told in said
    assert "in.csv" in said


def test_a_row_with_fewer_cells_is_read_as_empty(tmp_path: Path) -> None:
    asked = written(tmp_path / "in.csv", "name1,name2\nAcme\n")
    assert duewatch("match", "pairs", asked, "--out", tmp_path / "out.csv") == 0
    assert rows(tmp_path / "out.csv")[0] | {"why": ""} == {"name1": "Acme", "name2": "", "score": "0.0000", "match": "false", "why": ""}


def test_a_place_that_cannot_be_written_to(files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert duewatch("match", "batch", "--list", files[0], "--names", files[1], "--out", tmp_path / "no" / "out.csv") == 2
    assert "out.csv" in capsys.readouterr().err


def test_a_run_that_fails_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    out = written(tmp_path / "out.csv", "the result of before\n")
    asked = written(tmp_path / "in.csv", "name1,name2\na,b\na,b,c\n")
    assert duewatch("match", "pairs", asked, "--out", out) == 2
    assert out.read_text() == "the result of before\n"
    assert sorted(tmp_path.iterdir()) == [asked, out]


def test_a_file_may_be_scored_in_its_own_place(tmp_path: Path) -> None:
    names = [f"Acme Number {n} Trading Company Limited" for n in range(5_000)]  # more than any buffer holds
    asked = written(tmp_path / "in.csv", "name1,name2\n" + "".join(f"{name},{name}\n" for name in names))
    assert duewatch("match", "pairs", asked, "--out", asked) == 0
    assert [row["name1"] for row in rows(asked)] == names
    assert duewatch("match", "pairs", asked, "--out", Path("/dev/null")) == 0
