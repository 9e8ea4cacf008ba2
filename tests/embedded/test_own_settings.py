"""The embedded service keeps to its folder, whatever variables of another service say."""

import pytest

from notary.embedded.children import Children
from notary.embedded.own_settings import settings_of, values_of
from notary.settings.loading import named

FOUND = Children("http://127.0.0.1:1", "http://127.0.0.1:2")
OTHERS = {
    "DATABASE_URL": "sqlite:////var/lib/production/notary.db",
    "OBJECTS_URL": "s3://production/log",
    "S3_ENDPOINT": "https://s3.example",
    "LOG_KEY": "/var/lib/production/log.pem",
    "RECEIPT_KEY": "/var/lib/production/receipt.pem",
    "HEAD_KEY": "/var/lib/production/head.key",
    "WALLET_KEY": "/var/lib/production/wallet.key",
    "TEMP_DIR": "/var/lib/production/spool",
    "STAMP_INTERVAL_SECONDS": "60",
}


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    for name, value in OTHERS.items():
        monkeypatch.setenv(f"NOTARY_{name}", value)
    (tmp_path / "more.toml").write_text(
        "stamps_needed = 2\n[[ots]]\nname = 'ots'\ncalendars = ['https://c.example']\n"
        "headers_url = 'https://h.example'\n"
    )
    monkeypatch.setenv("NOTARY_CONFIG", str(tmp_path / "more.toml"))
    monkeypatch.setenv("NOTARY_MAX_PENDING", "17")


def test_no_database_bucket_or_key_of_another_service_is_touched(elsewhere, tmp_path):
    settings = settings_of(tmp_path, FOUND, None, "127.0.0.1", 8000)
    assert settings.database_url == f"sqlite:///{tmp_path / 'notary.db'}"
    assert (settings.objects_url, settings.s3_endpoint, settings.ots) == (None, None, ())
    paths = (
        settings.log_key,
        settings.receipt_key,
        settings.head_key,
        settings.wallet_key,
        settings.temp_dir,
    )
    assert all(path.is_relative_to(tmp_path) for path in paths)
    assert settings.max_pending == 17  # what says nothing of where it is counts


def test_what_was_named_and_does_not_count_is_known(elsewhere, tmp_path):
    ignored = named() & values_of(tmp_path, FOUND, None, "127.0.0.1", 8000).keys()
    assert ignored == {name.lower() for name in OTHERS} | {"ots", "stamps_needed"}
