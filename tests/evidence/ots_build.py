"""OpenTimestamps files over the heads of the small log, and the tables of a trust file that go with them."""

from hashlib import sha256

from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.timestamp import Timestamp

from tests.evidence import build
from tests.ots_world import mined, place_of, promised

URI = "https://calendar.example"
NAME = f"heads/{build.EARLY}/ots/bitcoin.ots"


def stamped(note, uri=URI):
    """A pending file over a note."""
    stamp = Timestamp(sha256(note).digest())
    place = stamp.ops.add(OpAppend(b"sixteen of chaos")).ops.add(OpSHA256())
    place.merge(promised(place.msg, uri))
    return stamp


def upgraded(stamp, bitcoin):
    place = place_of(stamp)
    place.merge(mined([place.msg, b"another" * 4], bitcoin)[place.msg])
    return stamp


def block_table(bitcoin, height=800_001, raw=None):
    raw = raw or bitcoin.headers[height]
    return f'[[bitcoin_block]]\nheight = {height}\nheader = "0x{raw.hex()}"\n'
