"""Settings: what follows from another, and what would contradict it."""

from pathlib import Path

import pytest

from notary.errors import SettingsError
from notary.settings import Settings
from notary.settings.anchors import Chain, Ots, Tsa
from notary.settings.loading import load_settings


def test_defaults_follow_the_data_folder(environment):
    environment.setenv("NOTARY_DATA_DIR", "/srv/notary")
    settings = load_settings()
    assert settings.database_url == "sqlite:////srv/notary/notary.db"
    assert settings.log_key == Path("/srv/notary/keys/log.pem")
    assert settings.wallet_key == Path("/srv/notary/keys/wallet.key")
    assert settings.temp_dir == Path("/srv/notary/spool")
    assert (settings.close_promise_seconds, settings.max_document_bytes) == (60, 100 * 2**20)


def test_settings_are_frozen(environment):
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1


def test_what_waits_may_be_no_less_than_one_document(environment):
    assert load_settings().max_spool_bytes == 4 * 2**30
    load_settings(max_document_bytes=1000, max_spool_bytes=1000)
    with pytest.raises(SettingsError, match="max_spool_bytes: a document of max_document_bytes would never"):
        load_settings(max_document_bytes=1000, max_spool_bytes=999)


def test_a_promise_leaves_room_for_two_closes(environment):
    load_settings(close_interval_seconds=29.9)
    load_settings(close_interval_seconds=0.5, close_promise_seconds=2)
    for interval, promise in ((30, 60), (3600, 60), (1, 2)):
        with pytest.raises(
            SettingsError, match=f"close_promise_seconds: a promise of {promise} seconds is refused"
        ):
            load_settings(close_interval_seconds=interval, close_promise_seconds=promise)


@pytest.mark.parametrize("url", ["https://notary.example", "http://127.0.0.1:8000", "https://[::1]:8/a/b"])
def test_people_reach_the_service_at_an_address(environment, url):
    assert load_settings(public_url=url).public_url == url


@pytest.mark.parametrize(
    "url", ["http://", "https:///x", "ftp://a", "https://a/x?y", "https://a#x", "https://a b", "https://me@a"]
)
def test_what_is_no_address_is_refused(environment, url):
    with pytest.raises(SettingsError, match="public_url: String should match pattern"):
        load_settings(public_url=url)


@pytest.mark.parametrize("kind", [Settings, Chain, Tsa, Ots])
def test_every_setting_says_what_it_is_for(kind):
    for name, field in kind.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
