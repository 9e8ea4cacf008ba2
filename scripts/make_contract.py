"""Write a signed example contract: python scripts/make_contract.py OUT.pdf FOLDER_FOR_KEYS [TSA_URL].

The root certificate to trust is FOLDER_FOR_KEYS/root.der.
"""

import sys
from pathlib import Path

from notary.embedded.contract import make_contract

USAGE = 2

if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        print(__doc__)
        sys.exit(USAGE)
    make_contract(Path(sys.argv[1]), Path(sys.argv[2]), tsa_url=sys.argv[3] if sys.argv[3:] else None)
    print(f"{sys.argv[1]}: signed by two parties; their root is {Path(sys.argv[2]) / 'root.der'}")
