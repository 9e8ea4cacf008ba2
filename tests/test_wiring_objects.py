"""Settings choose where objects are kept, and wrong ones are refused before anything is written."""

import stat

import pytest

from notary.errors import SettingsError, Unavailable
from notary.settings.loading import load_settings
from notary.store.files import FileObjects
from notary.store.s3 import S3Objects
from notary.wiring import open_stores
from notary.wiring.objects import LOG, REPORTS, open_objects
from tests.buckets import bucket, proxy, s3_server
from tests.s3 import HOST

__all__ = ["bucket", "proxy", "s3_server"]


@pytest.fixture
def secrets(tmp_path):
    for name in ("access", "secret"):
        (tmp_path / name).write_text(f"{name}-of-ours\n")
        (tmp_path / name).chmod(0o600)
    return {"s3_access_key_file": tmp_path / "access", "s3_secret_key_file": tmp_path / "secret"}


def settings(tmp_path, **values):
    return load_settings(origin="log.example.org", data_dir=tmp_path / "data", **values)


def test_without_a_bucket_they_are_files(tmp_path):
    chosen = settings(tmp_path)
    log, reports = open_objects(chosen, LOG), open_objects(chosen, REPORTS)
    assert (log, reports) == (FileObjects(tmp_path / "data/log"), FileObjects(tmp_path / "data/reports"))
    assert stat.S_IMODE((tmp_path / "data/reports").stat().st_mode) == 0o700
    database, objects = open_stores(chosen)
    database.dispose()
    assert objects == log


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("", ("log/tile/0/000", "reports/tile/0/000")),
        ("/a/b", ("a/b/log/tile/0/000", "a/b/reports/tile/0/000")),
    ],
)
def test_log_and_reports_are_apart_in_a_bucket(tmp_path, secrets, proxy, bucket, path, keys):
    endpoint = f"http://{HOST}:{proxy.port}"
    url = f"s3://{bucket}{path}"
    chosen = settings(
        tmp_path, objects_url=url, s3_endpoint=endpoint, s3_region="cn-north-1", embedded=True, **secrets
    )
    for kind in (LOG, REPORTS):
        objects = open_objects(chosen, kind)
        assert isinstance(objects, S3Objects)
        objects.create("tile/0/000", kind.encode())
        assert objects.read("tile/0/000") == kind.encode()
    made = {request.path: request for request in proxy.requests if request.path.endswith("000")}
    assert set(made) == {f"/{bucket}/{key}" for key in keys}
    for request in made.values():
        assert "Credential=access-of-ours/" in request.headers["authorization"]
        assert "/cn-north-1/s3/" in request.headers["authorization"]
    assert not (tmp_path / "data").exists()
    assert "secret-of-ours" not in str([request.headers for request in proxy.requests])


def test_http_is_for_local_set_ups_alone(tmp_path, secrets):
    values = {"objects_url": "s3://bucket", "s3_endpoint": "http://127.0.0.1:1", **secrets}
    with pytest.raises(SettingsError, match="is not https"):
        open_objects(settings(tmp_path, **values), LOG)
    for allowed in ("embedded", "allow_private_addresses"):
        objects = open_objects(settings(tmp_path, **values, **{allowed: True}), LOG)
        with pytest.raises(Unavailable, match="the object store: "):
            objects.read("checkpoint")
    open_objects(settings(tmp_path, **values | {"s3_endpoint": "https://127.0.0.1:1"}), LOG)
    open_objects(settings(tmp_path, **values | {"s3_endpoint": None}), LOG)


@pytest.mark.parametrize("name", ["s3_access_key_file", "s3_secret_key_file"])
def test_both_keys_are_needed_and_read_only_by_us(tmp_path, secrets, name):
    with pytest.raises(SettingsError, match="NOTARY_OBJECTS_URL needs NOTARY_S3_ACCESS_KEY_FILE and"):
        open_objects(settings(tmp_path, objects_url="s3://bucket", **secrets | {name: None}), LOG)
    secrets[name].chmod(0o640)
    with pytest.raises(SettingsError, match="others may read"):
        open_objects(settings(tmp_path, objects_url="s3://bucket", **secrets), LOG)


@pytest.mark.parametrize("text", ["", "\n", "two words\n", "\x00\n", "schlüssel\n"])
def test_a_file_without_a_secret_is_refused_and_not_shown(tmp_path, secrets, text):
    secrets["s3_secret_key_file"].write_text(text)
    with pytest.raises(SettingsError, match=r"the first line of .* is no secret") as caught:
        open_objects(settings(tmp_path, objects_url="s3://bucket", **secrets), LOG)
    assert "words" not in str(caught.value)


def test_settings_of_s3_without_a_bucket_are_a_mistake(tmp_path, secrets):
    for values in (secrets, {"s3_endpoint": "https://s3.example.org"}):
        with pytest.raises(SettingsError, match="settings of S3 are given, and no NOTARY_OBJECTS_URL"):
            open_objects(settings(tmp_path, **values), LOG)


@pytest.mark.parametrize(
    "values",
    [
        {"objects_url": "s3://"},
        {"objects_url": "s3://bucket/"},
        {"objects_url": "s3://bucket//x"},
        {"objects_url": "s3://bucket/../x"},
        {"objects_url": "s3://Bucket"},
        {"objects_url": "s3://key:secret@bucket"},
        {"objects_url": "file:///tmp"},
        {"s3_endpoint": "https://key:secret@host"},
        {"s3_endpoint": "https://host/path"},
        {"s3_endpoint": "ftp://host"},
        {"s3_region": "us east"},
    ],
)
def test_other_addresses_are_refused(tmp_path, values):
    with pytest.raises(SettingsError, match="String should match pattern") as caught:
        settings(tmp_path, **values)
    assert "secret" not in str(caught.value)
