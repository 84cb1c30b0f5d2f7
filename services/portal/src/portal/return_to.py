"""Where to go after signing in: only to pages of the portal itself."""

from urllib.parse import urlsplit

HOME = "/"
_SIGN_IN_PATHS = ("/sign-in", "/callback", "/sign-out", "/backchannel-logout")
_LONGEST = 2000


def own_path(wanted: str | None) -> str:
    """`wanted` if it is a path of this portal, else the home page. Guards against open redirects.

    A browser reads `//host`, `/\\host` and a path with control characters in it as another host's address.
    """
    if not wanted or len(wanted) > _LONGEST:
        return HOME
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return HOME
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in wanted):
        return HOME
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or parts.path.startswith(_SIGN_IN_PATHS) or "//" in parts.path:
        return HOME
    return wanted
