"""What the benchmarks run on: OFAC's real list where it stands beside the checkout, else a made-up one of its size; made-up suppliers."""

import csv
import io
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.system.lists import zipped

OFAC = Path(__file__).parents[3] / "shared" / "data" / "ofac"
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"
_COMMON = [
    "Trading",
    "International",
    "Industries",
    "Global",
    "Group",
    "Holdings",
    "General",
    "Textile",
    "Foods",
    "Shipping",
    "Metals",
    "Energy",
    "Star",
    "United",
    "Services",
]
_FORMS = ["Ltd", "LLC", "Inc", "GmbH", "S.A.", "Co.,", "Ltd.", "Corp", "PLC"]
_COUNTRIES = ["CN", "IN", "VN", "DE", "US", "GB", "TR", "BR", "FR", "PL", "BD", "MX"]


def official_list() -> tuple[dict[str, bytes], str]:
    """The files of a whole list, and where they are from."""
    if OFAC.is_dir():
        files = {name: (OFAC / "2021-07" / name).read_bytes() for name in ("SDN.CSV", "ALT.CSV", "ADD.CSV", "SDN_COMMENTS.CSV")}
        return files, "OFAC SDN, July 2021: 8,976 entries"
    rng = random.Random(7)
    rows = "".join(entry(uid, f"{coined(rng)} {coined(rng)} {rng.choice(_COMMON)}") for uid in range(1, 9001))
    return {"SDN.CSV": rows.encode() + b"\x1a"}, "9,000 made-up entries"


def entry(uid: int, name: str) -> str:
    """A row of the primary file."""
    return f'{uid},"{name.upper()}",-0- ,"BENCH",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'


def with_entries(files: dict[str, bytes], rows: str) -> bytes:
    """The list with more rows, as a zip."""
    return zipped({**files, "SDN.CSV": files["SDN.CSV"].replace(b"\x1a", b"") + rows.encode() + b"\x1a"})


def coined(rng: random.Random) -> str:
    """A word that nobody bears."""
    return "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(rng.randint(2, 4))).capitalize()


def suppliers(n: int, prefix: str = "M", seed: int = 1) -> Iterator[tuple[str, str, str]]:
    """(number, name, country): one or two coined words, one or two that many bear, a legal form."""
    rng = random.Random(seed)
    for i in range(n):
        words = [coined(rng) for _ in range(rng.randint(1, 2))] + rng.sample(_COMMON, rng.randint(1, 2))
        yield f"{prefix}{i}", " ".join([*words, rng.choice(_FORMS)]), rng.choice(_COUNTRIES)


def listed_later(n_suppliers: int, n: int) -> list[tuple[str, str, str]]:
    """Those suppliers that the timed releases name, one each."""
    names = [s for s in suppliers(n_suppliers) if len(s[1].split()) > 2]
    return names[:: max(1, len(names) // n)][:n]


def as_csv(rows: Iterable[tuple[str, str, str]]) -> bytes:
    """An import file."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["number", "name", "country"])
    writer.writerows(rows)
    return out.getvalue().encode()
