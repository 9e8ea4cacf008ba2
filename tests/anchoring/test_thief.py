"""What nobody can do who has one of the keys or the database, and what a thief of the gas key can do."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from notary.anchoring.contract import call_data
from notary.anchoring.port import Head
from notary.errors import Fatal
from notary.evidence.checkpoint import Checkpoint, sign_checkpoint
from notary.merkle.tree import root_of
from tests.anchoring.local_chain import HEAD_KEY, LEAVES, STRANGER, WALLET, path, root
from tests.rig import LOG_KEY, ORIGIN


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def test_the_gas_key_alone_anchors_nothing_and_hands_nothing_over(chain, on_chain):
    log_id = on_chain.log_id
    forged = chain.data(log_id, 7, root(7), [], key=WALLET)
    assert "execution reverted" in chain.attempt(forged, sender=WALLET).error
    offer = call_data("handOver(bytes32,address,bytes)", log_id, STRANGER.address, bytes(65))
    assert "execution reverted" in chain.attempt(offer, sender=WALLET).error
    good = chain.data(log_id, 7, root(7), [], key=HEAD_KEY)
    assert chain.attempt(good, sender=WALLET).error is None  # the same call with the head key's signature
    assert chain.attempt(good, sender=STRANGER).error is None  # and anybody may pay for it


def test_a_fork_signed_with_the_real_head_key_is_refused_by_the_chain(chain, on_chain):
    log_id = on_chain.log_id
    chain.send(chain.data(log_id, 6, root(6), []))
    fork = [*LEAVES[:3], bytes(32), *LEAVES[4:9]]
    for size, new_root, proof in (
        (9, root_of(fork), path(6, 9)),
        (6, root_of(fork[:6]), []),
        (5, root(5), []),
    ):
        refused = chain.attempt(chain.data(log_id, size, new_root, proof))
        assert "execution reverted" in refused.error
    assert on_chain.on_chain_head() == (6, root(6))
    assert chain.attempt(chain.data(log_id, 9, root(9), path(6, 9))).error is None


def tampered(log, new_root, key=LOG_KEY):
    """The database says another root of the newest checkpoint, under the log's own signature."""
    size = log.close(3)
    forged = sign_checkpoint(Checkpoint(ORIGIN, size, new_root), key).encode()
    with log.rig.database.writing() as connection:
        values = {"root": new_root, "note": forged, "size": size}
        for table in ("checkpoint", "log_state"):
            connection.execute(
                text(f"UPDATE {table} SET root = :root, note = :note WHERE size = :size"), values
            )
    return size


def test_a_tampered_database_cannot_anchor(chain, log, on_chain):
    tampered(log, bytes(32))
    on_chain.head_key = NoSignature()
    nonce = on_chain.first_nonce()
    with pytest.raises(Fatal, match="do not have the root that was signed"):
        log.advance(on_chain).step()
    assert (log.one("test").state, log.attempts(log.one("test"))) == ("due", [])
    assert (on_chain.on_chain_head(), on_chain.first_nonce()) == ((0, bytes(32)), nonce)


def test_without_recomputing_the_root_a_tampered_database_would_be_anchored(chain, log, on_chain):
    size = tampered(log, bytes(32))
    advance = log.advance(on_chain)
    careless = replace(advance, head_at=lambda size: stored(log, size))
    careless.step()
    chain.receipt(bytes.fromhex(log.attempts(log.one("test"))[0].ref))
    assert on_chain.on_chain_head() == (size, bytes(32))


def stored(log, size):
    point = log.rig.prover().signed_at(size)
    return Head(ORIGIN, size, point.checkpoint.root, point.note)


class NoSignature:
    """The head key's address, and nothing that could sign."""

    address = HEAD_KEY.address
