import pytest

from bodycam.fleet.choices import BadChoicesError, choices, words_of


@pytest.mark.parametrize("name", ["symptom", "pull_reason"])
def test_every_choice_has_words_in_both_languages_and_one_is_another(name):
    found = choices(name)
    assert "other" in found
    assert all(choice.vi != choice.en for choice in found.values())
    assert words_of(name, "gone_from_the_file", "vi") == "gone_from_the_file"


@pytest.mark.parametrize(
    "text",
    ["", "not toml", "[[symptom]]\nkey = 'a'\nvi = 'A'", "[[symptom]]\nkey='a'\nvi='A'\nen=''", "symptom = 3"],
)
def test_a_list_that_is_none_is_refused_by_name(tmp_path, text):
    path = tmp_path / "kiosk.toml"
    path.write_text(text)
    with pytest.raises(BadChoicesError, match=r"kiosk\.toml"):
        choices("symptom", path)
