"""種目 of 教科用図書 by 学年: what a certificate lists when the school has entered none yet."""

from jpschool.school_grade import SchoolGrade

from reports.domain.forms.certificates import Textbook

_ALL = range(1, 7)
_ELEMENTARY: tuple[tuple[str, range], ...] = (
    ("国語", _ALL),
    ("書写", _ALL),
    ("社会", range(3, 7)),
    ("地図", range(3, 7)),
    ("算数", _ALL),
    ("理科", range(3, 7)),
    ("生活", range(1, 3)),
    ("音楽", _ALL),
    ("図画工作", _ALL),
    ("家庭", range(5, 7)),
    ("保健", range(3, 7)),
    ("英語", range(5, 7)),
    ("道徳", _ALL),
)
_LOWER_SECONDARY = (
    "国語", "書写", "地理", "歴史", "公民", "地図", "数学", "理科", "音楽（一般）", "音楽（器楽合奏）", "美術",
    "保健体育", "技術", "家庭", "英語", "道徳",
)  # fmt: skip


def usual_textbooks(school_grade: SchoolGrade) -> list[Textbook]:
    """Lines with the 種目 alone; issuer, symbol and title are the school's to enter."""
    labels = (
        [label for label, years in _ELEMENTARY if school_grade.year in years]
        if school_grade.elementary
        else _LOWER_SECONDARY
    )
    return [Textbook(subject=label, publisher="", code="", title="", supplied=True) for label in labels]
