"""What each daemon needs to come up, for tests that go through all of them."""

from lib.daemon import ROOT

SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/main.c"))
NOBODY = "127.255.255.254"  # nothing listens there
AMI = {"AMI_HOST": NOBODY, "AMI_USERNAME": "user", "AMI_SECRET": "test-secret"}


def settings(service, request):
    """Beside Redis and the JWT secret. request: pytest's; its fixtures are made when needed."""
    if service == "ami-gateway":
        return AMI
    if service in ("auth-svc", "pbx-config-svc", "transfer-svc"):
        return request.getfixturevalue("database").settings
    if service == "crm-data-svc":
        return request.getfixturevalue("mongo").settings
    if service == "call-lifecycle":
        return {"LIFECYCLE_COMMAND_TIMEOUT_MS": 200}  # no gateway will answer
    return {}
