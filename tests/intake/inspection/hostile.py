"""What a document might make the child do. Run inside the sandbox by run(), and outside it as a control."""

import ctypes
import mmap
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path


def allocate(request):
    return len(bytearray(2 << 30))


def loop(request):
    while True:
        pass


def sleep(request):
    time.sleep(3600)


def fork(request):
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def spawn(request):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def execute(request):
    os.execv("/bin/echo", ["echo", '{"executed":true}'])


def thread(request):
    started = threading.Thread(target=int)
    started.start()
    started.join()


def write_file(request):
    with Path(request["path"]).open("wb") as file:
        file.write(bytes(1 << 20))


def read_file(request):
    return len(Path(__file__).read_bytes())


def list_folder(request):
    return len(list(Path("/").iterdir()))


def kill(request):
    os.kill(os.getpid(), signal.SIGCONT)


def make_code(request):
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def trace(request):
    if ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) != 0:  # PTRACE_TRACEME
        raise PermissionError


def tcp4(request):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.connect(("127.0.0.1", request["port"]))


def udp4(request):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", request["port"]))


def tcp6(request):
    socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()


def udp6(request):
    socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()


def netlink(request):
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()


def unix(request):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(request["unix"])


def chatter(request):
    while True:
        os.write(1, b"x" * 4096)


def babble(request):
    os.write(1, b"this is not JSON")
    os._exit(0)


def die(request):
    os._exit(3)


def segfault(request):
    ctypes.string_at(0)


def answer(document, request):
    """Do what is asked, and tell what came of it."""
    try:
        result = globals()[request["what"]](request)
    except (OSError, MemoryError, RuntimeError) as error:
        return {"refused": type(error).__name__}
    return {"done": True if result is None else result}


if __name__ == "__main__":
    import json

    sys.stdout.write(json.dumps(answer(None, json.loads(sys.argv[1]))))
