"""What other matchers give pairs of names, in a process of their own: `PYTHON -m tests.bench.peers logic-v2 < pairs > scores`, JSON lines.

Their Python (`make build/peers/.done`) has none of ours: only this file is read there. They score pairs and find none, so that the benchmark gives them the
right name, or the nearest names of the list, for nothing.
"""

import json
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

PEERS = ("logic-v1", "logic-v2", "wratio")
Scorer = Callable[[str, str], float]


def scorer(peer: str) -> Scorer:
    """Of two organisations' names, 0..1. ImportError where the peer is not installed."""
    return _wratio() if peer == "wratio" else _nomenklatura(peer)


def _wratio() -> Scorer:
    from rapidfuzz import fuzz
    from rigour.names import replace_org_types_compare
    from rigour.text import ascii_text

    @cache
    def normal(name: str) -> str:
        folded = name.casefold()
        text = ascii_text(replace_org_types_compare(folded) or folded)
        return " ".join("".join(c if c.isalnum() else " " for c in text).split())

    return lambda one, other: fuzz.WRatio(normal(one), normal(other)) / 100


def _nomenklatura(peer: str) -> Scorer:
    from followthemoney import ValueEntity, model  # type: ignore[import-not-found]
    from nomenklatura.matching import get_algorithm  # type: ignore[import-not-found]

    algorithm = get_algorithm(peer)
    config = algorithm.default_config()

    @cache
    def entity(name: str) -> Any:
        made = ValueEntity(model.get("Organization"), {"id": name})
        made.add("name", name)
        return made

    return lambda one, other: float(algorithm.compare(entity(one), entity(other), config).score)


def main() -> None:
    """One score a line."""
    score = scorer(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(score(*json.loads(line))))


if __name__ == "__main__":
    main()
