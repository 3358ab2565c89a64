"""Names by number, in records of one size: what is put comes back, also of names with many words, after others went and from what was kept."""

from hypothesis import given
from hypothesis import strategies as st

from services.screening.matching.corpus import Corpus
from services.screening.matching.normalise import Prepared, prepare
from services.screening.matching.store import NameStore

_WORDS = ("zelmar", "overseas", "freight", "mining", "limited", "company", "llc", "kovdor", "ore", "7", "aa", "bb", "cc", "dd", "ee")
_NAMES = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=24).map(lambda words: prepare(" ".join(words)))


@given(st.lists(st.tuples(_NAMES, st.integers(0, 5)), max_size=30))
def test_what_is_put_comes_back_whatever_came_and_went_before(changes: list[tuple[Prepared, int]]) -> None:
    store, standing = NameStore(Corpus()), dict[int, Prepared]()
    for name, gone in changes:
        standing[number := store.put(name)] = name
        if gone == 0:
            store.remove(number)
            del standing[number]
    kept = NameStore(Corpus())
    kept.restore(store.state())
    for one in (store, kept):
        assert len(one) == len(standing)
        assert {number: one.name(number) for number in standing} == standing
        assert one.legal >= {
            one.words[token] for name in standing.values() for token, of_form in zip(name.tokens, name.legal, strict=True) if of_form
        }


def test_words_of_long_names_that_went_are_swept_out_and_the_others_still_come_back() -> None:
    store = NameStore(Corpus())
    long = [prepare(f"{' '.join(_WORDS[:9])} {' '.join(_WORDS[10:])} {n % 100}") for n in range(9_000)]
    numbers = [store.put(name) for name in long]
    for number in numbers[100:]:
        store.remove(number)
    before = len(store.state().names[1])
    short, last = store.put(prepare("Zelmar Freight")), store.put(long[5])
    assert len(store.state().names[1]) < before // 10
    assert [store.name(number) for number in numbers[:100]] == long[:100]
    assert store.name(last) == long[5]
    assert store.name(short).words == ("zelmar", "freight")
