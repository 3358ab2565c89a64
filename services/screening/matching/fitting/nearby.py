"""The names of a list that another name may be taken for, by any weights: a fit finds what it has to tell apart by its own, not by those that are shipped."""

from collections.abc import Iterable, Mapping
from typing import Final

from services.screening.matching.corpus import Corpus
from services.screening.matching.model import Model, Weights, log_odds_of
from services.screening.matching.normalise import Prepared
from services.screening.matching.readings import all_readings, comparable
from services.screening.matching.score import compare
from services.screening.matching.shelf import Shelf, Wanted

_FLOOR: Final = log_odds_of(0.01)  # from which another's name is worth learning from
_MOST: Final = 25  # parties beside one name


class Nearby:
    """Parties of one kind with all their names."""

    def __init__(self, kind: str, parties: Mapping[str, Iterable[str]], prior: Mapping[str, float]) -> None:
        self.corpus = Corpus(prior)
        self._kind = kind
        self._shelf = Shelf(self.corpus, counted=True)
        self._keys: dict[int, str] = {}
        for key, names in parties.items():
            for name, _ in all_readings(names):
                self.corpus.add(name.words)
                self._keys[self._shelf.put(name)] = key

    def names(self, text: str, weights: Weights) -> list[str]:
        """Of each party that is near the likest name; the likest parties first."""
        model = Model(weights)
        best: dict[str, tuple[float, str]] = {}
        for asked, _ in all_readings([text]):
            for number in self._shelf.candidates([Wanted(asked, _FLOOR, model, self._kind == "person")])[0]:
                other, key = self._shelf.name(number), self._keys[number]
                if not comparable(asked, other):
                    continue
                odds = self._odds(asked, other, model)
                if odds >= _FLOOR and (key not in best or (-odds, other.name) < best[key]):
                    best[key] = (-odds, other.name)
        return [best[key][1] for key in sorted(best, key=lambda key: (best[key][0], key))[:_MOST]]

    def _odds(self, asked: Prepared, other: Prepared, model: Model) -> float:
        return model.log_odds(compare(asked, other, self.corpus, self._kind, self._kind).evidence)
