"""Scripts and styles as built by `npm run build`: names with a content hash, so browsers may keep them for ever."""

import json
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class Assets:
    """Maps `shell.js` to `/static/build/shell.4f2a91.js`."""

    def __init__(self, folder: Path) -> None:
        manifest = folder / "build" / "manifest.json"
        if not manifest.is_file():
            raise FileNotFoundError(
                f"{manifest} is missing: run `npm ci && npm run build` in services/portal/web first"
            )
        self._names: dict[str, str] = json.loads(manifest.read_text())

    def url(self, name: str) -> str:
        """Raises: KeyError for a file that was not built."""
        return f"/static/build/{self._names[name]}"


class KeptFiles(StaticFiles):
    """Static files; what carries a content hash is kept by browsers for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = path.startswith("build/") and not path.endswith(".json")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "public, max-age=3600"
        return response
