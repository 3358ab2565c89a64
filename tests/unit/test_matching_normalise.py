"""Names in comparable form."""

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rigour.names.tokenize import tokenize_name

from services.screening.matching.legal import forms_in, initials_joined, spelt_right
from services.screening.matching.normalise import prepare, screenable
from services.screening.matching.settings import MAX_LETTERS, MAX_TOKENS
from services.screening.matching.spellings import one_spelling
from services.screening.matching.words import GLUED_FORMS, OWN_FORMS, OWN_PHRASES, SPELT_BESIDE, SPELT_FORMS

# Pieces of names at which preparing has something to do.
_PIECES = st.sampled_from(
    [*GLUED_FORMS, *OWN_FORMS, *map(" ".join, OWN_PHRASES), *SPELT_BESIDE, *SPELT_FORMS, "sa de cv", "sh a", "united states", "forty four"]
)
_ASCII = st.text(st.characters(max_codepoint=127), max_size=8)


@st.composite
def _written(draw: st.DrawFn) -> str:
    """A piece as it is, parted by a space or another character, a letter short, or letter by letter."""
    piece = draw(_PIECES)
    cut = draw(st.integers(1, len(piece) - 1))
    return draw(
        st.sampled_from((piece, f"{piece[:cut]} {piece[cut:]}", piece[:cut] + draw(_ASCII) + piece[cut:], piece[:-1], " ".join(piece)))
    )


@st.composite
def _names(draw: st.DrawFn) -> str:
    """Pieces and text of any kind, side by side or glued."""
    return "".join([draw(st.one_of(_written(), _ASCII)) + draw(st.sampled_from((" ", " ", ""))) for _ in range(draw(st.integers(0, 6)))])


@given(_names())
@example("\x1c".join(map(chr, range(128))))
def test_short_cuts_lead_to_the_same_place(name: str) -> None:
    """Names in ASCII are parted without rigour, and only those with an odd word are spelt right."""
    tokens = tokenize_name(name[:MAX_LETTERS].casefold().replace("&", " and ").replace("+", " and ").replace("%", " percent "))[:MAX_TOKENS]
    tokens = one_spelling(spelt_right(initials_joined(tokens)))
    legal, forms = forms_in(tokens)
    prepared = prepare(name)
    assert (prepared.tokens, prepared.legal, prepared.forms) == (tuple(tokens), tuple(legal), tuple(sorted(forms)))
    assert prepared.words == tuple(token for token, of_form in zip(tokens, legal, strict=True) if not of_form)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("OOO Romashka", "ROMASHKA LIMITED LIABILITY COMPANY"),
        ("ООО Ромашка", "Romashka LLC"),
        ("JOINT STOCK COMPANY ALMAZ", "Almaz, AO"),
        ("Open Joint Stock Company Almaz", "ALMAZ OJSC"),
        ("Acme Co., Ltd.", "ACME COMPANY LIMITED"),
        ("Acme Ltd", "ACME LIMITED"),
        ("Acme G.M.B.H.", "Acme GmbH"),
        ("Acme S.A. de C.V.", "ACME S A DE C V"),
        ("Vozila Sh.A.", "VOZILA Sh A"),
        ("Smith & Sons Inc", "Smith and Sons, Incorporated"),
        ("A.B.C. Traders", "ABC TRADERS"),
        ("Acme Limitted", "Acme Limited"),
        ("ACME LIMITED LIABILTY COMPANY", "ACME LLC"),
        ("JONT STOCK COMPANY ALMAZ", "JOINT STOCK COMPANY ALMAZ"),
        ("Crème Brûlée SARL", "CREME BRULEE SARL"),
        ("FOXWHELPLIMITED", "FOXWHELP LIMITED"),
        ("LLCSECURITY CODE", "LLC SECURITY CODE"),
        ("LIMITED LIABILITY COMPANYFORTAP", "LIMITED LIABILITY COMPANY FORTAP"),
        ("Trans-FlotJSC", "Trans-Flot JSC"),
        ("DAY COM PANY", "DAY COMPANY"),
        ("LIMITED LIAB ILITY COMPANY SPECTRUM", "SPECTRUM LLC"),
    ],
)
def test_dress_does_not_matter(one: str, other: str) -> None:
    assert prepare(one).words == prepare(other).words
    assert prepare(one).forms == prepare(other).forms


def test_telling_words_stay_in_order_and_forms_apart() -> None:
    name = prepare("JSC Northern Star, Ltd.")
    assert (name.words, name.forms, name.joined) == (("northern", "star"), ("jsc", "ltd"), "northernstar")
    assert name.name == "JSC Northern Star, Ltd."


def test_words_that_rigour_takes_for_forms_stay_words() -> None:
    assert prepare("Made in Italy II").words == ("made", "in", "italy", "2")


@pytest.mark.parametrize("word", ["unlimited", "accompany", "bancorp", "beteiligungsgesellschaft", "limited", "company"])
def test_words_that_end_like_a_legal_word_are_left_whole(word: str) -> None:
    assert prepare(f"Acme {word} Trading").words in (("acme", word, "trading"), ("acme", "trading"))


def test_chinese_form_is_cut_off() -> None:
    assert prepare("华为技术有限公司").words == ("hua", "wei", "ji", "shu")
    assert prepare("华为技术有限公司").forms == ("co", "ltd")


@pytest.mark.parametrize("name", ["", "  ", "LLC", "Co., Ltd.", "Limited Liability Company", "The", "...", "\x00", "A", "📦"])
def test_names_that_tell_nothing_are_not_screenable(name: str) -> None:
    assert not screenable(name)


@pytest.mark.parametrize("name", ["3M", "Trading LLC", "Opera", "株式会社日立製作所", "شركة النفط"])
def test_names_that_tell_something_are_screenable(name: str) -> None:
    assert screenable(name)


def test_huge_names_are_bounded() -> None:
    assert len(prepare("word " * 100_000).words) <= MAX_TOKENS
    assert len(prepare("x" * 1_000_000).joined) <= 1000


def test_import_and_first_use_are_light() -> None:
    """rigour's person-name data costs hundreds of megabytes: nothing here may touch it."""
    code = (
        "from services.screening.matching.index import NameIndex; i = NameIndex();"
        "i.put('k', ['SMITH, John'], schema='person'); i.search(['John Smith'], schema='person', threshold=0.5);"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200_000  # kB, of this program alone: getrusage would count what its parent held


def test_no_more_letters_are_looked_at_than_are_kept_room_for() -> None:
    long = prepare("щ" * 399)
    assert len(long.written) == MAX_LETTERS
    assert len(prepare("x y z " * 90).tokens) <= MAX_TOKENS
