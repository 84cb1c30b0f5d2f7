"""The portal's cookies. Their names carry the stack: browsers keep one jar for all ports of a host.

Whoever has two stacks on one machine stays signed in to both side by side.
"""

from dataclasses import dataclass

from fastapi import Request, Response


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of this portal: for the server only, never sent along by another site's forms.

    Browsers accept the prefix `__Host-` on https and on loopback, nowhere else.
    """

    purpose: str

    def name(self, stack: str) -> str:
        return f"__Host-komu-{stack}-{self.purpose}"

    def read(self, request: Request) -> str | None:
        """Its value as the browser brought it, or None."""
        return request.cookies.get(self._name_at(request))

    def give(self, request: Request, response: Response, value: str, *, max_age: int | None = None) -> None:
        """Sets it; `max_age` in seconds, None = until the browser is closed."""
        response.set_cookie(
            self._name_at(request), value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax"
        )

    def take_back(self, request: Request, response: Response) -> None:
        """Removes it from the browser."""
        response.delete_cookie(self._name_at(request), path="/", secure=True, httponly=True, samesite="lax")

    def _name_at(self, request: Request) -> str:
        return self.name(request.app.state.settings.stack)


SESSION = Cookie("session")
SIGN_IN = Cookie("sign-in")
"""Ties a sign-in under way to the browser that began it: nobody is signed in as somebody else by a link."""
NOTICE = Cookie("notice")
"""What was done, said once on the next page; encrypted."""
