"""The HTTP API as the commands use it: problems become failures with an exit code, and everything else is an answer."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

import httpx

from services.cli.failures import Failure, Refused, Unreachable, WrongUse, field_lines

_TIMEOUT: Final = httpx.Timeout(120.0, connect=5.0)
_NOT_NOW: Final = (502, 503, 504)
_POLL_S: Final = 0.1
Problem = dict[str, Any]


class Answer:
    """What the API said: `text` as it came, `body` decoded."""

    def __init__(self, response: httpx.Response) -> None:
        self.text = response.text

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.text) if self.text else None
        except ValueError:
            raise Unreachable("What answers there is no Duewatch", "Say where the system is with --url or DUEWATCH_URL.") from None


class Api:
    """One connection with one token. `explain(status)` adds what an operator can do about a refusal."""

    def __init__(self, url: str, token: str, explain: Callable[[int], list[str]]) -> None:
        self._url, self._explain = url, explain
        secure = url.startswith("https:")  # only then are certificates loaded, and proxies asked
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            self._client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT, verify=secure, trust_env=secure)
        except httpx.InvalidURL:
            raise WrongUse("The address of the system is not one") from None

    def get(self, path: str, params: dict[str, Any] | None = None) -> Answer:
        """Parameters that are None are not sent."""
        return self._send("GET", path, params=_given(params))

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Answer:
        """A JSON body; fields that are None are not sent. `key`: an Idempotency-Key."""
        return self._send("POST", path, json=_given(body), headers={"Idempotency-Key": key} if key else None)

    def patch(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
        """As `post`: the fields that are given replace what stands there."""
        return self._send("PATCH", path, json=_given(body), headers=headers)

    def put(self, path: str, body: dict[str, Any], *, nulls: bool = False) -> Answer:
        """As `post`: the whole of what shall stand there; `nulls`: None is said, too."""
        return self._send("PUT", path, json=body if nulls else _given(body))

    def delete(self, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Ends what stands there; with a JSON body where the reason must be given."""
        return self._send("DELETE", path) if body is None else self._send("DELETE", path, json=body)

    def upload(self, path: str, chunks: Iterable[bytes], size: int, content_type: str, params: dict[str, Any] | None = None) -> Answer:
        """Streams `size` bytes."""
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        return self._send("POST", path, content=chunks, headers=headers, params=_given(params))

    @contextmanager
    def lines(self, path: str) -> Iterator[Iterator[str]]:
        """A long answer, line by line."""
        with self._reached(), self._client.stream("GET", path) as response:
            if not response.is_success:
                response.read()
                self._check(response)
            yield response.iter_lines()

    def download(self, path: str, into: BinaryIO) -> int:
        """A file as it is, piece by piece; how many bytes."""
        with self._reached(), self._client.stream("GET", path) as response:
            if not response.is_success:
                response.read()
                self._check(response)
            return sum(into.write(piece) for piece in response.iter_bytes())

    def wait(self, path: str, until: Callable[[Any], bool]) -> Answer:
        """Asks until what is answered holds."""
        while not until((answer := self.get(path)).body):
            time.sleep(_POLL_S)
        return answer

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def _send(self, method: str, path: str, **more: Any) -> Answer:
        with self._reached():
            response = self._client.request(method, path, **more)
        self._check(response)
        return Answer(response)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise Unreachable(f"The system at {self._url} does not answer in time") from None
        except httpx.RequestError:
            start = "Start it with `duewatch up`, or say where it is with --url or DUEWATCH_URL."
            raise Unreachable(f"No system answers at {self._url}", start) from None

    def _check(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        problem = _problem(response)
        lines = [problem["detail"]] if problem.get("detail") else []
        lines += field_lines(problem.get("errors", []))
        if problem.get("id"):
            lines.append(f"id {problem['id']}: it stands in the system's log, too")
        kind: type[Failure] = Unreachable if response.status_code in _NOT_NOW else Refused
        raise kind(
            problem.get("title") or f"The answer was {response.status_code}", *lines, *self._explain(response.status_code), problem=problem
        )


def _given(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {name: value for name, value in values.items() if value is not None}


def _problem(response: httpx.Response) -> Problem:
    """The problem document; something like one where a proxy or a stranger answers."""
    try:
        found = response.json()
    except ValueError:
        found = None
    if isinstance(found, dict) and "title" in found:
        return found
    return {"title": f"The answer was {response.status_code} {response.reason_phrase}", "status": response.status_code}
