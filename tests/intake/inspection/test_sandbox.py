"""The walls around the reading of a hostile document, each with the same deed done where there are no walls."""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from notary.errors import FormatError
from notary.intake.inspection import report
from notary.intake.inspection.jail import MACHINES
from notary.intake.inspection.sandbox import PACKAGE_ROOT, Ended, Limits, believe, inspect, run

HERE = Path(__file__).parent
TOOL = "pyHanko 0.38.0"
LIMITS = Limits()


def inside(what, limits=LIMITS, module="hostile", also=(), **request):
    with Path(os.devnull).open("rb") as document:
        return run(module, document.fileno(), {"what": what, **request}, limits, also=(HERE, *also))


def outside(what, **request):
    command = [sys.executable, str(HERE / "hostile.py"), json.dumps({"what": what, **request})]
    return json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)


@contextmanager
def surroundings():
    """A TCP and a Unix listener, a UDP port and a folder, for deeds that need them."""
    folder = tempfile.mkdtemp(prefix="s", dir="/tmp")
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"{folder}/u")
        unix.listen()
        yield {"port": tcp.getsockname()[1], "unix": f"{folder}/u", "path": f"{folder}/file"}
    shutil.rmtree(folder)


DEEDS = {
    "allocate": "MemoryError",
    "fork": "PermissionError",
    "spawn": "PermissionError",
    "execute": "PermissionError",
    "thread": "RuntimeError",
    "write_file": "PermissionError",
    "read_file": "PermissionError",
    "list_folder": "PermissionError",
    "kill": "PermissionError",
    "make_code": "PermissionError",
    "trace": "PermissionError",
    "tcp4": "PermissionError",
    "udp4": "PermissionError",
    "tcp6": "PermissionError",
    "udp6": "PermissionError",
    "netlink": "PermissionError",
    "unix": "PermissionError",
}


@pytest.mark.parametrize("what", DEEDS)
def test_a_deed_fails_inside(what):
    with surroundings() as around:
        ended = inside(what, **around)
        assert not Path(around["path"]).exists()
    assert ended.reason is None
    assert json.loads(ended.answer) == {"refused": DEEDS[what]}


@pytest.mark.parametrize("what", DEEDS)
def test_the_same_deed_succeeds_outside(what):
    with surroundings() as around:
        assert outside(what, **around).keys() & {"done", "executed"}
        assert Path(around["path"]).exists() == (what == "write_file")


def test_even_a_file_that_is_open_already_takes_no_byte(tmp_path):
    (tmp_path / "early.py").write_text(
        f"FILE = open({str(tmp_path / 'file')!r}, 'wb', buffering=0)\n"
        "def answer(document, request):\n"
        "    try:\n        return {'wrote': FILE.write(b'x')}\n"
        "    except OSError as error:\n        return {'errno': error.errno}\n"
    )
    ended = inside("", module="early", also=(tmp_path,))
    assert json.loads(ended.answer) == {"errno": 27}  # EFBIG
    assert (tmp_path / "file").read_bytes() == b""


def test_an_endless_loop_ends_with_its_processor_time():
    assert inside("loop", Limits(cpu_seconds=1)) == Ended(None, "cpu_time")


def test_without_that_limit_the_loop_goes_on():
    assert inside("loop", Limits(wall_seconds=2.5)) == Ended(None, "wall_time")


def test_a_child_that_waits_is_killed_on_time():
    start = time.monotonic()
    assert inside("sleep", Limits(wall_seconds=1)) == Ended(None, "wall_time")
    assert time.monotonic() - start < 6


def test_an_answer_without_end_is_cut():
    assert inside("chatter") == Ended(None, "answer_too_large")


@pytest.mark.parametrize("what", ["die", "segfault", "unknown_deed"])
def test_a_child_that_dies_is_an_outcome(what):
    assert inside(what) == Ended(None, "crashed")


def test_a_module_that_cannot_be_imported_is_an_outcome():
    assert inside("die", module="no_such_module") == Ended(None, "crashed")


def test_too_little_memory_to_start_is_an_outcome():
    assert inside("die", Limits(memory=1 << 20)).reason == "crashed"


def test_babble_is_an_outcome():
    found = believe(inside("babble"), TOOL).report
    assert (found["outcome"], found["reason"]) == ("could_not_be_inspected", "garbage")


def test_an_answer_that_is_json_and_no_report_is_not_believed():
    assert believe(Ended(b'{"outcome":"inspected"}', None), TOOL).report["reason"] == "garbage"
    assert believe(Ended(b"[" * 200_000, None), TOOL).report["reason"] == "garbage"


def test_a_request_that_is_too_large_is_an_outcome():
    assert inside("die", padding="x" * (5 << 20)) == Ended(None, "request_too_large")


def test_a_request_that_is_no_json_is_an_outcome():
    assert inside("die", number=1.5) == Ended(None, "not_started")


def test_the_child_sees_no_environment_and_only_three_files(tmp_path):
    (tmp_path / "looks.py").write_text(
        "import os\n"
        "FILES = len(os.listdir('/proc/self/fd')) - 1\n"
        "def answer(document, request):\n"
        "    return {'environment': list(os.environ), 'files': FILES, 'folder': FOLDER}\n"
        "FOLDER = os.getcwd()\n"
    )
    ended = inside("", module="looks", also=(tmp_path,))
    assert json.loads(ended.answer) == {"environment": ["LC_CTYPE"], "files": 3, "folder": "/"}


SABOTAGE = {
    "jail.MACHINES = {}": "no sandbox for linux",
    "jail._PR_SET_DUMPABLE = 9999": "no sandbox: prctl 9999 failed",
    "jail.MACHINES = {m: v._replace(seccomp=9999) for m, v in jail.MACHINES.items()}": "no sandbox: seccomp failed",
    "jail._ERRNO = jail._ALLOW = 0x7FFF0000": "no sandbox: the filter does not hold",
}


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_walls_that_do_not_stand_are_noticed(sabotage):
    code = (
        f"import sys; sys.path.insert(0, {str(PACKAGE_ROOT)!r}); from notary.intake.inspection import jail; "
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}{sabotage}; jail.lock()"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"Unavailable: {SABOTAGE[sabotage]}" in done.stderr


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_without_walls_the_document_is_not_read(sabotage, tmp_path):
    (tmp_path / "sabotage.py").write_text(
        f"from notary.intake.inspection import jail\n{sabotage}\n"
        "def answer(document, request):\n    return {'read': len(document.read())}\n"
    )
    assert inside("", module="sabotage", also=(tmp_path,)) == Ended(None, "no_sandbox")


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert inside("die") == Ended(None, "no_sandbox")


def test_an_interpreter_that_cannot_start_is_an_outcome(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert inside("die") == Ended(None, "not_started")


def test_a_file_that_is_not_there_is_an_outcome(tmp_path):
    assert inspect(tmp_path / "none.pdf", None).report["reason"] == "not_opened"
    assert inspect(tmp_path, None).report["reason"] == "not_opened"


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_left_running_or_open(tmp_path):
    before = descriptors()
    others = children()
    inside("sleep", Limits(wall_seconds=0.5))
    inside("die")
    assert descriptors() == before
    assert children() <= others


def children():
    """The processes that this one has started and not waited for; servers of other tests are among them."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def test_this_machine_is_one_that_the_sandbox_knows():
    assert platform.machine() in MACHINES


def test_a_report_without_a_key_is_refused():
    whole = report.empty("no_signatures", None, TOOL)
    assert report.check(whole) == whole
    for key in whole:
        with pytest.raises(FormatError, match="report: the keys are not those of version 2"):
            report.check({name: value for name, value in whole.items() if name != key})
    with pytest.raises(FormatError, match="the keys are not those"):
        report.check([whole])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 1),
        ("prefixes", [[]]),
        ("certificates", [{}] * 65),
        ("dss", 1),
        ("version", True),
        ("tool", "pyHanko\n0.38"),
        ("outcome", "fine"),
        ("reason", "Not a code"),
        ("pages", -1),
        ("pages", 2**53),
        ("pages", "1"),
        ("encrypted", 0),
        ("cms", None),
        ("signatures", None),
        ("signatures", [{}] * 65),
        ("empty_fields", ["a\u202eb"]),
        ("empty_fields", ["x" * 513]),
        ("empty_fields", [1]),
    ],
)
def test_a_report_with_a_wrong_value_is_refused(key, value):
    with pytest.raises(FormatError, match=f"report: '{key}' has a value"):
        report.check(report.empty("no_signatures", None, TOOL) | {key: value})


def test_a_report_that_is_too_long_is_refused():
    rows = ["\u5f20" * 512] * 64
    with pytest.raises(FormatError, match="longer than 92160 bytes"):
        report.check(report.empty("no_signatures", None, TOOL) | {"empty_fields": rows})
