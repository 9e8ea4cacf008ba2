"""Endpoints that are away: another one is asked, every one is sent to, and none decides more than the first could."""

from dataclasses import replace

import pytest

from notary.anchoring.agreeing import of_first
from notary.anchoring.port import Step
from notary.anchoring.rpc import Node
from notary.errors import AnchorRejected, AnchorUnavailable, LaneStopped, NoAnswer
from notary.observe import RPC_CONTRADICTIONS, RPC_PASSED_OVER
from notary.store.incidents import incidents
from tests.anchoring.evm_steps import anchored, signed
from tests.anchoring.local_chain import STRANGER, WALLET, head
from tests.anchoring.lying_node import Error, lying_node
from tests.rig import ORIGIN

GONE = "http://127.0.0.1:9"


@pytest.fixture
def on_chain(chain):
    return chain.anchor(chain.open(ORIGIN))


def by(anchor, *urls, needed=1):
    """The same anchor by these endpoints, in this order."""
    first, *others = (Node(url, 31337) for url in urls)
    return replace(anchor, node=first, others=tuple(others), needed=needed)


def refusing(message):
    def refused(_):
        raise Error(message)

    return refused


def accepting(**more):
    """What an endpoint says that takes any bytes and knows no transaction."""
    return {"eth_sendRawTransaction": lambda _: f"0x{bytes(32).hex()}"} | more


def by_hand(chain):
    """Nothing is mined by itself."""
    chain.node.ask("evm_setAutomine", False)
    chain.node.ask("evm_setIntervalMining", 0)


ACCUSES = {
    "eth_sendRawTransaction": refusing("nonce too low"),
    "eth_getTransactionByHash": lambda _: None,
    "eth_getTransactionCount": lambda n: hex(int(n, 16) + 1),
}
FULL = {"eth_sendRawTransaction": refusing("txpool is full"), "eth_getTransactionByHash": lambda _: None}


def passed_over(place=1):
    return RPC_PASSED_OVER.labels("31337", str(place))._value.get()


def contradictions():
    return RPC_CONTRADICTIONS.labels("31337")._value.get()


def to_final(chain, log, anchor):
    """Of a log with something to anchor; the detail that it ends with."""
    advance = log.advance(anchor)
    advance.step()
    chain.receipt(bytes.fromhex(log.attempts(log.newest("test"))[-1].ref))
    chain.mine(2)
    advance.step()
    return log.newest("test")


def test_with_the_first_endpoint_away_an_anchor_becomes_final_by_the_next(chain, log, on_chain):
    before = passed_over()
    log.close()
    found = to_final(chain, log, by(on_chain, GONE, chain.url))
    assert (found.state, found.detail[-25:]) == ("final", "final at 1 of 2 endpoints")
    assert passed_over() > before
    assert on_chain.on_chain_head()[0] == found.size


def test_with_the_first_endpoint_away_as_many_as_must_agree_still_must(chain, log, on_chain):
    log.close()
    assert to_final(chain, log, by(on_chain, chain.url, chain.url, needed=2)).state == "final"
    log.close()
    log.wait()
    found = to_final(chain, log, by(on_chain, GONE, chain.url, needed=2))
    assert (found.state, found.detail[-25:]) == ("mined", "final at 1 of 2 endpoints")
    log.advance(by(on_chain, GONE, chain.url, chain.url, needed=2)).step()
    found = log.newest("test")
    assert (found.state, found.detail[-25:]) == ("final", "final at 2 of 3 endpoints")


def test_an_endpoint_that_answers_some_questions_only_is_passed_over_for_the_others(chain, log, on_chain):
    log.close()
    limited = dict.fromkeys(
        ("eth_call", "eth_estimateGas", "eth_getTransactionReceipt", "eth_getTransactionCount"),
        refusing("daily request limit exceeded"),
    )
    with lying_node(chain.url, **limited) as url:
        assert to_final(chain, log, by(on_chain, url, chain.url)).state == "final"
        with pytest.raises(NoAnswer, match="daily request limit exceeded"):
            by(on_chain, url).on_chain_head()


def test_where_no_endpoint_answers_the_first_ones_failure_is_told(chain, on_chain):
    with lying_node(chain.url, eth_chainId=refusing("the limit is reached")) as url:
        with pytest.raises(NoAnswer, match="eth_chainId: the limit is reached"):
            by(on_chain, url, GONE).first_nonce()
        with pytest.raises(AnchorUnavailable, match="eth_chainId: the limit is reached"):
            by(on_chain, url, GONE).send(head(7), signed(on_chain, 7))


@pytest.mark.parametrize(
    "error", [AnchorRejected("of another chain"), AnchorUnavailable("asks for too much")]
)
def test_an_answer_that_does_not_please_is_not_asked_for_elsewhere(chain, error):
    asked = []

    def question(node):
        asked.append(node)
        raise error

    nodes = Node(chain.url, 31337), Node(chain.url, 31337)
    with pytest.raises(type(error), match=str(error)):
        of_first(nodes, question)
    assert asked == [nodes[0]]
    with (
        lying_node(chain.url, eth_chainId=lambda _: "0x1") as url,
        pytest.raises(AnchorRejected, match="chain 1,"),
    ):
        of_first((Node(url, 31337), *nodes), question)
    assert asked == [nodes[0]]


# Sending


def test_stored_bytes_go_to_every_endpoint(chain, on_chain):
    first, second = [], []
    with lying_node(chain.url, wire=first) as one, lying_node(chain.url, wire=second) as two:
        attempt = signed(on_chain, 7)
        assert by(on_chain, one, GONE, two).send(head(7), attempt).step is Step.SENT
    assert first == second == [attempt.raw]


def test_one_endpoint_that_takes_it_is_enough(chain, on_chain):
    chain.node.ask("evm_setAutomine", False)
    attempt = signed(on_chain, 7)
    busy = {"eth_sendRawTransaction": refusing("limit exceeded"), "eth_getTransactionByHash": lambda _: None}
    with lying_node(chain.url, **busy) as url:
        assert by(on_chain, url, GONE, chain.url).send(head(7), attempt).step is Step.SENT
        # Of those that do not take it, the first that says why is believed before any that is silent.
        with pytest.raises(AnchorUnavailable, match="the node does not take the transaction: limit exceeded"):
            by(on_chain, GONE, url).send(head(7), attempt)
        with pytest.raises(AnchorUnavailable, match="eth_chainId: no answer from the node"):
            by(on_chain, GONE, GONE + "/").send(head(7), attempt)


def test_that_a_nonce_went_to_another_is_believed_of_as_many_as_must_agree(chain, on_chain):
    attempt = signed(on_chain, 7)
    with lying_node(chain.url, **ACCUSES) as one, lying_node(chain.url, **ACCUSES) as two:
        reason = rf"^nonce {attempt.nonce} went to another transaction"
        for urls, needed in (
            ((one,), 1),
            ((one, GONE), 1),
            ((one, two), 1),
            ((one, two), 2),
            ((one, GONE, two), 1),
        ):
            with pytest.raises(LaneStopped, match=f"{reason}$") as said:
                by(on_chain, *urls, needed=needed).send(head(7), attempt)
            # Of several, one alone stops the wallet and accuses nobody.
            assert said.value.foreign is (urls != (one, GONE))
        for urls in ((one, GONE), (GONE, one)):
            with pytest.raises(AnchorUnavailable, match=f"{reason}, say 1 of 2 endpoints: 2 must agree$"):
                by(on_chain, *urls, needed=2).send(head(7), attempt)
        before = contradictions()
        assert by(on_chain, one, chain.url).send(head(7), attempt).step is Step.SENT
        assert contradictions() == before + 1


def test_one_that_takes_anything_counts_beside_an_accusation_only_where_it_says_that_the_nonce_is_free(
    chain, on_chain
):
    chain.node.ask("evm_setAutomine", False)
    attempt = signed(on_chain, 7)
    unknown, before = {"eth_getTransactionByHash": lambda _: None}, contradictions()
    used = accepting(**unknown, eth_getTransactionCount=ACCUSES["eth_getTransactionCount"])
    silent = accepting(**unknown, eth_getTransactionCount=refusing("not for a relay"))
    for lies, accuses in ((used, True), (silent, False)):
        with lying_node(chain.url, **ACCUSES) as one, lying_node(chain.url, **lies) as relay:
            for urls in ((one, relay), (relay, one)):
                with pytest.raises(LaneStopped, match=r"^nonce \d+ went to another transaction$") as said:
                    by(on_chain, *urls).send(head(7), attempt)
                assert said.value.foreign is accuses
    assert contradictions() == before
    with lying_node(chain.url, **silent) as relay:  # nobody accuses: it is taken
        assert by(on_chain, relay).send(head(7), attempt).step is Step.SENT
    with lying_node(chain.url, **ACCUSES) as one, lying_node(chain.url, **accepting(**unknown)) as free:
        assert by(on_chain, one, free).send(head(7), attempt).step is Step.SENT
    assert contradictions() == before + 1


def test_an_accusation_and_a_nonce_that_is_free_contradict_each_other_in_any_order(chain, on_chain):
    by_hand(chain)
    attempt, before = signed(on_chain, 7), contradictions()
    with lying_node(chain.url, **FULL) as honest, lying_node(chain.url, **ACCUSES) as liar:
        for urls in ((honest, liar), (liar, honest), (liar, GONE, honest)):
            reason = f"went to another transaction, say 1 of {len(urls)} endpoints, and another one that it is free"
            with pytest.raises(AnchorUnavailable, match=reason):
                by(on_chain, *urls).send(head(7), attempt)
    assert contradictions() == before + 3


def test_a_wallet_is_not_stopped_by_a_later_endpoint_where_the_first_says_that_its_nonce_is_free(
    chain, log, on_chain
):
    log.close()
    assert to_final(chain, log, on_chain).state == "final"
    by_hand(chain)
    log.close()
    log.wait()
    with lying_node(chain.url, **FULL) as honest, lying_node(chain.url, **ACCUSES) as liar:
        asked = by(on_chain, honest, liar)
        advance = log.advance(asked, reserves=[replace(asked, wallet=STRANGER)])
        with pytest.raises(AnchorUnavailable, match="and another one that it is free: all must agree"):
            advance.step()
    (attempt,) = log.attempts(log.newest("test"))
    assert (log.newest("test").state, attempt.lane) == ("signed", WALLET.address)
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []


def test_an_endpoint_that_is_a_block_ahead_contradicts_nobody(chain, on_chain):
    nonce = on_chain.first_nonce()
    earlier, later = (on_chain.sign(head(size), nonce, (), 0) for size in (7, 8))
    chain.node.ask("eth_sendRawTransaction", f"0x{earlier.raw.hex()}")
    chain.receipt(earlier.ref)
    before = contradictions()
    behind = accepting(eth_getTransactionCount=lambda _: hex(nonce), eth_getTransactionReceipt=lambda _: None)
    with lying_node(chain.url, **behind) as url:
        for urls in ((chain.url, url), (url, chain.url)):
            assert by(on_chain, *urls).send(head(8), later, earlier).step is Step.SENT
        assert contradictions() == before
        assert by(on_chain, chain.url, url).send(head(8), later).step is Step.SENT
    assert contradictions() == before + 1  # of nobody's earlier one


def test_a_wallet_that_one_calls_empty_and_as_many_do_not_is_passed_over_by_nobody(chain, on_chain):
    attempt, before = signed(on_chain, 7), contradictions()
    full = FULL | {"eth_getTransactionCount": lambda _: hex(attempt.nonce)}  # whatever the real one has mined
    with (
        lying_node(chain.url, **full, eth_getBalance=lambda _: "0x0") as liar,
        lying_node(chain.url, **full) as full,
    ):
        for urls in ((liar, full), (full, liar)):
            with pytest.raises(AnchorUnavailable, match="does not take the transaction: txpool is full"):
                by(on_chain, *urls).send(head(7), attempt)
        assert contradictions() == before + 2
        for urls in ((liar,), (liar, GONE), (liar, f"{liar}/2", full)):
            with pytest.raises(LaneStopped, match="holds 0 wei"):
                by(on_chain, *urls).send(head(7), attempt)
    assert contradictions() == before + 2


# Nonces


@pytest.mark.parametrize("needed", [1, 2])
def test_one_endpoint_that_lies_about_a_nonce_while_the_first_is_away_decides_nothing(
    chain, log, on_chain, needed
):
    log.close()
    assert to_final(chain, log, by(on_chain, chain.url, chain.url, needed=needed)).state == "final"
    nonce = on_chain.first_nonce()
    size = log.close()
    log.wait()
    for shift, reason in ((1, "the endpoints say that wallet"), (-1, "the node lags behind or lost blocks")):
        lie = {"eth_getTransactionCount": lambda n, by=shift: hex(int(n, 16) + by)}
        with lying_node(chain.url, **lie) as url:
            step = log.advance(by(on_chain, GONE, url, chain.url, needed=needed)).step
            with pytest.raises(AnchorUnavailable, match=reason):
                step()
        assert (log.newest("test").state, log.attempts(log.newest("test"))) == ("due", [])
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []
    found = to_final(chain, log, by(on_chain, GONE, chain.url, chain.url, needed=needed))
    assert (found.size, found.state, log.attempts(found)[0].nonce) == (size, "final", nonce)
    assert on_chain.lane == WALLET.address


def test_one_of_several_that_says_that_a_nonce_is_gone_has_its_wallet_passed_over_and_accuses_nobody(
    chain, log, on_chain
):
    log.close()
    assert to_final(chain, log, on_chain).state == "final"
    size = log.close()
    log.wait()
    with lying_node(chain.url, eth_getTransactionCount=lambda n: hex(int(n, 16) + 1)) as url:
        alone = by(on_chain, url, GONE)
        what = "somebody else uses its key, or an endpoint lies: 1 of 2 endpoints tell the nonce"
        with pytest.raises(LaneStopped, match=what):
            log.advance(alone).step()
        log.advance(alone, reserves=[replace(on_chain, wallet=STRANGER)]).step()
        assert [each.lane for each in log.attempts(log.newest("test"))] == [STRANGER.address]
        with log.rig.database.reading() as connection:
            assert incidents(connection) == []
        # Two of them do.
        log.wait()
        chain.mine(2)
        log.advance(on_chain).step()
        log.close()
        log.wait()
        with pytest.raises(LaneStopped, match=r"here: somebody else uses its key$"):
            log.advance(by(on_chain, url, f"{url}/2")).step()
    with log.rig.database.reading() as connection:
        assert [incident.kind for incident in incidents(connection)] == ["foreign_nonce"]
    assert size


def test_who_said_alone_that_a_nonce_is_gone_and_says_so_no_more_accuses_nobody(chain, log, on_chain):
    log.close()
    assert to_final(chain, log, on_chain).state == "final"
    log.close()
    log.wait()
    said, heard = [], []

    def lie(count):
        said.append(count)
        return hex(int(count, 16) + (len(said) <= 2))

    def late(count):
        heard.append(count)
        if len(heard) == 1:
            raise Error("busy")
        return count

    with (
        lying_node(chain.url, eth_getTransactionCount=lie) as liar,
        lying_node(chain.url, eth_getTransactionCount=late) as other,
        pytest.raises(AnchorUnavailable, match=r"its key, said an endpoint, and all that answer say \d+$"),
    ):
        log.advance(by(on_chain, liar, other)).step()
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []
    assert to_final(chain, log, on_chain).state == "final"


def test_receipts_of_an_endpoint_in_the_firsts_place_are_verified_as_the_firsts_are(chain, on_chain):
    attempt = anchored(on_chain, 7)
    chain.mine(2)
    lie = {"eth_getBlockByHash": lambda b: b and b | {"timestamp": "0x5f5e0ff"}}
    with (
        lying_node(chain.url, **lie) as url,
        pytest.raises(AnchorRejected, match="does not have the hash the node gives"),
    ):
        by(on_chain, GONE, url).observe(head(7), [attempt])
    assert by(on_chain, GONE, chain.url).observe(head(7), [attempt]).step is Step.FINAL
