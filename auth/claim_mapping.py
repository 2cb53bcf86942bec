"""Whom the claims of another issuer name here, and what they allow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from auth.principal import SCOPES, Principal, Scope, is_seller_id
from core.ids import IdKind, is_id
from core.vocabulary import PrincipalKind

_MARK = "|"
_LONGEST_TEXT = 255  # of a subject: OpenID Connect Core 1.0, section 2
_OURS = {scope.value: scope for scope in Scope}


class UnfitClaims(ValueError):
    """A token is not fit to be believed. The message is for logs: it names claims, and never holds a value of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMapping:
    """Reads one issuer's claims, once its signature was checked.

    `subject`, `seller` and `scope` name claims; dots lead inwards (``realm_access.roles``), unless a claim has that very name.
    `granted` is the most that anybody gets, `roles` says what their words allow, and `everybody` what needs no word.
    With `own_words`, a word that is a scope of ours means itself.

    **Foreign subjects are marked**: ``ada`` of ``https://login.example.com`` is ``https://login.example.com|ada`` here, in the
    history (``operator:https://login.example.com|ada``) and wherever a caller is counted. Nobody of ours, and nobody of another
    issuer, can have that name: issuers have no bar in theirs. Customers are the exception, whose subject is our own id of them.
    """

    issuer: str
    kind: PrincipalKind
    granted: frozenset[Scope]
    subject: str = "sub"
    seller: str = "seller_id"
    scope: str = "scope"
    seller_id: str | None = None
    all_sellers: bool = False
    roles: Mapping[str, frozenset[Scope]] = field(default_factory=dict)
    everybody: frozenset[Scope] = frozenset()
    own_words: bool = True

    def principal(self, claims: Mapping[str, Any]) -> Principal:
        """Return who calls.

        Raises:
            UnfitClaims: a claim is missing that has to be there, or has another shape.
        """
        return Principal(
            kind=self.kind,
            subject=self._subject(claims),
            scopes=self._scopes(claims),
            seller_id=self._seller(claims),
            session_id=self._session(claims),
        )

    def _subject(self, claims: Mapping[str, Any]) -> str:
        subject = _find(claims, self.subject)
        if not _is_name(subject):
            raise UnfitClaims(f"the claim {self.subject} names nobody")
        if self.kind is not PrincipalKind.CUSTOMER:
            return f"{self.issuer}{_MARK}{subject}"
        if not is_id(IdKind.CUSTOMER, subject):
            raise UnfitClaims(f"the claim {self.subject} names no customer")
        return str(subject)

    def _seller(self, claims: Mapping[str, Any]) -> str | None:
        if self.seller_id is not None:
            return self.seller_id
        seller = _find(claims, self.seller)
        # What is there has to be a seller: an empty text must not become "every seller".
        if seller is None and self.all_sellers and self.kind is PrincipalKind.SERVICE:
            return None
        if not isinstance(seller, str) or not is_seller_id(seller):
            raise UnfitClaims(f"the claim {self.seller} names no seller")
        return seller

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[Scope]:
        words = _words(_find(claims, self.scope))
        if words is None:
            raise UnfitClaims(f"the claim {self.scope} is neither text nor a list of texts")
        allowed = set(self.everybody)
        for word in words:
            allowed |= self.roles.get(word, frozenset())
            if self.own_words and word in _OURS:
                allowed.add(_OURS[word])
        most = self.granted & SCOPES[PrincipalKind.CUSTOMER] if self.kind is PrincipalKind.CUSTOMER else self.granted
        return frozenset(allowed) & most

    def _session(self, claims: Mapping[str, Any]) -> str | None:
        """Return their name of the session, marked as the subject is.

        Unmarked, it could be one of our ids: whoever signs out would then take back a session, or a customer, of ours.
        One that looks like ours is none all the same, so that nobody takes it for one.
        """
        session = claims.get("sid")
        if not _is_name(session) or str(session).startswith(f"{IdKind.SESSION.value}_"):
            return None
        return f"{self.issuer}{_MARK}{session}"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and value.isprintable() and value == value.strip()


def _words(value: object) -> list[str] | None:
    if value is None:
        return []
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    return None


def _find(claims: object, path: str) -> Any:
    """Return the value at *path*; of several ways to read its dots, the one with the longest name first."""
    for name, rest in _splits(path):
        if isinstance(claims, Mapping) and name in claims:
            found = claims[name] if rest is None else _find(claims[name], rest)
            if found is not None:
                return found
    return None


def _splits(path: str) -> Iterator[tuple[str, str | None]]:
    yield path, None
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        yield ".".join(parts[:length]), ".".join(parts[length:])
