"""The words of an order of US Customs: whom it names, or which goods from where. Pure, on text alone."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.intelligence.lists import goods, regions
from services.intelligence.lists.countries import alpha2
from services.intelligence.lists.records import MAX_NAME, party_names
from shared.events.signals import Schema, SignalName

_AKA = re.compile(r"[,;]?\s*\(?\b(a\.?/?k\.?/?a\b\.?|f\.?/?k\.?/?a\b\.?|also known as|formerly known as|formerly)\)?:?\s+", re.IGNORECASE)
_FORM = r"(?:Ltd|Inc|LLC|Co|Corp|Bhd|Berhad|Limited|S\.?A|GmbH)\.?"
_BETWEEN = re.compile(rf";\s*(?:and\s+)?|(?<!\w)(?P<form>{_FORM})(?:,\s*and|\s+and)\s+(?=[A-Z])")
_LAST_BRACKET = re.compile(r"^(?P<before>.{4,}?)\s*\((?P<inside>[^()]{2,})\)$")
_VESSELS = re.compile(r"\b(?:fishing )?vessels?\b\s*:?\s*", re.IGNORECASE)
_LIST = re.compile(r",\s*(?:and|or)\s+|,\s*|\s+(?:and|or)\s+|;\s*")
_MADE_BY = re.compile(r"^(?:all |any )?(?:products|merchandise|goods) (?:\w+ ){0,3}by (?:the )?", re.IGNORECASE)
_AND_ITS = re.compile(r",?\s+and (?:its|their|all)\b.*(?:subsidiar|affiliat|subordinate|entities).*$", re.IGNORECASE)
_OWNS_VESSELS = re.compile(r"\b(fishing|fisher\w*|co|ltd|company|corp|corporation|group)\b", re.IGNORECASE)
_STATEMENT = re.compile(r"^(all|any|certain|products?|merchandise|goods)\b", re.IGNORECASE)
_OF_PRODUCTS = re.compile(r"\b(products?|downstream|made|derived|containing|whole or in part)\b", re.IGNORECASE)
_PARTY = re.compile(
    r"\b(co|ltd|inc|llc|corp|company|corporation|bhd|berhad|limited|corps|entities|affiliates?|group|enterprises?|factory|plant|works|farm|prison|camp|penitentiary|center|centre|"
    r"park|detachment|industr\w*|manufactur\w*|trading|sdn|s a|gmbh|d o o|subsidiar\w*)\b"
)


class Goods(NamedTuple):
    """What an order on goods is about: its codes, the words for them, and the regions that it names."""

    codes: tuple[str, ...]
    words: str
    regions: tuple[str, ...]


def goods_of(entity: str, merchandise: str, region: str, country: str | None) -> Goods | None:
    """The goods of an order that names no party; None where it does name one.

    `merchandise` and `region` are columns of their own, empty where there are none. All goods of a region are meant where it names no good.
    """
    if not _names_nobody(entity, country):
        return None
    words = " ".join((merchandise or entity).split())[:300]
    text = f"{entity} {merchandise}"
    named = goods.mentioned(merchandise or entity)
    wider = {goods.find(f"{good.name} Products") for good in named} if _OF_PRODUCTS.search(text) else set()
    codes = {code for good in {*named, *(g for g in wider if g)} for code in good.codes}
    places = {regions.code(region, country)} if region else set()
    found = tuple(sorted({*(p for p in places if p), *regions.mentioned(text, country)}))
    of_all = _EVERYTHING.fullmatch(goods.folded(merchandise or entity)) or (not merchandise and regions.code(entity, country))
    everything = not named and bool(found) and bool(of_all)
    return Goods(_shortest(codes), "" if everything else words, found)


_EVERYTHING = re.compile(r"(all|any)( (goods|products|merchandise))?( .*)?|")


def _shortest(codes: set[str]) -> tuple[str, ...]:
    """Without codes that another one begins."""
    return tuple(sorted(code for code in codes if not any(code != other and code.startswith(other) for other in codes)))


def _names_nobody(entity: str, country: str | None) -> bool:
    key = goods.folded(entity)
    if key in ("", "n a", "none", "various", "all") or goods.find(entity) is not None:
        return True
    if is_of_vessels(entity) or _PARTY.search(key):
        return False
    if _STATEMENT.match(entity.strip()):
        return True
    if regions.mentioned(entity, country) or regions.code(entity, country) is not None or alpha2(entity) is not None:
        return True
    return bool(goods.mentioned(entity)) and not _beside_goods(key)


def _beside_goods(key: str) -> bool:
    """Is there a word beside goods, places and what joins them? Then it is somebody's name."""
    rest = key
    for good in goods.mentioned(key):
        rest = re.sub(rf"\b{re.escape(goods.folded(good.name).removesuffix('s'))}s?\b", " ", rest)
    return any(word not in _JOINING and alpha2(word) is None for word in rest.split())


_JOINING = frozenset(
    goods.folded(
        "and or of from in the its with raw rough cut whole part made mined mines small artisanal product products produced containing derivative "
        "derivatives downstream"
    ).split()
)


def is_of_vessels(entity: str) -> bool:
    """Does it name vessels?"""
    return _VESSELS.search(entity) is not None


def names(entity: str) -> tuple[Schema, tuple[SignalName, ...]]:
    """What kind of party an order names, and every name that it gives: of each of its parties, and what each is also known as; the primary one first.

    A name in brackets behind another is told as a weak one: it may be an abbreviation, or no more than what is made there. Where vessels stand beside who
    runs them it is a company, and theirs are weak names of it.
    """
    if not is_of_vessels(entity):
        return "organisation", party_names(*_first_and_others(_of_companies(entity), entity))
    every = [_clean(part) for part in _LIST.split(_VESSELS.split(entity, maxsplit=1)[1]) if _clean(part)]
    companies = [name for name in every if _OWNS_VESSELS.search(name)]
    told = [SignalName(name=name, weak=bool(companies) and name not in companies) for name in (*companies, *every)]
    return "organisation" if companies else "vessel", party_names(*_first_and_others(told, entity))


def _first_and_others(told: Iterable[SignalName], entity: str) -> tuple[str, list[SignalName]]:
    first, *others = list(told) or [SignalName(name=entity)]
    return first.name, others


def _of_companies(entity: str) -> Iterator[SignalName]:
    for part in _parties(_MADE_BY.sub("", entity)):
        for name, former in _known_as(_AND_ITS.sub("", part)):
            yield SignalName(name=name, kind="former" if former else "alias")
            if bracket := _LAST_BRACKET.match(name):
                yield SignalName(name=_clean(bracket["before"]))
                inside = _clean(bracket["inside"])
                if any(word.isupper() or any(map(str.isdigit, word)) for word in inside.split()):
                    yield SignalName(name=inside, weak=True)


def _parties(entity: str) -> Iterator[str]:
    """Parted by semicolons, and by `and` behind a legal form."""
    at = 0
    for between in _BETWEEN.finditer(entity):
        yield entity[at : between.end("form") if between["form"] else between.start()]
        at = between.end()
    yield entity[at:]


def _known_as(party: str) -> Iterator[tuple[str, bool]]:
    pieces = _AKA.split(party)
    former = False
    for n, piece in enumerate(pieces):
        if n % 2:
            former = piece.lower().startswith("f")
        elif name := _clean(piece):
            yield name, former


def _clean(name: str) -> str:
    return " ".join(name.split()).strip(" ,;:")[:MAX_NAME]
