"""A node that passes questions on to a real one, and changes some of the answers."""

import json
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Error(Exception):
    """Raised by a lie: answer with this JSON-RPC error."""


class Lost(Exception):
    """Raised by a lie: the node gets the question, and its answer is lost."""


@contextmanager
def lying_node(real, *, asked=None, wire=None, **lies):
    """Serve at a free port; each lie is named for its method and maps the true result to what is said.

    `asked` is a list that gets the name of every method asked, `wire` one that gets every raw transaction.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            question = json.loads(body)
            if asked is not None:
                asked.append(question["method"])
            if wire is not None and question["method"] == "eth_sendRawTransaction":
                wire.append(bytes.fromhex(question["params"][0][2:]))
            request = urllib.request.Request(real, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=20) as reply:
                answer = json.loads(reply.read())
            try:
                if question["method"] in lies:
                    answer["result"] = lies[question["method"]](answer.get("result"))
                    answer.pop("error", None)
            except Error as error:
                answer = {
                    "jsonrpc": "2.0",
                    "id": question["id"],
                    "error": {"code": -32000, "message": str(error)},
                }
            except Lost:
                self.close_connection = True
                return
            said = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    with _serving(Handler) as url:
        yield url


@contextmanager
def answering(answer):
    """Serve what `answer(method, params)` gives, one question at a time; it may raise `Error`."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reply = {"jsonrpc": "2.0", "id": question["id"]}
            try:
                with lock:
                    reply["result"] = answer(question["method"], question["params"])
            except Error as error:
                reply["error"] = {"code": -32000, "message": str(error)}
            said = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    with _serving(Handler) as url:
        yield url


@contextmanager
def raw_answer(body):
    """Serve these bytes, whatever is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with _serving(Handler) as url:
        yield url


@contextmanager
def _serving(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
