"""The benchmark of the matcher runs, at a size that says nothing: every figure that it promises is printed, and has an aim where it must have one."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOLD = {
    "index_build_s", "index_rss_mb", "snapshot_load_s", "new_listing_p50_ms", "new_listing_p99_ms", "index_rss_asked_mb", "new_supplier_p50_ms_20k",
    "new_supplier_p99_ms_20k", "new_supplier_p50_ms_1m", "new_supplier_p99_ms_1m", "screens_per_s", "retrieval_recall_2_edits", "alerts_retrieved_2_edits",
    "met_per_listing_400", "compared_per_listing_400", "rescreen_1m_x_20k_s",
}  # fmt: skip


def test_all_figures_are_told_with_a_made_up_list(tmp_path: Path) -> None:
    sizes = ["--suppliers", "400", "--listed", "300", "--asked", "20", "--words", "2000", "--screened", "300"]
    nowhere = ["--list", str(tmp_path / "none.csv"), "--clean", str(tmp_path / "none.csv")]
    command = [sys.executable, "-m", "tests.bench.matching", *sizes, *nowhere, "--out", str(tmp_path / "figures.jsonl")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    figures = {line["figure"]: line for line in map(json.loads, (tmp_path / "figures.jsonl").read_text().splitlines())}
    assert figures.keys() == TOLD
    assert figures["alerts_retrieved_2_edits"]["value"] == 1
    assert "recall" in done.stdout.splitlines()[0]  # that it cannot be had without a real list is said first
