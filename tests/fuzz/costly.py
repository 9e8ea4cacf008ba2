"""Packages at and above each limit of what evidence may cost a verifier, and what is not read of it.

Those at a limit pass in both verifiers: they are the negative control of those above it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from asn1crypto import core
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.evidence import asn1
from notary.evidence.timestamp_der import retag
from tests.evidence import build, ots_build
from tests.evidence.build import DOCUMENT, EARLY
from tests.fuzz import corpus
from tests.fuzz.alone import _put
from tests.fuzz.corpus import DOCUMENT_NAME, Sample
from tests.fuzz.pointed import Pointed
from tests.mini_revocation import ocsp
from tests.mini_tsa import MiniTsa, authority_extensions, certificate, signer_extensions

ED25519 = retag(0x30, b"\x06\x03\x2b\x65\x70")
TIME = retag(0x17, b"260301123000Z")
VERSION = b"\x02\x01\x01"
NULL = b"\x05\x00"
PLACE = f"heads/{EARLY}/revocation/tsa-a"
TOKEN = f"heads/{EARLY}/tokens/tsa-a.tsr"
REASON = retag(0x30, b"\x06\x03\x55\x1d\x15\x01\x01\xff\x04\x03\x0a\x01\x01")  # critical, and understood
READ = retag(0x30, b"\x02\x01\x05" + TIME + retag(0x30, REASON))
DAMAGED = retag(0x30, NULL)


def name(*texts: bytes) -> bytes:
    """A Name of one common name for each text."""
    return retag(
        0x30, b"".join(retag(0x31, retag(0x30, b"\x06\x03\x55\x04\x03" + retag(12, each))) for each in texts)
    )


def name_of_size(size: int) -> bytes:
    length = size - len(name(b"x" * 1000)) + 1000
    return name(b"x" * length)


def revocation_list(issuer: bytes, entries: bytes = b"", *, more: bytes = b"") -> bytes:
    """Signed with the key of the CA that issued the signer's certificate, whoever is named."""
    body = VERSION + ED25519 + issuer + TIME + (retag(0x30, entries) if entries else b"") + more
    tbs = retag(0x30, body)
    return retag(0x30, tbs + ED25519 + retag(3, b"\0" + build.tsa("tsa-a").middle_key.sign(tbs)))


def own() -> bytes:
    """The name of that CA."""
    return build.tsa("tsa-a").middle.subject.public_bytes()


def beside(data: bytes, kind: str = "crl") -> Sample:
    """The stamped sample with one more file of revocation data; the others show that nothing was revoked."""
    return _put(corpus.stamped(), f"{PLACE}/3.{kind}", data)


def damaged(issuer: Callable[[], bytes]) -> Sample:
    """What follows the issuer is no list."""
    return beside(revocation_list(issuer(), more=NULL))


def of_entries(*entries: bytes) -> Sample:
    return beside(revocation_list(own(), b"".join(entries)))


def own_serial(spelling: Callable[[bytes], bytes]) -> Sample:
    """The signer is listed, with its serial number spelt in some way."""
    number = core.Integer(build.tsa("tsa-a").signer.serial_number).contents
    return of_entries(retag(0x30, spelling(number) + TIME))


def extension_of(size: int) -> Sample:
    """A list whose one extension, which nobody knows, makes them all of this size."""

    def made(length: int) -> bytes:
        return retag(0xA0, retag(0x30, retag(0x30, b"\x06\x03\x2a\x03\x04" + retag(4, bytes(length)))))

    return beside(revocation_list(own(), more=made(size - len(made(1000)) + 1000)))


def _answer() -> tuple[list[bytes], bytes]:
    """The parts of the basic response of a CA that is not on the path, and its first bytes."""
    other = MiniTsa()
    data = ocsp(other.signer, other.middle, other.middle_key).data
    kind, basic = asn1.parse(data).children[1].children[0].children
    return [each.raw for each in asn1.parse(basic.content).children], kind.raw


def _response(parts: Sequence[bytes], kind: bytes) -> bytes:
    return retag(
        0x30, b"\x0a\x01\x00" + retag(0xA0, retag(0x30, kind + retag(4, retag(0x30, b"".join(parts)))))
    )


def response_of(size: int) -> Sample:
    """An OCSP response of this size, by its signature."""
    parts, kind = _answer()
    length = 15000
    while len(_response([*parts[:2], retag(3, bytes(length))], kind)) < size:
        length += 1
    return beside(_response([*parts[:2], retag(3, bytes(length))], kind), "ocsp")


def response_of_values(*, more: bool) -> Sample:
    """An OCSP response of as many certificates as 512 values have room for, or of one more."""
    parts, kind = _answer()
    held = MiniTsa().signer.public_bytes(build.Encoding.DER)
    each = _values(held)
    count = (512 - _values(retag(0x30, b"".join(parts))) - 2) // each + more
    assert count < 30
    return beside(_response([*parts, retag(0xA0, retag(0x30, held * count))], kind), "ocsp")


def _values(data: bytes) -> int:
    return _counted(asn1.parse(data))


def _counted(node: asn1.Node) -> int:
    return 1 + sum(map(_counted, node.children or ()))


def token_of_values(count: int) -> Sample:
    """A token in which as many NULLs stand for revocation lists, which nobody reads, as make so many values."""
    sample = corpus.stamped()
    status, info = asn1.parse(sample.files[TOKEN]).children
    kind, wrapped = info.children
    fields = [each.raw for each in wrapped.children[0].children]
    nulls = count - _values(sample.files[TOKEN]) - 1
    fields.insert(-1, retag(0xA1, NULL * nulls))
    signed = retag(0xA0, retag(0x30, b"".join(fields)))
    made = retag(0x30, status.raw + retag(0x30, kind.raw + signed))
    return _put(sample, TOKEN, made)


def _heads(tokens: dict[int, bytes]) -> Sample:
    """The document under heads of these sizes, each with its token."""
    log = build.log()
    files = {"data/statement.json": log.statements[DOCUMENT].encode(), DOCUMENT_NAME: build.CONTRACT}
    for size, token in tokens.items():
        files |= {
            f"heads/{size}/checkpoint": log.checkpoint(size),
            f"heads/{size}/inclusion.tlog-proof": log.proof(DOCUMENT, size),
            f"heads/{size}/tokens/tsa-a.tsr": token,
        }
    return Sample("heads", files, build.trust_text(log, chain=None, tsa_b=None))


def strangers(*counts: int) -> Sample:
    """In the token of each head so many certificates that bear the name of the signer's CA, and are none of it.

    One by one they are tried, and with them, once for all heads, the CA's own certificate and the root.
    """
    log, tsa, tokens = build.log(), build.tsa("tsa-a"), {}
    for size, count in enumerate(counts, 3):
        keys = [Ed25519PrivateKey.generate() for _ in range(count)]
        others = [certificate("Middle", key.public_key(), "Nobody", key) for key in keys]
        held = [tsa.signer, *others, tsa.middle]
        tokens[size] = tsa.respond(log.checkpoint(size), serial=size, certificates=held)
    return _heads(tokens)


def beside_strangers() -> Sample:
    """A second authority's token, after those of the first have used up all that is tried for it."""
    log, sample = build.log(), strangers(30, 30, 2)
    token = build.tsa("tsa-b").respond(log.checkpoint(5))
    return replace(
        sample,
        files=sample.files | {"heads/5/tokens/tsa-b.tsr": token},
        trust_text=build.trust_text(log, chain=None),
    )


def loops(count: int) -> Sample:
    """So many certificates of one name and key that issued each other, before the one that leads to the root."""
    log, tsa, key = build.log(), build.FixedTsa("tsa-a"), build.ed25519("loop")
    ca = {"extensions": authority_extensions()}
    held = [certificate("Loop", key.public_key(), "Loop", key, **ca) for _ in range(count)]
    held.append(certificate("Loop", key.public_key(), "Middle", tsa.middle_key, **ca))
    tsa.signer = certificate("S", tsa.key.public_key(), "Loop", key, extensions=signer_extensions())
    token = tsa.respond(log.checkpoint(EARLY), certificates=[tsa.signer, *held, tsa.middle])
    return _heads({EARLY: token})


def more_ots(count: int) -> Sample:
    sample = corpus.in_bitcoin()
    for at in range(1, count):
        sample = _put(sample, f"heads/{EARLY}/ots/more{at}.ots", sample.files[ots_build.NAME])
    return sample


def together(names: Sequence[str], ending: str, size: int) -> Sample:
    """Files of one kind that nobody reads, which with those of the sample are of this size together."""
    sample = corpus.stamped()
    for head in {int(each.split("/")[1]) for each in names if each.startswith("heads/")} - {EARLY}:
        note, proof = build.log().checkpoint(head), build.log().proof(DOCUMENT, head)
        more = {f"heads/{head}/checkpoint": note, f"heads/{head}/inclusion.tlog-proof": proof}
        sample = replace(sample, files=sample.files | more)
    left = size - sum(len(data) for each, data in sample.files.items() if each.endswith(ending))
    for at, each in enumerate(names):
        part = left // (len(names) - at)
        sample, left = _put(sample, each, bytes(part)), left - part
    return sample


_LISTS = [f"heads/{EARLY}/revocation/nobody/{at}.crl" for at in (1, 2, 3)]
_ANCHORS = [f"heads/{size}/anchor.json" for size in (3, EARLY, 5)]
_OPENED = ["inspection/openings.json", "incident/openings.json"]


def _pair(what: str, check: str, at: Callable[[], Sample], above: Callable[[], Sample]) -> dict[str, Pointed]:
    return {f"{what}, as allowed": Pointed(at, check, "passed"), f"{what}, one more": Pointed(above, check)}


COSTLY: dict[str, Pointed] = {
    "another CA's list that is damaged behind its issuer": Pointed(
        partial(damaged, lambda: name(b"Nobody")), "5.2", "passed"
    ),
    "a list that is damaged behind its issuer": Pointed(partial(damaged, own), "5.2"),
    "another CA's list of another version": Pointed(
        lambda: beside(revocation_list(name(b"Nobody")).replace(VERSION, b"\x02\x01\x02", 1)), "5.2"
    ),
    "a damaged entry that nobody reads": Pointed(partial(of_entries, READ, DAMAGED), "5.2", "passed"),
    "a damaged entry with a TRUE": Pointed(partial(of_entries, retag(0x30, NULL + b"\x01\x01\xff")), "5.2"),
    "what is no entry, where none is looked for": Pointed(partial(of_entries, NULL), "5.2", "passed"),
    "what is no entry, beside one that is read": Pointed(partial(of_entries, READ, NULL), "5.2"),
    "an entry that is cut off, beside one that is read": Pointed(partial(of_entries, READ, b"\x30\x05\x02\x01"), "5.2"),
    "the signer in a list": Pointed(partial(own_serial, lambda each: retag(2, each)), "5.2"),
    "a serial number with a longer length": Pointed(
        partial(own_serial, lambda each: b"\x02\x81" + bytes([len(each)]) + each), "5.2"
    ),
    "a serial number with a much longer length": Pointed(
        partial(own_serial, lambda each: b"\x02\x86" + bytes([0, 0, 0, 0, 0, len(each)]) + each), "5.2"
    ),
    "a serial number that is padded": Pointed(partial(own_serial, lambda each: retag(2, b"\0" + each)), "5.2"),
    "a serial number in another type": Pointed(partial(own_serial, lambda each: retag(0x0A, each)), "5.2"),
    "a serial number that goes on": Pointed(
        partial(own_serial, lambda each: retag(2, each + b"\x01")), "5.2", "passed"
    ),
    "a serial number in another's entry": Pointed(
        partial(own_serial, lambda each: retag(2, b"\x7f") + retag(4, each)), "5.2", "passed"
    ),
    "a token beside others that use up what is tried for theirs": Pointed(beside_strangers, "5.1", "passed"),
    "a token of values": Pointed(partial(token_of_values, 4096), "5.1", "passed"),
    "a token of values, one more": Pointed(partial(token_of_values, 4097), "5.1"),
} | {
    what: pointed
    for pair in (
        _pair(
            "bytes of an issuer", "5.2",
            lambda: beside(revocation_list(name_of_size(2048))), lambda: beside(revocation_list(name_of_size(2049))),
        ),
        _pair(
            "values of an issuer", "5.2",
            lambda: beside(revocation_list(name(*[b""] * 63))), lambda: beside(revocation_list(name(*[b""] * 64))),
        ),
        _pair("bytes of a list's extensions", "5.2", partial(extension_of, 2048), partial(extension_of, 2049)),
        _pair("entries that are read", "5.2", partial(of_entries, READ * 1024), partial(of_entries, READ * 1025)),
        _pair("bytes of an OCSP response", "5.2", partial(response_of, 16384), partial(response_of, 16385)),
        _pair(
            "values of an OCSP response", "5.2",
            partial(response_of_values, more=False), partial(response_of_values, more=True),
        ),
        _pair("signatures tried", "5.1", partial(strangers, 30, 30, 2), partial(strangers, 30, 30, 3)),
        _pair("paths begun", "5.1", partial(loops, 10), partial(loops, 11)),
        _pair("OpenTimestamps files", "1.1", partial(more_ots, 32), partial(more_ots, 33)),
        _pair(
            "lists together", "1.1",
            partial(together, _LISTS, ".crl", 2**24), partial(together, _LISTS, ".crl", 2**24 + 1),
        ),
        _pair(
            "anchors together", "1.1",
            partial(together, _ANCHORS, "anchor.json", 2**24), partial(together, _ANCHORS, "anchor.json", 2**24 + 1),
        ),
        _pair(
            "openings together", "1.1",
            partial(together, _OPENED, "openings.json", 2**21), partial(together, _OPENED, "openings.json", 2**21 + 1),
        ),
    )
    for what, pointed in pair.items()
}  # fmt: skip
