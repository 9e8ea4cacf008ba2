"""What must be true of time stamps under watch: they are those of their tokens, and CAs said what is kept of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from asn1crypto import tsp
from asn1crypto import x509 as asn1

from notary.errors import EvidenceError
from notary.evidence.timestamp_certificate import read_certificate
from notary.evidence.timestamp_cms import check_signature, open_response
from notary.evidence.timestamp_der import dump, load
from notary.evidence.timestamp_names import name_key, shown_key
from notary.evidence.timestamp_revocation import spoils, statuses_of
from notary.evidence.timestamp_status import Kind, RevocationData
from notary.store.anchorings import Anchoring
from notary.store.engine import Connection
from notary.store.stamps import StoredStamp, digest_of, stamps_numbered
from notary.store.walks import StoredCertificate, StoredRevocation, certificates, revocations, stamps_after

_MICROSECONDS = len("20260301120000.123456Z")
_STAMPS = 500  # in memory at a time
_ALL = datetime(1970, 1, 1, tzinfo=UTC)  # before any token
_BELIEVED, _REUSED, _REVOKED, _UNREADABLE = "", "reused", "revoked", "unreadable"


def stamp_problems(connection: Connection, count: Callable[[str, int], None]) -> Iterator[str]:
    """One sentence for each thing wrong with a stamp, a certificate or what a CA said of one."""
    checks = _Checks(connection, {each.digest: each for each in certificates(connection)})
    last = -1
    while page := stamps_after(connection, last, _STAMPS):
        for row, item in page:
            yield from (f"stamp of anchoring {row.anchoring_id}: {what}" for what in checks.stamp(row, item))
        count("stamps", len(page))
        last = page[-1][0].anchoring_id
    said: dict[bytes, datetime] = {}
    for each in revocations(connection):
        yield from (
            f"revocation of certificate {each.certificate.hex()}: {what}" for what in checks.revocation(each)
        )
        said[each.certificate] = max(each.this_update, said.get(each.certificate, _ALL))
    for one in checks.kept.values():
        found = checks.certificate(one, said.get(one.digest))
        yield from (f"certificate {one.digest.hex()}: {what}" for what in found)


@dataclass(slots=True)
class _Checks:
    """What was kept of certificates, by their digests, and the newest genTime that rests on each."""

    connection: Connection
    kept: Mapping[bytes, StoredCertificate]
    newest: dict[bytes, datetime] = field(default_factory=dict)

    def stamp(self, row: StoredStamp, item: Anchoring | None) -> Iterator[str]:
        if item is None or (item.kind, item.state) != ("rfc3161", "final") or item.evidence is None:
            yield "its anchoring is no final time stamp"
            return
        if (row.anchor, row.size) != (item.anchor, item.size):
            yield "its anchoring is of another authority or size"
        if row.verdict == _UNREADABLE:
            if row.authority or row.serial or row.content or row.signer:
                yield "it is unreadable, and something was read"
            return
        for digest in (path := self._path(row.signer)):
            self.newest[digest] = max(row.gen_time, self.newest.get(digest, _ALL))
        if not path:
            yield "the certificate of its signer is not kept"
            return
        yield from self._token(row, item.evidence)
        if not self._follows(row, path):
            yield f"it is {row.verdict or 'believed'}, and that does not follow from what is kept"

    def _token(self, row: StoredStamp, evidence: bytes) -> Iterator[str]:
        der = self.kept[row.signer].der
        try:
            token = open_response(evidence)
            check_signature(token, load(asn1.Certificate, der))
            info = load(tsp.TSTInfo, token.content)
            name = shown_key(name_key(dump(load(asn1.Certificate, der).subject)))
        except (EvidenceError, ValueError) as error:
            yield f"its token, by the certificate that is kept: {error}"
            return
        told = (sha256(token.content).digest(), str(info["serial_number"].native), name)
        # Parts of a microsecond were rounded up.
        late, parts = row.gen_time - info["gen_time"].native, len(info["gen_time"].contents) > _MICROSECONDS
        if (row.content, row.serial, row.authority.partition("\n")[2]) != told or not (
            timedelta(0) <= late <= timedelta(microseconds=parts)
        ):
            yield "it is not that of its token"

    def _follows(self, row: StoredStamp, path: list[bytes]) -> bool:
        """Whether the verdict is one that the certificates and the other stamps lead to."""
        spoiled = {
            digest
            for digest, each in self.kept.items()
            if each.spoiled_from is not None and each.spoiled_from <= row.gen_time
        }
        numbered = stamps_numbered(self.connection, row.authority, row.serial)
        others = [each for each in numbered if each.content != row.content]
        if row.verdict == _BELIEVED:
            return spoiled.isdisjoint(path) and all(each.verdict == _REUSED for each in others)
        return bool({_REUSED: others, _REVOKED: spoiled}.get(row.verdict))

    def revocation(self, row: StoredRevocation) -> Iterator[str]:
        certificate = self.kept.get(row.certificate)
        above = (
            None if certificate is None or certificate.issuer is None else self.kept.get(certificate.issuer)
        )
        if certificate is None or above is None:
            yield "the certificate or the one above it is not kept"
            return
        try:
            parsed, issuer = (read_certificate(each.der) for each in (certificate, above))
            statuses = statuses_of(RevocationData(Kind(row.kind), row.data), parsed, issuer)
        except (EvidenceError, ValueError) as error:
            yield str(error)
            return
        if row.this_update not in {status.this_update for status in statuses}:
            yield "the CA does not say this as of that moment"
        for status in statuses:
            if status.revoked_at is None:
                continue
            since = _ALL if spoils(status, _ALL) else status.revoked_at
            if certificate.spoiled_from is None or certificate.spoiled_from > since:
                yield "the CA says that it is revoked, and stamps that rest on it are believed"

    def certificate(self, row: StoredCertificate, said: datetime | None) -> Iterator[str]:
        if digest_of(row.der) != row.digest:
            yield "it is another one"
        if row.issuer is not None and row.issuer not in self.kept:
            yield "the one above it is not kept"
        # Later than what rests on it now only where stamps once rested on it by another path.
        if not self.newest.get(row.digest, _ALL) <= row.needed_at <= max(self.newest.values(), default=_ALL):
            yield "no stamp that rests on it is the newest one"
        if row.covered_at != said:
            yield "what its CA said of it reaches to another moment"

    def _path(self, signer: bytes) -> list[bytes]:
        path: list[bytes] = []
        digest: bytes | None = signer
        while digest is not None and digest in self.kept and digest not in path:
            path.append(digest)
            digest = self.kept[digest].issuer
        return path
