"""What a run sends, line by line, says which containers are its own (label=name=value); each line is answered by ACK.

The protocol is that of github.com/testcontainers/moby-ryuk.
"""

import contextlib
import http.client
import json
import os
import socket
import socketserver
import threading
import urllib.parse

_PATIENCE_S = 10.0
_lock = threading.Lock()
_chosen: set[tuple[str, ...]] = set()  # labels of one line must all be there
_connected = 0
_ending: threading.Timer | None = None


class _Docker(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")


class _Run(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        global _connected, _ending
        with _lock:
            _connected += 1
            if _ending is not None:
                _ending.cancel()
        with contextlib.suppress(ConnectionError):  # so ends a run that was killed
            for line in self.rfile:
                _chosen.add(tuple(value for name, value in urllib.parse.parse_qsl(line.decode().strip()) if name == "label"))
                self.wfile.write(b"ACK\n")
        with _lock:
            _connected -= 1
            if not _connected:
                _ending = threading.Timer(_PATIENCE_S, _reap)
                _ending.start()


def _ask(method: str, path: str) -> bytes:
    connection = _Docker("docker")
    connection.request(method, path)
    answer = connection.getresponse().read()
    connection.close()
    return answer


def _reap() -> None:
    for labels in filter(None, _chosen):
        chosen = urllib.parse.quote(json.dumps({"label": labels}))
        for container in json.loads(_ask("GET", f"/containers/json?all=1&filters={chosen}")):
            print("Removing", container["Id"][:12])
            _ask("DELETE", f"/containers/{container['Id']}?force=1&v=1")
    os._exit(0)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


with _Server(("", 8080), _Run) as server:
    print("Reaper: Started!")
    server.serve_forever()
