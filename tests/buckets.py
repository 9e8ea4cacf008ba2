"""Fixtures: an S3 server, a bucket of one's own, a proxy before it; import them in a conftest."""

from collections.abc import Iterator

import pytest

from notary.store.s3 import S3Objects
from tests.s3 import Proxy, make_bucket, opened, running_s3


@pytest.fixture(scope="session")
def s3_server() -> Iterator[int]:
    with running_s3() as port:
        yield port


@pytest.fixture
def bucket(s3_server) -> str:
    return make_bucket(s3_server)


@pytest.fixture
def proxy(s3_server) -> Iterator[Proxy]:
    with Proxy(s3_server).running() as running:
        yield running


@pytest.fixture
def s3(proxy, bucket) -> S3Objects:
    """Objects in a bucket, behind the proxy."""
    return opened(proxy.port, bucket)
