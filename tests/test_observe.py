"""Logs: what an operator needs, and no secret."""

import json
import subprocess
import sys

import pytest

SECRET = "nk_0123456789abcdef_secret"
# A process of its own: the set-up is for a whole process.
CODE = """
import logging, sys
import structlog
from notary import observe

observe.set_up(human=sys.argv[1] == "human")
log = structlog.get_logger()

def broken(token):
    password = token[::-1][::-1]
    raise RuntimeError("it broke")

log.debug("not shown")
log.info("hello", step="close", count=1)
try:
    broken(sys.argv[2])
except RuntimeError as error:
    log.error("request failed", kind="RuntimeError", exc_info=error)
for name in ("httpx", "apscheduler.executors", "python_multipart.multipart"):
    logging.getLogger(name).warning("chatter of %s", name)
"""


def logged(mode):
    command = [sys.executable, "-c", CODE, mode, SECRET]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    return done.stderr


def test_for_machines_each_line_is_an_object():
    hello, failed = (json.loads(line) for line in logged("machine").splitlines())
    assert hello["timestamp"].endswith("Z")
    del hello["timestamp"]
    assert hello == {"event": "hello", "level": "info", "step": "close", "count": 1}
    (exception,) = failed["exception"]
    assert (exception["exc_type"], exception["exc_value"]) == ("RuntimeError", "it broke")
    assert [frame["name"] for frame in exception["frames"]] == ["<module>", "broken"]


@pytest.mark.parametrize("mode", ["machine", "human"])
def test_a_traceback_shows_no_values(mode):
    text = logged(mode)
    assert "it broke" in text
    assert "request failed" in text
    assert "secret" not in text
    assert "chatter" not in text
    assert "not shown" not in text
