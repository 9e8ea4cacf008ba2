"""The far end of requests to a time-stamping authority: answers as a test says, on the log's own clock."""

from dataclasses import dataclass, field
from hashlib import new, sha256

from asn1crypto import tsp

from notary.anchoring.backoff import Patient
from notary.anchoring.rfc3161 import TsaAnchor
from notary.errors import Unavailable
from notary.evidence.timestamp import Authority
from tests.anchoring.anchored import Anchored
from tests.mini_tsa import MiniTsa, der

HASHES = {"2.16.840.1.101.3.4.2.1": "sha256", "1.2.156.10197.1.401": "sm3"}


@dataclass
class FarTsa:
    """Stands where `Outbound` stands, and stamps the heads of one log.

    Every request is noted with the time at which it came. `broken` is what happens instead of a token: bytes that
    are answered, an exception that is raised, or None.
    """

    log: Anchored
    mini: MiniTsa = field(default_factory=MiniTsa)
    broken: object = None
    asked: list = field(default_factory=list)  # (time, request, size of the head)

    def post(self, url, body, content_type, limit):
        assert (url, content_type) == ("http://tsa.example/", "application/timestamp-query")
        request = tsp.TimeStampReq.load(body, strict=True)
        imprint = request["message_imprint"]
        size = self.size_of(imprint["hashed_message"].native, imprint["hash_algorithm"]["algorithm"].dotted)
        self.asked.append((self.log.rig.clock(), body, size))
        if isinstance(self.broken, Exception):
            raise self.broken
        if self.broken is not None:
            return self.broken
        name = HASHES[imprint["hash_algorithm"]["algorithm"].dotted]
        answer = {"nonce": request["nonce"].native, "gen_time": self.log.rig.clock()}
        answer |= {"imprint_hash": name, "imprint_algorithm": imprint["hash_algorithm"]["algorithm"].dotted}
        found = self.mini.respond(self.log.head(size).note, **answer)
        assert len(found) <= limit
        return found

    def size_of(self, digest, algorithm):
        sizes = range(self.log.newest_size(), 0, -1)
        return next(s for s in sizes if new(HASHES[algorithm], self.log.head(s).note).digest() == digest)

    def unreachable(self, retry_after=None):
        self.broken = Unavailable("tsa.example does not answer", retry_after)

    def anchor(self, name="tsa", **more) -> TsaAnchor:
        authority = Authority(name, name, (der(self.mini.root),), (), None)
        return TsaAnchor(name, "http://tsa.example/", authority, self, self.log.rig.clock, **more)

    def patient(self, name="tsa", chance=0.0) -> Patient:
        """As the worker makes it; another one of the same name is the same authority after a restart."""
        advance = self.log.advance(self.anchor(name))
        rig = self.log.rig
        return Patient(rig.database, name, advance.step, advance.interval, rig.clock, lambda: chance)

    def sizes(self):
        return [size for _, _, size in self.asked]

    def times(self, start):
        return [round((time - start).total_seconds()) for time, _, _ in self.asked]

    def refs(self):
        return [sha256(body).hexdigest() for _, body, _ in self.asked]
