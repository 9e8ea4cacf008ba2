"""The service for this folder, new for each test."""

import pytest

from tests.api.service import Service


@pytest.fixture
def make_service(tmp_path):
    """Makes services with settings of their own."""
    made = []

    def make(**changes) -> Service:
        service = Service(tmp_path / f"service-{len(made)}", changes)
        made.append(service)
        return service

    yield make
    for service in made:
        service.end()


@pytest.fixture
def service(make_service) -> Service:
    return make_service()


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory):
    """One service for the tests of a module that leave it as it is: of refusals, or of a log that stands still."""
    service = Service(tmp_path_factory.mktemp("shared"), {})
    yield service
    service.end()
