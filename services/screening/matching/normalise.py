"""Names as they are compared: ASCII, lower case, in words, legal forms canonical and told apart from the rest.

Only rigour's legal forms, tokeniser and transliteration are used: its person-name data costs seconds and hundreds of
megabytes when first touched.
"""

import re
from functools import lru_cache
from typing import Final

import msgspec
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne
from rigour.names.org_types import extract_org_types
from rigour.names.tokenize import tokenize_name
from rigour.text.normalize import Normalize
from rigour.text.translit import ascii_text

from services.screening.matching.settings import MAX_LETTERS, MAX_TOKENS
from services.screening.matching.words import (
    CHINESE_FORMS,
    GLUED_FORMS,
    OWN_FORMS,
    SAME_FORM,
    SHORT_FORMS,
    SHORTEST_BESIDE_FORM,
    SPELT_FORMS,
    STOP_WORDS,
)

_FLAGS: Final = Normalize.CASEFOLD | Normalize.NAME
_SYMBOLS: Final = re.compile(r"[&+]")
_SPELT: Final = frozenset(SPELT_FORMS)


class Prepared(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One name, ready to be compared.

    `name` is as written, `words` what tells it apart, in order, `forms` its canonical legal words, sorted: where a legal
    form stands says nothing.
    """

    name: str
    words: tuple[str, ...]
    forms: tuple[str, ...]

    @property
    def joined(self) -> str:
        """All telling words without spaces."""
        return "".join(self.words)


@lru_cache(maxsize=4096)
def prepare(name: str) -> Prepared:
    """The name in comparable form; what cannot be told in letters or digits leaves no words.

    A name is put into one index and asked of another in the same moment: the last ones are remembered.
    """
    text = name[:MAX_LETTERS]
    if not text.isascii():
        text = _ascii(text)
    text = text.casefold()
    if "&" in text or "+" in text:
        text = _SYMBOLS.sub(" and ", text)
    tokens = _forms_whole(_initials_joined(tokenize_name(text)[:MAX_TOKENS]))
    line, forms = _without_forms(" ".join([word_as_form(token) for token in tokens]))
    words = []
    for token in line.split():
        if token in OWN_FORMS:
            forms.append(OWN_FORMS[token])
        else:
            words.append(token)
    return Prepared(name, tuple(words), tuple(sorted(forms)))


def screenable(name: str) -> bool:
    """Whether anything in the name can tell one party from another: legal words, single letters and articles cannot."""
    return tells(prepare(name))


def tells(name: Prepared) -> bool:
    """As `screenable`, of a prepared name."""
    return len(name.joined) > 1 and not STOP_WORDS.issuperset(name.words)


@lru_cache(maxsize=4096)
def form_family(form: str) -> str:
    """The kind of company behind a legal form: `ltd` and `gmbh` are both limited; itself where rigour knows none."""
    found = extract_org_types(form, _FLAGS, generic=True)
    return found[0][1] or form if found else form


def _ascii(text: str) -> str:
    """Transliterated; unsegmented Chinese legal forms are cut off first, for afterwards they are only syllables."""
    text = text.encode("utf-8", "ignore").decode()  # lone surrogates are no text
    for form, canonical in CHINESE_FORMS:
        text = text.replace(form, canonical)
    return ascii_text(text)


def _initials_joined(tokens: list[str]) -> list[str]:
    """`s a de c v` is `sa de cv` and `sh a` is `sha`: initials lose their dots in one release, their spaces in the next."""
    if min(map(len, tokens), default=2) > 1:
        return tokens
    joined: list[str] = []
    open_run = False
    for token in tokens:
        single = len(token) == 1 and token.isalpha()
        if single and (open_run or (joined and len(joined[-1]) == 2 and _is_form(joined[-1] + token))):
            joined[-1] += token
        else:
            joined.append(token)
        open_run = single
    return joined


def _forms_whole(tokens: list[str]) -> list[str]:
    """`com pany` is `company`: a long legal word that a space has parted."""
    for i in range(len(tokens) - 1, 0, -1):
        if tokens[i - 1] + tokens[i] in _SPELT:
            tokens[i - 1 : i + 1] = [tokens[i - 1] + tokens[i]]
    return tokens


@lru_cache(maxsize=65_536)
def word_as_form(token: str) -> str:
    """The long legal word that the token misspells; the token and the legal word glued to it, parted; else the token."""
    if len(token) < 6 or not token.isalpha():
        return token
    if token not in _SPELT:
        for form in GLUED_FORMS:
            if len(token) - len(form) >= SHORTEST_BESIDE_FORM:
                if token.endswith(form):
                    return f"{token[: -len(form)]} {form}"
                if token.startswith(form):
                    return f"{form} {token[len(form) :]}"
    best = extractOne(token, SPELT_FORMS, scorer=OSA.distance, score_cutoff=2)
    return best[0] if best and best[1] <= (1 if len(best[0]) < 9 else 2) else token


def _without_forms(line: str) -> tuple[str, list[str]]:
    """What is left of the words when rigour's legal forms are taken out, and these forms in canonical words."""
    forms: list[str] = []
    for written, form in extract_org_types(line, _FLAGS):
        if not form or not _certain(written):
            continue
        cut = f" {line} ".replace(f" {written} ", " ", 1).strip()
        if len(cut) != len(line):
            line = cut
            forms += SAME_FORM.get(form, form).split()
    return line, forms


@lru_cache(maxsize=4096)
def _is_form(token: str) -> bool:
    return any(_certain(written) for written, _ in extract_org_types(token, _FLAGS))


def _certain(written: str) -> bool:
    """Whether what rigour took for a legal form is hardly anything else."""
    return len(written) > 2 or written in SHORT_FORMS
