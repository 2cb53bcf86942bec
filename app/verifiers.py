"""Whose access tokens are accepted."""

from auth.tokens import Credential, TokenVerifier


class Verifiers:
    """Checks tokens of ours."""

    def __init__(self, own: TokenVerifier) -> None:
        self._own = own

    async def verify(self, token: str) -> Credential:
        """Return what *token* says.

        Raises:
            Unauthenticated: with one message for every defect.
        """
        return self._own.verify(token)
