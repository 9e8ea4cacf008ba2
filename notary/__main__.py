"""`python -m notary`."""

from notary.cli import main

main()
