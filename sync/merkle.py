"""The Merkle tree over the lines of a ledger, as RFC 9162 section 2.1 defines it.

Leaf ``SHA256(0x00 ‖ line)``, node ``SHA256(0x01 ‖ left ‖ right)``. Everything here is a pure function. A *subtree*
is a perfect one: ``(level, index)`` covers the leaves ``index << level`` up to ``(index + 1) << level``, and its
hash never changes once its last leaf is there; so only subtrees are stored, and all else follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""The stored hash of the subtree at (level, index)."""


def leaf_hash(line: bytes) -> bytes:
    return sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A tree known by its right edge alone: enough to append to it and to name its root."""

    size: int = 0
    edge: tuple[bytes, ...] = ()
    """Hashes of the perfect subtrees that make up the tree, largest first: one for each 1 bit of ``size``."""

    def __post_init__(self) -> None:
        if self.size.bit_count() != len(self.edge):
            raise ValueError(
                f"a tree of {self.size} leaves has {self.size.bit_count()} subtrees, not {len(self.edge)}"
            )

    def extended(self, lines: Iterable[bytes]) -> tuple[CompactRange, list[bytes]]:
        """The tree with these lines appended, and for each line the hashes of the subtrees that it completes,
        one after the other from level 0 upwards (see ``subtree_place``)."""
        return self.grown([sha256(b"\x00" + line).digest() for line in lines])

    def grown(self, leaves: Iterable[bytes]) -> tuple[CompactRange, list[bytes]]:
        """As ``extended``, from the hashes of the leaves."""
        edge = list(self.edge)
        size = self.size
        completed: list[bytes] = []
        for leaf in leaves:
            node = hashes = leaf
            rest = size
            while rest & 1:
                node = sha256(b"\x01" + edge.pop() + node).digest()
                hashes += node
                rest >>= 1
            edge.append(node)
            completed.append(hashes)
            size += 1
        return CompactRange(size, tuple(edge)), completed

    def root(self) -> bytes:
        if not self.edge:
            return EMPTY_ROOT
        root = self.edge[-1]
        for node in reversed(self.edge[:-1]):
            root = node_hash(node, root)
        return root


def subtree_place(level: int, index: int) -> tuple[int, int]:
    """Where the hash of a subtree stands: (sequence of the line that completes it, byte offset in its hashes)."""
    return (index + 1) << level, level * HASH_BYTES


def subtree_count(sequence: int) -> int:
    """How many subtrees the line ``sequence`` completes; sequences count from 1."""
    return (sequence & -sequence).bit_length()


def edge_places(size: int) -> list[tuple[int, int]]:
    """(level, index) of each subtree at the right edge of a tree of ``size`` leaves, largest first."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]


def compact_range(subtree: Subtree, size: int) -> CompactRange:
    """The tree of the first ``size`` leaves, from stored subtrees: one read for each 1 bit of ``size``."""
    return CompactRange(size, tuple(subtree(level, index) for level, index in edge_places(size)))


def _split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(subtree: Subtree, start: int, end: int) -> bytes:
    """MTH(D[start:end]) where ``start`` is aligned as in the recursion of RFC 9162."""
    count = end - start
    if count & (count - 1) == 0:
        return subtree(count.bit_length() - 1, start // count)
    middle = start + _split(count)
    return node_hash(_range_hash(subtree, start, middle), _range_hash(subtree, middle, end))


def inclusion_proof(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 9162 section 2.1.3.1; leaves count from 0. Raises ``ValueError``."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(subtree, middle, end))
            end = middle
        else:
            path.append(_range_hash(subtree, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(subtree: Subtree, old_size: int, size: int) -> list[bytes]:
    """PROOF(old_size, D[size]) of RFC 9162 section 2.1.4.1. Raises ``ValueError``."""
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} has never had {old_size} leaves")
    if old_size in (0, size):
        return []
    path: list[bytes] = []
    start, end, whole = 0, size, True
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_range_hash(subtree, middle, end))
            end = middle
        else:
            path.append(_range_hash(subtree, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(subtree, start, end))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf
    for node in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(node, found)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found = node_hash(found, node)
        position >>= 1
        last >>= 1
    return last == 0 and found == root


def verify_consistency(old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """RFC 9162 section 2.1.4.2. From the empty tree everything follows, so its proof is empty."""
    if not 0 <= old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old_found = found = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old_found = node_hash(node, old_found)
            found = node_hash(node, found)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found = node_hash(found, node)
        position >>= 1
        last >>= 1
    return last == 0 and old_found == old_root and found == root
