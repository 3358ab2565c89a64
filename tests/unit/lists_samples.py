"""Small sound files of every layout of the sanctions lists, and files of records that a test thinks up."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from services.intelligence.lists import catalogue
from services.intelligence.lists.spec import Layout
from tests.unit import ofac_layouts, test_lists_eu, test_lists_uk, test_lists_un


class Made(NamedTuple):
    """A record that is thought up."""

    uid: str
    name: str
    kind: str  # person, organisation or unknown
    alias: str


def un(made: Sequence[Made]) -> str:
    tags = {"person": "INDIVIDUAL", "organisation": "ENTITY", "unknown": "VESSEL"}
    written = dict.fromkeys(tags.values(), "")
    for one in made:
        tag = tags[one.kind]
        alias = f"<{tag}_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>{escape(one.alias)}</ALIAS_NAME></{tag}_ALIAS>"
        written[tag] += f"<{tag}><DATAID>{one.uid}</DATAID><FIRST_NAME>{escape(one.name)}</FIRST_NAME>{alias}</{tag}>"
    return test_lists_un.lists(written["INDIVIDUAL"], written["ENTITY"], f"<VESSELS>{written['VESSEL']}</VESSELS>")


def eu(made: Sequence[Made]) -> str:
    codes = {"person": "person", "organisation": "enterprise", "unknown": "vessel"}
    return test_lists_eu.export(
        *(
            f'<sanctionEntity logicalId="{one.uid}"><subjectType code="{codes[one.kind]}"/><nameAlias wholeName={quoteattr(one.name)}/>'
            f'<nameAlias wholeName={quoteattr(one.alias)} strong="false"/></sanctionEntity>'
            for one in made
        )
    ).decode()


def uk(made: Sequence[Made]) -> str:
    kinds = {"person": "Individual", "organisation": "Entity", "unknown": "Container"}
    inside = "".join(
        f"<Designation><UniqueID>{one.uid}</UniqueID><Names><Name><Name6>{escape(one.name)}</Name6><NameType>Primary Name</NameType></Name>"
        f"<Name><Name6>{escape(one.alias)}</Name6><AliasStrength>Low quality</AliasStrength></Name></Names>"
        f"<IndividualEntityShip>{kinds[one.kind]}</IndividualEntityShip></Designation>"
        for one in made
    )
    return f"<Designations>{inside}</Designations>"


def sdn(made: Sequence[Made]) -> str:
    kinds = {"person": "Individual", "organisation": "Entity", "unknown": "Container"}
    inside = "".join(
        f"<sdnEntry><uid>{one.uid}</uid><lastName>{escape(one.name)}</lastName><sdnType>{kinds[one.kind]}</sdnType>"
        f"<akaList><aka><category>weak</category><lastName>{escape(one.alias)}</lastName></aka></akaList></sdnEntry>"
        for one in made
    )
    return f"<sdnList>{inside}</sdnList>"


def advanced(made: Sequence[Made]) -> str:
    kinds = {"person": 4, "organisation": 3, "unknown": 7}
    return ofac_layouts.advanced(
        *(
            ofac_layouts.party(
                one.uid,
                kinds[one.kind],
                ofac_layouts.name(1, (1, escape(one.name)), primary="true") + ofac_layouts.name(2, (1, escape(one.alias)), weak="true"),
            )
            for one in made
        ),
        "",
    )


def _table(columns: Sequence[str], rows: list[dict[str, str]], separator: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def eu_table(made: Sequence[Made]) -> str:
    codes = {"person": "P", "organisation": "E", "unknown": "V"}
    rows = []
    for one in made:
        both = {"Entity_LogicalId": one.uid, "Entity_SubjectType": codes[one.kind], "fileGenerationDate": "01/01/2026"}
        rows += [both | {"NameAlias_WholeName": one.name}, both | {"NameAlias_WholeName": one.alias, "NameAlias_Strong": "false"}]
    return _table(test_lists_eu.HEADER.split(";"), rows, ";")


def uk_table(made: Sequence[Made]) -> str:
    kinds = {"person": "Individual", "organisation": "Entity", "unknown": "Container"}
    rows = []
    for one in made:
        both = {"Unique ID": one.uid, "Designation Type": kinds[one.kind], "Last Updated": "01/01/2026"}
        rows += [both | {"Name 6": one.name, "Name type": "Primary Name"}, both | {"Name 6": one.alias, "Alias strength": "Low quality"}]
    return _table(test_lists_uk.COLUMNS, rows, ",")


class Sample(NamedTuple):
    list_id: str
    layout: Layout
    sound: bytes
    write: Callable[[Sequence[Made]], str]
    grouped: bool  # several records of one id are one party


def _sample(list_id: str, place: int, sound: str | bytes, write: Callable[[Sequence[Made]], str], *, grouped: bool = False) -> Sample:
    content = sound if isinstance(sound, bytes) else sound.encode()
    return Sample(list_id, catalogue.find(list_id).layouts[place], content, write, grouped)


SAMPLES = {
    "un": _sample("un_sc", 0, test_lists_un.lists(), un),
    "eu": _sample("eu_fsf", 0, test_lists_eu.export(test_lists_eu.PERSON, test_lists_eu.ENTERPRISE), eu),
    "eu table": _sample("eu_fsf", 1, test_lists_eu.HEADER + "\r\n" + test_lists_eu.rows(), eu_table, grouped=True),
    "uk": _sample("gb_sanctions", 1, test_lists_uk.XML, uk),
    "uk table": _sample("gb_sanctions", 0, test_lists_uk.table(*test_lists_uk.ROWS), uk_table, grouped=True),
    "ofac plain": _sample("us_ofac_sdn", 1, ofac_layouts.plain(), sdn),
    "ofac advanced": _sample("us_ofac_sdn", 2, ofac_layouts.advanced(), advanced),
}
