"""Sealed values: read again by this node, for the same purpose and owner, and by nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from node.errors import NotFound
from node.node import Node
from node.sealing import seal, unseal


def test_what_is_sealed_is_read_again_for_the_same_purpose_and_owner_only(node: Node) -> None:
    sealed = seal(node.site, "seeds", "alice", b"a seed")

    assert unseal(node.site, "seeds", "alice", sealed) == b"a seed"
    assert "seed" not in sealed
    assert seal(node.site, "seeds", "alice", b"a seed") != sealed
    other = dataclasses.replace(node.site, secret=b"the secret of another node")
    for site, purpose, owner, text in (
        (node.site, "seeds", "bob", sealed),
        (node.site, "keys", "alice", sealed),
        (other, "seeds", "alice", sealed),
        (node.site, "seeds", "alice", "not sealed"),
        (node.site, "seeds", "alice", ""),
    ):
        with pytest.raises(NotFound):
            unseal(site, purpose, owner, text)
