"""Several sets of questions in one real sampling, and solved examples before each."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer, LlamaForCausalLM

from tests.support.sampling import QUESTIONS, asked, params, solved, texts
from tests.support.steps import Bench
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.settings import PromptTemplate
from w2s_jobs.core.prompts import render_after_shots
from w2s_jobs.engines.sampler import encode_prompt

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]


def test_two_sets_of_questions_in_one_sampling_are_two_samplings(tmp_path: Path, model: Path) -> None:
    both, first, second = (Bench(tmp_path / name) for name in ("both", "first", "second"))
    sets = {"a": QUESTIONS[:7], "b": QUESTIONS[7:12]}
    given = [asked(both, topic, texts) for topic, texts in sets.items()]
    together = both.run("sample", params(model, "transformers"), {"questions": given}, chunk_rows=5)
    apart = {}
    for bench, (topic, asked_texts) in zip((first, second), sets.items(), strict=True):
        alone = bench.run("sample", params(model, "transformers"), {"questions": [asked(bench, topic, asked_texts)]})
        apart |= texts(bench, alone)
    assert texts(both, together) == apart
    assert together.metrics["rows"] == 12


def test_a_row_in_two_sets_of_questions_is_refused(bench: Bench, model: Path) -> None:
    given = [asked(bench, "a", QUESTIONS[:3]), asked(bench, "a", QUESTIONS[:2])]
    with pytest.raises(InputError, match=r"row a/0 is in the questions 2 times; name disjoint inputs"):
        bench.run("sample", params(model, "transformers"), {"questions": given})


def test_shots_of_its_own_set_stand_before_each_question(bench: Bench, model: Path) -> None:
    given = {
        "questions": [asked(bench, "a", QUESTIONS[:2]), asked(bench, "b", QUESTIONS[2:3])],
        "shots": [solved(bench, "a", 5), solved(bench, "b", 2)],
    }
    greedy = {**params(model, "transformers", samples=1, temperature=0, topP=1, maxTokens=8), "shots": 2}
    result = bench.run("sample", greedy, given)
    tokenizer = AutoTokenizer.from_pretrained(model)
    reference = LlamaForCausalLM.from_pretrained(model)
    for topic, number, text in (("a", 0, QUESTIONS[0]), ("a", 1, QUESTIONS[1]), ("b", 0, QUESTIONS[2])):
        shots = "".join(f"Question: {topic} {shot}?\n\nAnswer: it is {shot}\n\n" for shot in range(2))
        ids = tokenizer(f"{shots}Question: {text}\n\nAnswer:", return_tensors="pt")["input_ids"]
        expected = reference.generate(ids, max_new_tokens=8, do_sample=False)[0, ids.shape[1] :]
        decoded = tokenizer.decode(expected, skip_special_tokens=True).split("\n\nQuestion:")[0].strip()
        assert texts(bench, result)[f"{topic}/{number}", 0] == decoded


SHOTS_REFUSED = [
    ("too few solved examples", 3, [2], r"3 shots are wanted, an input 'shots' has 2 solved examples"),
    ("no input of shots", 1, [], r"and 'shots' for each; got 1 of questions, 0 of shots"),
    ("shots that fill the model", 20, [20], r"with 20 shots before it, none of the 2 questions such as a/0"),
]


@pytest.mark.parametrize(("reason", "shots", "sizes", "said"), SHOTS_REFUSED, ids=[case[0] for case in SHOTS_REFUSED])
def test_shots_that_cannot_be_shown_are_refused(
    bench: Bench, model: Path, reason: str, shots: int, sizes: list[int], said: str
) -> None:
    given = {
        "questions": [asked(bench, "a", QUESTIONS[:2])],
        "shots": [solved(bench, f"s{size}", size) for size in sizes],
    }
    with pytest.raises(InputError, match=said):
        bench.run("sample", {**params(model, "transformers"), "shots": shots}, given)


def test_shots_of_a_chat_are_turns_of_the_models_template(model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[me]{% endif %}"
    )
    prompt = render_after_shots(PromptTemplate(name="chat"), "2+2?", [("1+1?", "2")])
    assert tokenizer.decode(encode_prompt(tokenizer, prompt, model)) == "[user]1+1?[assistant]2[user]2+2?[me]"
