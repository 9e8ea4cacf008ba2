"""`python -m notary`."""

from notary.cli.main import main

main()
