"""Settings are read in an environment of their own."""

import os

import pytest


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("NOTARY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NOTARY_ORIGIN", "log.example.org")
    return monkeypatch
