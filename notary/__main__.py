"""`python -m notary`."""

from notary.cli.main import main

if __name__ == "__main__":  # a process that is started for a check imports this, too
    main()
