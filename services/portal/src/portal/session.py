"""Who is signed in: the dependency every page uses.

user: SignedIn = Depends(signed_in)
"""

from dataclasses import dataclass
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

from portal import cookies
from portal.signed_sessions import LiveSession, SignedSessions


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person at the browser. Pages may show things by role; what is allowed is decided by the services."""

    tenant: str
    person_id: UUID
    name: str
    username: str
    roles: frozenset[str]

    def holds(self, *roles: str) -> bool:
        return bool(self.roles & set(roles))


class SignInNeeded(Exception):
    """Nobody is signed in (or no longer). Browsers are sent to the sign-in page and back."""


async def live_session(request: Request) -> LiveSession:
    """The session of this request with tokens that are good for the next half minute; read once per request.

    Raises: SignInNeeded.
    """
    if (known := getattr(request.state, "session", None)) is not None:
        return cast(LiveSession, known)
    sessions: SignedSessions = request.app.state.sessions
    secret = cookies.SESSION.read(request)
    session = await sessions.open(secret) if secret else None
    if session is None:
        raise SignInNeeded
    request.state.session = session
    return session


async def signed_in(session: Annotated[LiveSession, Depends(live_session)]) -> SignedIn:
    """Dependency: the person signed in. Raises: SignInNeeded."""
    return SignedIn(
        tenant=session.tenant,
        person_id=session.person_id,
        name=session.name,
        username=session.username,
        roles=session.roles,
    )
