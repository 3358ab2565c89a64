"""Who is owned by whom, and how much of each is held by blocked persons: the 50 % rule over a graph, circles included. Pure, exact (Decimal).

An entity owned to 50 % or more, in the aggregate and directly or indirectly, by blocked persons is blocked itself; what it holds then counts in
full, while what is held through anybody else counts nothing (OFAC, Revised Guidance on Entities Owned by Persons Whose Property and Interests
in Property Are Blocked, 13 August 2014). Blocked is the least set that this makes of those who are blocked to begin with: a circle of
companies that own each other blocks nobody by itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from itertools import chain, islice, zip_longest
from typing import NamedTuple

MAX_PATHS = 10  # told of one share; all of them count
_ALL, _NONE = Decimal(100), Decimal(0)
_EXACT = Context(prec=400, Emin=MIN_EMIN, Emax=MAX_EMAX)  # shares have a few digits; the usual 28 would round what has more


class Stake(NamedTuple):
    """`owner` holds `percent` (0 to 100, None where nobody told) of `held`; `n` tells stakes apart that one owner has in one entity."""

    held: str
    owner: str
    percent: Decimal | None
    n: int = 0


Path = tuple[Stake, ...]  # from the entity to somebody who is blocked, nearest first


class Share(NamedTuple):
    """What blocked owners hold of one entity together, in percent, at most 100 (`over`: the stakes told add up to more).

    `paths` make it up, `unknown` are those that would add to it if a share were known: at most MAX_PATHS of each, the largest stakes first, of
    every stake one before any has two.
    """

    percent: Decimal = _NONE
    over: bool = False
    blocked: bool = False
    paths: tuple[Path, ...] = ()
    unknown: tuple[Path, ...] = ()


class Ownership:
    """A graph of stakes. `blocked`: who is to begin with; `maybe`: of whom it is not known; `line`: the percentage from which the rule blocks.

    `certain` and `possible` say after how many steps each entity is blocked: by known shares; and where everything unknown would be the worst.
    """

    def __init__(
        self, stakes: Iterable[Stake], blocked: Collection[str], *, maybe: Collection[str] = (), line: Decimal = Decimal(50)
    ) -> None:
        self._line = line
        self._in: dict[str, list[Stake]] = defaultdict(list)
        self._of: dict[str, list[Stake]] = defaultdict(list)
        for stake in sorted(stakes, key=_largest_first):
            self._in[stake.held].append(stake)
            self._of[stake.owner].append(stake)
        self.certain = self._closure(frozenset(blocked), _NONE)
        hidden = bool(maybe) or any(stake.percent is None for told in self._in.values() for stake in told)
        self.possible = self._closure(frozenset((*blocked, *maybe)), _ALL) if hidden else self.certain

    def share(self, held: str) -> Share:
        """The blocked share of one entity."""
        stakes = self._in.get(held, ())
        known = [s for s in stakes if s.percent is not None and s.owner in self.certain]
        total = _sum(known)
        blocked = total >= self._line
        hidden = [s for s in stakes if s.percent is None and s.owner in self.possible]
        if not blocked:  # a known share in an owner of whom it is unknown matters where it would lift the sum over the line
            open_ones = [s for s in stakes if s.percent is not None and s.owner in self.possible and s.owner not in self.certain]
            if hidden or _sum([*known, *open_ones]) >= self._line:
                hidden += open_ones
        return Share(
            percent=min(total, _ALL),
            over=total > _ALL,
            blocked=blocked,
            paths=self._paths(known, self.certain),
            unknown=self._paths(hidden, self.possible),
        )

    def _closure(self, start: frozenset[str], unknown: Decimal) -> dict[str, int]:
        """Whom `start` blocks, by steps, an untold share taken for `unknown` percent: each stake is looked at once."""
        steps = dict.fromkeys(start, 0)
        sums: dict[str, Decimal] = defaultdict(Decimal)
        front: Collection[str] = start
        while front:
            reached = set()
            for stake in chain.from_iterable(self._of.get(owner, ()) for owner in front):
                percent = unknown if stake.percent is None else stake.percent
                sums[stake.held] = _EXACT.add(sums[stake.held], percent)
                if stake.held not in steps and sums[stake.held] >= self._line:
                    reached.add(stake.held)
            steps |= dict.fromkeys(reached, 1 + max(steps[owner] for owner in front))
            front = reached
        return steps

    def _paths(self, stakes: Iterable[Stake], steps: dict[str, int]) -> tuple[Path, ...]:
        each = zip_longest(*(islice(self._onward(stake, steps), MAX_PATHS) for stake in islice(stakes, MAX_PATHS)))
        return tuple(islice((path for row in each for path in row if path is not None), MAX_PATHS))

    def _onward(self, stake: Stake, steps: dict[str, int]) -> Iterator[Path]:
        """Every path that begins so and goes, by stakes of who was blocked earlier and therefore never in a circle, to somebody blocked."""
        waiting: list[Path] = [(stake,)]
        while waiting:
            path = waiting.pop()
            owner = path[-1].owner
            if not (at := steps[owner]):
                yield path
                continue
            before = (stake for stake in reversed(self._in[owner]) if steps.get(stake.owner, at) < at and stake.percent != 0)
            waiting += [(*path, stake) for stake in before if stake.percent is not None or steps is self.possible]


def _sum(stakes: Iterable[Stake]) -> Decimal:
    total = _NONE
    for stake in stakes:
        total = _EXACT.add(total, stake.percent or _NONE)
    return total


def _largest_first(stake: Stake) -> tuple[bool, Decimal, str, str, int]:
    return (stake.percent is None, -(stake.percent or _NONE), stake.owner, stake.held, stake.n)
