"""What the forms of two near words say: singular and plural are one word, and compounds of which the rest differs are two.

Shop and Shops may both be listed, and are no two words as Cool and Coal are. Selmash and Legmash are two letters of seven apart, and two of three.
"""

from typing import Final

from rapidfuzz.distance import OSA, Postfix, Prefix

_SHORTEST: Final = 4  # letters of a word that may have a plural: Gas is none
_ENDS: Final = frozenset((
    "bank", "tech", "tek", "tekh", "tec", "mash", "stroy", "stroi", "service", "servis", "capital", "kapital", "invest", "export", "eksport", "import", "trans",
    "prom", "gaz", "neft", "energo", "energy", "chem", "khim", "metall", "soft", "net", "lab", "scan", "chip", "group", "trade", "oil", "strakh", "snab", "torg",
    "avia", "agro", "med", "farm", "pharm", "telecom", "telekom", "com", "kom", "media", "print", "plast", "steel", "tel", "tex", "film", "star", "land",
))  # fmt: skip
_BEGINS: Final = frozenset((
    "techno", "tekhno", "geo", "aero", "agro", "avia", "trans", "ros", "rus", "gaz", "neft", "euro", "inter", "electro", "elektro", "energo", "info", "inno",
    "micro", "mikro", "nano", "metal", "petro", "prom", "spets", "stroy", "stroi", "tele", "sib", "ural", "ukr", "bel", "auto", "avto", "bio", "eco", "mega",
))  # fmt: skip
_SHORTEST_PART: Final = min(map(len, _ENDS | _BEGINS))


def other_numbers(word: str) -> list[str]:
    """Its plural, and its singular where it may be a plural."""
    if len(word) < _SHORTEST:
        return []
    return [word + "s", word[:-1]] if word[-1] == "s" and len(word) > _SHORTEST else [word + "s"]


def other_compounds(word: str, other: str) -> bool:
    """Have both the same part that names of companies are often put together with, and is half of the rest another, or more than half where it is what they
    end in?"""
    for size in range(_SHORTEST_PART, Postfix.similarity(word, other) + 1):
        if word[-size:] in _ENDS and _differ(word[:-size], other[:-size], 0.5):
            return True
    for size in range(_SHORTEST_PART, Prefix.similarity(word, other) + 1):
        if word[:size] in _BEGINS and _differ(word[size:], other[size:], 0.51):
            return True
    return False


def _differ(rest: str, other: str, least: float) -> bool:
    return bool(rest and other) and OSA.distance(rest, other) >= max(2, least * max(len(rest), len(other)))
