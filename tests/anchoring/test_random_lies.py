"""One endpoint of three lies at random, while blocks come and go: nothing is final by it, and nobody pays or halts.

Each answer of it is, as chance has it, an old one, one of another form, an error, or one with a field changed.
"""

import random
from dataclasses import replace

import pytest

from notary.anchoring.budget import Budget
from notary.anchoring.quorum import Quorum
from notary.anchoring.review import Review
from notary.anchoring.rpc import Answer, Node
from notary.anchoring.watching import WalletWatch
from notary.errors import Fatal, NotaryError
from notary.evidence.chain import decode_evidence, decode_header
from notary.store import outbox
from notary.store.incidents import incidents
from tests.anchoring.local_chain import STRANGER, WALLET
from tests.rig import ORIGIN

ABSURD = (
    *(None, True, -1, 1.5, [], {}, "\ud800", "0x", "0x0", "0x1"),
    *(hex(2**64 - 1), hex(2**256 - 1), f"0x{bytes(32).hex()}"),
)
OFTEN = (
    "eth_call",
    "eth_getTransactionCount",
    "eth_getBlockByNumber",
)  # of which an old answer is one to others


class Liar(Node):
    """Lies where `chance` is above zero, to so many questions of one."""

    def __init__(self, url, rnd):
        super().__init__(url, 31337)
        self.rnd, self.chance, self.told, self.seen = rnd, 0.0, 0, {}

    def try_ask(self, method, *params):
        answer = super().try_ask(method, *params)
        seen = self.seen.setdefault((method, repr(params[-1:] if method in OFTEN else params)), [])
        if answer.error is None:
            seen.append(answer.result)
        if self.rnd.random() >= self.chance:
            return answer
        self.told += 1
        return self.rnd.choice((self._old, self._absurd, self._error, self._changed, self._changed))(
            seen, answer.result
        )

    def _old(self, seen, said):
        return Answer(self.rnd.choice(seen or [said]))

    def _absurd(self, _seen, _said):
        return Answer(self.rnd.choice(ABSURD))

    def _error(self, _seen, _said):
        return self.rnd.choice(
            (Answer(None, "busy"), Answer(None, "execution reverted", "0x", reverted=True))
        )

    def _changed(self, _seen, said):
        if isinstance(said, dict) and said:
            return Answer(said | {self.rnd.choice(list(said)): self.rnd.choice(ABSURD)})
        if isinstance(said, str) and 2 < len(said) < 20:
            return Answer(hex(max(0, int(said, 16) + self.rnd.choice((-3, -1, 1, 5, 10**12)))))
        return Answer(None)


def steps(log, on_chain, nodes, needed, finality):
    """The steps of a worker for this chain; each fails in words of ours, or ends well."""

    def final():
        return max((size for size, state in log.states("test") if state == "final"), default=0)

    def by(wallet):
        budget = Budget(log.rig.database, "test", wallet.address, 10**17, log.rig.clock)
        which = {"wallet": wallet, "node": nodes[0], "others": nodes[1:], "needed": needed}
        return replace(on_chain, finality=finality, allowance=budget.left, final=final, **which)

    payers = by(WALLET), by(STRANGER)
    rule = Quorum(nodes, needed, finality)
    advance = log.advance(payers[0], reserves=payers[1:])
    review = Review(log.rig.database, "test", rule, log.rig.clock)
    wallets = WalletWatch(log.rig.database, payers, nodes, log.rig.clock)

    def run():
        for step in (advance.step, wallets.look, review.step):
            try:
                step()
            except Fatal:
                raise
            except NotaryError:  # what it says is told
                continue

    return run


def judge(chain, log, on_chain):
    """What must hold once all tell the truth: one transaction for each head, none that failed, and nobody accused."""
    assert on_chain.on_chain_head()[0] == log.newest_size()
    with log.rig.database.reading() as connection:
        assert incidents(connection) == []
        lanes = {
            each.address: outbox.next_nonce(connection, "test", each.address) for each in (WALLET, STRANGER)
        }
    for address, lane in lanes.items():
        count = int(chain.node.ask("eth_getTransactionCount", address, "latest"), 16)
        assert lane in {None, count}
    mined = []
    for item in log.all("test"):
        assert item.state == "final"
        header = decode_header(decode_evidence(item.evidence).header, "ethereum")
        block = chain.node.ask("eth_getBlockByNumber", hex(header.number), False)
        assert block["hash"] == f"0x{header.hash.hex()}", "final in a block that is not the chain's"
        refs = {each.ref for each in log.attempts(item)}
        found = [chain.node.ask("eth_getTransactionReceipt", f"0x{ref}") for ref in refs]
        mined += [each["status"] for each in found if each is not None]
    assert mined == ["0x1"] * len(log.all("test"))


def lied_to(chain, log, seed):
    rnd = random.Random(seed)
    on_chain = chain.anchor(chain.open(ORIGIN))
    chain.mine(6)  # what opened the log is no transaction of the lane: no reorganisation may reach it
    nodes = tuple(Liar(chain.url, rnd) for _ in range(3))
    liar, chance = nodes[rnd.choice((0, 0, 1))], rnd.choice((0.05, 0.3, 1.0))
    finality = rnd.choice(("finalized", "depth:5"))
    run = steps(log, on_chain, nodes, rnd.choice((1, 2)), finality)
    chain.node.ask("evm_setAutomine", False)
    log.close()
    for _ in range(120):
        what = rnd.random()
        if what < 0.1:
            log.close()
        elif what < 0.45:
            chain.mine(rnd.choice((1, 1, 2, 4)))
        elif what < 0.5 and finality != "finalized":
            chain.node.try_ask("anvil_reorg", rnd.choice((1, 2, 3)), [])
        log.wait(rnd.choice((5, 5, 13, 31, 61)))
        liar.chance = rnd.choice((chance, chance, 0.0))
        run()
        liar.chance = 0.0
    assert liar.told > 20
    for _ in range(14):
        log.wait(61)
        run()
        chain.mine(6)
    judge(chain, log, on_chain)


def test_one_endpoint_of_three_that_lies_at_random(chain, log):
    lied_to(chain, log, 7)


@pytest.mark.anchoring
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 112))
def test_one_endpoint_of_three_that_lies_at_random_from_many_seeds(chain, log, seed):
    lied_to(chain, log, seed)
