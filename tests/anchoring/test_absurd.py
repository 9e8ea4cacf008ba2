"""Answers that are no node's: whatever an endpoint says, the step fails in words of ours, and the log goes on."""

import json
from dataclasses import replace

import pytest

from notary.anchoring.fields import words
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable
from notary.store import outbox
from tests.anchoring.anchored import Anchored
from tests.anchoring.local_chain import WALLET
from tests.anchoring.lying_node import Error, lying_node, raw_answer
from tests.rig import ORIGIN, Rig


@pytest.fixture
def log(database, tmp_path):
    """On both databases, since each refuses values of its own."""
    return Anchored(Rig(database, tmp_path).open())


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def raising(text):
    def lie(_said):
        raise Error(text)

    return lie


@pytest.mark.parametrize("said", ["no\x00", "no\ud800"])
def test_words_that_no_database_takes_end_no_process(chain, log, on_chain, said):
    log.close()
    with lying_node(chain.url, eth_call=raising(said)) as url:
        step = log.advance(replace(on_chain, node=Node(url, 31337))).step
        for _ in range(2):
            with pytest.raises(AnchorUnavailable, match=r"eth_call: no\?"):
                step()
            assert (log.one("test").state, log.one("test").detail) == ("due", "eth_call: no?")
    # What a node says beside an anchor that is in a block is no reason not to keep it.
    with lying_node(chain.url, eth_getProof=raising(said)) as url:
        advance = log.advance(replace(on_chain, node=Node(url, 31337)))
        advance.step()
        chain.receipt(bytes.fromhex(log.attempts(log.one("test"))[0].ref))
        advance.step()
    assert log.one("test").state == "mined"
    assert log.one("test").detail.endswith(": no?")


@pytest.mark.parametrize(
    ("said", "shown"), [("fee\n\u202e\x1b[31m low", "fee???[31m low"), (None, "None"), ("x" * 300, "x" * 200)]
)
def test_what_a_node_says_is_in_printable_characters_and_of_bounded_length(said, shown):
    assert words(said) == shown
    failure = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": said}}
    with raw_answer(json.dumps(failure).encode()) as url:
        assert Node(url, 1).try_ask("eth_chainId").error == shown


@pytest.mark.parametrize("count", [2**63 - 1, 2**64 - 1, 2**256 - 1])
def test_a_lane_does_not_begin_with_a_nonce_that_no_database_can_number(chain, log, on_chain, count):
    log.close()
    with lying_node(chain.url, eth_getTransactionCount=lambda _: hex(count)) as url:
        step = log.advance(replace(on_chain, node=Node(url, 31337))).step
        for _ in range(2):
            with pytest.raises(
                AnchorRejected, match=f"the node says that wallet 0x.* has {count} transactions"
            ):
                step()
            assert (log.one("test").state, log.attempts(log.one("test"))) == ("due", [])
    with log.rig.database.reading() as connection:
        assert outbox.next_nonce(connection, "test", WALLET.address) is None
    log.advance(on_chain).step()
    assert log.one("test").state == "sent"
