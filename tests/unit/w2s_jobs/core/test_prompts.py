from __future__ import annotations

import re
from pathlib import Path

import pytest

from w2s_jobs.contracts.settings import PromptTemplate
from w2s_jobs.core.prompts import Prompt, join_completion, next_shot, render, render_after_shots


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


SHOTS = [("1+1?", "2"), ("{question}?", "none")]


def test_shots_are_the_template_with_their_completions_a_blank_line_after_each() -> None:
    prompt = render_after_shots(PromptTemplate(name="direct"), "2+2?", SHOTS)
    assert prompt == Prompt(
        "Question: 1+1?\n\nAnswer: 2\n\nQuestion: {question}?\n\nAnswer: none\n\nQuestion: 2+2?\n\nAnswer:", chat=False
    )


def test_shots_of_a_chat_are_earlier_turns() -> None:
    prompt = render_after_shots(PromptTemplate(name="chat"), "2+2?", SHOTS)
    assert prompt == Prompt("2+2?", chat=True, earlier=tuple(SHOTS))


def test_no_shots_leave_the_prompt_as_it_is() -> None:
    template = PromptTemplate(name="direct")
    assert render_after_shots(template, "2+2?", []) == render(template, "2+2?")


@pytest.mark.parametrize(
    ("template", "expected", "reason"),
    [
        (PromptTemplate(name="direct"), "\n\nQuestion:", "what stands before the next question"),
        (PromptTemplate(name="chat"), None, "the turn's end is the end"),
        (PromptTemplate(text="{question}\n"), None, "any text may be a question"),
        (
            PromptTemplate(text="Solve the following with care: {question}"),
            "\n\nSolve the following wi",
            "cut: it tells",
        ),
    ],
)
def test_one_more_shot_of_the_models_own_is_told_by_its_start(
    template: PromptTemplate, expected: str | None, reason: str
) -> None:
    assert next_shot(template) == expected, reason


USER = "<|start_header_id|>user<|end_header_id|> "
ASSISTANT = " <|eot_id|> <|start_header_id|>assistant<|end_header_id|>"


@pytest.mark.parametrize(
    ("name", "question", "before", "after", "reason"),
    [
        ("direct", "[INPUT]", "Direct Template: **Prompt:** ", " ####", "the whole prompt, nothing around it"),
        ("deepseek", "[INPUT]", "User: ", " Assistant:", "the user's turn of the chat template of DeepSeek"),
        ("llama3-gsm8k", "", USER, ASSISTANT, "the user's turn of Llama 3; the paper leaves the question out here"),
        ("llama3-math", "[INPUT]", USER, ASSISTANT, "the user's turn of Llama 3"),
    ],
)
def test_every_template_is_word_for_word_that_of_appendix_a3(
    name: str, question: str, before: str, after: str, reason: str, papers: Path
) -> None:
    text = (papers / "001_8d1e3c6c582a7bdf.txt").read_text()
    start = text.index("### A.3 PROMPTING TEMPLATE")
    appendix = re.sub(r"\s+", " ", text[start : text.index("**B TRAINING DETAILS**", start)])
    prompt = render(PromptTemplate.model_validate({"name": name}), question).text
    words = re.sub(r"\s+", " ", prompt)
    assert f"{before}{words}{after}" in appendix, reason


def test_appendix_a3_has_no_template_that_is_missing_here(papers: Path) -> None:
    text = (papers / "001_8d1e3c6c582a7bdf.txt").read_text()
    start = text.index("### A.3 PROMPTING TEMPLATE")
    assert text[start : text.index("**B TRAINING DETAILS**", start)].count("**Prompt:**") == 4
