"""The HTML page of a survey: one file that asks nothing of the network, made from its results and its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from w2s_jobs.contracts.survey import SurveyParams
from w2s_jobs.contracts.survey_results import SurveyResults
from w2s_jobs.engines.reporting.accuracy_axis import accuracy_axis
from w2s_jobs.engines.reporting.canvas import Panel
from w2s_jobs.engines.reporting.history import History
from w2s_jobs.engines.reporting.loss_figure import Curve, draw_losses
from w2s_jobs.engines.reporting.palette import ROLE
from w2s_jobs.engines.reporting.sections import Block, Section
from w2s_jobs.engines.reporting.templates import fill_page
from w2s_jobs.engines.surveying.agreement_views import agreement_blocks
from w2s_jobs.engines.surveying.comparison_views import (
    in_context_block,
    label_source_block,
    random_block,
    removed_block,
    rules_block,
    single_block,
    warm_up_block,
    weakened_block,
)
from w2s_jobs.engines.surveying.label_views import kept_block, labels_block
from w2s_jobs.engines.surveying.noise_views import noise_block
from w2s_jobs.engines.surveying.omitted import omitted_analyses
from w2s_jobs.engines.surveying.overview import (
    all_groups,
    credit_table,
    key_groups,
    key_table,
    pgr_by_capability,
    spreads,
    whole_table,
)
from w2s_jobs.engines.surveying.reward_views import reward_blocks
from w2s_jobs.engines.surveying.scale_views import method_blocks, size_block, supervision_block
from w2s_jobs.engines.surveying.survey_view import SurveyView

__all__ = ["render_page"]

_LOSSES = (
    "Mean loss of what is trained on: answer tokens, or for a reward model pairs of labels. A low loss on wrong labels "
    "is overfitting, not success: compare with accuracy. In colour: the ceiling, WTS and ours. Grey: the other "
    "trainings. The numbers are means over the last tenth of the steps."
)
_FRONT = {"ceiling/": ("ceiling", "ceiling"), "wts/": ("WTS", "conventional"), "selected-reward/": ("ours", "round")}


def render_page(
    params: SurveyParams, results: SurveyResults, losses: Mapping[str, Sequence[float]], history: History
) -> str:
    """Render `report.html`. Everything but cost, versions and checksums depends on `results` and losses alone."""
    view = SurveyView(results)
    own = {
        "results": results,
        "sections": _sections(view),
        "omitted": omitted_analyses(view),
        "loss_panels": _loss_panels(results, losses),
        "losses_caption": _LOSSES,
        "level": f"{100 * results.confidence_level:g}%",
        "seeds": max((len(setting.seeds) for setting in results.settings), default=1),
        "scale": accuracy_axis([s.average.accuracy for s in results.settings]),
        "key_groups": key_groups(view),
        "key_table": key_table(view),
        "credit_table": credit_table(view),
        "all_groups": all_groups(view),
        "spreads": spreads(view),
        "all_tables": [whole_table(view), pgr_by_capability(view)],
    }
    return fill_page("w2s_jobs.engines.surveying", "survey.html.j2", params.manifest, history, own)


def _sections(view: SurveyView) -> list[Section]:
    """Build the sections of the analyses; one without data is left out, and the page says why."""
    built: tuple[tuple[str, str, str, Iterator[Block | None]], ...] = (
        ("method", "Ours and WTS", "What the method recovers", method_blocks(view)),
        (
            "selection",
            "Selection",
            "Selected by reward, by confidence, at random",
            iter((random_block(view), rules_block(view))),
        ),
        ("labels", "Labels", "What the selection keeps", iter((labels_block(view), kept_block(view)))),
        ("reward", "Reward model", "The reward model as a judge", reward_blocks(view)),
        (
            "stages",
            "Warm-up, in context",
            "Worth of the warm-up, and of any training",
            iter((warm_up_block(view), in_context_block(view))),
        ),
        (
            "scale",
            "Model size",
            "Model size, and the size of the supervisor",
            iter((size_block(view), supervision_block(view))),
        ),
        (
            "capabilities",
            "Capabilities together",
            "Capabilities together and apart",
            iter((single_block(view), weakened_block(view), removed_block(view))),
        ),
        ("agreement", "Agreement", "Where two models agree", agreement_blocks(view)),
        (
            "data",
            "Noise, strong labels",
            "Right and wrong labels, weak and strong ones",
            iter((noise_block(view), label_source_block(view))),
        ),
    )
    sections = [
        Section(name, nav, title, tuple(block for block in blocks if block is not None))
        for name, nav, title, blocks in built
    ]
    return [section for section in sections if section.blocks]


def _loss_panels(results: SurveyResults, losses: Mapping[str, Sequence[float]]) -> list[Panel]:
    curves = []
    for ends in results.losses:
        label, role = next((front for start, front in _FRONT.items() if ends.name.startswith(start)), ("", ""))
        curves.append(Curve(ends, label, ROLE[role]) if label else Curve(ends))
    return draw_losses(curves, losses)
