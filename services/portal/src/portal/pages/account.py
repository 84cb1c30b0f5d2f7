"""アカウント: who I am here, where I am signed in, and signing out everywhere."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from portal.role_words import role_names
from portal.session import SignedIn, live_session, signed_in
from portal.signed_sessions import LiveSession, SignedSessions
from portal.store import sessions
from portal.view import redirect, view

router = APIRouter(prefix="/account")


@router.get("")
async def account(
    request: Request,
    user: Annotated[SignedIn, Depends(signed_in)],
    session: Annotated[LiveSession, Depends(live_session)],
) -> Response:
    manager: SignedSessions = request.app.state.sessions
    async with manager.engine.connect() as connection:
        rows = await sessions.of_subject(connection, session.subject, manager.now(), manager.idle)
    return view(
        request,
        "account/account.html",
        {
            "roles": role_names(user.roles),
            "sessions": rows,
            "own": session.secret_hash,
            "session": session,
            "idle_minutes": int(manager.idle.total_seconds() // 60),
        },
        title="アカウント",
    )


@router.post("/sign-out-others")
async def sign_out_others(request: Request, session: Annotated[LiveSession, Depends(live_session)]) -> Response:
    """Ends every other session of this person: for a machine left behind somewhere."""
    manager: SignedSessions = request.app.state.sessions
    async with manager.engine.begin() as connection:
        ended = await sessions.remove_others_of_subject(connection, session.subject, session.secret_hash)
    return redirect(request, "/account", notice=f"ほかの{ended}か所からサインアウトしました。")
