"""A Bitcoin of a few blocks, and a calendar on it, made with the reference library and served on loopback."""

import threading
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp, cat_sha256d, make_merkle_tree

EASY = 0x207FFFFF  # every second hash will do
START = 1772366400  # 2026-03-01T12:00:00Z


def serialized(value) -> bytes:
    context = BytesSerializationContext()
    value.serialize(context)
    return bytes(context.getbytes())


def file_of(stamp: Timestamp) -> bytes:
    return serialized(DetachedTimestampFile(OpSHA256(), stamp))


def header(root: bytes, time: int, previous: bytes = bytes(32), bits: int = EASY) -> bytes:
    """A header that shows its work."""
    for nonce in range(1000):
        numbers = b"".join(number.to_bytes(4, "little") for number in (time, bits, nonce))
        raw = b"\x00\x00\x00\x20" + previous + root + numbers
        if sha256(sha256(raw).digest()).digest()[-1] < 0x7F:
            return raw
    raise AssertionError("a thousand hashes, and none below half")


def block_hash(raw: bytes) -> str:
    return sha256(sha256(raw).digest()).digest()[::-1].hex()


class Bitcoin:
    """Headers by height, from 800000 on."""

    def __init__(self):
        self.headers = {}
        self.tip = 800_000

    def mine(self, root: bytes = bytes(32), count: int = 1) -> int:
        """Blocks on top, the first with that Merkle root; its height."""
        first = self.tip + 1
        for at in range(count):
            self.tip += 1
            self.headers[self.tip] = header(root if at == 0 else bytes(32), START + 600 * self.tip % 86400)
        return first


def promised(posted: bytes, uri: str, time: int = START) -> Timestamp:
    """What a calendar answers at once: its own commitment over what was posted, and where to ask."""
    stamp = Timestamp(posted)
    place = stamp.ops.add(OpSHA256()).ops.add(OpPrepend(time.to_bytes(4, "big")))
    place = place.ops.add(OpAppend(sha256(b"key" + posted).digest()[:8]))
    place.attestations.add(PendingAttestation(uri))
    return stamp


def place_of(stamp: Timestamp) -> Timestamp:
    """The one place with a promise."""
    if any(isinstance(item, PendingAttestation) for item in stamp.attestations):
        return stamp
    (found,) = [place for below in stamp.ops.values() if (place := place_of(below))] or [None]
    return found


def mined(commitments: list[bytes], bitcoin: Bitcoin, confirmations: int = 6) -> dict[bytes, Timestamp]:
    """Put the commitments into one transaction of a new block; for each the way from it to the Merkle root."""
    stamps = {commitment: Timestamp(commitment) for commitment in commitments}
    tip = make_merkle_tree(
        [stamp.ops.add(OpAppend(b"leaf")).ops.add(OpSHA256()) for stamp in stamps.values()]
    )
    transaction = tip.ops.add(OpPrepend(b"\x01\x00\x00\x00 in, out: OP_RETURN ")).ops.add(
        OpAppend(b"\x00" * 4)
    )
    txid = transaction.ops.add(OpSHA256()).ops.add(OpSHA256())
    root = cat_sha256d(Timestamp(sha256(b"coinbase").digest()), txid)
    height = bitcoin.mine(root.msg, confirmations)
    root.attestations.add(BitcoinBlockHeaderAttestation(height))
    # The library shares the nodes of a tree; a calendar gives each its own way.
    return stamps


class Calendar:
    """A calendar server's memory. `answers` and `lookups` put something else in the place of an answer."""

    def __init__(self, bitcoin: Bitcoin):
        self.bitcoin = bitcoin
        self.uri = ""
        self.promised = {}
        self.confirmed = {}
        self.seen = []
        self.answer = None  # in the place of the next answers to POST: bytes, or a status
        self.lookup = None  # and to GET

    def take(self, posted: bytes) -> bytes:
        stamp = promised(posted, self.uri, START + len(self.promised))
        self.promised[place_of(stamp).msg] = posted
        return serialized(stamp)

    def confirm(self, confirmations: int = 6) -> None:
        waiting = [commitment for commitment in self.promised if commitment not in self.confirmed]
        self.confirmed |= mined(waiting, self.bitcoin, confirmations)

    def forget(self) -> None:
        self.promised.clear()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        calendar = self.server.calendar
        body = self.rfile.read(int(self.headers["Content-Length"]))
        calendar.seen.append(("POST", self.path, body))
        if calendar.answer is not None:
            self.reply(calendar.answer)
        else:
            self.reply(calendar.take(body) if self.path == "/digest" else 404)

    def do_GET(self):
        calendar, parts = self.server.calendar, self.path.split("/")[1:]
        if parts[0] == "timestamp":
            calendar.seen.append(("GET", self.path, b""))
            found = calendar.confirmed.get(bytes.fromhex(parts[1]))
            if calendar.lookup is not None:
                self.reply(calendar.lookup)
            else:
                self.reply(404 if found is None else serialized(found))
        else:
            self.reply(self.block(parts))

    def block(self, parts):
        bitcoin = self.server.calendar.bitcoin
        override = getattr(bitcoin, "answers", {}).get("/" + "/".join(parts))
        if override is not None:
            return override
        if parts == ["blocks", "tip", "height"]:
            return str(bitcoin.tip).encode()
        if parts[0] == "block-height":
            raw = bitcoin.headers.get(int(parts[1]))
            return 404 if raw is None else block_hash(raw).encode()
        for raw in bitcoin.headers.values():
            if parts[1:] == [block_hash(raw), "header"]:
                return raw.hex().encode()
        return 404

    def reply(self, what):
        self.send_response(what if isinstance(what, int) else 200)
        content = b"Pending" if isinstance(what, int) else what
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Keep the test's output clean."""


@contextmanager
def serving(bitcoin: Bitcoin):
    """A calendar on loopback, which serves the headers of its Bitcoin too."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.calendar = Calendar(bitcoin)
        server.calendar.uri = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.calendar
        finally:
            server.shutdown()
            thread.join()
