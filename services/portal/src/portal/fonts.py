"""Fonts for machines that have none for Japanese. Browsers fetch them only where their own fonts lack a character."""

from pathlib import Path

import pylopdf_fonts_jp
from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

router = APIRouter(prefix="/fonts")
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_SANS = Path(pylopdf_fonts_jp.__file__).parent / "NotoSansJP-Regular.otf"
_OFFICIAL = Path("/usr/share/fonts/truetype/ipamj/ipamjm.ttf")


@router.get("/noto-sans-jp.otf")
async def sans() -> Response:
    """Noto Sans JP (SIL Open Font License)."""
    return FileResponse(_SANS, media_type="font/otf", headers=_KEPT)


@router.get("/ipamj-mincho.ttf")
def official() -> Response:
    """IPAmj明朝 for official names, where the machine has it (Debian: fonts-ipamj-mincho)."""
    if not _OFFICIAL.is_file():
        return Response(status_code=404)
    return FileResponse(_OFFICIAL, media_type="font/ttf", headers=_KEPT)
