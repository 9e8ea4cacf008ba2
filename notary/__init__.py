"""notary: evidence that verifies without us."""
