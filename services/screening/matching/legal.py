"""Legal forms: found among a name's words, also misspelt, parted or glued, and brought to one canonical word each."""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne
from rigour.names.org_types import extract_org_types
from rigour.names.tokenize import tokenize_name
from rigour.text.normalize import Normalize

from services.screening.matching.edits import near_which, signature
from services.screening.matching.words import (
    CHINESE_FORMS,
    GLUED_ENDS,
    GLUED_FORMS,
    OWN_FORMS,
    OWN_PHRASES,
    SAME_FORM,
    SHORT_FORMS,
    SHORTEST_BESIDE_FORM,
    SPELT_BESIDE,
    SPELT_FORMS,
)

_FLAGS: Final = Normalize.CASEFOLD | Normalize.NAME
_SPELT: Final = frozenset(SPELT_FORMS)
_SPELT_ENDS: Final = frozenset(form[cut:] for form in SPELT_FORMS for cut in range(1, len(form)))
_OWN_BEGINS: Final = frozenset(phrase[0] for phrase in OWN_PHRASES)
_SPELT_RIGHT, _SPELT_BESIDE = list(SPELT_FORMS), list(SPELT_BESIDE)
_RIGHT_SIGNATURES, _BESIDE_SIGNATURES = (array("Q", map(signature, forms)) for forms in (_SPELT_RIGHT, _SPELT_BESIDE))
_ONE_EDIT, _TWO_EDITS = bytes([1] * 256), bytes([2] * 256)


def canonical_in_script(text: str) -> str:
    """Legal forms in the script they were written in become canonical ones: transliterated, or cut off unsegmented Chinese, they are only syllables."""
    for form, canonical in CHINESE_FORMS:
        text = text.replace(form, canonical)
    line = f" {' '.join(tokenize_name(text))} "
    for written, form in extract_org_types(line, _FLAGS):
        if form and _certain(written):
            line = line.replace(f" {written} ", f" {SAME_FORM.get(form, form)} ", 1)
    return line


def initials_joined(tokens: list[str]) -> list[str]:
    """`s a de c v` is `sa de cv` and `sh a` is `sha`: initials lose their dots in one release, their spaces in the next."""
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


def spelt_right(tokens: list[str]) -> list[str]:
    """Long legal words that a space has parted, that are misspelt or glued to their neighbours, as they should be."""
    for i in range(len(tokens) - 1, 0, -1):
        if tokens[i - 1] + tokens[i] in _SPELT:
            tokens[i - 1 : i + 1] = [tokens[i - 1] + tokens[i]]
    words = " ".join([_word_as_form(token) if is_odd(token) else token for token in tokens]).split()
    meant = [_nearly(word) if is_odd(word) else None for word in words]
    return [_beside(words, meant, i) for i in range(len(words))] if any(meant) else words


@lru_cache(maxsize=65_536)
def is_odd(token: str) -> bool:
    """Whether the token may be an initial, the end of a parted legal word, or a misspelt or glued one: names of other words stay as they are."""
    return (len(token) == 1 and token.isalpha()) or token in _SPELT_ENDS or _word_as_form(token) != token or _nearly(token) is not None


def forms_in(tokens: list[str]) -> tuple[list[bool], list[str]]:
    """Which of the words are of a legal form, and the canonical words of all forms."""
    legal = [False] * len(tokens)
    forms: list[str] = []
    if not _OWN_BEGINS.isdisjoint(tokens):
        forms += [form for phrase, form in OWN_PHRASES.items() if _marked(tokens, legal, list(phrase))]
    for written, form in extract_org_types(" ".join(tokens), _FLAGS):
        if form and _certain(written) and _marked(tokens, legal, written.split()):
            forms += SAME_FORM.get(form, form).split()
    if not OWN_FORMS.keys().isdisjoint(tokens):
        for i, token in enumerate(tokens):
            if not legal[i] and token in OWN_FORMS:
                legal[i] = True
                forms.append(OWN_FORMS[token])
    return legal, forms


@lru_cache(maxsize=4096)
def form_family(form: str) -> str:
    """The kind of company behind a legal form: `ltd` and `gmbh` are both limited; itself where rigour knows none."""
    found = extract_org_types(form, _FLAGS, generic=True)
    return found[0][1] or form if found else form


def _marked(tokens: list[str], legal: list[bool], phrase: list[str]) -> bool:
    """Marks the first place where the phrase stands that is not marked yet; is there one?"""
    first, size, at = phrase[0], len(phrase), -1
    for _ in range(tokens.count(first)):
        at = tokens.index(first, at + 1)
        if tokens[at : at + size] == phrase and not any(legal[at : at + size]):
            legal[at : at + size] = [True] * size
            return True
    return False


def _word_as_form(token: str) -> str:
    """The long legal word that the token misspells; the token and the word glued to it, parted; else the token."""
    if len(token) < 6 or not token.isalpha():
        return token
    if token not in _SPELT and (token.endswith(GLUED_ENDS) or token.startswith(GLUED_FORMS)):
        for form in GLUED_ENDS:
            if len(token) - len(form) >= SHORTEST_BESIDE_FORM:
                if token.endswith(form):
                    return f"{token[: -len(form)]} {form}"
                if form in GLUED_FORMS and token.startswith(form):
                    return f"{form} {token[len(form) :]}"
    near = [_SPELT_RIGHT[place] for place in near_which(token, _SPELT_RIGHT, _RIGHT_SIGNATURES, _TWO_EDITS)]
    best = extractOne(token, near, scorer=OSA.distance) if near else None
    return best[0] if best and best[1] <= (1 if len(best[0]) < 9 else 2) else token


def _beside(words: Sequence[str], meant: Sequence[str | None], at: int) -> str:
    """The legal word that this one misspells (`meant`, of each) where a word stands beside it that belongs to it: `jont stock`."""
    this = meant[at]
    if this is None:
        return words[at]
    for other in range(max(0, at - 1), min(at + 2, len(words))):
        neighbour = meant[other] or words[other]
        if neighbour in SPELT_BESIDE[this] or this in SPELT_BESIDE.get(neighbour, ()):
            return this
    return words[at]


def _nearly(word: str) -> str | None:
    if len(word) < 4 or not word.isalpha() or word in SPELT_BESIDE:
        return None
    near = near_which(word, _SPELT_BESIDE, _BESIDE_SIGNATURES, _ONE_EDIT)
    return _SPELT_BESIDE[near[0]] if near else None


@lru_cache(maxsize=4096)
def _is_form(token: str) -> bool:
    return any(_certain(written) for written, _ in extract_org_types(token, _FLAGS))


def _certain(written: str) -> bool:
    """Whether what rigour took for a legal form is hardly anything else."""
    return len(written) > 2 or written in SHORT_FORMS
