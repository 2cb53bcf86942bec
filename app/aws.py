"""From the settings of an AWS service to what its client needs."""

from app.sections import AwsCredentials
from infra.aws import AwsAccess


def aws_access(credentials: AwsCredentials) -> AwsAccess:
    """Return where an AWS service is and who calls it."""
    return AwsAccess(
        region=credentials.region,
        endpoint=credentials.endpoint,
        access_key=None if credentials.access_key is None else credentials.access_key.get_secret_value(),
        secret_key=None if credentials.secret_key is None else credentials.secret_key.get_secret_value(),
    )
