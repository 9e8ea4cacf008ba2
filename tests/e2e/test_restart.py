"""Stopped and started again: nothing is lost, nothing is done twice, nobody is left behind."""

import base64
import signal
import socket
import time

from tests.dev_service import STOP_SECONDS, assert_one_chain_of_heads, processes_in


def test_stopped_and_started_it_goes_on_as_the_same_log(warm_service):
    service = warm_service.start()
    answers = [service.submit(data=f"contract {n}".encode()) for n in range(3)]
    numbers = [answer["number"] for answer in answers]
    states = service.wait_final(*numbers)
    (size, root), anchored = service.checkpoint(), service.anchored()
    packages = [service.client.download(number, "package") for number in numbers]
    # Stopped with work under way: submitted, and in no checkpoint or anchor yet.
    last = service.submit(data=b"the last before the end")
    service.stop(signal.SIGTERM)
    assert service.run("fsck", "--data-dir", service.data).startswith("0 problems")

    service.start()
    assert service.wait_final(*numbers) == states
    assert [service.client.download(number, "package") for number in numbers] == packages
    service.wait_final(last["number"])
    assert service.client.download(last["number"], "statement").decode() == last["statement"]

    grown, now = service.checkpoint()
    assert (size, grown) == (4, 5)  # with entry 0: no entry was lost, none was made twice
    assert service.root_at(size) == base64.b64decode(root)
    assert service.root_at(grown) == base64.b64decode(now)
    events = service.anchored()
    assert events[: len(anchored)] == anchored
    assert_one_chain_of_heads(events, service)
    service.stop(signal.SIGINT)


def wait_for_anchoring(service, number, wanted):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        states = {a["state"] for a in service.client.state(number)["attestations"] if a["kind"] == "evm"}
        if states & wanted:
            return
        time.sleep(0.02)
    raise AssertionError(f"the anchoring never was in {wanted}")


def test_stopped_in_the_middle_of_starting_and_of_anchoring_it_does_both_once(warm_service):
    service = warm_service
    service.launch()
    while len(processes_in(service.data)) < 2 and service.process.poll() is None:
        time.sleep(0.01)  # until the chain is there; contract and log are not
    service.stop(signal.SIGTERM)

    service.start()
    number = service.submit(data=b"first")["number"]
    wait_for_anchoring(service, number, {"signed", "sent", "mined"})
    service.stop(signal.SIGHUP)

    service.start()
    service.wait_final(number)
    assert_one_chain_of_heads(service.anchored(), service)
    anchorings = [a for a in service.client.state(number)["attestations"] if a["kind"] == "evm"]
    assert [a["state"] for a in anchorings] == ["final"]
    service.stop()


def refused(service, *arguments):
    status, out, err = service.attempt("dev", *arguments)
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    return " ".join(err.split())


def test_a_second_one_is_refused_and_harms_nothing(warm_service, tmp_path):
    service = warm_service.start()
    before = set(processes_in(service.data))
    assert len(before) == 2  # chain and authority
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = refused(service, "--data-dir", service.data, "--port", port)
    # A terminal breaks lines where it likes.
    assert f"another service runs in {service.data}: stop it".replace(" ", "") in words.replace(" ", "")

    words = refused(service, "--data-dir", tmp_path / "new", "--port", service.port)
    taken = (
        f"cannot listen on 127.0.0.1 port {service.port} (Address already in use): name another with --port"
    )
    assert taken in words
    assert not (tmp_path / "new").exists()

    assert set(processes_in(service.data)) == before
    service.wait_final(service.submit()["number"])
    # Who is impatient presses Ctrl-C twice, and leaves nothing behind either.
    service.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(STOP_SECONDS) == 0
    assert processes_in(service.data) == {}
