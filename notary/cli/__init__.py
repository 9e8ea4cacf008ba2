"""The command line. `notary verify` needs the base package alone; everything else the extra `server`."""
