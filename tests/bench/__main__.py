"""`make bench`: the figures of the embedded runtime, one JSON object a line; also in build/bench.jsonl.

Everything is measured in one run on one machine: compare with `trivial_asgi_per_s` and `bare_insert_per_s` beside them. `--kafka` (`make bench
RUNTIME=both`) measures the distributed runtime after it, on a broker and a mongod of its own: figures that end in `_kafka`, each with `of_embedded`.
`--only` measures some of the figures, after the start and the import that they need; `--profile` shows where a hot loop's time goes.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench import bare, data, gate, inside, outside, webhooks
from tests.bench.figures import begin, named, show
from tests.bench.runtimes import EMBEDDED, Runtime, kafka_and_mongo
from tests.system.lists import zipped

_IMPORT = {"import_suppliers_per_s", "import_to_gate_suppliers_per_s", "import_cpu_us_per_supplier", "rss_mb"}
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
_EVENTS = {"event_throughput_per_s", "reactions_per_s"}
_BARE = {"bare_insert_per_s", "bare_import_cpu_us_per_supplier"}  # the second of servers only
_ALL = _BARE | _EVENTS | _SYSTEM


def main() -> None:
    """All figures; `--suppliers` sets the size."""
    options = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--suppliers", type=int, default=100_000)
    options.add_argument("--releases", type=int, default=200, help="one-entry releases to time")
    options.add_argument("--events", type=int, default=50_000, help="events through one reaction")
    options.add_argument("--only", metavar="FIGURE,...", default="", help="of " + ", ".join(sorted(_ALL)))
    options.add_argument("--kafka", action="store_true", help="also on Kafka and MongoDB, beside the embedded figures")
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
    if "bare_insert_per_s" in wanted:
        inside.inserts(chosen.events)
    with ExitStack() as stack:
        _all_of(EMBEDDED, wanted, chosen)
        if chosen.kafka:
            servers = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duewatch-bench-")))
            with kafka_and_mongo(servers) as runtime:
                _all_of(runtime, wanted, chosen)


def _all_of(runtime: Runtime, wanted: set[str], chosen: argparse.Namespace) -> None:
    with named(runtime.suffix), tempfile.TemporaryDirectory(prefix="duewatch-bench-") as folder:
        if wanted & _EVENTS:
            inside.events(chosen.events, runtime)
        if runtime.servers and "bare_import_cpu_us_per_supplier" in wanted:
            bare.imported(chosen.events, runtime)
        if wanted & _SYSTEM:
            _whole(runtime, Path(folder), wanted, chosen.suppliers, chosen.releases)


def _whole(runtime: Runtime, folder: Path, wanted: set[str], suppliers: int, releases: int) -> None:
    files, what = data.official_list()
    began = time.perf_counter()
    with runtime.start(folder) as found:
        show("start_s", time.perf_counter() - began, "s", 1, f"an empty folder, until /health/ready; {runtime.note}")
        client = outside.staff(found.system)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        began = time.perf_counter()
        outside.load_list(client, zipped(files))
        show("list_load_s", time.perf_counter() - began, "s", 1, f"{what}; until its sweep is complete")
        if wanted <= _START:
            return
        outside.imports(found, client, suppliers)
        if wanted & _LATENCY:
            outside.latency(client, files, suppliers, releases)
        if wanted & _GATE:
            gate.run(found, token, suppliers)
        if wanted & (_BESIDE | _WEBHOOKS):
            # 2,000 new entries that name 2,000 suppliers: a sweep worth the name, and risk changes for the subscribers
            new = [name for number, name, _ in data.suppliers(gate.ADDED, "D", 5) if int(number[1:]) % 10 == 0]
            rows = "".join(data.entry(800_000 + i, name) for i, name in enumerate(new))
            singles = "".join(data.entry(900_000 + i, s[1]) for i, s in enumerate(data.listed_later(suppliers, releases)))
            gate.beside(found.system, client, token, suppliers, data.with_entries(files, singles + rows))
        if wanted & _WEBHOOKS:
            webhooks.run(client)
    if wanted & _AGAIN:
        began = time.perf_counter()
        with runtime.start(folder):
            took = time.perf_counter() - began
        show("start_again_s", took, "s", 1, f"on the same folder, {suppliers} suppliers and more, until indexes are rebuilt")


if __name__ == "__main__":
    main()
