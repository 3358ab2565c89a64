"""Keys that were made for a secret serve a system that cannot write to their folder."""

import os
import runpy
import sys
from pathlib import Path

import pytest

from services.runtime.signing import HeadSigner, HeadVerifier
from shared.security.sealing import FileMasterKey
from shared.security.tokens import LocalIssuer

_ROOT = Path(__file__).parents[2]


def test_keys_made_once_are_all_that_a_system_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["make_keys.py", str(tmp_path)])
    runpy.run_path(str(_ROOT / "deploy/make_keys.py"))
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(made) == {"master-key", "journal-key", "journal-key.pub", "token-keys.json"}, "as the chart mounts them"
    refused: list[str] = []
    monkeypatch.setattr(os, "open", lambda path, *_, **__: refused.append(str(path)))  # whoever would write a key file, opens it so
    wrapped = FileMasterKey(tmp_path / "master-key").wrap(b"key", b"context")
    signature = HeadSigner(tmp_path).sign(b"head")
    LocalIssuer(tmp_path)
    monkeypatch.undo()
    assert not refused
    assert FileMasterKey(tmp_path / "master-key").unwrap(wrapped, b"context") == b"key"
    assert HeadVerifier(tmp_path).holds(b"head", signature)
    monkeypatch.setattr(sys, "argv", ["make_keys.py", str(tmp_path)])
    runpy.run_path(str(_ROOT / "deploy/make_keys.py"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == made, "a second time changes nothing"
