"""Scopes of OneRoster 1.2 (security framework: OAuth 2 client credentials), and what boards read for them."""

from collections.abc import Iterable

PREFIX = "https://purl.imsglobal.org/spec/or/v1p2/scope/"

SCOPES: dict[str, str] = {
    "roster-core.readonly": "名簿を読む（学校・学級・児童生徒・教職員・所属）",
    "roster.readonly": "名簿を読む（学校や学級ごとの一覧も）",
    "roster-demographics.readonly": "属性の一覧を読む（生年月日・性別は渡りません）",
    "gradebook-core.readonly": "連携先が書いた学習の記録を読む",
    "gradebook.readonly": "連携先が書いた学習の記録を読む（学級ごとの一覧も）",
    "gradebook.createput": "学習の記録を書く（更新）",
    "gradebook.createpost": "学習の記録を書く（学級や課題への追加）",
    "gradebook.delete": "学習の記録を消す",
    "assessment.readonly": "テスト結果を読む",
    "assessment.createput": "テスト結果を書く",
    "assessment.delete": "テスト結果を消す",
    "resource-core.readonly": "教材の一覧を読む",
    "resource.readonly": "教材の一覧を読む（学級や利用者ごとも）",
}


def short(scopes: Iterable[str]) -> frozenset[str]:
    """The known ones among `scopes`, without the prefix."""
    return frozenset(name for scope in scopes if (name := scope.removeprefix(PREFIX)) in SCOPES)


def asked(text: str) -> frozenset[str] | None:
    """The known scopes of a token request; None where nothing is asked (then all that are granted)."""
    return short(text.split()) if text.strip() else None


def full(names: Iterable[str]) -> str:
    """Space-separated, as a token answer tells them."""
    return " ".join(PREFIX + name for name in sorted(names))
