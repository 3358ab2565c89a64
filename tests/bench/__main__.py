"""`make bench`: the figures of the embedded runtime, one JSON object a line; also in build/bench.jsonl.

Everything is measured in one run on one machine: compare with `trivial_asgi_per_s` and `bare_insert_per_s` beside them.
`--only` measures some of the figures, after the start and the import that they need; `--profile` shows where a hot loop's time goes.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.bench import data, gate, inside, outside, webhooks
from tests.bench.figures import begin, show
from tests.system.running import running

_IMPORT = {"import_suppliers_per_s", "import_to_gate_suppliers_per_s", "rss_mb"}
_LATENCY = {"list_change_to_gate_p50_ms", "list_change_to_gate_p99_ms"}
_GATE = {
    "trivial_asgi_per_s", "trivial_asgi_per_s_core", "gate_decisions_per_s", "gate_decisions_per_s_core", "gate_p99_ms",
    "gate_batch_decisions_per_s",
}  # fmt: skip
_BESIDE = {"gate_p99_during_import_ms", "gate_p99_during_sweep_ms"}
_WEBHOOKS = {"webhook_deliveries_per_s"}
_START = {"start_s", "list_load_s"}
_AGAIN = {"start_again_s"}
_SYSTEM = _START | _IMPORT | _LATENCY | _GATE | _BESIDE | _WEBHOOKS | _AGAIN
_ALL = {"event_throughput_per_s", "bare_insert_per_s"} | _SYSTEM


def main() -> None:
    """All figures; `--suppliers` sets the size."""
    options = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--suppliers", type=int, default=100_000)
    options.add_argument("--releases", type=int, default=20, help="one-entry releases to time")
    options.add_argument("--events", type=int, default=50_000, help="events through one reaction")
    options.add_argument("--only", metavar="FIGURE,...", default="", help="of " + ", ".join(sorted(_ALL)))
    options.add_argument("--profile", choices=["import", "screening", "reactions", "gate"], help="profile this instead")
    options.add_argument("--size", type=int, default=3_000, help="rows, suppliers, events or calls of a profile")
    chosen = options.parse_args()
    wanted = {name.strip() for name in chosen.only.split(",")} if chosen.only else _ALL
    if wanted - _ALL:
        options.error("--only: there is no such figure; see --help")
    if chosen.profile:
        from tests.bench import profiles  # imports all services

        profiles.run(chosen.profile, chosen.size)
        return
    begin()
    if "event_throughput_per_s" in wanted:
        inside.events(chosen.events)
    if "bare_insert_per_s" in wanted:
        inside.inserts(chosen.events)
    if wanted & _SYSTEM:
        with tempfile.TemporaryDirectory(prefix="duewatch-bench-") as folder:
            _whole(Path(folder), wanted, chosen.suppliers, chosen.releases)


def _whole(folder: Path, wanted: set[str], suppliers: int, releases: int) -> None:
    files, what = data.official_list()
    began = time.perf_counter()
    with running(folder) as system:
        show("start_s", time.perf_counter() - began, "s", 1, "an empty folder, until /health/ready")
        client = outside.staff(system)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        began = time.perf_counter()
        outside.load_list(client, data.zipped(files))
        show("list_load_s", time.perf_counter() - began, "s", 1, f"{what}; until its sweep is complete")
        if wanted <= _START:
            return
        outside.imports(system, client, suppliers)
        if wanted & _LATENCY:
            outside.latency(client, files, suppliers, releases)
        if wanted & _GATE:
            gate.run(system, token, suppliers)
        if wanted & (_BESIDE | _WEBHOOKS):
            # 2,000 new entries that name 2,000 suppliers: a sweep worth the name, and risk changes for the subscribers
            named = [name for number, name, _ in data.suppliers(gate.ADDED, "D", 5) if int(number[1:]) % 10 == 0]
            rows = "".join(data.entry(800_000 + i, name) for i, name in enumerate(named))
            singles = "".join(data.entry(900_000 + i, s[1]) for i, s in enumerate(data.listed_later(suppliers, releases)))
            gate.beside(system, client, token, suppliers, data.with_entries(files, singles + rows))
        if wanted & _WEBHOOKS:
            webhooks.run(client)
    if wanted & _AGAIN:
        began = time.perf_counter()
        with running(folder):
            took = time.perf_counter() - began
        show("start_again_s", took, "s", 1, f"on the same folder, {suppliers} suppliers and more, until indexes are rebuilt")


if __name__ == "__main__":
    main()
