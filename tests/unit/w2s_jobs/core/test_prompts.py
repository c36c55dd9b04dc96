from __future__ import annotations

import pytest

from w2s_jobs.contracts.settings import PromptTemplate
from w2s_jobs.core.prompts import Prompt, join_completion, render


def test_the_direct_template_is_the_papers() -> None:
    assert render(PromptTemplate(name="direct"), "1+1?") == Prompt("Question: 1+1?\n\nAnswer:", chat=False)


@pytest.mark.parametrize("name", ["chat", "deepseek", "llama3-gsm8k", "llama3-math"])
def test_chat_templates_are_the_users_turn_of_the_models_own_template(name: str) -> None:
    prompt = render(PromptTemplate.model_validate({"name": name}), "How many?")
    assert prompt.chat
    assert "How many?" in prompt.text


def test_the_one_shot_template_shows_the_papers_example() -> None:
    assert "#### 77" in render(PromptTemplate(name="llama3-gsm8k"), "?").text


def test_braces_in_a_question_are_kept() -> None:
    assert render(PromptTemplate(text="Q: {question}"), r"\frac{1}{2} {question}").text == r"Q: \frac{1}{2} {question}"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [(Prompt("A:", chat=False), " 4"), (Prompt("A: ", chat=False), "4"), (Prompt("hi", chat=True), "4")],
)
def test_a_completion_follows_its_prompt_with_one_blank_at_most(prompt: Prompt, expected: str) -> None:
    assert join_completion(prompt, "4") == expected
