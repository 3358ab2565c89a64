"""Texts under numbers, in one block of memory: as objects a million of them would take three times as much."""

from array import array
from typing import Final

_SLACK: Final = 2  # the block is swept once it is so many times as large as what stands in it
_FEW: Final = 1 << 20


class Texts:
    """One text a number, which can be replaced."""

    def __init__(self) -> None:
        self._block = bytearray()
        self._start, self._size = array("I"), array("I")
        self._standing = 0

    def put(self, number: int, text: str) -> None:
        """Instead of what stood there, if any; numbers come without gaps. Lone surrogates are kept."""
        coded = text.encode("utf-8", "surrogatepass")
        if len(self._block) > _SLACK * self._standing + _FEW:
            self._sweep()
        if number == len(self._start):
            self._start.append(len(self._block))
            self._size.append(len(coded))
        else:
            self._standing -= self._size[number]
            self._start[number], self._size[number] = len(self._block), len(coded)
        self._block += coded
        self._standing += len(coded)

    def remove(self, number: int) -> None:
        """An empty text stands there now."""
        self._standing -= self._size[number]
        self._size[number] = 0

    def get(self, number: int) -> str:
        """The text under a number."""
        at = self._start[number]
        return self._block[at : at + self._size[number]].decode("utf-8", "surrogatepass")

    def _sweep(self) -> None:
        swept = bytearray()
        for number, size in enumerate(self._size):
            at = self._start[number]
            self._start[number] = len(swept)
            swept += self._block[at : at + size]
        self._block = swept

    def state(self) -> tuple[bytes, bytes, bytes]:
        """All of it, for `restore`."""
        return bytes(self._block), self._start.tobytes(), self._size.tobytes()

    def restore(self, state: tuple[bytes, bytes, bytes]) -> None:
        """Makes this, which is empty, what another one was."""
        self._block, self._start, self._size = bytearray(state[0]), array("I", state[1]), array("I", state[2])
        self._standing = sum(self._size)
