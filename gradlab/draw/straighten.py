"""Straight lines: where each slot lies across the flow, so that long edges do not bend.

Slots that should line up are put into one block; blocks are pushed together four ways, and the
average of the two middle results is balanced and keeps every distance.

Source: Brandes and Köpf (2001), "Fast and simple horizontal coordinate assignment".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate, pairwise
from operator import add, sub

from gradlab.draw import style
from gradlab.draw.layers import Layers, Slot

Rows = list[list[int]]
Pair = tuple[int, int]


def cross_positions(layers: Layers) -> list[float]:
    """Return the centre of each slot across the flow, at least the required gap from the next."""
    slots, rows = layers.slots, layers.rows
    barred = _barred(rows, slots)
    results = []
    for forward in (True, False):
        for mirrored in (False, True):
            view = [row[::-1] if mirrored else row for row in rows]
            block = _align(view, slots, barred, forward)
            x = _push(view, slots, block)
            results.append([-v for v in x] if mirrored else x)
    return _gather(_balance(results, slots), rows, slots)


def distance(a: Slot, b: Slot) -> float:
    """Return how far apart the centres of two neighbours in a layer must be."""
    gap = style.GAPS[(a.kind == "unit") + (b.kind == "unit")]
    return (a.broad + b.broad) / 2 + gap


# --------------------------------------------------------------------------------- blocks


def _barred(rows: Rows, slots: list[Slot]) -> set[Pair]:
    """Return the edges that may bend: those from the side, and those that cross a long edge."""
    barred = {
        (i, j) for row in rows for i in row for j in slots[i].after if _gives_way(slots, i, j)
    }
    for upper, lower in pairwise(rows):
        place = {i: k for k, i in enumerate(lower)}
        long_to = [_long_end(slots, i, place) for i in upper]
        if any(end is not None for end in long_to):
            barred |= _crossing_long(upper, long_to, slots, place)
    return barred


def _long_end(slots: list[Slot], i: int, place: dict[int, int]) -> int | None:
    return next((place[j] for j in slots[i].after if _is_long(slots, i, j)), None)


def _crossing_long(
    upper: list[int], long_to: list[int | None], slots: list[Slot], place: dict[int, int]
) -> set[Pair]:
    # An edge crosses a long one if one before it ends beyond it, or one after it ends before it.
    farthest = list(accumulate((-1 if m is None else m for m in long_to), max, initial=-1))
    nearest = list(
        accumulate((len(place) if m is None else m for m in long_to[::-1]), min, initial=len(place))
    )[::-1]
    return {
        (i, j)
        for k, i in enumerate(upper)
        for j in slots[i].after
        if not _is_long(slots, i, j) and (farthest[k] > place[j] or nearest[k + 1] < place[j])
    }


def _is_long(slots: list[Slot], i: int, j: int) -> bool:
    return slots[i].kind == "bend" and slots[j].kind == "bend"


def _gives_way(slots: list[Slot], i: int, j: int) -> bool:
    """Tell whether the edge from i to j comes from the side of what runs through j."""
    computed = sum(not slots[k].side for k in slots[j].before)
    return slots[i].side and 2 * computed >= len(slots[j].before)


def _neighbours(slots: list[Slot], i: int, forward: bool) -> list[int]:
    near = slots[i].before if forward else slots[i].after
    if slots[i].kind == "bend":
        return [j for j in near if slots[j].kind == "bend"] or near
    return [j for j in near if not _gives_way(slots, j, i)] if forward else near


def _align(rows: Rows, slots: list[Slot], barred: set[Pair], forward: bool) -> list[int]:
    """Return the block of each slot: it joins the block of its middle neighbour where it can."""
    block = list(range(len(slots)))
    taken: set[int] = set()
    for r in range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1):
        place = {i: k for k, i in enumerate(rows[r - 1 if forward else r + 1])}
        last = -1
        for i in rows[r]:
            near = sorted(_neighbours(slots, i, forward), key=place.__getitem__)
            for j in near[(len(near) - 1) // 2 : len(near) // 2 + 1]:
                edge = (j, i) if forward else (i, j)
                if place[j] > last and j not in taken and edge not in barred:
                    block[i] = block[j]
                    taken.add(j)
                    last = place[j]
                    break
    return block


# --------------------------------------------------------------------------------- distances


def _push(rows: Rows, slots: list[Slot], block: list[int]) -> list[float]:
    """Push all blocks against each other, then each one back toward what lies beyond it."""
    beyond: dict[int, dict[int, float]] = {b: {} for b in block}
    for row in rows:
        for i, j in pairwise(row):
            a, b = block[i], block[j]
            beyond[a][b] = max(beyond[a].get(b, 0.0), distance(slots[i], slots[j]))
    order = list(_sorted_blocks(beyond))
    x = dict.fromkeys(order, 0.0)
    for a in order:
        for b, gap in beyond[a].items():
            x[b] = max(x[b], x[a] + gap)
    for a in reversed(order):
        room = min((x[b] - gap for b, gap in beyond[a].items()), default=-math.inf)
        x[a] = max(x[a], room)
    return [x[b] for b in block]


def _sorted_blocks(beyond: dict[int, dict[int, float]]) -> Iterator[int]:
    waiting = dict.fromkeys(beyond, 0)
    for nexts in beyond.values():
        for b in nexts:
            waiting[b] += 1
    ready = [b for b, count in waiting.items() if count == 0]
    for a in ready:  # grows while it is walked
        yield a
        for b in beyond[a]:
            waiting[b] -= 1
            if waiting[b] == 0:
                ready.append(b)


def _balance(results: list[list[float]], slots: list[Slot]) -> list[float]:
    """Line the four results up with the narrowest, and average the middle two for each slot."""

    half = [slot.broad / 2 for slot in slots]
    ends = [(min(map(sub, x, half)), max(map(add, x, half))) for x in results]
    low, high = min(ends, key=_extent)
    for k, x in enumerate(results):
        shift = high - ends[k][1] if k % 2 else low - ends[k][0]
        results[k] = [v + shift for v in x]
    middle = [sum(sorted(four)[1:3]) / 2 for four in zip(*results, strict=True)]
    start = min(map(sub, middle, half))
    return [m - start for m in middle]


def _extent(ends: tuple[float, float]) -> float:
    return ends[1] - ends[0]


def _gather(x: list[float], rows: Rows, slots: list[Slot]) -> list[float]:
    """Move leaves that came to lie apart next to what uses them, as far as there is room."""
    place = {i: (row, k) for row in rows for k, i in enumerate(row)}
    asides = [_aside(slots, i) for i in sorted(range(len(slots)), key=x.__getitem__)]
    for moving in filter(None, asides):
        low, high = -math.inf, math.inf
        for j in moving:
            row, k = place[j]
            if k > 0:
                low = max(low, x[row[k - 1]] + distance(slots[row[k - 1]], slots[j]))
            if k + 1 < len(row):
                high = min(high, x[row[k + 1]] - distance(slots[j], slots[row[k + 1]]))
        wanted = x[slots[moving[-1]].after[0]]
        if low <= high:
            for j in moving:
                x[j] = min(max(wanted, low), high)
    return x


def _aside(slots: list[Slot], i: int) -> list[int]:
    """Return a leaf and its label, if it is used once, by something that also uses a result."""
    if slots[i].kind != "unit" or slots[i].before or len(slots[i].after) != 1:
        return []
    ahead = slots[i].after[0]
    moving = [i, ahead] if slots[ahead].kind == "label" else [i]
    user = slots[moving[-1]].after[0]
    return moving if _gives_way(slots, moving[-1], user) else []
