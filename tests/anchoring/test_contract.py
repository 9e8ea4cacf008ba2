"""The contract on a real chain: what it accepts, what it refuses, and that its code is what is committed."""

import json
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from eth_abi import encode

from notary.anchoring import contract
from notary.anchoring.compiled import CODE, CODE_HASH
from notary.anchoring.contract import (
    call_data,
    deploy,
    head_digest,
    log_id_of,
    open_log,
    read_head,
    read_keys,
    revert_reason,
    signed_transaction,
)
from notary.anchoring.fields import octets, quantity
from notary.anchoring.rpc import Answer, Node
from notary.errors import AnchorRejected, AnchorUnavailable, ProofError
from notary.evidence.chain import ANCHORED
from notary.evidence.keccak import keccak256
from notary.merkle.proof import check_consistency
from notary.merkle.tree import root_of
from tests.anchoring.local_chain import HEAD_KEY, LEAVES, STRANGER, WALLET, accepted, path, refused, root
from tests.anchoring.lying_node import lying_node

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SOURCES = Path(__file__).parents[2] / "contracts_solidity"
ARTIFACT = Path(contract.__file__).parent / "artifact" / "CheckpointAnchor.json"


def test_the_committed_code_is_what_the_compiler_makes(tmp_path):
    again, asked = tmp_path / "again.json", tmp_path / "input.json"
    subprocess.run(["node", SOURCES / "compile.mjs", again, asked], check=True, timeout=120)
    assert again.read_bytes() == ARTIFACT.read_bytes()
    assert asked.read_bytes() == (SOURCES / "CheckpointAnchor.input.json").read_bytes()
    source = (SOURCES / "src" / "CheckpointAnchor.sol").read_bytes()
    assert json.loads(again.read_bytes())["sourceSha256"] == sha256(source).hexdigest()


def test_the_code_on_chain_is_the_same_wherever_it_is(shared_chain):
    other = deploy(shared_chain.node, STRANGER)
    for address in (shared_chain.contract, other):
        assert octets(shared_chain.node.ask("eth_getCode", f"0x{address.hex()}", "latest")) == CODE
    assert keccak256(CODE) == CODE_HASH


def test_events_are_the_frozen_ones():
    abi = json.loads(ARTIFACT.read_bytes())["abi"]
    events = {
        item["name"]: [(i["name"], i["type"], i["indexed"]) for i in item["inputs"]]
        for item in abi
        if item["type"] == "event"
    }
    assert events == {
        "Anchored": [
            ("logId", "bytes32", True),
            ("oldSize", "uint64", False),
            ("newSize", "uint64", False),
            ("newRoot", "bytes32", False),
        ],
        "Opened": [
            ("logId", "bytes32", True),
            ("opener", "address", True),
            ("headKey", "address", False),
            ("origin", "string", False),
        ],
        "Offered": [("logId", "bytes32", True), ("headKey", "address", False), ("nextKey", "address", False)],
        "HandedOver": [
            ("logId", "bytes32", True),
            ("formerKey", "address", False),
            ("headKey", "address", False),
        ],
    }
    assert {item["name"] for item in abi if item["type"] == "function"} == {
        "open", "anchor", "handOver", "accept", "head", "keysOf", "verifyInclusion",
    }  # fmt: skip


def test_a_log_is_opened_once_and_says_so(shared_chain):
    data = call_data("open(string,address)", "opened.example/log", HEAD_KEY.address)
    receipt = shared_chain.send(data)
    log_id = log_id_of(STRANGER.address, "opened.example/log")
    (event,) = receipt["logs"]
    assert octets(event["topics"][0]) == keccak256(b"Opened(bytes32,address,address,string)")
    assert octets(event["topics"][1]) == log_id
    assert octets(event["topics"][2])[12:] == bytes.fromhex(STRANGER.address[2:])
    assert octets(event["data"]) == encode(["address", "string"], [HEAD_KEY.address, "opened.example/log"])
    assert read_keys(shared_chain.node, shared_chain.contract, log_id).head == bytes.fromhex(
        HEAD_KEY.address[2:]
    )
    assert read_head(shared_chain.node, shared_chain.contract, log_id) == (0, bytes(32))
    refused(shared_chain, data, "AlreadyOpen")


def test_nobody_can_take_the_origin_of_another(shared_chain):
    origin = "squatted.example/log"
    theirs = call_data("open(string,address)", origin, STRANGER.address)
    shared_chain.send(theirs, STRANGER)
    ours = shared_chain.open(origin)
    assert ours == log_id_of(WALLET.address, origin) != log_id_of(STRANGER.address, origin)
    assert read_keys(shared_chain.node, shared_chain.contract, ours).head == bytes.fromhex(
        HEAD_KEY.address[2:]
    )


@pytest.mark.parametrize(
    ("origin", "key", "reason"),
    [("", HEAD_KEY.address, "EmptyOrigin"), ("a.example/log", "0x" + "00" * 20, "NoHeadKey")],
)
def test_a_log_without_origin_or_key_is_not_opened(shared_chain, origin, key, reason):
    refused(shared_chain, call_data("open(string,address)", origin, key), reason)


def test_anyone_may_send_what_the_head_key_signed(shared_chain, log_id):
    receipt = shared_chain.send(shared_chain.data(log_id, 5, root(5), []), STRANGER)
    (event,) = receipt["logs"]
    assert [octets(topic) for topic in event["topics"]] == [ANCHORED, log_id]
    assert octets(event["data"]) == encode(["uint64", "uint64", "bytes32"], [0, 5, root(5)])
    assert read_head(shared_chain.node, shared_chain.contract, log_id) == (5, root(5))
    (event,) = shared_chain.send(shared_chain.data(log_id, 12, root(12), path(5, 12)), STRANGER)["logs"]
    assert octets(event["data"]) == encode(["uint64", "uint64", "bytes32"], [5, 12, root(12)])


def test_forks_rollbacks_and_repetitions_are_refused(shared_chain, log_id):
    shared_chain.send(shared_chain.data(log_id, 6, root(6), []))
    fork = [*LEAVES[:3], bytes(32), *LEAVES[4:9]]
    refused(shared_chain, shared_chain.data(log_id, 9, root_of(fork), path(6, 9)), "NewRootMismatch")
    refused(shared_chain, shared_chain.data(log_id, 6, root(6), []), "NotLarger")
    refused(shared_chain, shared_chain.data(log_id, 6, root_of(fork[:6]), []), "NotLarger")
    refused(shared_chain, shared_chain.data(log_id, 5, root(5), []), "NotLarger")
    refused(shared_chain, shared_chain.data(log_id, 0, bytes(32), []), "NotLarger")
    other_old = [path(6, 9)[0][::-1], *path(6, 9)[1:]]
    refused(shared_chain, shared_chain.data(log_id, 9, root(9), other_old), "OldRootMismatch")
    refused(shared_chain, shared_chain.data(log_id, 9, root(9), path(6, 9)[:-1]), "ProofLength")
    accepted(shared_chain, shared_chain.data(log_id, 9, root(9), path(6, 9)))


def test_a_first_anchor_has_no_proof_and_a_log_must_be_open(shared_chain, log_id):
    refused(shared_chain, shared_chain.data(log_id, 3, root(3), [bytes(32)]), "ProofLength")
    refused(shared_chain, shared_chain.data(bytes(32), 3, root(3), []), "NotOpen")


def test_only_the_head_key_of_this_chain_contract_and_log_is_heard(shared_chain, log_id):
    data = shared_chain.data
    refused(shared_chain, data(log_id, 3, root(3), [], key=STRANGER), "NotSignedByHeadKey")
    refused(shared_chain, data(log_id, 3, root(3), [], chain_id=1), "NotSignedByHeadKey")
    for digest in (
        head_digest(31337, bytes(20), log_id, 3, root(3)),
        head_digest(31337, shared_chain.contract, bytes(32), 3, root(3)),
        head_digest(31337, shared_chain.contract, log_id, 4, root(3)),
        head_digest(31337, shared_chain.contract, log_id, 3, root(4)),
    ):
        signature = bytes(HEAD_KEY.unsafe_sign_hash(digest).signature)
        refused(shared_chain, data(log_id, 3, root(3), [], signature=signature), "NotSignedByHeadKey")
    accepted(shared_chain, data(log_id, 3, root(3), []))


def test_signatures_have_one_form(shared_chain, log_id):
    digest = head_digest(31337, shared_chain.contract, log_id, 3, root(3))
    signed = HEAD_KEY.unsafe_sign_hash(digest)
    good = bytes(signed.signature)
    twin = signed.r.to_bytes(32) + (ORDER - signed.s).to_bytes(32) + bytes([55 - signed.v])
    for signature in (
        b"",
        good[:64],
        good + b"\x00",
        twin,
        good[:64] + b"\x00",
        bytes(65),
        good[:64] + b"\x1d",
    ):
        data = shared_chain.data(log_id, 3, root(3), [], signature=signature)
        refused(shared_chain, data, "MalformedSignature")
    accepted(shared_chain, shared_chain.data(log_id, 3, root(3), [], signature=good))


def changed(old, new):
    """The honest proof and ways to spoil it: (new size, new root, proof)."""
    proof = path(old, new)
    yield new, root(new), proof
    yield new, root(new - 1 if new > 1 else new + 1), proof
    yield new + 1, root(new), proof
    yield new, root(new), [*proof, bytes(32)]
    yield new, root(new), proof[:-1]
    if len(proof) > 1:
        yield new, root(new), [proof[1], proof[0], *proof[2:]]
        yield new, root(new), [*proof[:-1], bytes(32)]


def reference(old, new, new_root, proof):
    try:
        check_consistency(old, new, proof, root(old), new_root)
    except ProofError:
        return False
    return True


@pytest.mark.parametrize("old", range(1, 17))
def test_its_word_is_that_of_the_reference_for_all_small_trees(shared_chain, log_id, old):
    shared_chain.send(shared_chain.data(log_id, old, root(old), []))
    for new in range(old + 1, 18):
        for size, new_root, proof in changed(old, new):
            answer = shared_chain.attempt(shared_chain.data(log_id, size, new_root, proof))
            expected = reference(old, size, new_root, proof)
            assert (answer.error is None) == expected, f"{old} to {size}: {revert_reason(answer)}"


# Setting up


def test_a_log_that_is_open_is_not_opened_again(shared_chain, log_id):
    nonce = shared_chain.node.ask("eth_getTransactionCount", WALLET.address, "latest")
    assert shared_chain.open("test.example/test_a_log_that_is_open_is_not_opened_again") == log_id
    assert shared_chain.node.ask("eth_getTransactionCount", WALLET.address, "latest") == nonce
    with pytest.raises(AnchorRejected, match="the log is open with head key 0x"):
        shared_chain.open("test.example/test_a_log_that_is_open_is_not_opened_again", STRANGER)


def test_an_address_without_the_contract_is_told(shared_chain):
    with pytest.raises(AnchorRejected, match="there is no anchoring contract at 0x00"):
        read_head(shared_chain.node, bytes(20), bytes(32))


def test_a_deployment_on_another_chain_than_meant_is_refused(shared_chain):
    with pytest.raises(AnchorRejected, match="the node is of chain 31337, not 1"):
        deploy(Node(shared_chain.url, 1), WALLET)


def test_a_transaction_that_would_revert_is_not_signed(shared_chain, log_id):
    data = shared_chain.data(log_id, 3, root(3), [], key=STRANGER)
    with pytest.raises(
        AnchorRejected, match="tried before signing: the contract refuses: NotSignedByHeadKey"
    ):
        signed_transaction(shared_chain.node, WALLET, 0, shared_chain.contract, data)


def test_a_set_up_that_is_not_mined_gives_up(chain):
    chain.node.ask("evm_setAutomine", False)
    with pytest.raises(AnchorUnavailable, match="was not mined within 1 seconds"):
        open_log(chain.node, WALLET, chain.contract, "slow.example/log", HEAD_KEY.address, timeout=1)


def test_a_fee_out_of_bounds_is_not_paid(chain):
    chain.node.ask("anvil_setNextBlockBaseFeePerGas", hex(1100 * 10**9))
    chain.mine()
    with pytest.raises(AnchorUnavailable, match="wei for a unit of gas, more than"):
        chain.open("dear.example/log")


def test_other_code_at_the_address_is_told(shared_chain):
    with (
        lying_node(shared_chain.url, eth_getCode=lambda _: "0x00") as url,
        pytest.raises(AnchorRejected, match="is not that of the contract"),
    ):
        deploy(Node(url, 31337), WALLET)


def test_a_set_up_that_failed_is_told(shared_chain):
    with (
        lying_node(shared_chain.url, eth_getTransactionReceipt=lambda r: r and r | {"status": "0x0"}) as url,
        pytest.raises(AnchorRejected, match=r"transaction 0x[0-9a-f]{64} failed"),
    ):
        deploy(Node(url, 31337), WALLET)


def test_reasons_that_are_not_the_contract_s_are_the_node_s():
    assert revert_reason(Answer(None, "no funds", None)) == "no funds"
    assert revert_reason(Answer(None, "odd", "0xdeadbeef")) == "odd"
    assert revert_reason(Answer(None, "odd", "0xzzzzzzzz")) == "odd"


def test_gas_of_an_anchor_stays_in_bounds(shared_chain, log_id):
    used = []
    for old, new in ((0, 1), (1, 64), (64, 100), (100, 130)):
        receipt = shared_chain.send(shared_chain.data(log_id, new, root(new), path(old, new)))
        used.append(quantity(receipt["gasUsed"]))
    assert max(used) < 59_000, used
