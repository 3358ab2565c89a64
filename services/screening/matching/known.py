"""Facts of parties under their keys, and who shares a number or a day of birth: found by that alone, whatever the names."""

from collections.abc import Iterable

from services.screening.matching.facts import Facts


class KnownFacts:
    """Facts of those parties that have any; the others cost nothing."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._holders: dict[str, str | set[str]] = {}  # key by token; several only where it is shared

    def __len__(self) -> int:
        """Parties of whom anything is known."""
        return len(self._facts)

    def put(self, key: str, facts: Facts | None) -> None:
        """In place of what stood under the key."""
        self.remove(key)
        if facts is not None:
            self._facts[key] = facts
            for token in facts.tokens:
                held = self._holders.setdefault(token, key)
                if isinstance(held, set):
                    held.add(key)
                elif held != key:
                    self._holders[token] = {held, key}

    def remove(self, key: str) -> None:
        """Takes them out; nothing happens where there are none."""
        facts = self._facts.pop(key, None)
        for token in facts.tokens if facts else ():
            held = self._holders[token]
            if isinstance(held, set):
                held.discard(key)
            if not held or held == key:
                del self._holders[token]

    def of(self, key: str) -> Facts | None:
        """What is known under the key."""
        return self._facts.get(key)

    def sharing(self, facts: Facts | None) -> Iterable[str]:
        """Keys of all parties that share a number or a day of birth, each once, sorted."""
        if facts is None or not self._holders:
            return ()
        found = [self._holders.get(token, set()) for token in facts.tokens]
        return sorted({key for held in found for key in (held if isinstance(held, set) else (held,))})

    def state(self) -> dict[str, Facts]:
        """All of them, for `restore`."""
        return self._facts

    def restore(self, state: dict[str, Facts]) -> None:
        """Puts all facts of a state here, where none are."""
        for key, facts in state.items():
            self.put(key, facts)
