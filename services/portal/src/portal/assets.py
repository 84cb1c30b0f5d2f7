"""Scripts and styles as built by `npm run build`: names with a content hash, so browsers may keep them for ever."""

import json
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class Assets:
    """Maps `shell.js` to `/static/build/shell.4f2a91.js`. A new build counts from the next page on."""

    def __init__(self, folder: Path) -> None:
        self._manifest = folder / "build" / "manifest.json"
        if not self._manifest.is_file():
            raise FileNotFoundError(
                f"{self._manifest} is missing: run `npm ci && npm run build` in services/portal/web first"
            )
        self._built_at = 0
        self._names: dict[str, str] = {}

    def url(self, name: str) -> str:
        """Raises: KeyError for a file that was not built."""
        built_at = self._manifest.stat().st_mtime_ns
        if built_at != self._built_at:
            self._names = json.loads(self._manifest.read_text())
            self._built_at = built_at
        return f"/static/build/{self._names[name]}"


class KeptFiles(StaticFiles):
    """Static files; what carries a content hash is kept by browsers for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = path.startswith("build/") and not path.endswith(".json")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "public, max-age=3600"
        return response
