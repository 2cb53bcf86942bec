"""What a customer reads: the configured sentence, with the code and the minutes it still holds."""

from datetime import datetime
from string import Formatter

from core.delivery import CodeMessage

SUBJECT = "Your sign-in code"
"""The subject of an e-mail. Without the code: subjects show on locked screens and stay in logs of mail servers."""

_MINUTE = 60
_PLACEHOLDERS = frozenset({"code", "minutes"})


class UnusableTemplate(ValueError):
    """The template cannot be filled in. The message says how to write it."""


class CodeText:
    """A sentence with the placeholders ``{code}`` (needed) and ``{minutes}``; braces that mean themselves are doubled.

    Raises:
        UnusableTemplate: there is no ``{code}``, another placeholder, or a brace too many.
    """

    def __init__(self, template: str) -> None:
        try:
            parsed = list(Formatter().parse(template))
        except ValueError as error:
            raise UnusableTemplate("A brace stands alone. Double it where it means itself.") from error
        used = {name for _, name, _, _ in parsed if name is not None}
        if "code" not in used:
            raise UnusableTemplate("The code itself is missing. Put {code} where it belongs.")
        # A format or a conversion has no use here, and one could hide what the customer needs: {code:.0}.
        if used - _PLACEHOLDERS or any(spec or conversion for _, _, spec, conversion in parsed):
            raise UnusableTemplate("There are only two placeholders, written exactly so: {code} and {minutes}.")
        self._template = template

    def of(self, message: CodeMessage, now: datetime) -> str:
        """Return the text of *message*; minutes are those left at *now*, rounded, at least 1."""
        # To the nearest: clocks of two machines differ, and a moment less than five minutes is not four.
        left = round((message.expires_at - now).total_seconds() / _MINUTE)
        return self._template.format(code=message.code, minutes=max(1, left))
