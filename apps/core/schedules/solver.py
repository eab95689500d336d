"""Where to put the entries of a timetable whose minute is free: as far from each other as can be.

A choice is judged by the fewest broken spacings, then by the fewest pairs that share a minute, then by the fewest
pairs at the smallest gap, at the next one, and so on; last, by the earliest candidates, the first slot's first. All
of that is one whole number, its cost. Each count is a digit of it, the worst one highest, and wide enough for any
count: so the costs of the pairs add up, nothing is rounded, and the best choice is the one with the least cost.

It is found by branch and bound. The bound takes what a pair costs in any case and puts it on its two slots, so that
what is left of each pair may be 0: then each open slot costs its cheapest candidate at least.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from operator import add, itemgetter, sub
from typing import Final, NamedTuple

from .board import Board, sums
from .patterns import Calendar
from .slots import Slot, closenesses

MOST_STEPS: Final = 5_000_000  # gaps looked up and costs added: some seconds
CALENDAR_STEPS: Final = 4  # a calendar's gap to an interval takes as many times as long; to a calendar, that squared


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a choice stands. Pairs in which one is never due count for nothing."""

    choice: tuple[int, ...]  # of each slot, the place of its candidate
    broken: int  # pairs that are closer than their spacing
    shared: int  # pairs that share a minute
    gaps: tuple[int, ...]  # minutes, of all pairs, ascending; from the end of a run, where it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution(Standing):
    """The best choice, or the best one found."""

    proved: bool  # False: the search was cut short, and there may be a better one


def solve(slots: Sequence[Slot], *, most_steps: int = MOST_STEPS) -> Solution:
    """The best choice; after so many steps, the best one found. The same for the same slots, on any machine."""
    most = _most_candidates(slots, most_steps)
    strides = [-(-len(slot.candidates) // most) for slot in slots]
    all_of_them = max(strides, default=1) == 1
    board = Board(
        [replace(slot, candidates=slot.candidates[::stride]) for slot, stride in zip(slots, strides, strict=True)],
        all_levels=all_of_them,
    )
    choice, proved = _settled(board, [], most_steps), False
    if all_of_them:
        search = _Search(board, choice, most_steps)
        proved = search.run()
        choice = search.choice if proved else _settled(board, search.choice, most_steps)
    standing = judge(slots, [place * stride for place, stride in zip(choice, strides, strict=True)])
    return Solution(
        choice=standing.choice, broken=standing.broken, shared=standing.shared, gaps=standing.gaps, proved=proved
    )


def judge(slots: Sequence[Slot], choice: Sequence[int]) -> Standing:
    """How a given choice stands."""
    put = [replace(slot, candidates=(slot.candidates[place],)) for slot, place in zip(slots, choice, strict=True)]
    pairs = [pair for one, other in combinations(put, 2) for row in closenesses(one, other) for pair in row if pair]
    return Standing(
        choice=tuple(choice),
        broken=sum(pair.broken for pair in pairs),
        shared=sum(pair.shared for pair in pairs),
        gaps=tuple(sorted(pair.gap for pair in pairs)),
    )


def _settled(board: Board, choice: Sequence[int], most_steps: int) -> list[int]:
    """A choice that no move of one slot makes better, from the given one or, if there is none, from a greedy one."""
    costs = {kind: list(base) for kind, base in board.base.items()}  # towards all that is placed
    placed: dict[int, int] = {}

    def put(place: int, at: int) -> None:
        for kind, row in costs.items():
            if place in placed:
                row[:] = map(sub, row, board.costs[board.kind_of[place], kind][placed[place]])
            row[:] = map(add, row, board.costs[board.kind_of[place], kind][at])
        placed[place] = at

    for place in board.free if choice else ():
        put(place, choice[place])
    order = sorted(board.free, key=lambda place: board.sizes[board.kind_of[place]])  # the fewest candidates first
    steps, moved = 0, True
    while moved:
        moved = False
        for place in order:
            kind, old = board.kind_of[place], placed.get(place)
            row = costs[kind] if old is None else list(map(sub, costs[kind], board.costs[kind, kind][old]))
            steps += len(row)
            at = min(range(len(row)), key=row.__getitem__)
            if at != old:
                put(place, at)
                steps += 2 * sum(map(len, costs.values()))
                moved = steps < most_steps
    return [placed.get(place, 0) for place in range(len(board.kind_of))]


class _Node(NamedTuple):
    """A part of a choice."""

    cost: int  # of what is placed
    placed: dict[int, int]  # slot: candidate
    open: dict[int, dict[int, int]]  # slot: the candidates that may still be best, and what each adds at least


class _Search:
    """Branch and bound, from a choice that is to be beaten."""

    def __init__(self, board: Board, choice: list[int], most_steps: int) -> None:
        self.board = board
        self.choice, self.best = choice, board.cost(choice)
        self.most_steps, self.steps = most_steps, 0
        floors = {
            (one, other): _floors(board.costs[one, other])
            for one in board.free_kinds
            for other in board.free_kinds
            if one <= other
        }
        # By two slots, then by the first one's candidates: what the first one bears of what the pair costs.
        self.shares: dict[tuple[int, int], list[int]] = {}
        for pair in combinations(board.free, 2):
            one, other = sorted(pair, key=lambda place: (board.kind_of[place], place))
            self.shares[one, other], self.shares[other, one] = floors[board.kind_of[one], board.kind_of[other]]

    def run(self) -> bool:
        """Whether the choice is proved to be the best one."""
        stack = [iter([self._root()])]
        while stack and self.steps <= self.most_steps:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
            elif node.open:
                stack.append(self._children(node))
            elif node.cost < self.best:
                self.best = node.cost
                self.choice = [node.placed.get(place, 0) for place in range(len(self.choice))]
        return not stack

    def _root(self) -> _Node:
        free, open_ = self.board.free, {}
        for place in free:
            own = self.board.own[place]
            shares = [self.shares[place, other] for other in free if other != place]
            open_[place] = dict(enumerate(sums(len(own), [own, *shares])))
            self.steps += len(own) * len(free)
        return _Node(0, {}, open_)

    def _children(self, node: _Node) -> Iterator[_Node]:
        """The slot with the fewest candidates left, placed at each of them, the cheapest first."""
        lows = {place: min(costs.values()) for place, costs in node.open.items()}
        size = sum(map(len, node.open.values()))
        place = min(node.open, key=lambda place: len(node.open[place]))
        rest = node.cost + sum(lows.values()) - lows[place]
        for at, cost in sorted(node.open[place].items(), key=itemgetter(1)):
            if rest + cost >= self.best or self.steps > self.most_steps:
                return
            self.steps += size
            child = self._child(node, place, at, lows, rest + cost)
            if child:
                yield child

    def _child(self, node: _Node, place: int, at: int, lows: dict[int, int], floor: int) -> _Node | None:
        """None if it cannot be better than the best choice so far."""
        kind_of, left = self.board.kind_of, {}
        cost = node.cost + node.open[place][at]
        for other, costs in node.open.items():
            if other == place:
                continue
            if kind_of[other] == kind_of[place]:
                # Slots of one kind may swap places, and then the earlier one has the earlier candidate.
                costs = {to: cost for to, cost in costs.items() if (to >= at if other > place else to <= at)}
                if not costs:
                    return None
            row, share = self.board.costs[kind_of[place], kind_of[other]][at], self.shares[other, place]
            borne = self.shares[place, other][at]
            left[other] = {to: cost + row[to] - share[to] for to, cost in costs.items()}
            floor += min(left[other].values()) - borne - lows[other]
            cost -= borne
            if floor >= self.best:
                return None
        slack = self.best - floor
        for other, costs in left.items():
            most = min(costs.values()) + slack
            left[other] = {to: cost for to, cost in costs.items() if cost < most}
        return _Node(cost, node.placed | {place: at}, left)


def _floors(costs: list[list[int]]) -> tuple[list[int], list[int]]:
    """What each candidate of one slot, and of the other, bears of a pair's costs: none is below the sum of both."""
    one = [min(row) for row in costs]
    other = [min(map(sub, column, one)) for column in zip(*costs, strict=True)]
    return one, other


def _most_candidates(slots: Sequence[Slot], most_steps: int) -> int:
    """Of how many candidates of a slot, at most, all the gaps can be looked up in so many steps."""
    # By kind: its candidates, and the time that one takes.
    kinds = [
        (len(kind.candidates), CALENDAR_STEPS if any(isinstance(at, Calendar) for at in kind.candidates) else 1)
        for kind in {replace(slot, name="") for slot in slots}
    ]
    fixed = sum(weight for size, weight in kinds if size == 1)
    most = max((size for size, _ in kinds), default=1)
    while most > 2:
        free = sum(min(size, most) * weight for size, weight in kinds if size > 1)
        if free * (free // 2 + fixed) <= most_steps:
            break
        most -= 1 + most // 8
    return most
