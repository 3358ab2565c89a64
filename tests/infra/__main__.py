"""Starts Kafka and MongoDB for a person who tries things (`make servers`) and ends them with Ctrl-C, SIGTERM or the terminal; their data goes with them."""

import contextlib
import signal
import sys
import tempfile
import types
from pathlib import Path

from tests.infra import Unavailable, obtain

_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> int:
    for number in _ENDS:
        signal.signal(number, _end)
    with contextlib.ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="duewatch-servers-")))
        for name, kind in obtain.KINDS.items():
            print(f"# {name} is being started; the first time its parts are fetched", file=sys.stderr, flush=True)
            try:
                server = obtain.started(name, folder / name)
            except Unavailable as error:
                print(f"No {name} server: {error}\n{obtain.advice(name)}", file=sys.stderr)
                return 1
            ending.callback(server.kill)
            print(f"{kind.variable}={server.address}", flush=True)
        print("# Ctrl-C ends both", file=sys.stderr, flush=True)
        while True:
            signal.pause()


def _end(_number: int, _frame: types.FrameType | None) -> None:
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the clearing up
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
