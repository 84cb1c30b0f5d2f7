"""What the log holds, as a 校長 reads it."""

import pytest
from portal.audit_words import Difference, action_words, differences, is_reading
from portal.mexcbt_words import STEPS


def test_a_correction_says_what_was_and_what_is():
    assert differences('{"value": "B", "subject": "国語"}', '{"value": "A", "subject": "国語"}', {}) == [
        Difference("値", "B", "A")
    ]


def test_nested_values_and_lists_are_flattened():
    found = differences(
        "", '{"period": {"starts_on": "2026-04-07", "ends_on": null}, "rows": [1, 2], "late": true}', {}
    )
    assert found == [
        Difference("期間・始まり", "", "2026-04-07"),
        Difference("行数", "", "1、2"),
        Difference("遅刻", "", "はい"),
    ]


def test_long_texts_are_shortened_with_their_length():
    [found] = differences("", f'{{"comment": "{"あ" * 300}"}}', {})
    assert found.after.endswith("…（全300字）")


def test_broken_json_is_shown_not_hidden():
    assert differences("{", "", {})[0].before == "{"


def test_actions_in_words():
    assert action_words("guidance_record.read") == "指導要録の閲覧"
    assert action_words("term.closed") == "学期の締め切り"
    assert action_words("enrolment.withdrew") == "在籍の終了（退学）"
    assert action_words("lti_tool.opened") == "学習ツールの起動"
    assert action_words("unheard.of") == "unheard.of"
    assert is_reading("guidance_record.read")
    assert not is_reading("mark.corrected")


@pytest.mark.parametrize("step", sorted(set(STEPS) - {"list"}))
def test_every_step_of_mexcbt_has_words(step):
    assert action_words(f"mexcbt.{step}") != f"mexcbt.{step}"


def test_ids_become_names_and_digests_disappear():
    staff = "0190a0a0-0000-4000-8000-000000000001"
    after = f'{{"staff_id": "{staff}", "job_id": "{staff[:-1]}2", "sha256": "{"a" * 64}", "subject": "japanese"}}'
    assert differences("", after, {staff: "髙橋　担子"}) == [
        Difference("職員", "", "髙橋　担子"),
        Difference("教科", "", "国語"),
    ]


def test_a_changed_mark_of_the_roll_reads_in_the_boards_words():
    assert differences('{"symbol": ""}', '{"symbol": "ill"}', {}) == [Difference("記号", "出席", "病欠")]
