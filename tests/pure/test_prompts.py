"""What is said in which language: telephone numbers, and the texts of the example."""

from __future__ import annotations

import pytest

from config.catalogue import set_language
from config.settings import Language, Settings
from ivr.prompts import TONES, fill, languages, required, text_problems
from tests.pure.prompts_play import EXAMPLE, spoken


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


def test_a_telephone_number_is_said_digit_by_digit() -> None:
    text = fill("{company}：{emergency_number}", EXAMPLE.hotline, "zh")
    assert text == "示例公司：零 二 幺, 幺 二 三 四, 五 六 七 八"
    hotline = EXAMPLE.hotline.model_copy(update={"emergency_number": "+86110"})
    assert fill("{emergency_number}", hotline, "en") == "8, 6 1 1 0"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_example_texts_are_right(language: Language) -> None:
    assert text_problems(EXAMPLE) == []
    wanted = required(EXAMPLE, language)
    assert set(wanted) - set(TONES) == set(EXAMPLE.prompts[language].prompts)
    assert "menu_main" in wanted and len(set(wanted)) == len(wanted)


def without(settings: Settings, language: Language, name: str) -> Settings:
    """The settings without one text of one language."""
    prompts = settings.prompts[language]
    texts = {each: text for each, text in prompts.prompts.items() if each != name}
    return settings.model_copy(
        update={"prompts": {**settings.prompts, language: prompts.model_copy(update={"prompts": texts})}}
    )


def test_only_the_languages_that_are_used_are_wanted_and_only_what_is_said_in_them() -> None:
    assert languages(EXAMPLE) == ("zh", "en")
    assert languages(spoken(choice=False, offer=False)) == ("zh",)
    assert required(spoken(choice=False), "en") == ("menu_language",)
    assert required(spoken(choice=False, offer=False, apology=("zh", "en")), "en") == ("away_apology",)
    assert "menu_language" not in required(EXAMPLE, "zh") and "num_liang" not in required(EXAMPLE, "en")
    assert text_problems(without(spoken(choice=False, offer=False), "en", "greeting")) == []


def test_a_prompt_missing_in_the_second_language_is_a_problem_with_its_place() -> None:
    (missing,) = text_problems(without(EXAMPLE, "en", "num_and"))
    assert (missing.code, missing.place.file, missing.warning) == ("prompt-without-text", "prompts.en.yaml", False)
    assert "num_and" in missing.what


def test_missing_and_unused_texts() -> None:
    prompts = EXAMPLE.prompts["zh"]
    texts = {("greting" if name == "greeting" else name): text for name, text in prompts.prompts.items()}
    changed = {**EXAMPLE.prompts, "zh": prompts.model_copy(update={"prompts": texts})}
    missing, unused = text_problems(EXAMPLE.model_copy(update={"prompts": changed}))
    assert (missing.code, unused.code, unused.warning) == ("prompt-without-text", "prompt-unused", True)
    assert "greeting" in missing.what and "greting" in missing.fix
    assert unused.place.key == "prompts.greting" and "greeting" in unused.fix
