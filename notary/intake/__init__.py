"""Accepting submissions, and looking into them afterwards."""
