"""Statements of invented pupils as a drill tool sends them (assessment profile, 900 bytes). Same seed, same bytes."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

HOME = "https://portal.school.example"
VERBS = ("answered", "attempted", "completed", "viewed")
UNITS = ("分数のかけ算", "分数のわり算", "文字と式", "円の面積", "比とその利用", "速さ", "比例と反比例", "資料の調べ方")
EXTENSIONS = "https://w3id.org/japan-xapi/extensions/"


def verb(number: int) -> str:
    """The IRI of one of the verbs."""
    return f"http://adlnet.gov/expapi/verbs/{VERBS[number % len(VERBS)]}"


def pupil(number: int) -> str:
    """The account's name of a pupil."""
    return str(UUID(int=0x7 << 76 | 0x8 << 60 | number))


class Statements:
    """An endless supply."""

    def __init__(self, seed: int, pupils: int = 3000) -> None:
        self._random = random.Random(seed)
        self._pupils = pupils

    def batch(self, size: int) -> list[dict[str, Any]]:
        return [self.one() for _ in range(size)]

    def one(self) -> dict[str, Any]:
        """One answer."""
        dice = self._random
        unit = dice.randrange(len(UNITS))
        question = dice.randrange(500)
        raw = dice.randrange(11)
        at = f"2026-11-{dice.randrange(1, 28):02}T{dice.randrange(8, 16):02}:{dice.randrange(60):02}:00+09:00"
        account = {"homePage": HOME, "name": pupil(dice.randrange(self._pupils))}
        return {
            "id": str(UUID(int=dice.getrandbits(128), version=4)),
            "timestamp": at,
            "actor": {"objectType": "Agent", "account": account},
            "verb": {"id": verb(0), "display": {"ja-JP": "解答した", "en": "answered"}},
            "object": {
                "objectType": "Activity",
                "id": f"https://drill.example/u{unit}/q{question}",
                "definition": {
                    "type": "http://adlnet.gov/expapi/activities/question",
                    "name": {"ja-JP": f"{UNITS[unit]} 第{question}問"},
                    "description": {"ja-JP": "次の計算をして、答えを約分した形で書きましょう。"},
                },
            },
            "result": {
                "score": {"scaled": raw / 10, "raw": raw, "min": 0, "max": 10},
                "success": raw > 5,
                "response": f"{raw}/7",
                "duration": f"PT{dice.randrange(5, 90)}S",
            },
            "context": {
                "language": "ja-JP",
                "platform": "計算ドリル",
                "contextActivities": {
                    "grouping": [{"id": f"https://drill.example/u{unit}"}],
                    "category": [{"id": "https://w3id.org/japan-xapi/profiles/assessment/v1.0.0"}],
                },
                "extensions": {EXTENSIONS + "grade": ["小学校第6学年"], EXTENSIONS + "subject": ["算数"]},
            },
        }
