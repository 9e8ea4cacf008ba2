"""Third parties that attest to heads of the log: one port, an adapter for each kind."""
