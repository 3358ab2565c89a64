"""helm, and what knows Kubernetes' schemas: taken from PATH, else fetched once a machine through Go's and Python's own clients.

helm is built from its Go module (some minutes); kubernetes-validate brings the schemas of several Kubernetes versions along, so nothing
is asked of a network when it runs. Both are kept in `duewatch-tools` in XDG_CACHE_HOME (default `~/.cache`).
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.infra.locks import locked

_HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"
_VALIDATOR = Path(__file__).with_name("validator.txt")
_LIMIT_S = 1800


def helm() -> Path:
    """The helm to use. RuntimeError where it cannot be had."""
    found = shutil.which("helm")
    return Path(found) if found else _kept("helm", _HELM, lambda folder: _run(["go", "install", _HELM], GOBIN=str(folder))) / "helm"


def validator() -> Path:
    """The command kubernetes-validate."""
    return _kept("validator", _VALIDATOR.read_text(encoding="utf-8"), _venv) / "bin/kubernetes-validate"


def _venv(folder: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(folder / "bin/python"), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(_VALIDATOR)])


def _kept(name: str, recipe: str, build: Callable[[Path], None]) -> Path:
    """The folder that `build` fills, once: a virtual environment cannot be moved, so a mark says that it is whole."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    cache = (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "duewatch-tools"
    place = cache / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    mark = place / ".whole"
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f"{name}.lock"):
        if not mark.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            build(place)
            mark.touch()
    return place


def _run(command: Sequence[str], **env: str) -> None:
    try:
        done = subprocess.run(
            command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_LIMIT_S
        )  # fmt: skip
    except FileNotFoundError:
        raise RuntimeError(f"`{command[0]}` is needed and not on PATH") from None
    if done.returncode:
        raise RuntimeError(f"`{Path(command[0]).name}` ended with status {done.returncode}:\n" + "\n".join(done.stdout.splitlines()[-15:]))
