"""What a request asks for, once its form was checked, and the submission that it becomes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from notary.errors import EmptyDocument, FormatError, RequestError
from notary.evidence import canonical
from notary.evidence.commitments import MAX_DISCLOSURE
from notary.evidence.digests import parse_digest
from notary.evidence.number import parse_number
from notary.intake.spool import Spooled
from notary.intake.submission import Submission
from notary.services.types import Principal
from notary.store.claims import Claim

_EMPTY = sha256(b"").hexdigest()
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MAX_VALUE = MAX_DISCLOSURE * 3 // 4  # in base64 a third more


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for, once its form was checked."""

    kind: str = "document"
    digests: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    media_type: str | None = None
    visibility: str | None = None
    previous: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Repeat:
    """How a request wants to be told from its repetition: by its own key, or by being equal."""

    key: str | None = None
    return_equal: bool = False  # `on_duplicate=return`

    def claim(self, who: Principal, fingerprint: Callable[[], bytes]) -> Claim | None:
        """The claim of a request, where it makes one.

        Raises:
            RequestError: both ways are asked for, and might name two different records.
        """
        if self.key is not None and self.return_equal:
            raise RequestError(
                "on_duplicate=return and an Idempotency-Key exclude each other; send one of them"
            )
        if self.key is None and not self.return_equal:
            return None
        request = fingerprint()
        return Claim(who.tenant_id, f"d{request.hex()}" if self.key is None else f"k{self.key}", request)


def of_digests(who: Principal, wanted: Wanted) -> Submission:
    """The submission of digests or an event.

    Raises:
        RequestError: a document without SHA-256, an event that nobody could see, or too large a value.
        EmptyDocument: the digest of no bytes.
        BadDigest, UnknownAlgorithm, BadNumber: a digest or a number is of no known form.
    """
    found = {name: parse_digest(name, text).hex() for name, text in wanted.digests.items()}
    if wanted.kind == "document" and "sha-256" not in found:
        raise RequestError("send the sha-256 of the document, or the document itself as multipart/form-data")
    if found.get("sha-256") == _EMPTY:
        raise EmptyDocument("this is the SHA-256 of no bytes; the document was not read")
    if wanted.kind == "event" and wanted.visibility == "by-document":
        raise RequestError("an event has no document to present; choose another visibility")
    _bounded(wanted.fields)
    main = {name: found.pop(name) for name in ("sha-256",) if name in found}
    return Submission(
        tenant_id=who.tenant_id,
        kind=wanted.kind,
        seen=False,
        digests=main,
        claimed=found,
        size=wanted.size,
        media_type=plain_media_type(wanted.media_type),
        fields=wanted.fields,
        visibility=wanted.visibility,
        previous=_number(wanted.previous),
    )


def of_document(who: Principal, wanted: Wanted, spooled: Spooled) -> Submission:
    """The submission of a document that is in the spool.

    Raises:
        RequestError: a value is too large.
        BadNumber: `previous` is no record number.
    """
    _bounded(wanted.fields)
    taken = {name: spooled.digests[name] for name in ("sha-256", "sm3")}
    return Submission(
        tenant_id=who.tenant_id,
        kind="document",
        seen=True,
        digests=taken,
        claimed={n: d for n, d in spooled.digests.items() if n not in taken},
        size=spooled.size,
        media_type=plain_media_type(spooled.media_type),
        fields=wanted.fields,
        visibility=wanted.visibility,
        previous=_number(wanted.previous),
        spooled=spooled.path,
    )


def _bounded(fields: Mapping[str, Any]) -> None:
    # By the encoder of the standard library, a fiftieth of what the canonical form takes.
    for name, value in fields.items():
        if len(_COMPACT.encode(value)) > _MAX_VALUE:
            raise RequestError(f"the value of {name!r} is larger than a commitment may be")


def _number(text: str | None) -> str | None:
    return None if text is None else parse_number(text)


def plain_media_type(text: str | None) -> str | None:
    """In lower case and without parameters such as a charset, which have no place in a statement; None for none."""
    return text.partition(";")[0].strip().lower() or None if text else None


def fingerprint(wanted: Wanted, seen: Submission | None = None) -> bytes:
    """SHA-256 of the whole request in canonical form, by which its repetition is known.

    Args:
        wanted: what was asked for.
        seen: the submission of its document, where it had one.

    Raises:
        RequestError: a value cannot be written so.
    """
    values = {name: getattr(wanted, name) for name in Wanted.__slots__ if name != "fields"}
    values["digests"] = dict(wanted.digests)
    try:
        # Each by itself: together they would be nested deeper than what may be committed to.
        fields = {name: canonical.dumps_free(value).hex() for name, value in wanted.fields.items()}
        document = None if seen is None else [seen.digests["sha-256"], seen.media_type]
        whole = canonical.dumps({"request": values, "fields": fields, "document": document})
    except FormatError as error:
        raise RequestError(str(error)) from error
    return sha256(whole).digest()
