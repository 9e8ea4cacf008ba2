"""The chain mines by its own clock, and nothing becomes final because we say so."""

import hashlib
import time

PERIOD_SECONDS = 3  # of the chain
SILENCE_SECONDS = PERIOD_SECONDS + 2


def newest_block(service):
    return service.ask_chain("eth_getBlockByNumber", "latest", False)


def anchors(state):
    return {item["state"] for item in state["attestations"] if item["kind"] == "evm"}


def stays(service, number, allowed):
    """For some seconds nothing but `allowed` is seen of the record's anchorings; returns its last state."""
    before, end = newest_block(service)["hash"], time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < end:
        state = service.client.state(number)
        assert "anchor" in state["due"]
        assert anchors(state) <= allowed, state
        time.sleep(0.2)
    assert newest_block(service)["hash"] == before
    return state


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_nothing_is_final_while_the_chain_does_not_mine(warm_service):
    service = warm_service.start()
    first = service.submit(data=b"while it mines")["number"]
    service.wait_final(first)
    # Nobody asks it for these: there is no transaction in them.
    until(lambda: not newest_block(service)["transactions"])
    height = int(newest_block(service)["number"], 16)
    until(lambda: int(newest_block(service)["number"], 16) > height, seconds=5 * PERIOD_SECONDS)
    assert not newest_block(service)["transactions"]

    service.ask_chain("evm_setAutomine", False)
    service.ask_chain("evm_setIntervalMining", 0)
    time.sleep(1)
    second = service.submit(data=b"while it stands still")["number"]
    state = stays(service, second, {"due", "signed", "sent"})
    # The rest of the service goes on: submitting, the log, the time stamps.
    assert state["due"] == ["anchor"]
    assert state["index"] is not None
    assert anchors(state) <= {"signed", "sent"}
    digest = hashlib.sha256(b"while it stands still").hexdigest()
    third = service.submit_json(digests={"sha-256": digest})["number"]
    with service.http() as http:
        assert http.get("/readyz").is_success
    assert service.client.state(first)["due"] == []

    # One block, which has the transaction, and then none again: mined is not final.
    until(lambda: anchors(service.client.state(second)) == {"sent"})
    service.ask_chain("evm_mine")
    until(lambda: anchors(service.client.state(second)) == {"mined"})
    assert stays(service, second, {"mined"})["due"] == ["anchor"]

    service.ask_chain("evm_setIntervalMining", 1)
    service.wait_final(second, third)
    service.stop()
