"""What the sandbox runs: everything it may need is imported here, because behind the walls no file opens."""

import logging
from base64 import b64decode
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, BinaryIO

from notary.intake.inspection import ades, pdf

# What pyHanko, asn1crypto and cryptography import only when a document first needs it.
_WHEN_NEEDED = (
    *(f"encodings.{name}" for name in ("ascii", "cp1252", "hex_codec", "idna", "latin_1", "punycode")),
    *(f"encodings.{name}" for name in ("utf_16", "utf_16_be", "utf_16_le", "utf_32_be", "utf_8_sig")),
    "cryptography.hazmat.backends.openssl.backend",
    "cryptography.hazmat.decrepit.ciphers.algorithms",
    "lxml.etree",
    "lxml._elementpath",
    "pyhanko.pdf_utils.crypt._saslprep",
    "pyhanko.pdf_utils.crypt.pdfmac",
    "pyhanko.pdf_utils.filters",
    "pyhanko.pdf_utils.metadata.xmp_xml",
    "stringprep",
    "unicodedata",
)
for _name in _WHEN_NEEDED:
    import_module(_name)

ades.serializer()  # it imports what it writes with when it is first asked

logging.disable(logging.CRITICAL)  # what a hostile file makes a library say is of no use to anybody


def answer(document: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    """The report on `document`; `request` holds `roots` (base64 of DER) and `at` (seconds since 1970).

    Beside it the validation reports, by the number of the signature in decimal.
    """
    roots = [b64decode(root) for root in request["roots"]]
    found = pdf.inspect_pdf(document, roots, datetime.fromtimestamp(request["at"], UTC))
    return {"report": found.report, "validations": [[*each] for each in found.validations.items()]}
