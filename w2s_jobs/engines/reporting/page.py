"""The HTML page: one file that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from w2s_jobs.contracts.report import ReportParams
from w2s_jobs.contracts.results import Results, SettingResult
from w2s_jobs.engines.reporting.ablation_views import filter_block, form_block, round_block
from w2s_jobs.engines.reporting.accuracy_axis import accuracy_axis
from w2s_jobs.engines.reporting.choice_views import choice_block
from w2s_jobs.engines.reporting.comparison_views import extra_test_block, published_block
from w2s_jobs.engines.reporting.history import History
from w2s_jobs.engines.reporting.loss_figure import loss_panels
from w2s_jobs.engines.reporting.sections import Section
from w2s_jobs.engines.reporting.sweep_views import composition_blocks, label_block, threshold_blocks
from w2s_jobs.engines.reporting.templates import fill_page

__all__ = ["render_page"]


_LOSSES = (
    "Mean loss of the trained tokens. A low loss on wrong labels is overfitting, not success: compare with accuracy. "
    "Grey: the other trainings. The numbers are means over the last tenth of the steps."
)
_BASELINES = ("weak", "conventional", "ceiling")


def render_page(params: ReportParams, results: Results, losses: Mapping[str, Sequence[float]], history: History) -> str:
    """Render `report.html`. Everything but cost, versions and checksums depends on `results` alone."""
    own = {
        "results": results,
        "sections": _sections(results),
        "omitted": results.omitted,
        "loss_panels": loss_panels(results, losses),
        "losses_caption": _LOSSES,
        "level": f"{100 * results.confidence_level:g}%",
        "seeds": max(len(setting.seeds) for setting in results.settings),
        "key_settings": _key_settings(results),
        "best": next((choice for choice in results.best if choice.round is None), None),
        "references": [(s.role, s.accuracy.value) for s in results.settings if s.role in _BASELINES],
        "scale": accuracy_axis([setting.accuracy for setting in results.settings]),
    }
    return fill_page("w2s_jobs.engines.reporting", "report.html.j2", params.manifest, history, own)


def _sections(results: Results) -> list[Section]:
    """Build the sections of the analyses; one without data is left out, and the page says why."""
    ablations = (filter_block(results), round_block(results), form_block(results))
    built = (
        ("thresholds", "Thresholds", "Accuracy and gap recovered against the threshold", threshold_blocks(results)),
        ("choices", "Chosen thresholds", "Thresholds chosen without gold", [choice_block(results)]),
        ("labels", "What the filter keeps", "What the filter keeps", [label_block(results)]),
        ("composition", "Difficulty and topics", "Difficulty and topics", composition_blocks(results)),
        (
            "ablations",
            "Filter, rounds, reasoning",
            "Worth of the filter, further rounds and reasoning",
            ablations,
        ),
        ("tests", "Test sets", "A small and a large test set", [extra_test_block(results)]),
        ("published", "Published", "The paper's numbers beside this run's", [published_block(results)]),
    )
    sections = [
        Section(name, nav, title, tuple(block for block in blocks if block is not None))
        for name, nav, title, blocks in built
    ]
    return [section for section in sections if section.blocks]


def _key_settings(results: Results) -> list[SettingResult]:
    """Choose what the first table shows: baselines and the best setting of each round."""
    best = {choice.name for choice in results.best if choice.round is not None}
    return [s for s in results.settings if s.role in _BASELINES or s.name in best]
