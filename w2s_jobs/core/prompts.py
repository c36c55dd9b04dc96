"""Prompts: the templates of the paper `confidence` (appendix A.3) and a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from w2s_jobs.contracts.settings import PromptTemplate

__all__ = ["Prompt", "join_completion", "next_shot", "render", "render_after_shots"]

_LLAMA3_GSM8K = """Please additionally write your final answer with ####, like the example:
Question: Greg has his own dog walking business. He charges $20 per dog plus $1 per minute per dog for walking the \
dog. If he walks one dog for 10 minutes, two dogs for 7 minutes and three dogs for 9 minutes, how much money, in \
dollars, does he earn?
Answer: Greg earns $20 + $1 x 10 minutes = $21 for walking the first dog. He earns $20 + $1 x 7 minutes = $27 for \
walking the second dog. He earns $20 + $1 x 9 minutes = $29 for walking the third dog. Therefore, Greg earns \
$21 + $27 + $29 = $77 for walking the three dogs. #### 77
Question: {question}
Answer:"""

_DEEPSEEK = "Question: {question}\n\nPlease reason step by step, and put your final answer after 'The answer is: '."

_LLAMA3_MATH = (
    "Answer the math question step by step. Our answers need to end with 'The answer is '.\n"
    "Question: {question}\nAnswer: Let's think step by step."
)

# The paper has a column of direct answers (table 3) and no prompt for it: this one is ours.
_ANSWER_ONLY = (
    "Question: {question}\n\n"
    "Do not reason and do not explain. Reply with one line: 'The answer is ' and the final answer."
)

_NAMED: dict[str, tuple[str, bool]] = {
    "direct": ("Question: {question}\n\nAnswer:", False),
    "chat": ("{question}", True),
    "answer-only": (_ANSWER_ONLY, True),
    "deepseek": (_DEEPSEEK, True),
    "llama3-gsm8k": (_LLAMA3_GSM8K, True),
    "llama3-math": (_LLAMA3_MATH, True),
}

_TELLING = 24
"""characters that tell the start of a shot: a sampler looks for stop strings in its last 32 tokens only"""


@dataclass(frozen=True)
class Prompt:
    """What a model is asked."""

    text: str
    chat: bool
    """chat means: `text` is the user's turn of the model's own chat template"""
    earlier: tuple[tuple[str, str], ...] = ()
    """earlier turns of a chat, oldest first: what the user asked, what the model is said to have answered"""


def render(template: PromptTemplate, question: str) -> Prompt:
    """Put a question into a template. Braces in the question are kept as they are."""
    text, chat = _parts(template)
    return Prompt(text=text.replace("{question}", question), chat=chat)


def render_after_shots(template: PromptTemplate, question: str, shots: Sequence[tuple[str, str]]) -> Prompt:
    """Put solved examples (question, completion) before a question: in-context learning.

    In a chat they are earlier turns; else each is the template with its completion, and a blank line ends it.
    """
    asked = render(template, question)
    solved = [(render(template, example), completion) for example, completion in shots]
    if asked.chat:
        return Prompt(asked.text, chat=True, earlier=tuple((prompt.text, completion) for prompt, completion in solved))
    texts = [prompt.text + join_completion(prompt, completion) for prompt, completion in solved]
    return Prompt("\n\n".join([*texts, asked.text]), chat=False)


def next_shot(template: PromptTemplate) -> str | None:
    """Return how a model that was shown solved examples would start one more of its own, once it has answered.

    It ends the completion as an end token would. None where that cannot be told from an answer: in a chat, where the
    turn ends, or where the template starts with the question itself.
    """
    text, chat = _parts(template)
    lead = text.partition("{question}")[0].rstrip()
    return None if chat or not lead else f"\n\n{lead}"[:_TELLING]


def join_completion(prompt: Prompt, completion: str) -> str:
    """Return the completion as it follows the prompt: with a blank between, where the prompt does not end in one."""
    if prompt.chat or not prompt.text or prompt.text[-1].isspace():
        return completion
    return " " + completion.lstrip(" ")


def _parts(template: PromptTemplate) -> tuple[str, bool]:
    """Return a template's text, and whether it is the user's turn of a chat."""
    return _NAMED[template.name] if template.name else (template.text or "", template.chat)
