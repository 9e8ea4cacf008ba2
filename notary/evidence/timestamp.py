"""Check a time-stamp token offline: RFC 3161 with RFC 5816, the numbered checks of docs/formats.md.

A good token proves that the data existed before genTime + accuracy; it is an upper bound and nothing else.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import core, tsp, x509

from notary.errors import FormatError, TimestampError, TrustError
from notary.evidence import asn1
from notary.evidence.asn1 import parse
from notary.evidence.asn1_form import members
from notary.evidence.timestamp_certificate import read_certificate
from notary.evidence.timestamp_cms import check_signature, find_signer, open_response
from notary.evidence.timestamp_der import dump, load
from notary.evidence.timestamp_extensions import alternative_names
from notary.evidence.timestamp_form import RESPONSE, TST_INFO, judge, parsed, require
from notary.evidence.timestamp_issuing import Tries
from notary.evidence.timestamp_names import general_key, name_key, shown_key
from notary.evidence.timestamp_path import check_path, check_profile, key_of
from notary.evidence.timestamp_signature import IMPRINTS, digest

MAX_RESPONSE = 64 * 1024
SKEW = timedelta(seconds=10)  # how far our clock and the authority's may be apart
_MAX_SERIAL_BITS = 160  # RFC 3161 §2.4.2
_MAX_ACCURACY = timedelta(hours=1)  # the trust file's own limit; more than that bounds nothing of use
_GOOD_ACCURACY = timedelta(seconds=1)  # EN 319 422
_GEN_TIME = re.compile(rb"(\d{14})(?:\.(\d{1,12}))?Z")
_TSA, _DIRECTORY = (2, 0), 4  # tags: of the field in TSTInfo, and of a directoryName in it


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamping authority that the verifier trusts: from the trust file, never from the evidence."""

    name: str  # the file name of its token in a package
    organisation: str
    roots: tuple[bytes, ...]  # DER certificates, pinned
    policies: tuple[str, ...]  # dotted OIDs that are allowed; empty allows any
    accuracy_ms: int | None  # of its published profile, used when the token states none
    intermediates: tuple[bytes, ...] = ()  # DER certificates, for tokens that hold none
    strict: bool = False  # a token without revocation data fails check 15; else it bears a warning


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says that passed every check."""

    gen_time: datetime  # UTC
    accuracy_us: int | None  # stated by the token, else by the profile; None is unknown, not zero
    policy: str
    serial: int
    signer: str  # RFC 4514 subject
    warnings: tuple[str, ...]
    keys: frozenset[bytes] = (
        frozenset()
    )  # on its path and of the pinned roots: whoever shares one is no other source
    path: tuple[bytes, ...] = ()  # DER certificates, the signer's first, the pinned root's last
    subject: str = ""  # of the signer's certificate, as names are compared: the same for all spellings
    content: bytes = b""  # SHA-256 of the TSTInfo: two tokens with the same are one

    @property
    def not_after(self) -> datetime | None:
        """The moment by which the data existed; None for a token that bounds nothing."""
        return None if self.accuracy_us is None else self.gen_time + timedelta(microseconds=self.accuracy_us)


def check_token(
    response: bytes,
    data: bytes,
    authority: Authority,
    *,
    nonce: int | None = None,
    sent: datetime | None = None,
    received: datetime | None = None,
    tries: Tries | None = None,
) -> Stamp:
    """Check a raw TimeStampResp over `data`: all but 15, revocation, and 22, serial numbers used once.

    Those need more than the token: `timestamp_revocation.check_revocation`, `timestamp_serial.Serials`.

    Args:
        response: DER (BER where nothing is signed), at most 64 KiB.
        data: the bytes that were stamped, not their digest.
        authority: whose token it must be.
        nonce: of the request, where it is known; the token must then hold the same.
        sent: when the request left, UTC; genTime may be at most 10 s earlier.
        received: when the response came, or now, UTC; genTime may be at most 10 s later.
        tries: of all tokens of this authority in a package; without it, of this one alone.

    Raises:
        TimestampError: with the number of the first check that failed; 4 also for bytes that cannot be read.
        TrustError: a certificate of `authority` cannot be read.
    """
    if len(response) > MAX_RESPONSE:
        raise TimestampError(4, f"a response of {len(response)} bytes is larger than {MAX_RESPONSE}")
    roots = [_trusted(der, authority) for der in authority.roots]
    intermediates = [_trusted(der, authority) for der in authority.intermediates]
    try:
        return _check(
            response, data, authority, roots, intermediates, (nonce, sent, received), tries or Tries()
        )
    except (TimestampError, MemoryError):
        raise
    except Exception as error:
        # The parsers raise nearly anything on hostile input, and late, since they read lazily. It all means
        # the same: this token is not evidence.
        raise TimestampError(4, f"the token cannot be read ({type(error).__name__})") from error


def _check(
    response: bytes,
    data: bytes,
    authority: Authority,
    roots: list[x509.Certificate],
    intermediates: list[x509.Certificate],
    exchange: tuple[int | None, datetime | None, datetime | None],
    tries: Tries,
) -> Stamp:
    nonce, sent, received = exchange
    # Before the libraries have it, since it bounds how many values there are.
    whole = parsed(response, 4, "the response")
    token = open_response(response)
    judge(RESPONSE, whole, 4, "the response")
    require(TST_INFO, token.content, 4, "the TSTInfo", der=True)
    signer = find_signer(token, intermediates)
    warnings = check_signature(token, signer)
    if token.with_mods:
        warnings.append("the authority granted the request with modifications")
    info = load(tsp.TSTInfo, token.content)
    moment = _gen_time(info)
    read = read_certificate(dump(signer))
    check_profile(read, moment)
    path = check_path(signer, [*token.certificates, *intermediates], roots, moment, tries)
    _check_info(info, data, authority)
    _check_exchange(info, moment, nonce, sent, received)
    _check_names(info, signer)
    accuracy = _counted(_accuracy(info["accuracy"]), authority, warnings)
    return Stamp(
        moment,
        None if accuracy is None else accuracy // timedelta(microseconds=1),
        info["policy"].dotted,
        info["serial_number"].native,
        read.title,
        tuple(warnings),
        frozenset(map(key_of, (*path, *roots))),
        tuple(map(dump, path)),
        shown_key(name_key(read.subject)),
        sha256(token.content).digest(),
    )


def _check_info(info: Any, data: bytes, authority: Authority) -> None:
    if info["version"].native != "v1":
        raise TimestampError(16, "the TSTInfo is not of version 1")
    if info["serial_number"].native.bit_length() > _MAX_SERIAL_BITS:
        raise TimestampError(16, f"the serial number has more than {_MAX_SERIAL_BITS} bits")
    policy = info["policy"].dotted
    if authority.policies and policy not in authority.policies:
        raise TimestampError(17, f"the token's policy {policy} is not allowed for {authority.name}")
    algorithm = info["message_imprint"]["hash_algorithm"]["algorithm"].dotted
    computed = digest(algorithm, data, 18, "the imprint", IMPRINTS)
    if info["message_imprint"]["hashed_message"].native != computed:
        raise TimestampError(18, "the token is of other data")


def _check_exchange(
    info: Any, moment: datetime, nonce: int | None, sent: datetime | None, received: datetime | None
) -> None:
    if nonce is not None and info["nonce"].native is None:
        raise TimestampError(19, "the token does not hold the nonce of the request")
    if nonce is not None and info["nonce"].native != nonce:
        raise TimestampError(19, "the token holds another nonce than the request")
    if received is not None and moment > received + SKEW:
        raise TimestampError(20, "genTime is later than the response")
    if sent is not None and moment < sent - SKEW:
        raise TimestampError(20, "genTime is earlier than the request")


def _check_names(info: Any, signer: x509.Certificate) -> None:
    """Checks 23 and 24; 22, that serial numbers are used once, needs all tokens of an authority."""
    for field in members(parse(dump(info)), asn1.SEQUENCE):
        if field.key == _TSA:
            (stated,) = field.children or ()
            others = [general_key(each) for each in alternative_names(dump(signer))]
            if general_key(stated) not in [(_DIRECTORY, name_key(dump(signer.subject))), *others]:
                raise TimestampError(
                    23, "the authority's name in the token is not that of the signer's certificate"
                )
    extensions = info["extensions"]
    if not isinstance(extensions, core.Void) and any(
        extension["critical"].native for extension in extensions
    ):
        raise TimestampError(24, "the token has a critical extension that is not known")


def _gen_time(info: Any) -> datetime:
    """Parts of a microsecond are rounded up: an upper bound may only grow."""
    match = _GEN_TIME.fullmatch(info["gen_time"].contents)
    if match is None:
        raise TimestampError(20, "genTime is not a UTC time in the form of RFC 3161")
    whole, fraction = match[1].decode(), match[2] or b""
    if whole.startswith("9999"):
        raise TimestampError(20, "genTime is in the year 9999, which stands for no time at all")
    try:
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise TimestampError(20, "genTime is no moment that there is") from error
    return moment + timedelta(microseconds=-(-int(fraction.ljust(12, b"0")) // 10**6))


def _accuracy(stated: Any) -> timedelta | None:
    if isinstance(stated, core.Void):
        return None
    seconds, millis, micros = (stated[part].native for part in ("seconds", "millis", "micros"))
    if seconds is None and millis is None and micros is None:
        return None
    for part in (millis, micros):
        if part is not None and not 1 <= part <= 999:  # noqa: PLR2004 - RFC 3161 §2.4.2
            raise TimestampError(21, "a part of the accuracy is not between 1 and 999")
    if seconds is not None and not 0 <= seconds <= _MAX_ACCURACY.total_seconds():
        raise TimestampError(21, "the stated accuracy is not between 0 and one hour")
    return timedelta(seconds=seconds or 0, milliseconds=millis or 0, microseconds=micros or 0)


def _counted(stated: timedelta | None, authority: Authority, warnings: list[str]) -> timedelta | None:
    """The accuracy that a bound is counted with: the stated one, else that of the authority, else none."""
    if stated is not None:
        if stated > _GOOD_ACCURACY:
            warnings.append("the stated accuracy is worse than one second")
        return stated
    if authority.accuracy_ms is None:
        warnings.append("neither the token nor the authority's profile states an accuracy; it bounds nothing")
        return None
    warnings.append("the token states no accuracy; that of the authority's profile is used")
    return timedelta(milliseconds=authority.accuracy_ms)


def _trusted(der: bytes, authority: Authority) -> x509.Certificate:
    try:
        read_certificate(der)
        cert: x509.Certificate = load(x509.Certificate, der)
    except (ValueError, FormatError) as error:
        raise TrustError(f"a certificate of authority {authority.name} cannot be read") from error
    return cert
