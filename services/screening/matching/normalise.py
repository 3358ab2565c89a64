"""Names as they are compared: ASCII, lower case, in words, legal forms recognised and told apart from the rest.

Only rigour's legal forms, tokeniser and transliteration are used: its person-name data costs seconds and hundreds of
megabytes when first touched.
"""

from functools import lru_cache
from typing import Final

import msgspec
from rigour.names.tokenize import tokenize_name
from rigour.text.translit import ascii_text

from services.screening.matching.legal import canonical_in_script, forms_in, initials_joined, is_odd, spelt_right
from services.screening.matching.settings import MAX_LETTERS, MAX_TOKENS
from services.screening.matching.spellings import has_another, one_spelling
from services.screening.matching.words import STOP_WORDS

_SYMBOLS: Final = str.maketrans({"&": " and ", "+": " and ", "%": " percent "})

# What rigour's tokeniser does with each ASCII character, whatever stands beside it: asked once, so that names in ASCII need not be handed to it.
_TREATED: Final = {chr(code): tokenize_name(f"a{chr(code)}a") for code in range(128)}
_DROPPED: Final = "".join([one for one, tokens in _TREATED.items() if tokens == ["aa"]]).encode()
_LOWERED: Final = "".join([" " if len(tokens) > 1 else one.lower() for one, tokens in _TREATED.items()]).encode().ljust(256)


class Prepared(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One name, ready to be compared.

    `name` is as written; `tokens` are all its words in order, of which `legal` says which ones are of a legal form; `words` are the others,
    which tell it apart; `forms` its canonical legal words, sorted.
    """

    name: str
    tokens: tuple[str, ...]
    legal: tuple[bool, ...]
    words: tuple[str, ...]
    forms: tuple[str, ...]

    @property
    def joined(self) -> str:
        """All telling words without spaces."""
        return "".join(self.words)

    @property
    def written(self) -> str:
        """All words without spaces."""
        return "".join(self.tokens)


@lru_cache(maxsize=4096)
def prepare(name: str) -> Prepared:
    """The name in comparable form; what cannot be told in letters or digits leaves no words.

    A name is put into one index and asked of another in the same moment: the last ones are remembered.
    """
    return _prepared(name, one_spelling(_typed(name)))


def prepared_both(part: str, name: str) -> list[Prepared]:
    """A part of a name, or all of it, as `prepare` has it, but shown as the whole name; and with its words as they were typed, where any is usually
    brought to another spelling or into English."""
    typed = _typed(part)
    usual = _prepared(name, one_spelling(typed))
    return [usual, _prepared(name, typed)] if has_another(typed) else [usual]


def _typed(name: str) -> list[str]:
    """Its words with legal ones spelt right."""
    text = name[:MAX_LETTERS]
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode().casefold()  # lone surrogates are no text
        text = ascii_text(canonical_in_script(text))
    if "&" in text or "+" in text or "%" in text:
        text = text.translate(_SYMBOLS)
    tokens = _tokens(text)[:MAX_TOKENS]
    return spelt_right(initials_joined(tokens)) if any(map(is_odd, tokens)) else tokens


def _prepared(name: str, tokens: list[str]) -> Prepared:
    tokens = _at_most(tokens)
    legal, forms = forms_in(tokens)
    words = tuple([token for token, of_form in zip(tokens, legal, strict=True) if not of_form]) if forms else tuple(tokens)
    return Prepared(name, tuple(tokens), tuple(legal), words, tuple(sorted(forms)))


def _at_most(tokens: list[str]) -> list[str]:
    """As much of them as is looked at: letters of other scripts, shortened words and glued ones have become more."""
    letters = 0
    for place, token in enumerate(tokens[:MAX_TOKENS]):
        if letters + len(token) > MAX_LETTERS:
            return list(filter(None, [*tokens[:place], token[: MAX_LETTERS - letters]]))
        letters += len(token)
    return tokens[:MAX_TOKENS]


def _tokens(text: str) -> list[str]:
    """Its words in lower case, as rigour parts them."""
    if text.isascii():
        return text.encode().translate(_LOWERED, _DROPPED).decode().split()
    return tokenize_name(text.casefold())


def screenable(name: str) -> bool:
    """Whether anything in the name can tell one party from another: legal words, single letters and articles cannot."""
    return tells(prepare(name))


def tells(name: Prepared) -> bool:
    """As `screenable`, of a prepared name."""
    return len(name.joined) > 1 and not STOP_WORDS.issuperset(name.words)
