"""What scores mean."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.screening.matching.corpus import Corpus
from services.screening.matching.features import NAMES, SIGNS, forms_evidence
from services.screening.matching.index import NameIndex
from services.screening.matching.model import REVIEW, STRONG, of_kind
from services.screening.matching.normalise import prepare, tells
from services.screening.matching.pairs import score_pair
from services.screening.matching.score import compare, kind_of
from services.screening.matching.settings import BATCH_FLOOR, OTHER_KIND_CAP

FORMS = [
    ("LIMITED LIABILITY COMPANY", "LLC", "OOO"),
    ("JOINT STOCK COMPANY", "JSC", "AO"),
    ("CO., LTD.", "COMPANY LIMITED", "Co Ltd"),
    ("LIMITED", "LTD", "Ltd."),
    ("GMBH", "G.M.B.H.", "G M B H"),
]
syllables = st.sampled_from([c + v for c in "bdfgklmnprstvz" for v in "aeiou"])
coined = st.lists(syllables, min_size=3, max_size=4).map("".join)
words = coined | st.sampled_from(["trading", "international", "group", "star", "al", "b", "7", "24", "shipping"])
names = st.lists(words, min_size=1, max_size=6).map(" ".join)
kinds = st.sampled_from(["organisation", "person", "craft"])


@given(names, names, kinds, kinds, st.lists(names, max_size=4))
@settings(deadline=None)
def test_symmetric_and_within_bounds(one: str, other: str, kind: str, other_kind: str, listed: list[str]) -> None:
    corpus = Corpus()
    for name in listed:
        corpus.add(prepare(name).words)
    a, b = prepare(one), prepare(other)
    there = compare(a, b, corpus, kind, other_kind)
    back = compare(b, a, corpus, other_kind, kind)
    assert there.score == back.score
    assert 0 <= there.score <= 1
    assert {(p.a, p.b) for p in there.alignment.pairs} == {(p.b, p.a) for p in back.alignment.pairs}


@given(st.lists(coined, min_size=1, max_size=4), st.sampled_from(FORMS), st.data())
def test_the_same_name_in_other_dress_is_strong(core: list[str], forms: tuple[str, ...], data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(forms)), data.draw(st.sampled_from(forms))
    dress = data.draw(st.sampled_from([str.upper, str.title, str.lower]))
    separator = data.draw(st.sampled_from([" ", "-", ", ", "  "]))
    assert score_pair(" ".join([*core, one]), dress(separator.join([*core, other]))).score >= STRONG


@given(coined, coined, st.integers(1, 4))
@example("shazand", "petrochemical", 3)  # what is left of the second word is near to it, and must not be taken for it misspelt
@example("sakovati", "kutivi", 4)  # what is left is a Roman number
@example("nobobo", "ginone", 3)  # or one in words
def test_a_space_that_has_moved_through_a_word_is_found_and_told(one: str, other: str, letters: int) -> None:
    asked, index = f"{one}{other[:letters]} {other[letters:]} company", NameIndex()
    index.put("it", [f"{one} {other} company"])
    assert [hit.key for hit in index.search([asked], threshold=REVIEW)] == ["it"]


@given(st.permutations(["zelmar", "de", "kovdorin", "trasvik"]), st.sampled_from([(0, 2), (3, 0), (2, 3), (1, 3)]))
def test_two_words_written_as_one_are_found_wherever_they_stand(words: list[str], pair: tuple[int, int]) -> None:
    asked = " ".join(["".join(words[n] for n in pair), *(word for n, word in enumerate(words) if n not in pair)])
    index, swapped = NameIndex(), NameIndex()
    index.put("it", [" ".join(words)])
    swapped.put("it", [asked])
    (hit,), (back,) = index.search([asked], threshold=REVIEW), swapped.search([" ".join(words)], threshold=REVIEW)
    assert hit.score == pytest.approx(back.score, abs=0.05)  # each index weighs words by its own names
    assert any(why.kind == "spacing" for why in hit.why)


def test_weights_have_the_signs_that_people_expect() -> None:
    for kind in ("organisation", "person"):
        for name, weight in zip(NAMES, of_kind(kind).weights, strict=True):
            assert weight * SIGNS[name] >= 0 or not SIGNS[name], name


@given(names, names, kinds)
@example("bababa", "trading b", "person")  # nothing agrees but an initial
@example("7 7", "7 7", "organisation")  # too short to be found as a whole
@example("trading bababa babede trading", "trading bababa trading", "organisation")  # a word that stands twice
@example("international bababa bababa bebabeba", "international bebabeba", "organisation")  # twice, and beside none
@example("star", "star", "organisation")  # a light word: what rounding leaves of its weight is nothing that differs
@settings(deadline=None)
def test_the_bound_is_never_below_the_score(one: str, other: str, kind: str) -> None:
    """Beside each name by itself on a shelf: what is looked up first must not lose what would score."""
    corpus, a = Corpus(), prepare(one)
    if not (tells(a) and tells(prepare(other))):
        return
    index = NameIndex(corpus)
    index.put("k", [other], schema=kind)
    score = compare(a, prepare(other), corpus, kind_of(kind), kind_of(kind)).score
    assert score < BATCH_FLOOR or index.search([one], schema=kind, threshold=score)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Romashka LLC", "ROMASKHA LLC"),
        ("Paskal OOO", "PAKAL OOO"),
        ("Northern Petrokhim Trading", "NORTHERN PETROHIM TRADING"),
        ("Tidewater Gulf Lines", "Tide Water Gulf Lines"),
        ("Zelenograd Optika", "ZELENOGRAD OPTIKA INTERNATIONAL"),
        ("Best2Pay Limited", "BES2PAY LIMITED"),
    ],
)
def test_slips_are_reviewed(one: str, other: str) -> None:
    assert score_pair(one, other).match


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Romashka Trading LLC", "Berezka Trading LLC"),
        ("Trading Group", "Trading"),
        ("Global Shipping Company", "Global Trading Company"),
        ("Research Institute 5", "Research Institute 7"),
        ("Delta Apparel", "Delta Telecom"),
        ("LLC", "LLC"),
        ("", "Romashka"),
    ],
)
def test_others_are_not(one: str, other: str) -> None:
    assert not score_pair(one, other).match


def test_two_known_words_are_no_misspelling_of_each_other() -> None:
    corpus, a, b = Corpus(), prepare("Maroon Petrokhim"), prepare("Karoon Petrokhim")
    before = compare(a, b, corpus, "organisation", "organisation").score
    corpus.add(a.words)
    corpus.add(b.words)
    assert before > REVIEW > compare(a, b, corpus, "organisation", "organisation").score


@pytest.mark.parametrize(
    ("meant", "mangled", "another"),
    [
        ("Romashka Zelenograd Optika", "Romashka Zlenegorda Optika", "Romashka Petrokhim Optika"),
        ("Cargo Service Center", "Cargo Errvcie Center", "Cargo Kaisant Center"),
        ("Hormoz Urea Fertilizer", "Homorzz Urea Fertilizer", "Lordegan Urea Fertilizer"),
    ],
)
def test_words_too_mangled_to_be_aligned_are_told_from_other_words(meant: str, mangled: str, another: str) -> None:
    slipped, replaced = score_pair(mangled, meant), score_pair(another, meant)
    assert slipped.score > 5 * replaced.score
    assert not replaced.match


def test_a_legal_form_more_that_differs_says_nothing_more() -> None:
    assert forms_evidence(("co", "ltd"), (), 0) == forms_evidence(("ltd",), (), 0) == (0, 0.0, 1)
    assert forms_evidence(("co", "ag"), ("oy", "sha"), 0) == (0, 1.0, 0)
    assert forms_evidence(("co", "ag"), ("co", "ag"), 0) == (2, 0.0, 0)


def test_another_legal_form_costs_more_on_a_short_name() -> None:
    short = score_pair("Opera Ltd", "Opera GmbH").score
    long = score_pair("Opera Romashka Zelenograd Ltd", "Opera Romashka Zelenograd GmbH").score
    assert REVIEW < short < long
    assert score_pair("Opera Ltd", "Opera AG").score < short


def test_persons_in_any_order_and_with_initials() -> None:
    straight = score_pair("Nicolas Maduro Moros", "Nicolas Maduro Moros", "person").score
    assert REVIEW < score_pair("MADURO MOROS, Nicolas", "Nicolas Maduro Moros", "person").score <= straight
    assert (
        REVIEW
        < score_pair("Frost, William", "W. Frost", "person").score
        < score_pair("Frost, William W.", "William W Frost", "person").score
    )


def test_kinds_that_are_not_alike_are_held_back() -> None:
    corpus, name, part = Corpus(), prepare("Zelenograd Romashka"), prepare("Zelenograd")
    assert compare(name, name, corpus, "organisation", "craft").score == OTHER_KIND_CAP
    assert REVIEW < compare(name, name, corpus, "organisation", "person").score < STRONG
    assert compare(name, part, corpus, "organisation", "person").score <= OTHER_KIND_CAP


def test_reasons_name_each_word() -> None:
    scored = score_pair("Romashka Trading LLC", "ROMASKHA GROUP OOO", country="RU")
    told = [(why.kind, why.a, why.b) for why in scored.why]
    assert told == [
        ("fuzzy", "romashka", "romaskha"),
        ("missing", "trading", ""),
        ("missing", "", "group"),
        ("form", "llc", "llc"),
        ("unlike_as_wholes", "", ""),
        ("country_agrees", "RU", "RU"),
    ]
    assert scored.why[0].score > 0 > scored.why[1].score


def test_a_small_list_weighs_common_words_as_common() -> None:
    corpus = Corpus()
    corpus.add(["international", "romashka"])
    assert corpus.weight("international") < 0.4 < 0.8 < corpus.weight("romashka") < corpus.weight("neverheard") == 1
    corpus.discard(["international", "romashka"])
    assert len(corpus) == 0
    assert not corpus.knows("romashka")
