"""Official lists that are made up, of any size, in their publishers' layouts: written line by line, for they may be larger than memory."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ("20260101000000-aaa", "20260102000000-bbb")


def ofac(path: Path, entries: int, renamed: int = 0) -> Path:
    """OFAC's CSV files: an alias and an address an entry. The first `renamed` have another name."""
    null = ",".join(["-0- "] * 7)
    rows = {
        "SDN.CSV": (f'{n},"{_name(n, renamed)}","individual","SDGT",{null},"DOB 1 Jan 1960; Tax ID No. {n} (Russia)."' for n in range(1, entries + 1)),
        "ALT.CSV": (f'{n},{n},"aka","SECOND NAME OF {n}",-0- ' for n in range(1, entries + 1)),
        "ADD.CSV": (f'{n},{n},"Street {n}","Town","Iran",-0- ' for n in range(1, entries + 1)),
    }  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in rows.items():
            with archive.open(name, "w") as member:
                for line in lines:
                    member.write(f"{line}\r\n".encode())
    return path


def un(path: Path, entries: int, renamed: int = 0) -> Path:
    """The UN's consolidated list, half people, half entities."""
    with path.open("w", encoding="utf-8") as file:
        file.write("<?xml version='1.0' encoding='UTF-8'?><CONSOLIDATED_LIST dateGenerated='2026-01-01T00:00:00Z'><INDIVIDUALS>")
        file.writelines(_of_un("INDIVIDUAL", n, renamed) for n in range(entries // 2))
        file.write("</INDIVIDUALS><ENTITIES>")
        file.writelines(_of_un("ENTITY", n, renamed) for n in range(entries // 2, entries))
        file.write("</ENTITIES></CONSOLIDATED_LIST>")
    return path


def ftm(path: Path, entries: int, renamed: int = 0) -> Path:
    """OpenSanctions' entities, one a line, with the version that they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.json", f'{{"name": "made_up", "version": "{VERSIONS[0]}"}}')
        with archive.open("entities.ftm.json", "w", force_zip64=False) as member:
            for n in range(entries):
                member.write(f"{_entity(n, renamed)}\n".encode())
    return path


def delta(path: Path, changed: int) -> Path:
    """A delta upon these entities that renames the first `changed`."""
    lines = [f'{{"op": "MOD", "entity": {_entity(n, changed)}}}' for n in range(changed)]
    path.write_text("\n".join([f'{{"version": "{VERSIONS[1]}", "base": "{VERSIONS[0]}"}}', *lines]) + "\n")
    return path


def _name(n: int, renamed: int) -> str:
    return f"{'RENAMED' if n <= renamed else 'MILLS'} AND HOLDING {n}"


def _of_un(kind: str, n: int, renamed: int) -> str:
    return (
        f"<{kind}><DATAID>{n + 1}</DATAID><FIRST_NAME>{_name(n + 1, renamed)}</FIRST_NAME><UN_LIST_TYPE>DPRK</UN_LIST_TYPE>"
        f"<REFERENCE_NUMBER>KPe.{n}</REFERENCE_NUMBER><LISTED_ON>2016-03-02</LISTED_ON><COMMENTS1>{'What is known of it. ' * 20}</COMMENTS1>"
        f"<{kind}_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>SECOND NAME OF {n}</ALIAS_NAME></{kind}_ALIAS>"
        f"<{kind}_ADDRESS><CITY>Nampo</CITY><COUNTRY>Iran</COUNTRY></{kind}_ADDRESS></{kind}>\n"
    )


def _entity(n: int, renamed: int) -> str:
    name = _name(n + 1, renamed)
    return (
        f'{{"id": "NK-{n * 2654435761 % 2**32:08x}{n}", "caption": "{name}", "schema": "Company", "target": true, "datasets": ["made_up"], '
        f'"properties": {{"name": ["{name}", "Second name of {n}"], "country": ["ir"], "registrationNumber": ["{n}"], "topics": ["sanction"]}}}}'
    )


def sizes(path: Path) -> Iterator[tuple[str, int]]:
    """The files in an archive, or the file, each with its bytes."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from ((member.filename, member.file_size) for member in archive.infolist())
    else:
        yield path.name, path.stat().st_size
