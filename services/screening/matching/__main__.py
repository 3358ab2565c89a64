"""`python -m services.screening.matching fit --list L.csv --clean C.csv`: learns the weights anew: model.json and prior.json."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec

from services.screening.matching import prior
from services.screening.matching.fitting.cases import Examples, in_fit_half, read_clean, read_listed
from services.screening.matching.fitting.counting import shares
from services.screening.matching.fitting.report import alert_rates, by_kind, cut_at, figures
from services.screening.matching.fitting.training import Floats, fit
from services.screening.matching.model import PATH, Shipped, Weights, probability, shipped
from services.screening.matching.settings import BATCH_FLOOR, WEAK_ALIAS
from shared.errors import Invalid

_REVIEW_RATE, _STRONG_RATE = 0.01, 0.001  # of clean names: what blocks before a person has looked must hardly ever be wrong
_FEWEST = 50
_ROUNDING = 0.001
_EACH = {"organisation": 1_500, "person": 400}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m services.screening.matching", description=__doc__)
    options.add_argument("verb", choices=["fit"])
    options.add_argument(
        "--list",
        type=Path,
        required=True,
        help="CSV: id, name, schema (or entity_id, name, entity_type); several rows of one id are aliases",
    )
    options.add_argument("--clean", type=Path, required=True, help="CSV: name (or title) of companies that nobody lists")
    options.add_argument(
        "--out", type=Path, default=PATH.parent, help="folder for model.json and prior.json; else they replace the package's"
    )
    options.add_argument(
        "--check", action="store_true", help="write nothing: say how far what stands in --out is from what would be written"
    )
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--each", type=int, help="names of each way to write wrongly; else 1500 of organisations, 400 of persons")
    chosen = options.parse_args()
    try:
        _fit(chosen)
    except (Invalid, OSError, UnicodeDecodeError) as error:
        options.error(str(error) if isinstance(error, Invalid) else f"A file cannot be read or written: {type(error).__name__}.")


def _fit(chosen: argparse.Namespace) -> None:
    random = Random(chosen.seed)  # noqa: S311  # makes examples, guards nothing
    clean = [name for name in read_clean(chosen.clean) if in_fit_half(name)]
    listed = {one.kind: one for one in read_listed(chosen.list)}
    mine = {kind: [names[0] for key, names in one.names.items() if in_fit_half(key)] for kind, one in listed.items()}
    if min(len(clean), len(mine["organisation"])) < _FEWEST:
        raise Invalid(f"Too few to learn from: half of them must be {_FEWEST} organisations listed, and as many names that nobody lists.")
    counted = shares([clean, mine["organisation"], mine["person"]])
    common = prior.with_common(counted)

    def learned(kind: str, nobody: Sequence[str]) -> tuple[Weights, dict[str, Floats]]:
        weights, cases = fit(Examples(listed[kind], nobody, common, random, chosen.each or _EACH[kind]), kind)
        kinds = by_kind(cases, weights)
        told = {"kind": kind, "cases": len(cases), "log_odds": {n: round(w, 3) for n, w in weights.weights.items()}}
        sys.stdout.write(json.dumps(told | figures(kinds, "clean" if nobody else "absent")) + "\n")
        return weights, kinds

    weights, kinds = learned("organisation", clean)
    review, strong = (max(BATCH_FLOOR, round(probability(cut_at(kinds["clean"], rate)), 4)) for rate in (_REVIEW_RATE, _STRONG_RATE))
    made = Shipped(
        organisation=weights,
        person=learned("person", [])[0] if len(mine["person"]) >= _FEWEST else shipped().person,
        review=review,
        strong=max(strong, WEAK_ALIAS),  # what is held back is never strong
        alert_rates=alert_rates(kinds, "clean"),
        fitted={"seed": chosen.seed, "each": chosen.each or _EACH["organisation"], "clean_names": len(clean), **figures(kinds, "clean")},
    )
    if chosen.check:
        _check(chosen.out, made, counted)
        return
    for path, content in ((PATH, made), (prior.PATH, counted)):
        (chosen.out / path.name).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def _check(out: Path, made: Shipped, counted: dict[str, float]) -> None:
    """Processors round otherwise, so that a model is the same within a thousandth."""
    try:
        stands = msgspec.json.decode((out / PATH.name).read_bytes(), type=Shipped)
        words = msgspec.json.decode((out / prior.PATH.name).read_bytes(), type=dict[str, float])
    except msgspec.MsgspecError as error:
        raise Invalid("model.json or prior.json in --out is none that fit has written.") from error
    far = max(_far(of(stands), of(made)) for of in (lambda m: m.organisation.weights, lambda m: m.person.weights, _thresholds, _biases))
    sys.stdout.write(json.dumps({"furthest": round(far, 6), "words_alike": words == counted}) + "\n")
    if far > _ROUNDING or words != counted:
        raise Invalid(
            "The files are not what these lists give: fit without --check, or with the lists, --seed and --each that they were fitted with."
        )


def _thresholds(model: Shipped) -> dict[str, float]:
    return {"review": model.review, "strong": model.strong, **{str(rate): score for score, rate in model.alert_rates}}


def _biases(model: Shipped) -> dict[str, float]:
    return {"organisation": model.organisation.bias, "person": model.person.bias}


def _far(one: dict[str, float], other: dict[str, float]) -> float:
    return max((abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in one.keys() | other.keys()), default=0.0)


if __name__ == "__main__":
    main()
