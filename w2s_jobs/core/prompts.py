"""Prompts: the templates of the paper `confidence` (appendix A.3) and a user's own."""

from __future__ import annotations

from dataclasses import dataclass

from w2s_jobs.contracts.settings import PromptTemplate

__all__ = ["Prompt", "join_completion", "render"]

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


@dataclass(frozen=True)
class Prompt:
    """What a model is asked."""

    text: str
    chat: bool
    """chat means: `text` is the user's turn of the model's own chat template"""


def render(template: PromptTemplate, question: str) -> Prompt:
    """Put a question into a template. Braces in the question are kept as they are."""
    text, chat = _NAMED[template.name] if template.name else (template.text or "", template.chat)
    return Prompt(text=text.replace("{question}", question), chat=chat)


def join_completion(prompt: Prompt, completion: str) -> str:
    """Return the completion as it follows the prompt: with a blank between, where the prompt does not end in one."""
    if prompt.chat or not prompt.text or prompt.text[-1].isspace():
        return completion
    return " " + completion.lstrip(" ")
