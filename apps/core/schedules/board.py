"""What each pair of candidates costs, as one whole number, so that the best choice is the one with the least sum."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import Final

from .slots import Closeness, Slot, Tables, closenesses

MOST_LEVELS: Final = 64  # gaps that are told apart, the smallest ones, where the best choice is out of reach anyway


class Board:
    """What each pair of candidates costs. Slots that differ in name only are of one kind and share their costs."""

    def __init__(self, slots: Sequence[Slot], *, all_levels: bool) -> None:
        numbers: dict[Slot, int] = {}
        self.kind_of = [numbers.setdefault(replace(slot, name=""), len(numbers)) for slot in slots]
        self.sizes = [len(kind.candidates) for kind in numbers]  # by kind
        self.free = [place for place, kind in enumerate(self.kind_of) if self.sizes[kind] > 1]
        self.free_kinds = sorted({self.kind_of[place] for place in self.free})
        tables = {
            (kind, number): closenesses(other, one)
            for one, number in numbers.items()
            for other, kind in numbers.items()
            if self.sizes[number] > 1 and (kind <= number or self.sizes[kind] == 1)
        }
        # The lowest digit is for the candidates' places: one number, the first slot's highest.
        weights, unit = {}, 1
        for place in reversed(self.free):
            weights[place] = unit
            unit *= self.sizes[self.kind_of[place]]
        prices = _prices(tables, Counter(self.kind_of), unit, all_levels)
        # By two kinds, then by the candidates of both.
        self.costs: dict[tuple[int, int], list[list[int]]] = {}
        for (one, other), rows in tables.items():
            self.costs[one, other] = priced = [[prices[pair] for pair in row] for row in rows]
            if self.sizes[one] > 1:
                self.costs[other, one] = [list(column) for column in zip(*priced, strict=True)]
        # By kind: what each candidate costs towards the fixed slots.
        fixed = [kind for kind in self.kind_of if self.sizes[kind] == 1]
        self.base = {
            kind: sums(self.sizes[kind], [self.costs[one, kind][0] for one in fixed]) for kind in self.free_kinds
        }
        # By slot: the same, and the candidate's place.
        self.own = {
            place: [cost + weights[place] * at for at, cost in enumerate(self.base[self.kind_of[place]])]
            for place in self.free
        }

    def cost(self, choice: Sequence[int]) -> int:
        """What decides between choices: all pairs but those of two fixed slots, and the candidates' places."""
        own = sum(self.own[place][choice[place]] for place in self.free)
        return own + sum(
            self.costs[self.kind_of[one], self.kind_of[other]][choice[one]][choice[other]]
            for one, other in combinations(self.free, 2)
        )


def _prices(tables: Tables, numbers: Counter[int], unit: int, all_levels: bool) -> dict[Closeness | None, int]:
    """What a pair costs that is so close; `numbers`: how many slots are of a kind."""
    found: set[Closeness | None] = set()
    most: Counter[int] = Counter()  # by gap: the pairs that may come to it
    for (one, other), rows in tables.items():
        here = set(chain.from_iterable(rows))
        most.update(dict.fromkeys((pair.gap for pair in here if pair), numbers[one] * numbers[other]))
        found |= here
    levels = sorted(most)[: None if all_levels else MOST_LEVELS]
    prices, top = {}, unit
    for gap in reversed(levels):
        prices[gap] = top
        top <<= most[gap].bit_length()
    broken = top << (numbers.total() ** 2).bit_length()
    return {pair: pair.broken * broken + pair.shared * top + prices.get(pair.gap, 0) if pair else 0 for pair in found}


def sums(size: int, rows: list[list[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * size
