"""A node of a chain whose validators seal blocks: a real node, whose headers it shows sealed.

State, transactions and receipts are the real node's, so contract and proofs are real; the hashes of blocks follow from
the sealed headers. Like Besu it knows no finalized block.
"""

from contextlib import contextmanager

import rlp

from notary.anchoring.blocks import header_of
from notary.anchoring.rpc import Node
from tests.anchoring.lying_node import Error, answering
from tests.evidence.bft import DIGEST, EXTRA, sealed


class _Sealing:
    def __init__(self, real, profile, seal):
        self.real, self.profile, self.seal = Node(real, 31337), profile, seal
        self.shown, self.meant = {}, {}  # hashes of blocks: as they are sealed, and as the real node has them

    def block(self, block):
        """The same block, sealed; each is sealed once."""
        if block is None:
            return None
        real = block["hash"]
        if real not in self.shown:
            raw, _ = header_of(block, "ethereum")
            number = int(block["number"], 16)
            made, block_hash = sealed(raw, **({"profile": self.profile} | self.seal(number)))
            self.shown[real] = (f"0x{block_hash.hex()}", f"0x{rlp.decode(made)[EXTRA].hex()}")
            self.meant[self.shown[real][0]] = real
        block_hash, extra = self.shown[real]
        more = {"hash": block_hash, "extraData": extra, "difficulty": "0x1", "mixHash": f"0x{DIGEST.hex()}"}
        return block | more

    def sealed_hash(self, real):
        return self.block(self.real.ask("eth_getBlockByHash", real, False))["hash"]

    def answer(self, method, params):
        if "finalized" in params or "safe" in params:
            raise Error("Unknown block")
        asked = [self.meant.get(item, item) if isinstance(item, str) else item for item in params]
        answer = self.real.try_ask(method, *asked)
        if answer.error is not None:
            raise Error(answer.error)
        result = answer.result
        if method in ("eth_getBlockByNumber", "eth_getBlockByHash"):
            return self.block(result)
        if method == "eth_getBlockReceipts" and result is not None:
            return [self.placed(item) for item in result]
        return self.placed(result) if method == "eth_getTransactionReceipt" and result is not None else result

    def placed(self, receipt):
        return receipt | {"blockHash": self.sealed_hash(receipt["blockHash"])}


@contextmanager
def sealed_node(real, profile="qbft", seal=lambda number: {}):
    """Serve at a free port; `seal` says of a block's number what to give `sealed`."""
    with answering(_Sealing(real, profile, seal).answer) as url:
        yield url
