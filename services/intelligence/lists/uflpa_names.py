"""Names of the UFLPA Entity List: one text holds a party's name, its aliases, what it was called before, and the parties that it owns.

`Hetian Haolin Hair Accessories Co. Ltd. (and two aliases: Hotan Haolin Hair Accessories; and Hollin Hair Accessories)`,
`Ninestar Corporation and its eight Zhuhai-based subsidiaries, which include A Co., Ltd., B, and C`, `A (also known as B; and formerly known as C)`.
"""

import re
from collections.abc import Iterable

import msgspec

_UNITS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBER = rf"(?:\d+|(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_UNITS[:9])}))?|{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
_LEGAL = r"(?:co|company|corp|corporation|inc|incorporated|ltd|limited|llc|l\.l\.c|plc|gmbh|s\.a|jsc|group|factory|lp|llp|pte|pty|bhd)"
# "and two aliases:", "also known as", "f/k/a": what follows is a name of the same party.
_ALIAS = re.compile(
    rf"(?:(?:and|including|with)\s+)?(?:(?P<count>{_NUMBER})\s+(?:other\s+)?)?alias(?:es)?\b(?:\s+of)?[\s:,]*"
    r"|(?:and\s+)?(?:(?P<former>formerly|previously)|also|currently)(?:\s+(?:also|or\s+also))?\s+known\s+as\b[\s:,]*"
    r"|(?:and\s+)?(?:(?P<fka>f\.?/?k\.?/?a\b\.?)|a\.?/?k\.?/?a\b\.?|d\.?/?b\.?/?a\b\.?|doing business as\b)[\s:,]*",
    re.IGNORECASE,
)
# "and its eight Zhuhai-based subsidiaries, which include": what follows are other parties, or nothing.
_OWNED = re.compile(
    rf"(?:[,;]\s*)?(?:\band|\bincluding|\bwith|\balong with|\btogether with|&)\s+(?:all\s+)?(?:of\s+)?(?P<its>its\s+|their\s+)?(?:the\s+)?(?:(?P<count>{_NUMBER})\s+)?"
    r"(?:of\s+its\s+|of\s+their\s+)?(?:following\s+)?(?:[\w.]+-based\s+)?(?:(?:wholly|majority)[- ]owned\s+|owned\s+)?"
    r"(?:subordinated?|subsidiar(?:y|ies)|affiliat(?:es?|ed))\b(?:\s*,?\s*(?:and|or|and/or)\s+(?:subordinated?|subsidiar(?:y|ies)|affiliat(?:es?|ed))\b)*"
    r"(?:\s+(?:entit(?:y|ies)|compan(?:y|ies)))?"
    r"(?P<list>\s*[,:]?\s*(?:(?:which|that)\s+(?:are|is)\b:?|(?:which|that)?\s*includ(?:es?|ing)\b:?|namely:?|:)?\s*)",
    re.IGNORECASE,
)
_AND = re.compile(r"^(?:and|or|&)\s+", re.IGNORECASE)
_LEGAL_AHEAD = re.compile(rf"\s*{_LEGAL}\b\.?", re.IGNORECASE)
_LEGAL_BEHIND = re.compile(rf"\b{_LEGAL}\.?\)?$", re.IGNORECASE)
MAX_TEXT = 20_000  # characters; the longest seen has about 1,000
_MAX_DEPTH = 4


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says; `subsidiaries` are parties of their own. `told`: how many aliases and subsidiaries it announces, as far as it does."""

    primary: str
    aliases: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    subsidiaries: tuple["Names", ...] = ()
    told: int = 0

    @property
    def found(self) -> int:
        return len(self.aliases) + len(self.former) + len(self.subsidiaries)


def parse(text: str) -> Names:
    """Reads a name's text; never fails: what is not understood stays in the primary name."""
    return _party(" ".join(text[:MAX_TEXT].split()), 0)


def _party(text: str, depth: int) -> Names:
    aliases: list[str] = []
    former: list[str] = []
    owned: list[Names] = []
    told = 0
    head, tail, count = _owned(text)
    if tail.startswith("(") and _ALIAS.match(tail, 1):  # behind the parties that are owned stand the party's own aliases
        end = _closing(tail, 0) + 1
        head, tail = f"{head} {tail[:end]}", tail[end:].strip(" ,;:")
    if tail:
        owned += _parties(tail, count, depth)
    told += count
    kept = ""
    for outside, inside in _groups(head):
        kept += outside
        if not inside:
            continue
        if marked := _ALIAS.match(inside):
            told += _number(marked["count"])
            _called(inside, aliases, former)
        elif (within := _OWNED.match(inside if inside.startswith("including") else f"and {inside}")) and within["list"].strip():
            source = inside if inside.startswith("including") else f"and {inside}"
            owned += _parties(source[within.end() :], _number(within["count"]), depth)
            told += _number(within["count"])
        else:
            kept += f"({inside})"
    primary, rest = _outside_alias(kept)
    if rest:
        _called(rest, aliases, former)
    primary = " ".join(primary.split()).strip(" ,;")
    return Names(
        primary=primary, aliases=_distinct(aliases, primary), former=_distinct(former, primary),
        subsidiaries=tuple(one for one in owned if one.primary and one.primary != primary), told=told,
    )  # fmt: skip


def _groups(text: str) -> Iterable[tuple[str, str]]:
    """Text outside of brackets with the bracket's content behind it; brackets inside stay in the content, one that never closes is text."""
    at = 0
    while (start := text.find("(", at)) >= 0 and (end := _closing(text, start)) >= 0:
        yield text[at:start], text[start + 1 : end].strip()
        at = end + 1
    yield text[at:], ""


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at
    return len(text) if _ALIAS.match(text, start + 1) else -1


def _at_top(text: str) -> list[bool]:
    """Of each character whether it stands outside of all brackets."""
    flags: list[bool] = []
    depth = 0
    for char in text:
        depth += char == "("
        flags.append(depth == 0)
        depth = max(0, depth - (char == ")"))
    return flags


def _owned(text: str) -> tuple[str, str, int]:
    """What stands before `and its subsidiaries`, the list of them (empty where none is named), and how many are announced."""
    top = _at_top(text)
    for marked in _OWNED.finditer(text):
        ends, named = marked.end() == len(text), marked["list"].strip() or marked["its"] or marked["count"]
        if top[marked.start()] and marked.start() > 0 and (ends or named):
            return text[: marked.start()], text[marked.end() :].strip(), _number(marked["count"])
    return text, "", 0


def _outside_alias(text: str) -> tuple[str, str]:
    """`A, also known as B` without brackets."""
    marked = next((m for m in _ALIAS.finditer(text) if m.start() > 0 and text[m.start() - 1] in " ,;" and "known" in m[0].lower()), None)
    return (text[: marked.start()], text[marked.start() :]) if marked else (text, "")


def _called(text: str, aliases: list[str], former: list[str]) -> None:
    """Names that a marker announces, to the list that it means; further markers may follow in the same text."""
    top = _at_top(text)
    marks = [m for m in _ALIAS.finditer(text) if m.start() == 0 or (text[m.start() - 1] in " ;," and top[m.start()])]
    for at, marked in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        names = _listed(text[marked.end() : end].strip(" ,;"), _number(marked["count"]))
        (former if marked["former"] or marked["fka"] else aliases).extend(names)


def _parties(text: str, count: int, depth: int) -> list[Names]:
    return [_party(one, depth + 1) for one in _listed(text, count)] if depth < _MAX_DEPTH else []


def _listed(text: str, count: int = 0) -> list[str]:
    """`A; B; and C`, `A Co., Ltd., B, and C` -> the names. A comma before a legal form is none that parts them."""
    parts = _split(text, ";") if ";" in text else _split(text, ",")
    while count and len(parts) < count and (split := _at_and(parts, lenient=True)):
        parts = split
    while len(parts) != count and (split := _at_and(parts, lenient=False)):
        parts = split
    return [one for part in parts if (one := _AND.sub("", part.strip(" ,;")).strip(" ,;"))]


def _split(text: str, mark: str) -> list[str]:
    top = _at_top(text)
    parts: list[str] = []
    start = 0
    for at, char in enumerate(text):
        if char == mark and top[at] and not (mark == "," and _LEGAL_AHEAD.match(text, at + 1)):
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _at_and(parts: list[str], *, lenient: bool) -> list[str]:
    """The last part that holds two names, parted at its `and`: where a name before it ends in a legal form, or, `lenient`, where more names are announced."""
    for at in range(len(parts) - 1, -1, -1):
        part = _AND.sub("", parts[at].strip())
        top = _at_top(part)
        places = [m for m in re.finditer(r"\s+and\s+", part) if top[m.start()]]
        firm = [m for m in places if _LEGAL_BEHIND.search(part[: m.start()])]
        if chosen := firm or (places if lenient else []):
            return [*parts[:at], part[: chosen[-1].start()], part[chosen[-1].end() :], *parts[at + 1 :]]
    return []


def _number(word: str | None) -> int:
    if not word:
        return 0
    if word.isdigit():
        return min(int(word[:6]), 10_000)
    tens, _, unit = word.lower().replace("-", " ").partition(" ")
    if tens in _TENS:
        return 10 * (_TENS.index(tens) + 2) + (_UNITS.index(unit) + 1 if unit else 0)
    return _UNITS.index(tens) + 1


def _distinct(names: list[str], primary: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name != primary))
