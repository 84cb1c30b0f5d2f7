"""Which fonts print what.

Noto Serif JP and Noto Sans JP come with the installation. Official names (戸籍) need IPAmj明朝, whose MJ variants are
chosen by variation selectors; Debian packages it (fonts-ipamj-mincho). Where it is missing, the page says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pylopdf_fonts_jp
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from jpschool.characters import clusters, is_variation_selector

OFFICIAL_NAME_FONT = "IPAmjMincho"
BODY_FONT = "Noto Serif JP"
IPAMJ_PLACES = (Path("/usr/share/fonts/truetype/ipamj/ipamjm.ttf"), Path("/usr/share/fonts/opentype/ipamj/ipamjm.ttf"))

_IGNORED = frozenset("\n\r\t\u200b\ufeff")


@dataclass(frozen=True)
class Coverage:
    """The characters and variation sequences one font file can draw."""

    path: Path

    @cached_property
    def _maps(self) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
        with TTFont(self.path, lazy=True) as font:
            characters = frozenset(font.getBestCmap())
            sequences = frozenset(
                (base, selector)
                for table in font["cmap"].tables
                if table.format == 14
                for selector, pairs in table.uvsDict.items()
                for base, _ in pairs
            )
        return characters, sequences

    def draws(self, cluster: str) -> bool:
        """Whether the cluster (a character with its selector, if any) has a glyph of its own here."""
        characters, sequences = self._maps
        bases = [c for c in cluster if not is_variation_selector(c)]
        selectors = [c for c in cluster if is_variation_selector(c)]
        if not all(ord(base) in characters for base in bases):
            return False
        return not selectors or (ord(bases[0]), ord(selectors[0])) in sequences


@dataclass(frozen=True)
class FontSet:
    """The fonts of this machine: where they lie, in which order names look for a glyph."""

    official: Path | None

    @classmethod
    def found(cls, official: Path | None = None) -> "FontSet":
        """The given IPAmj明朝, else the first one in the usual places, else none."""
        places = (official,) if official is not None else IPAMJ_PLACES
        return cls(next((path for path in places if path.is_file()), None))

    @property
    def folders(self) -> list[str]:
        """What Typst searches, and nothing else: the same fonts on every machine."""
        bundled = str(Path(pylopdf_fonts_jp.__file__).parent)
        return [bundled] if self.official is None else [str(self.official.parent), bundled]

    @property
    def name_families(self) -> list[str]:
        """Fonts of official names, best first."""
        return [BODY_FONT] if self.official is None else [OFFICIAL_NAME_FONT, BODY_FONT]

    @cached_property
    def _bundled(self) -> Coverage:
        return Coverage(Path(pylopdf_fonts_jp.__file__).parent / "NotoSerifJP-Regular.otf")

    @cached_property
    def _official(self) -> Coverage | None:
        return None if self.official is None else Coverage(self.official)

    def variants_by_font(self, texts: Iterable[str]) -> dict[str, list[str]]:
        """Font family → the variation sequences in the texts that this font alone has, or has first.

        Adobe-Japan1 sequences (辻 U+E0100) are in Noto, Moji_Joho ones (辻 U+E0102) in IPAmj明朝: one order of fonts
        would print the common form of the other collection without a word.
        """
        found: dict[str, dict[str, None]] = {}
        for cluster in {c: None for text in texts if not text.isascii() for c in clusters(text)}:
            if not any(is_variation_selector(c) for c in cluster):
                continue
            if self._official is not None and self._official.draws(cluster):
                found.setdefault(OFFICIAL_NAME_FONT, {})[cluster] = None
            elif self._bundled.draws(cluster):
                found.setdefault(BODY_FONT, {})[cluster] = None
        return {family: list(of_font) for family, of_font in found.items()}

    def unprintable(self, texts: Iterable[str]) -> list[str]:
        """Characters no font here can draw, each once, in order."""
        return self._missing(texts, variants=False)

    def variants_lost(self, names: Iterable[str]) -> list[str]:
        """Characters of names that would print as their common form, because no font here has the variant."""
        return self._missing(names, variants=True)

    def _missing(self, texts: Iterable[str], *, variants: bool) -> list[str]:
        fonts = [font for font in (self._official, self._bundled) if font is not None]
        found: dict[str, None] = {}
        for cluster in {c: None for text in texts if not text.isascii() for c in clusters(text)}:
            if cluster in _IGNORED or any(is_variation_selector(c) for c in cluster) != variants:
                continue
            if not any(font.draws(cluster) for font in fonts):
                found[cluster] = None
        return list(found)
