"""Stand-ins for the images that the Dockerfile, the compose file and testcontainers ask for, on a machine that reaches no image registry: `python -m tests.infra.images [all|remove]`.

A base is made by debootstrap and `docker import` (needs root and Debian's packages); from it, under the names asked for, a Python, the
broker of `downloads.kafka`, the mongod of `downloads.mongod` and a reaper. They take the settings that the real images take, as far as we use them.
An image that is there already is left alone, and one that can be pulled is pulled. How this machine reaches its packages (apt's settings,
certificates) goes into the base, so such images are for this machine only.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.infra import Unavailable, downloads

BASE = "duewatch-standin:bookworm"
PYTHON, KAFKA, MONGO = "python:3.11-slim-bookworm", "apache/kafka:4.3.1", "mongo:6.0"
RYUK = "testcontainers/ryuk:0.8.1"  # the name that testcontainers has for it
COLLECTOR, PROMETHEUS = "otel/opentelemetry-collector:0.165.0", "prom/prometheus:v3.1.0"  # of deploy/compose/observability.yml; no Grafana
_LABEL = "org.duewatch.standin"
_HERE = Path(__file__).parent / "standins"
_PACKAGES = "ca-certificates,python3,python3-venv,libpython3.11-dev"  # what a Python image has: headers, too, but no compiler
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_APT = ("sources.list", "sources.list.d/debian.sources")


def make() -> list[str]:
    """Makes what is neither there nor to be pulled; the names of what was made. Raises Unavailable where it cannot."""
    missing = [name for name in (PYTHON, KAFKA, MONGO, RYUK) if not _is_there(name) and not _pulled(name)]
    if missing and not _is_there(BASE):
        _base()
    if PYTHON in missing:
        _build(PYTHON, "python", {})
    if RYUK in missing:
        _build(RYUK, "ryuk", {})
    if KAFKA in missing:
        _build(KAFKA, "kafka", {"libs": downloads.kafka() / "libs"})
    if MONGO in missing:
        parts = downloads.mongod()
        _build(MONGO, "mongo", {"mongod": parts / "mongod", "libs": parts / "libs"})
    return missing


def make_observability() -> list[str]:
    """As `make`, for the collector (built from its Go modules, some minutes the first time) and Prometheus."""
    missing = [name for name in (COLLECTOR, PROMETHEUS) if not _is_there(name) and not _pulled(name)]
    if missing and not _is_there(BASE):
        _base()
    if COLLECTOR in missing:
        if shutil.which("go") is None:
            raise Unavailable("the collector is built from its Go modules: there is no `go` on PATH")
        with tempfile.TemporaryDirectory(prefix="duewatch-standin-") as folder:
            binary = Path(folder) / "otelcol"
            command = ["go", "build", "-C", str(_HERE / "collector"), "-trimpath", "-ldflags=-s -w", "-o", str(binary), "."]
            _run(["env", "CGO_ENABLED=0", *command])
            _build(COLLECTOR, "collector", {"otelcol": binary})
    if PROMETHEUS in missing:
        _build(PROMETHEUS, "prometheus", {})
    return missing


def remove() -> None:
    """Takes away the stand-ins, and nothing else."""
    found = _said(["docker", "images", "-q", "--filter", f"label={_LABEL}"]).split()
    if found:
        _run(["docker", "rmi", "-f", *dict.fromkeys(found)])


def _is_there(name: str) -> bool:
    return _works(["docker", "image", "inspect", name])


def _pulled(name: str) -> bool:
    return _works(["docker", "pull", "--quiet", name])


def _works(command: Sequence[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def _base() -> None:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise Unavailable("the base image is made by debootstrap, as root: apt-get install debootstrap")
    with tempfile.TemporaryDirectory(prefix="duewatch-standin-") as folder:
        root = Path(folder) / "root"
        _run(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root)])
        for name in _APT:
            if (Path("/etc/apt") / name).exists():
                shutil.copy(Path("/etc/apt") / name, root / "etc/apt" / name)
        (root / "etc/apt/apt.conf.d/99machine").write_text(_said(["apt-config", "dump", "Acquire"]), encoding="utf-8")
        if _CERTIFICATES.exists():
            shutil.copy(_CERTIFICATES, root / _CERTIFICATES.relative_to("/"))
        tar = Path(folder) / "root.tar"
        _run(["tar", "-C", str(root), "--exclude=./var/cache/apt/archives/*.deb", "--exclude=./dev/*", "-cf", str(tar), "."])
        certificates = f"ENV PIP_CERT={_CERTIFICATES}"
        _run(["docker", "import", "--change", f"LABEL {_LABEL}=base", "--change", certificates, str(tar), BASE])


def _build(name: str, recipe: str, parts: dict[str, Path]) -> None:
    """Builds `standins/<recipe>` with these parts beside it; links, since the jars are many, copies where that cannot be."""
    with tempfile.TemporaryDirectory(prefix="duewatch-standin-") as folder:
        context = Path(folder) / "context"
        shutil.copytree(_HERE / recipe, context)
        for part, source in parts.items():
            if source.is_dir():
                shutil.copytree(source, context / part, symlinks=True)
            else:
                shutil.copy(source, context / part)
        _run(
            [
                "docker",
                "build",
                "--network",
                "host",
                "--label",
                f"{_LABEL}={recipe}",
                "--build-arg",
                f"BASE={BASE}",
                "-t",
                name,
                str(context),
            ]
        )


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Unavailable(f"`{' '.join(command[:2])}` ended with status {done.returncode}:\n" + "\n".join(done.stdout.splitlines()[-15:]))


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


def main() -> int:
    try:
        if sys.argv[1:] == ["remove"]:
            remove()
        else:
            made = make() + (make_observability() if sys.argv[1:] == ["all"] else [])
            print("\n".join(made) or "All of them are there.")
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
