"""Signing and sending to a real chain, as several tests of the adapter do it."""

from dataclasses import replace

from notary.anchoring.port import Step
from notary.anchoring.rpc import Node
from tests.anchoring.local_chain import LocalChain, head, path


def signed(anchor, size, old=0):
    return anchor.sign(head(size), anchor.first_nonce(), path(old, size), old)


def anchored(anchor, size, old=0):
    return sent(anchor, signed(anchor, size, old), size)


def sent(anchor, attempt, size=7):
    """Send it, and where the node mines by itself wait until it has."""
    assert anchor.send(head(size), attempt).step is Step.SENT
    if anchor.node.ask("anvil_getAutomine"):
        LocalChain(anchor.node, "").receipt(attempt.ref)
    return attempt


def through(anchor, url):
    """The same anchor by another endpoint."""
    return replace(anchor, node=Node(url, anchor.node.chain_id))
