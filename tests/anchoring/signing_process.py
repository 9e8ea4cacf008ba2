"""A key in a process of its own, which signs as hardware does: differently each time, with s in either half."""

import os
import sys
import time

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
TOO_MUCH = "00" * 80


def main(secret, form):
    digest = bytes.fromhex(sys.stdin.readline())
    key = ec.derive_private_key(int(secret, 16), ec.SECP256K1())
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    low, high = min(s, ORDER - s), max(s, ORDER - s)
    outputs = {
        "der": encode_dss_signature(r, high).hex() + "\n",
        "rs": (r.to_bytes(32) + high.to_bytes(32)).hex() + "\n",
        "low": (r.to_bytes(32) + low.to_bytes(32)).hex(),
        "zero": bytes(64).hex(),
        "long": TOO_MUCH,
        "text": "signature: none",
        "cut": encode_dss_signature(r, s).hex()[:-2],
    }
    if form == "slow":
        time.sleep(60)
    if form == "endless":
        while True:
            sys.stdout.write("0" * 4096)
    if form == "lingering":  # it has signed, and does not end
        sys.stdout.write(outputs["rs"])
        sys.stdout.flush()
        os.close(1)
        time.sleep(60)
    sys.stdout.write(outputs.get(form, ""))
    sys.exit(3 if form == "status" else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
