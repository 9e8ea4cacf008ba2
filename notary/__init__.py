"""notary: evidence that verifies without us."""

__version__ = "0.1.0"
