"""The tree is RFC 9162's: checked against its own recursive definition and against published roots."""

from __future__ import annotations

from hashlib import sha256

import pytest

from sync import merkle

PUBLISHED_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
PUBLISHED_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The test vectors that Certificate Transparency implementations share."""

SIZE = 70
LINES = [b"line %d" % number for number in range(SIZE)]


def defined_root(lines: list[bytes]) -> bytes:
    """MTH as RFC 9162 section 2.1.1 writes it down."""
    if not lines:
        return sha256(b"").digest()
    if len(lines) == 1:
        return sha256(b"\x00" + lines[0]).digest()
    split = 1
    while split * 2 < len(lines):
        split *= 2
    return sha256(b"\x01" + defined_root(lines[:split]) + defined_root(lines[split:])).digest()


@pytest.fixture(scope="module")
def stored() -> merkle.Subtree:
    """Subtrees of ``LINES`` as a ledger keeps them: beside the line that completes them."""
    completed = merkle.CompactRange().extended(LINES)[1]

    def subtree(level: int, index: int) -> bytes:
        sequence, offset = merkle.subtree_place(level, index)
        return completed[sequence - 1][offset : offset + merkle.HASH_BYTES]

    return subtree


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    tree, _ = merkle.CompactRange().extended(PUBLISHED_LEAVES[:size])
    assert tree.root().hex() == PUBLISHED_ROOTS[size - 1]


def test_the_root_is_the_defined_one_at_every_size_however_lines_were_grouped(stored: merkle.Subtree) -> None:
    for size in range(SIZE + 1):
        half, _ = merkle.CompactRange().extended(LINES[: size // 3])
        tree, _ = half.extended(LINES[size // 3 : size])
        assert tree.root() == defined_root(LINES[:size])
        assert merkle.compact_range(stored, size) == tree


def test_every_inclusion_proof_verifies_and_no_other_line_does(stored: merkle.Subtree) -> None:
    for size in range(1, SIZE + 1):
        root = merkle.compact_range(stored, size).root()
        for index in range(size):
            proof = merkle.inclusion_proof(stored, index, size)
            leaf = merkle.leaf_hash(LINES[index])
            assert merkle.verify_inclusion(leaf, index, size, proof, root)
            assert not merkle.verify_inclusion(merkle.leaf_hash(b"forged"), index, size, proof, root)
            assert not merkle.verify_inclusion(leaf, index, size, [*proof, root], root)
            assert not merkle.verify_inclusion(leaf, index + 1, size, proof, root)


def test_every_consistency_proof_verifies_and_a_rewritten_history_does_not(stored: merkle.Subtree) -> None:
    roots = [merkle.compact_range(stored, size).root() for size in range(SIZE + 1)]
    for size in range(1, SIZE + 1):
        for old_size in range(size + 1):
            proof = merkle.consistency_proof(stored, old_size, size)
            assert merkle.verify_consistency(old_size, size, proof, roots[old_size], roots[size])
            forged = sha256(b"forged").digest()
            assert not merkle.verify_consistency(old_size, size, proof, forged, roots[size])
            if old_size:
                assert not merkle.verify_consistency(old_size, size, proof, roots[old_size], forged)
            assert not merkle.verify_consistency(old_size, size, [*proof, forged], roots[old_size], roots[size])


def test_proofs_of_what_never_was_are_refused(stored: merkle.Subtree) -> None:
    with pytest.raises(ValueError, match="leaf 5 is not in a tree of 5"):
        merkle.inclusion_proof(stored, 5, 5)
    with pytest.raises(ValueError, match="never had 6"):
        merkle.consistency_proof(stored, 6, 5)
    with pytest.raises(ValueError, match="has 2 subtrees, not 1"):
        merkle.CompactRange(3, (merkle.EMPTY_ROOT,))
