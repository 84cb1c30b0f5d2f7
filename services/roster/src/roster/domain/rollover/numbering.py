"""出席番号 and 卒業証書番号: running numbers in the order a school chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from roster.domain.rollover.plan import GRADUATES, IN_CLASS, PlannedPupil, RolloverProblem

NUMBER_ORDERS = {"mixed": "五十音順（男女混合）", "boys_first": "男子が先", "girls_first": "女子が先"}
CERTIFICATE_ORDERS = {"class": "学級と出席番号の順", "gojuon": "五十音順"}
MOST_NUMBER = 99


def class_numbers(pupils: Iterable[PlannedPupil], order: str) -> dict[UUID, int]:
    """Child → 出席番号 in its class, from 1, in 五十音 order.

    Raises: RolloverProblem for an order nobody knows, and for a class of more than 99.
    """
    if order not in NUMBER_ORDERS:
        raise RolloverProblem("出席番号の付け方を選んでください。")
    first = {"boys_first": "male", "girls_first": "female"}.get(order)
    of_class: dict[UUID, list[PlannedPupil]] = {}
    for pupil in pupils:
        if pupil.outcome in IN_CLASS and pupil.class_id is not None:
            of_class.setdefault(pupil.class_id, []).append(pupil)
    if any(len(members) > MOST_NUMBER for members in of_class.values()):
        raise RolloverProblem(f"一つの学級に{MOST_NUMBER}人を超えて入れることはできません。")
    return {
        pupil.id: number
        for members in of_class.values()
        for number, pupil in enumerate(
            sorted(members, key=lambda each: (first is not None and each.sex != first, each.sort_key, str(each.id))), 1
        )
    }


def certificate_numbers(pupils: Iterable[PlannedPupil], begins: int, order: str) -> dict[UUID, int]:
    """Graduate → 証書番号, running on from the number the school typed.

    Raises: RolloverProblem.
    """
    if order not in CERTIFICATE_ORDERS:
        raise RolloverProblem("証書番号の順を選んでください。")
    if not 1 <= begins <= 9_999_999:
        raise RolloverProblem("証書番号の始まりを、1から9999999までの数字で入力してください。")
    graduates = [pupil for pupil in pupils if pupil.outcome == GRADUATES]

    def place(pupil: PlannedPupil) -> tuple[str | int, ...]:
        by_name = (pupil.sort_key, str(pupil.id))
        return by_name if order == "gojuon" else (pupil.from_class, pupil.from_number, *by_name)

    return {pupil.id: number for number, pupil in enumerate(sorted(graduates, key=place), begins)}


def doubled(pupils: Sequence[PlannedPupil]) -> dict[UUID, tuple[PlannedPupil, ...]]:
    """Class → children who share a number with another."""
    seen: dict[tuple[UUID, int], list[PlannedPupil]] = {}
    for pupil in pupils:
        if pupil.class_id is not None and pupil.number:
            seen.setdefault((pupil.class_id, pupil.number), []).append(pupil)
    found: dict[UUID, tuple[PlannedPupil, ...]] = {}
    for (class_id, _), sharing in seen.items():
        if len(sharing) > 1:
            found[class_id] = (*found.get(class_id, ()), *sharing)
    return found


def taken_again(numbers: Mapping[UUID, int], used: Iterable[int]) -> list[int]:
    """証書番号 that the ledger has already: a number is given once (卒業証書授与台帳)."""
    return sorted(set(numbers.values()) & set(used))
