"""Writes deploy/topics.yaml and deploy/acls.yaml anew: `python deploy/checks/kafka_files.py`."""

from pathlib import Path

from services.runtime.kafka_files import acls_file, topics_file

folder = Path(__file__).parents[1]
(folder / "topics.yaml").write_text(topics_file(), encoding="utf-8")
(folder / "acls.yaml").write_text(acls_file(), encoding="utf-8")
