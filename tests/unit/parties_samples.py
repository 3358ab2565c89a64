"""Small sound files of every layout of lists of parties, for what is done to them in tests."""

import json
from typing import NamedTuple

from services.intelligence.lists import opensanctions, us_bis, us_csl, us_uflpa
from services.intelligence.lists.mapping import parse
from services.intelligence.lists.own import spec_of
from services.intelligence.lists.spec import Layout, ListSpec


class Sample(NamedTuple):
    """`records`: with the id of each; `between`: what parts them, where a record is a line."""

    spec: ListSpec
    layout: Layout
    head: bytes
    records: dict[str, bytes]
    between: bytes = b"\n"
    tail: bytes = b"\n"

    @property
    def whole(self) -> bytes:
        return self.head + self.between.join(self.records.values()) + self.tail


_N = range(12)
_CSL = "_id,source,entity_number,type,programs,name,addresses,alt_names,ids\n"
_EL = "Entity List (EL) - Bureau of Industry and Security"
_SIMPLE = "id,schema,name,aliases,birth_date,countries,addresses,identifiers,sanctions,dataset\n"


def _entity(n: int) -> dict[str, object]:
    properties = {"name": [f"Name {n}", f"N\u00e4me {n}"], "country": ["ru"], "leiCode": ["529900T8BM49AURSDO55"], "topics": ["sanction"]}
    return {"id": f"NK-{n}", "caption": f"Name {n}", "schema": "Company", "properties": properties, "referents": ["x"], "target": True}


_OWN = spec_of(parse(b"list: own_t\ntitle: T\ncolumns: {uid: no, name: name, aliases: aka, countries: country}\n"))
_OWN_LINES = spec_of(parse(b"list: own_j\ntitle: T\nformat: jsonl\ncolumns: {uid: no, name: name, aliases: aka}\n"))
_SPEC_CSL, _SPEC_OS, _SPEC_BIS, _SPEC_UFLPA = us_csl.SPECS[0], opensanctions.SPECS[0], us_bis.SPECS[0], us_uflpa.SPECS[0]
SAMPLES = {
    "csl": Sample(
        _SPEC_CSL, _SPEC_CSL.layouts[0], _CSL.encode(),
        {f"u{n}": f'u{n},"{_EL}",,Entity,P;Q,"N {n}, Ltd","1 Road, CN; 2 Road, RU","A{n}; B {n}","Passport, 8362380{n}, KP"'.encode() for n in _N},
    ),
    "csl json": Sample(
        _SPEC_CSL, _SPEC_CSL.layouts[1], b'{"total": 12, "results": [',
        {f"u{n}": json.dumps({"id": f"u{n}", "source": _EL, "name": f"N\u00e4me {n}", "ids": [{"type": "T", "number": 1}]}).encode() for n in _N},
        b",\n", b"]}",
    ),
    "bis": Sample(
        _SPEC_BIS, _SPEC_BIS.layouts[0], b'"Name"\t"Street_Address"\t"City"\t"Country"\t"Effective_Date"\t"Expiration_Date"\n',
        {f"u{n}": f'"N {n}"\t"{n} ""Old"" Road"\t"X"\t"CN"\t"06/19/2003"\t""'.encode() for n in _N},
    ),
    "uflpa": Sample(
        _SPEC_UFLPA, _SPEC_UFLPA.layouts[0],
        b"<html><p>Section 2(d)(2)(B)(i)</p><table><tr><th>Name of Entity</th><th>Effective Date</th></tr>",
        {f"u{n}": f"<tr><td>N {n} Co. (and two aliases: A {n}; and B) and its one subsidiary S {n}</td><td>June 21, 2022</td></tr>".encode() for n in _N},
        b"\n", b"</table></html>",
    ),
    "uflpa csv": Sample(
        _SPEC_UFLPA, _SPEC_UFLPA.layouts[1], b"Entity,Effective Date,Section,Sector\n",
        {f"u{n}": f'"N {n} Co. (also known as A {n})","June 21, 2022",(ii),Cotton'.encode() for n in _N},
    ),
    "entities": Sample(_SPEC_OS, _SPEC_OS.layouts[0], b"", {f"NK-{n}": json.dumps(_entity(n), ensure_ascii=False).encode() for n in _N}),
    "targets": Sample(
        _SPEC_OS, _SPEC_OS.layouts[1], _SIMPLE.encode(),
        {f"NK-{n}": f'"NK-{n}","Person","N {n}","A;""B; C""","1960","ru","1 Road","P1","EU","EU FSF"'.encode() for n in _N},
    ),
    "delta": Sample(
        _SPEC_OS, _SPEC_OS.layouts[2], b'{"version": "20260102000000-b", "base": "20260101000000-a"}\n',
        {f"NK-{n}": json.dumps({"op": "MOD", "entity": _entity(n)}, ensure_ascii=False).encode() for n in _N},
    ),
    "own": Sample(_OWN, _OWN.layouts[0], b"no;name;aka;country\n", {f"u{n}": f'u{n};"N {n}";A;CN'.encode() for n in _N}),
    "own lines": Sample(_OWN_LINES, _OWN_LINES.layouts[0], b"", {f"u{n}": b'{"no": "u%d", "name": "N", "aka": ["A", 1]}' % n for n in _N}),
}  # fmt: skip
