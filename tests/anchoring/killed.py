"""One anchor from due to final in a process of its own, for the tests that kill it at each of its system calls."""

from pathlib import Path

from notary.anchoring import advance as module
from notary.anchoring.evm import EvmAnchor
from notary.anchoring.paying import Paying
from notary.anchoring.rpc import Node
from notary.store.connecting import open_database
from tests.anchoring.anchored import Anchored
from tests.anchoring.local_chain import HEAD_KEY, WALLET
from tests.faults.tracee import say
from tests.rig import Rig


class Eager:
    """An anchor that sends what it signs."""

    def __init__(self, payer):
        self.payer = payer

    def __getattr__(self, name):
        return getattr(self.payer, name)

    def sign(self, head, *more):
        attempt = self.payer.sign(head, *more)
        self.payer.send(head, attempt)
        return attempt


class Hasty(Paying):
    """Sends what it has signed, and stores it afterwards."""

    def _sign_by(self, payer, *more):
        return Paying._sign_by(self, Eager(payer), *more)


def main(arguments: list[str]) -> None:
    folder, url, contract, log_id, kind = arguments
    node = Node(url, 31337)
    anchor = EvmAnchor(
        "test", node, bytes.fromhex(contract), bytes.fromhex(log_id), HEAD_KEY, WALLET, lambda _head: []
    )
    if kind == "hasty":
        module.Paying = Hasty
    log = Anchored(Rig(open_database(f"sqlite:///{folder}/notary.db"), Path(folder)))
    advance = log.advance(anchor)
    say("begin")
    for blocks in (1, 3):
        advance.step()
        node.ask("anvil_mine", hex(blocks))
    advance.step()
    say("end")


def warm() -> None:
    """Load once what every run needs."""
    Node("http://127.0.0.1:9", 1)
    WALLET.unsafe_sign_hash(bytes(32))
