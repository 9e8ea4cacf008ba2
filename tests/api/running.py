"""The app on a real server and socket, as `notary serve` has it."""

import socket
import threading
import time
from contextlib import contextmanager

import uvicorn

from notary.api.quick import config


@contextmanager
def running(app, **options):
    """The port, and what ends the server and says whether it did."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config(app, lifespan="off", **options))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()

        def end(seconds=20):
            server.should_exit = True
            thread.join(seconds)
            return not thread.is_alive()

        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield listener.getsockname()[1], end
        finally:
            server.force_exit = True
            assert end()


@contextmanager
def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        yield connection
