"""Where objects are kept: files in the data folder, or a bucket."""

from typing import Final

from notary import keys
from notary.errors import SettingsError
from notary.settings import Settings
from notary.store.files import FileObjects
from notary.store.objects import Objects

LOG: Final = "log"
REPORTS: Final = "reports"


def open_objects(settings: Settings, kind: str) -> Objects:
    """The objects of one kind, apart from those of the other; nothing is read or sent yet.

    Raises:
        SettingsError: the settings of S3 are there without a bucket or the other way round, or a key cannot be read.
    """
    access, secret = settings.s3_access_key_file, settings.s3_secret_key_file
    if settings.objects_url is None:
        if access or secret or settings.s3_endpoint:
            raise SettingsError("settings of S3 are given, and no NOTARY_OBJECTS_URL")
        folder = settings.data_dir / kind
        if kind == REPORTS:
            # Unlike the log, reports are for those alone who asked for them.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileObjects(folder)
    if access is None or secret is None:
        raise SettingsError(
            "NOTARY_OBJECTS_URL needs NOTARY_S3_ACCESS_KEY_FILE and NOTARY_S3_SECRET_KEY_FILE"
        )
    from notary.store.s3 import open_s3  # noqa: PLC0415 - only here: most services keep files

    bucket, _, prefix = settings.objects_url.removeprefix("s3://").partition("/")
    return open_s3(
        bucket,
        f"{prefix}/{kind}" if prefix else kind,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=keys.load_secret(access),
        secret_key=keys.load_secret(secret),
        allow_http=settings.embedded or settings.allow_private_addresses,
    )
