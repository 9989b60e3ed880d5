from datetime import UTC, datetime

import pytest

from bodycam.cases.errors import CaseKindError
from bodycam.cases.kinds import deadlines_of, kind_of, kinds, load_kinds
from bodycam.clock import VIETNAM
from bodycam.errors import NotFoundError

GOOD = """
key = "k"
vi = "K"
en = "K"
forces = ["tax"]
number_vi = "Số"
number_en = "Number"
margin_min = 5
radius_m = 50
"""


def test_the_four_shipped_kinds_load_with_labels_sources_and_deadlines():
    assert set(kinds()) == {"traffic_stop", "field_inspection", "tax_check", "customs_inspection"}
    for kind in kinds().values():
        assert kind.deadlines
        assert all(deadline.source and deadline.vi and deadline.en for deadline in kind.deadlines)
    assert kind_of("tax_check").own_force_only
    with pytest.raises(NotFoundError):
        kind_of("raid")


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("key = ", "-", "Invalid"),
        ('key = "k"', "vi", "required"),
        (GOOD + "colour = 1", "colour", "not permitted"),
        (GOOD.replace('"tax"', '"navy"'), "forces.0", "Input should be"),
        (GOOD + '[[identifiers]]\nkey="a"\ntype="shoe"\nvi="A"\nen="A"', "identifiers.0.type", "Input should be"),
        (GOOD + '[[fields]]\nkey="a"\ntype="text"\nvi="A"\nen="A"\n' * 2, "a", "twice"),
        (GOOD + '[[fields]]\nkey="a"\ntype="choice"\nvi="A"\nen="A"', "a", "needs choices"),
        (
            GOOD + '[[deadlines]]\nkey="d"\nvi="D"\nen="D"\nfrom="a"\namount=1\nunit="days"\nsource="s"',
            "d.from",
            "date field",
        ),
    ],
)
def test_a_mistake_in_a_file_names_the_file_the_key_and_the_reason(tmp_path, text, key, reason):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(CaseKindError) as error:
        load_kinds(tmp_path)
    assert error.value.values["file"] == "bad.toml"
    assert error.value.values["key"] == key
    assert reason in str(error.value.values["reason"])


def test_two_files_with_one_key_are_refused(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.toml").write_text(GOOD)
    with pytest.raises(CaseKindError, match=r"b\.toml"):
        load_kinds(tmp_path)


def test_deadlines_count_hours_working_days_and_years_in_vietnams_days():
    friday_evening = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)  # Saturday 01:30 in Vietnam
    found = {
        deadline.key: deadline.due_at
        for deadline in deadlines_of(
            kind_of("traffic_stop"), starts_at=friday_evening, ends_at=friday_evening, fields={"seized": "yes"}
        )
    }
    assert found == {
        "seizure_report": datetime(2026, 11, 21, 18, 30, tzinfo=UTC),
        "decision": datetime(2026, 12, 2, 0, 0, tzinfo=VIETNAM),  # the end of Tuesday 1/12, the seventh working day
        "limitation": datetime(2027, 11, 22, 0, 0, tzinfo=VIETNAM),
    }


def test_a_deadline_without_its_date_or_its_condition_is_left_out():
    moment = datetime(2028, 2, 29, 3, 0, tzinfo=UTC)
    stop = deadlines_of(kind_of("traffic_stop"), starts_at=moment, ends_at=moment, fields={"seized": "no"})
    tax = deadlines_of(kind_of("tax_check"), starts_at=moment, ends_at=moment, fields={})
    assert [deadline.key for deadline in stop] == ["decision", "limitation"]
    assert stop[1].due_at == datetime(2029, 3, 1, 0, 0, tzinfo=VIETNAM)
    assert {deadline.key for deadline in tax} == {"finish", "minute"}
