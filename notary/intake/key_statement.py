"""What the log says of its own keys, and of the trust statement that follows from them."""

from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notary.errors import Conflict, FormatError, RequestError
from notary.evidence.bodies import Document, KeyChange
from notary.evidence.digests import Digester
from notary.evidence.fields import show_moment
from notary.evidence.key_signature import sign_key_change, signer_of
from notary.evidence.note import Verifier
from notary.intake.accept import Intake
from notary.intake.group import Item
from notary.intake.prepare import build_record
from notary.store.engine import Connection
from notary.store.key_changes import DETAIL, KEY, SIGNATURE, UNTIL, add_key_change, known_history
from notary.store.records import record_by_number
from notary.store.trust_statements import add_trust_statement

MEDIA_TYPE = "text/plain"


def log_key_change(
    intake: Intake,
    change: KeyChange,
    find_key: Callable[[Verifier], Ed25519PrivateKey],
    until: datetime | None = None,
) -> None:
    """Log a statement on a key; when this returns it is durable, and waits to be closed.

    Args:
        intake: where records are made.
        change: what is said.
        find_key: gives the private key of a log key; the one in force signs the statement.
        until: from when on others had a compromised key, where that was before now.

    Raises:
        RequestError: it does not follow from what the log says of its keys.
        SettingsError: the log key in force is not at hand.
        Conflict: another process has said something of them at this moment; run it again.
        NotReady, Unavailable: as `Intake.commit`; in the second case it may be durable.
    """
    with intake.database.reading() as connection:
        history = known_history(connection)
    try:
        history.check(change, until)
    except FormatError as error:
        raise RequestError(str(error)) from error
    number = len(history.events) + 1
    at, now = intake.conditions(), intake.now()
    signature = sign_key_change(history, change, now, until, find_key(signer_of(history)))
    detail = {SIGNATURE: signature.hex()} | ({} if until is None else {UNTIL: show_moment(until)})
    record = build_record(
        KEY, change, {DETAIL: detail}, None, None, "public", at.block, intake.origin, now, intake.random
    )

    def extra(connection: Connection) -> None:
        if not add_key_change(connection, number, record_by_number(connection, record.number).seq):
            raise Conflict("another process changes the keys of this log at this moment: run it again")

    # Durable: the statement, and its place among those on keys; or after a crash before the commit nothing.
    intake.commit(Item([record], block=at.block), at, extra)


def log_trust_statement(intake: Intake, version: int, note: bytes) -> None:
    """Keep a signed version of the trust statement and log its digests, both at once.

    Raises:
        Conflict: another process has made this version at this moment; run it again.
        NotReady, Unavailable: as `log_key_change`.
    """
    digester = Digester(("sha-256", "sm3"))
    digester.update(note)
    body = Document(True, digester.hex(), {}, len(note), MEDIA_TYPE)
    at = intake.conditions()
    record = build_record(
        "document", body, {}, None, None, "public", at.block, intake.origin, intake.now(), intake.random
    )

    def extra(connection: Connection) -> None:
        seq = record_by_number(connection, record.number).seq
        if not add_trust_statement(connection, version, note, seq):
            raise Conflict("another process publishes a trust statement at this moment: run it again")

    # Durable: the version as it was signed, and the statement with its digest. Nobody has seen it before.
    intake.commit(Item([record], block=at.block), at, extra)
