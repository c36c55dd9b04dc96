"""The HTML page of a survey: what came out, in words and one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jinja2

from w2s_jobs.contracts.survey import SurveyParams
from w2s_jobs.contracts.survey_results import SurveyResults
from w2s_jobs.core.analysis.words import percent
from w2s_jobs.engines.reporting.history import History

__all__ = ["render_page"]

_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ results.title }}</title></head><body>
<h1>{{ results.title }}</h1>
<p>{{ results.description }}</p>
<h2>{{ results.verdict.headline }}</h2>
{% for sentence in results.verdict.sentences %}<p>{{ sentence }}</p>
{% endfor %}<table><thead><tr><th>setting</th><th>average</th>{% for name in results.capabilities %}<th>{{ name }}</th>
{% endfor %}</tr></thead><tbody>
{% for setting in results.settings %}<tr><td>{{ setting.name }}</td>
<td>{{ percent(setting.average.accuracy.value) }}</td>{% for name in results.capabilities %}
<td>{{ percent(setting.capabilities[name].accuracy.value) if name in setting.capabilities else "" }}</td>{% endfor %}
</tr>{% endfor %}
</tbody></table>
{% for note in results.notes %}<p>{{ note }}</p>
{% endfor %}<p>Read off {{ history.steps | length }} steps and {{ losses | length }} trainings.</p>
</body></html>
"""


def render_page(
    params: SurveyParams, results: SurveyResults, losses: Mapping[str, Sequence[float]], history: History
) -> str:
    """Render `report.html`."""
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(_TEMPLATE)
    return template.render(params=params, results=results, losses=losses, history=history, percent=percent)
