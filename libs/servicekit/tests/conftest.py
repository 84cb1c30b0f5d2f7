import pytest

from libs.servicekit.tests import sample


@pytest.fixture(scope="session")
def service():
    return "roster"


@pytest.fixture(scope="session")
def service_db(postgres):
    made = {}

    def of(service, *, directory=None):
        if service not in made:
            made[service] = postgres.create_service(service, directory=directory or sample.MIGRATIONS)
        return made[service]

    return of


@pytest.fixture(scope="session")
async def running(grpc_service):
    return await grpc_service(sample.build, calls=sample.CALLS)
