"""ホーム: what is to do today for the roles of the person signed in."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from portal.nav import NavItem
from portal.session import SignedIn, signed_in
from portal.view import view

router = APIRouter()
NAV = [NavItem("ホーム", "/", order=0)]


@router.get("/")
async def home(request: Request, user: SignedIn = Depends(signed_in)) -> HTMLResponse:
    return view(request, "home/home.html", {}, title="ホーム")
