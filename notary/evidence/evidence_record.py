"""Evidence Records around time-stamp tokens, and their ASiC manifests (RFC 4998; ETSI EN 319 162-1 Annex A.4).

They say what the tokens say, in the form that archives keep and renew. Nothing in a package rests on them.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from asn1crypto import algos, tsp

from notary.evidence.package_names import META
from notary.evidence.timestamp_cms import open_response
from notary.evidence.timestamp_der import dump, load, retag

MAX_RECORDS = 64
_SEQUENCE, _VERSION = 0x30, b"\x02\x01\x01"
# Digests that an XML manifest has a name for (W3C XML Encryption 1.1 §5.7, RFC 6931 §2.1); SM3 has none.
URIS = {
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
    "sha3_256": "http://www.w3.org/2007/05/xmldsig-more#sha3-256",
    "sha3_384": "http://www.w3.org/2007/05/xmldsig-more#sha3-384",
    "sha3_512": "http://www.w3.org/2007/05/xmldsig-more#sha3-512",
}
_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\
<asic:SigReference URI="{record}"/><asic:DataObjectReference URI="{name}" MimeType="text/plain">\
<ds:DigestMethod Algorithm="{algorithm}"/><ds:DigestValue>{digest}</ds:DigestValue>\
</asic:DataObjectReference></asic:ASiCManifest>
"""


def evidence_records(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The records and manifests of a package's tokens, by name, in the order of the tokens' names.

    A token that cannot be read, is over something else than its checkpoint, or whose digest has no name in XML has
    no record.
    """
    found: dict[str, bytes] = {}
    count = 0
    for name in sorted(files, key=str.encode):
        head, mark, _ = name.partition("/tokens/")
        data = files.get(f"{head}/checkpoint")
        if not mark or data is None or count == MAX_RECORDS:
            continue
        made = _record(files[name], data)
        if made is None:
            continue
        count += 1
        record, algorithm, digest = made
        place = f"{META}evidencerecord{count:03}.ers"
        found[place] = record
        found[f"{META}ASiCEvidenceRecordManifest{count:03}.xml"] = _MANIFEST.format(
            record=place,
            name=f"{head}/checkpoint",
            algorithm=URIS[algorithm],
            digest=base64.b64encode(digest).decode(),
        ).encode()
    return found


def _record(response: bytes, data: bytes) -> tuple[bytes, str, bytes] | None:
    """The record (RFC 4998 §3.1, §4.1), its digest algorithm and the digest of the data object.

    It has no cryptoInfos and no reduced hash tree: it is of one data object, whose digest is the imprint.
    """
    try:
        info: Any = load(tsp.TSTInfo, open_response(response).content)
    except Exception:  # noqa: BLE001 - what is no token has no record, whatever its parser says
        return None
    imprint = info["message_imprint"]
    algorithm = imprint["hash_algorithm"]["algorithm"].native
    if algorithm not in URIS:
        return None
    digest = hashlib.new(algorithm, data).digest()
    if imprint["hashed_message"].native != digest:
        return None
    token = dump(load(tsp.TimeStampResp, response)["time_stamp_token"])
    kind: Any = algos.DigestAlgorithm  # asn1crypto has no types
    algorithms = retag(_SEQUENCE, kind({"algorithm": algorithm}).dump())
    # Put together from bytes, so that the token stands there as it came.
    chains = retag(_SEQUENCE, retag(_SEQUENCE, retag(_SEQUENCE, token)))
    return retag(_SEQUENCE, _VERSION + algorithms + chains), algorithm, digest
