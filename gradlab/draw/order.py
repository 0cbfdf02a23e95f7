"""Few crossings: the order inside each layer, improved by moving every slot to its neighbours.

Source: Sugiyama, Tagawa and Toda (1981), the barycentre method; Gansner and others (1993), the
exchange of neighbours.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise

from gradlab.draw.layers import Layers, Slot

SWEEPS = 16
PATIENCE = 4  # sweeps without improvement before giving up


def order_layers(layers: Layers) -> None:
    """Fill ``layers.rows``: the slots of each layer, with the fewest crossings found."""
    slots = layers.slots
    rows = _first_order(slots)
    best, fewest = [list(row) for row in rows], _crossings(rows, slots)
    idle = 0
    for turn in range(SWEEPS):
        if fewest == 0 or idle == PATIENCE:
            break
        _sort_by_neighbours(rows, slots, forward=turn % 2 == 0)
        _exchange(rows, slots)
        count = _crossings(rows, slots)
        idle += 1
        if count < fewest:
            best, fewest, idle = [list(row) for row in rows], count, 0
    if _is_upside_down(best, slots):
        best = [row[::-1] for row in best]
    layers.rows = best


def _is_upside_down(rows: list[list[int]], slots: list[Slot]) -> bool:
    """Tell whether more boxes stand before an older neighbour than after it."""
    units = [[i for i in row if slots[i].kind == "unit"] for row in rows]
    return sum(1 if i > j else -1 for row in units for i, j in pairwise(row)) > 0


def _first_order(slots: list[Slot]) -> list[list[int]]:
    """Visit depth first from the outputs, inputs in order: a tree comes out without crossings."""
    rows: list[list[int]] = [[] for _ in range(1 + max(slot.layer for slot in slots))]
    seen = [False] * len(slots)
    waiting = [i for i, slot in reversed(list(enumerate(slots))) if not slot.after]
    while waiting:
        i = waiting.pop()
        if not seen[i]:
            seen[i] = True
            rows[slots[i].layer].append(i)
            waiting.extend(reversed(slots[i].before))
    return rows


def _places(rows: list[list[int]], n: int) -> list[int]:
    """Return the place of each of the ``n`` slots in its own row."""
    places = [0] * n
    for row in rows:
        for place, i in enumerate(row):
            places[i] = place
    return places


def _sort_by_neighbours(rows: list[list[int]], slots: list[Slot], forward: bool) -> None:
    places = _places(rows, len(slots))
    for r in range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1):
        middle = {}
        for i in rows[r]:
            near = slots[i].before if forward else slots[i].after
            if len(near) == 1:
                middle[i] = places[near[0]]
            elif near:
                middle[i] = sum([places[j] for j in near]) / len(near)
        ranked = iter(sorted(middle, key=middle.__getitem__))
        rows[r] = [next(ranked) if i in middle else i for i in rows[r]]
        for place, i in enumerate(rows[r]):
            places[i] = place


def _exchange(rows: list[list[int]], slots: list[Slot]) -> None:
    """Swap neighbours in a layer where that removes crossings."""
    places = _places(rows, len(slots))
    for row in rows:
        ends = [
            [sorted([places[j] for j in near]) for near in (slots[i].before, slots[i].after)]
            for i in row
        ]
        for k in range(len(row) - 1):
            a, b = ends[k], ends[k + 1]
            now = _crossed(a[0], b[0]) + _crossed(a[1], b[1])
            if now and _crossed(b[0], a[0]) + _crossed(b[1], a[1]) < now:
                row[k], row[k + 1] = row[k + 1], row[k]
                ends[k], ends[k + 1] = b, a
                places[row[k]], places[row[k + 1]] = k, k + 1


def _crossed(first: list[int], second: list[int]) -> int:
    """Count the pairs in which the first slot's neighbour lies beyond the second's."""
    if not first or not second or first[-1] <= second[0]:
        return 0
    return sum([len(first) - bisect_right(first, j) for j in second])


def _crossings(rows: list[list[int]], slots: list[Slot]) -> int:
    total, places = 0, _places(rows, len(slots))
    for row in rows:
        ends: list[int] = []
        for i in row:
            mine = sorted([places[j] for j in slots[i].after])
            for j in mine:
                total += len(ends) - bisect_right(ends, j)
            for j in mine:
                insort(ends, j)
    return total
