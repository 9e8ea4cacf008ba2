"""What a signer allows to be done to the file afterwards (ISO 32000-2 §12.8.2.2, §12.8.2.4)."""

from itertools import islice
from typing import Any

from pyhanko.sign.fields import FieldMDPAction
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from notary.intake.inspection.report import MAX_LOCKED, printable

_ACTIONS = {FieldMDPAction.ALL: "all", FieldMDPAction.INCLUDE: "include", FieldMDPAction.EXCLUDE: "exclude"}


def doc_mdp(signature: EmbeddedPdfSignature) -> int | None:
    """1: no change, 2: filling in and signing, 3: annotations, too; None: the signer says nothing."""
    level = signature.docmdp_level
    return None if level is None else int(level.value)


def field_mdp(signature: EmbeddedPdfSignature) -> dict[str, Any] | None:
    """Which fields are locked: all, those that are named, or all but those."""
    locked = signature.fieldmdp
    if locked is None:
        return None
    # Its arrays take no slice.
    names = [printable(name) for name in islice(locked.fields or (), MAX_LOCKED)]
    return {"action": _ACTIONS[locked.action], "fields": names}
