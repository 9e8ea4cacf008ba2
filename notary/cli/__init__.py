"""The command line. `notary verify` needs the base package alone; everything else the extra `server`."""

from notary.cli.main import main

__all__ = ["main"]
