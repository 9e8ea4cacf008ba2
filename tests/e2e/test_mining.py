"""The chain mines by its own clock, and nothing becomes final because we say so."""

import hashlib
import time

SILENCE_SECONDS = 9  # three times the chain's period


def block_number(service):
    return int(service.ask_chain("eth_blockNumber"), 16)


def anchors(state):
    return {item["state"] for item in state["attestations"] if item["kind"] == "evm"}


def test_nothing_is_final_while_the_chain_does_not_mine(own_service):
    service = own_service.start()
    first = service.submit(data=b"while it mines")["number"]
    before = block_number(service)
    service.wait_final(first)
    assert block_number(service) > before  # nobody asked it to

    service.ask_chain("evm_setAutomine", False)
    service.ask_chain("evm_setIntervalMining", 0)
    time.sleep(1)
    stopped = block_number(service)
    second = service.submit(data=b"while it stands still")
    digest = hashlib.sha256(b"while it stands still").hexdigest()
    end = time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < end:
        state = service.client.state(second["number"])
        assert "anchor" in state["due"]
        assert "final" not in anchors(state)
        time.sleep(0.2)
    assert block_number(service) == stopped
    # The rest of the service goes on: submitting, the log, the time stamps.
    assert state["due"] == ["anchor"]
    assert state["index"] is not None
    assert anchors(state) <= {"signed", "sent"}
    third = service.submit_json(digests={"sha-256": digest})["number"]
    with service.http() as http:
        assert http.get("/readyz").is_success
    assert service.client.state(first)["due"] == []

    service.ask_chain("evm_setIntervalMining", 1)
    service.wait_final(second["number"], third)
    service.stop()
