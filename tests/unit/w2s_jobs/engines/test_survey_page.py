from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser

import pytest

from tests.support.survey_design import EIGHT, MadeSurvey
from tests.support.survey_results_made import make_losses, make_results
from w2s_jobs.contracts.survey import SurveyParams
from w2s_jobs.contracts.survey_results import SurveyResults
from w2s_jobs.engines.reporting.history import History
from w2s_jobs.engines.surveying.page import render_page

TWO = (("gsm8k", "gsm8k"), ("mctaco", "mctaco"))
LONG = tuple((f"{name}-a-capability-whose-user-wrote-much", family) for name, family in EIGHT.items())
LEAST = MadeSurvey(models=("0.5b", "1.8b"), capabilities=TWO, seeds=(0,), roles=(), rules=("reward",), labels=False)
DESIGNS = {
    "two capabilities, every role": MadeSurvey(capabilities=TWO),
    "least": LEAST,
    "no ceiling": MadeSurvey(capabilities=TWO, ceiling=False, every_pair=False, roles=(), labels=False),
    "long names": MadeSurvey(
        models=("Qwen1.5-0.5B-base", "Qwen1.5-1.8B-base"), capabilities=LONG, roles=("in-context",), seeds=(0, 1)
    ),
    "one pair, every role": MadeSurvey(models=("a", "b"), capabilities=TWO),
}
every_design = pytest.mark.parametrize("name", DESIGNS)
FIGURES = {
    "1 (left) and 15": "sizes-average",
    "1 (right), 16 and 38": "single",
    "2 and 17": "supervision-average",
    "3, 18 and 19": "weakened",
    "4 and 20 to 23": "removed",
    "5 and 24 to 26": "agree-weak-unlabelled0",
    "6 and 27 to 29": "agree-wts-test0",
    "7 (left), 30 and 39": "noise-average",
    "7 (right), 31 and 40": "source",
    "8 and 13 (accuracy), 9 and 14 (PGR)": "method-average",
    "figure 32": "method-1",
    "figure 33": "pgr-1",
    "figure 10": "warmup",
    "11 and 34": "labels",
    "figures 12 (together)": "kept",
    "35 to 37 (each capability)": "kept0",
    "table 2": "random",
    "table 3": "context",
    "two rules with confidence": "rules",
}


@cache
def made(name: str) -> SurveyResults:
    return make_results(DESIGNS[name])


def render(results: SurveyResults) -> str:
    params = SurveyParams(
        title=results.title, models=results.models, capabilities=(), points=(), manifest={"kind": "Experiment"}
    )
    return render_page(params, results, make_losses(results), History(steps=(), missing=()))


@cache
def page(name: str) -> str:
    return render(made(name))


class Sound(HTMLParser):
    """Collects what a page would load, its ids, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.references = set(re.findall(r'(?:url\(|href=")#([^")]+)', text))
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag in ("script", "link", "img", "iframe", "object") or given.get("src"):
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@every_design
def test_the_page_is_one_sound_file_that_loads_nothing(name: str) -> None:
    text = page(name)
    sound = Sound(text)
    assert sound.open == []
    assert sound.loads == []
    assert len(sound.ids) == len(set(sound.ids))
    assert sound.references <= set(sound.ids)
    assert not re.search(r"(src|href)=\"?https?:|@import|url\(http", text)
    assert not re.search(r"\b(nan|inf|None|Undefined)\b", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))


@every_design
def test_every_colour_is_a_variable_that_light_and_dark_mode_define(name: str) -> None:
    text = page(name)
    assert not re.search(r"#[123]0000\d|#0[1-4]0", text), "a stand-in colour"
    used = set(re.findall(r"var\(--([a-z0-9]+)\)", text)) - {"role", "line"}
    day, night = re.findall(r":root \{ (--.*?) \}", text)[:2]
    for mode in (day, night):
        assert used <= set(re.findall(r"--([a-z0-9]+):", mode))


@every_design
def test_every_setting_and_every_capability_is_named(name: str) -> None:
    text, results = page(name), made(name)
    rows = text[text.index('aria-label="All settings"') :]
    rows = rows[: rows.index("</table>")]
    assert rows.count("<tr") == 1 + len(results.settings) + rows.count('class="group"')
    assert all(capability in text for capability in results.capabilities)


@pytest.mark.parametrize(("words", "drawing"), FIGURES.items())
def test_every_analysis_of_the_paper_is_a_figure_with_its_number(words: str, drawing: str) -> None:
    text = page("two capabilities, every role")
    assert words in re.sub(r"\s+", " ", text)
    assert f'id="{drawing}-' in text


def test_every_figure_has_its_numbers_as_a_table() -> None:
    text = page("two capabilities, every role")
    titles = re.findall(r"<h3>([^<]+)</h3>\s*<figure>", text)
    assert len(titles) >= 15
    for title in titles:
        block = text[text.index(f"<h3>{title}</h3>") :]
        end = min(block.find(mark, 10) for mark in ("<h3>", "</section>") if block.find(mark, 10) > 0)
        assert "<table" in block[:end], title


def test_nothing_is_left_out_where_every_role_is_there() -> None:
    assert 'id="omitted"' not in page("two capabilities, every role")


def test_what_is_missing_is_said_with_the_field_that_would_add_it() -> None:
    text = page("least")
    left_out = text[text.index('id="omitted"') : text.index('id="cost"')]
    for reason in (
        "spec.method.reward.ablations lacks wts-single",
        "spec.method.reward.ablations lacks mixed and wts-2",
        "spec.method.reward.selections lacks confidence and both",
        "spec.method.reward.noise is empty",
        "spec.method.reward.weakened is empty",
        "no strong model has two teachers in spec.method.reward.pairs",
    ):
        assert reason in left_out
    for section in ("selection", "labels", "reward", "agreement", "data", "stages"):
        assert f'<section id="{section}">' not in text


def test_an_undefined_pgr_is_not_drawn_and_its_reason_is_given() -> None:
    text = page("no ceiling")
    assert "PGR, average" not in text
    assert '<abbr title="the ceiling of this model was not evaluated">undefined</abbr>' in text
    assert "Performance gap recovered (figures 9, 14, 33): the ceiling of this model was not evaluated." in text


def test_partial_credit_stands_beside_the_accuracy_of_mctaco_alone() -> None:
    table = page("least")
    table = table[table.index("Partial credit (MC-TACO: F1)") :]
    table = table[: table.index("</table>")]
    assert "mctaco, mctaco" in table
    assert "gsm8k" not in table
    score = made("least").settings[0].capabilities["mctaco"]
    assert f"{100 * (score.partial_credit or 0):.1f}%" in table


def test_a_task_without_partial_credit_gets_no_such_table() -> None:
    assert "Partial credit" not in render(
        make_results(MadeSurvey(models=("a", "b"), capabilities=(("scan", "scan"),), roles=(), labels=False))
    )


def test_only_differences_that_exclude_zero_are_bold() -> None:
    results = made("two capabilities, every role")
    sure = sum(
        s.average.difference.better or s.average.difference.worse
        for s in results.settings
        if s.average.difference is not None
    )
    text = page("two capabilities, every role")
    rows = text[text.index('aria-label="All settings"') :]
    assert rows[: rows.index("</table>")].count('class="sure"') == sure


def test_a_single_seed_claims_no_interval_over_seeds() -> None:
    text = page("least")
    assert "<h3>Seeds</h3>" not in text
    assert "intervals over test questions." in text


def test_the_same_results_give_the_same_page() -> None:
    assert render(make_results(LEAST)) == page("least")


def test_names_with_markup_are_shown_as_they_are() -> None:
    results = make_results(MadeSurvey(models=("<a>", "b&c"), capabilities=TWO, roles=(), labels=False))
    text = render(results)
    Sound(text)
    assert "&lt;a&gt;" in text
    assert "<a>" not in text
