"""Method `reward`: labels kept by a reward model, over several capabilities (methods.md, method A).

    W on labelled data, one a capability -> weak labels -> S on all of them (WTS) -> labels of its own
        -> reward model: labels both agree on, against the other labels of WTS -> weak labels it takes for right
        -> S, warmed up on all weak labels, trained on those

Every way of making a model is a point of the report, evaluated on every capability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from controller.api.reward import RewardMethod
from controller.api.v1alpha1 import Capability, ChainModel
from controller.plan.builder import NO_SHOTS, Model, PlanBuilder, Shots, output
from controller.plan.compared import Compared
from controller.plan.graph import Step
from controller.plan.reward_judge import Labels
from controller.plan.reward_labels import PairLabels, Teaching, kept
from controller.plan.survey_report import report_survey
from w2s_jobs.contracts.artifact import Input
from w2s_jobs.contracts.step_params import CleanParams
from w2s_jobs.contracts.survey import Relabelled, SurveyPoint, SurveyRole

__all__ = ["compile_reward"]


def compile_reward(build: PlanBuilder, method: RewardMethod) -> Compared:
    """Add the steps of the method to `build` and return what they lead to."""
    chain = {model.name: model for model in build.spec.models.chain}
    names = list(chain)
    taught = [(pair.weak, pair.strong) for pair in method.pairs] or list(pairwise(names))
    points: dict[str, SurveyPoint] = {}
    relabelled: list[Relabelled] = []
    for seed in build.spec.seeds:
        teaching = Teaching(build, method, seed)
        for weak, strong in taught:
            below = names[names.index(weak) - 1] if names.index(weak) else None
            pair = _Pair(teaching, chain[weak], chain[strong], None if below is None else chain[below])
            points |= {point.id: point for point in pair.points()}  # pairs share weak models and ceilings
            relabelled += pair.relabelled()
    return report_survey(build, tuple(points.values()), tuple(relabelled), method.reward_model.cutoff)


class _Pair:
    """One teacher and one learner under one seed."""

    def __init__(self, teaching: Teaching, weak: ChainModel, strong: ChainModel, below: ChainModel | None) -> None:
        self._teaching = teaching
        self._build = teaching.build
        self._method = teaching.method
        self._weak = weak
        self._strong = strong
        self._below = below
        self._labels = PairLabels(teaching, weak, strong)

    def points(self) -> Iterator[SurveyPoint]:
        """Yield baselines, the method, then ablations."""
        yield from self._baselines()
        for rule in self._method.selections:
            selected = self._labels.selected(rule)
            yield self._learn("selected", selected, start=self._labels.wts, variant=rule)
        yield from self._ablations()
        yield from self._cleaned()
        yield from self._other_capabilities()

    def relabelled(self) -> Iterator[Relabelled]:
        """Yield whose labels the report compares."""
        labels, rules = self._labels, self._method.selections
        judged = {"reward", "both"} & set(rules)
        selected = {rule: labels.selected(rule) for rule in rules}
        second = self._second_votes() if "wts-2" in self._method.ablations else {}
        for of in self._build.capabilities:
            yield Relabelled(
                capability=of.name,
                weak=self._weak.name,
                model=self._strong.name,
                seed=self._teaching.seed,
                weak_votes=labels.weak_votes[of.name].key,
                strong_votes=labels.strong_votes[of.name].key,
                second_votes=second[of.name].key if second else None,
                scores=labels.scores[of.name].key if judged else None,
                kept={rule: selects[of.name].key for rule, selects in selected.items()},
            )

    def _baselines(self) -> Iterator[SurveyPoint]:
        wanted = self._method.baselines
        if "weak" in wanted:
            teachers = {of.name: self._teaching.teacher(self._weak, of) for of in self._build.capabilities}
            yield self._point("weak", teachers, self._weak, taught=False)
        if "ceiling" in wanted:
            gold = tuple(self._build.gold(of, "unlabelled") for of in self._build.capabilities)
            label = f"train ceiling {self._strong.name} seed {self._teaching.seed}"
            model = self._build.train(self._initial(), gold, self._teaching.training, "ceiling", label)
            yield self._point("ceiling", self._everywhere(model), self._strong, taught=False)
        if "wts" in wanted:
            yield self._learn("wts", self._labels.weak_data)

    def _ablations(self) -> Iterator[SurveyPoint]:
        wanted = self._method.ablations
        if "wts-single" in wanted:
            data = self._labels.weak_data
            single = {name: self._train("wts-single", {name: step}, name) for name, step in data.items()}
            yield self._point("wts-single", single, self._strong, learnt=data)
        if "wts-2" in wanted:
            yield self._learn("wts-2", self._labels.strong_data)
        if "mixed" in wanted:
            yield self._mixed()
        if "no-warm-up" in wanted:
            yield self._learn("no-warm-up", self._labels.selected("reward"))
        if "in-context" in wanted:
            examples = tuple(self._build.gold(of, "labelled") for of in self._build.capabilities)
            shots = Shots(self._method.shots, examples)
            yield self._point("in-context", self._everywhere(self._initial()), self._strong, taught=False, shots=shots)

    def _mixed(self) -> SurveyPoint:
        """Learn from weak and strong labels, each question twice (fig. 7, right)."""
        training = replace(self._teaching.training, repeats=True)
        examples = kept(self._labels.weak_data) + kept(self._labels.strong_data)
        model = self._build.train(self._initial(), examples, training, "mixed", f"train {self._name('mixed', '')}")
        return self._point("mixed", self._everywhere(model), self._strong)

    def _cleaned(self) -> Iterator[SurveyPoint]:
        """Learn from right weak labels, and from a share of the wrong ones beside them (fig. 7, left)."""
        if "clean" in self._method.ablations:
            yield self._learn("clean", {of.name: self._clean(of, 0) for of in self._build.capabilities})
        for noise in self._method.noise:
            noisy = {of.name: self._clean(of, noise) for of in self._build.capabilities}
            yield self._learn("noise", noisy, variant=str(noise))

    def _clean(self, of: Capability, noise: int) -> Step:
        inputs = {
            "votes": (output(self._labels.weak_votes[of.name], "votes.parquet"),),
            "questions": (self._build.questions(of, "unlabelled"),),
            "gold": (self._build.gold(of, "unlabelled"),),
        }
        params = CleanParams(task=of.task, noise=noise, seed=self._teaching.seed)
        label = f"clean {of.name} with {noise} % noise, {self._weak.name} seed {self._teaching.seed}"
        return self._build.light("clean", params, inputs, "noise" if noise else "clean", label)

    def _other_capabilities(self) -> Iterator[SurveyPoint]:
        """Learn some capabilities from a weaker teacher, or not at all (fig. 3 and 4)."""
        data = self._labels.weak_data
        if self._below is not None:
            weaker = PairLabels(self._teaching, self._below, self._strong).weak_data
            for names in self._method.weakened:
                worse = {name: weaker[name] if name in names else step for name, step in data.items()}
                yield self._learn("weakened", worse, variant="+".join(names))
        for names in self._method.removed:
            fewer = {name: step for name, step in data.items() if name not in names}
            yield self._learn("removed", fewer, variant="+".join(names))

    def _second_votes(self) -> Labels:
        model = self._train("wts-2", self._labels.strong_data)
        return self._teaching.relabel(model, f"wts-2 {self._weak.name}-{self._strong.name} seed {self._teaching.seed}")

    def _initial(self) -> Model:
        return self._teaching.given(self._strong)

    def _everywhere(self, model: Model) -> Mapping[str, Model]:
        return {of.name: model for of in self._build.capabilities}

    def _learn(self, role: SurveyRole, labels: Labels, start: Model | None = None, variant: str = "") -> SurveyPoint:
        model = self._train(role, labels, variant, start)
        return self._point(role, self._everywhere(model), self._strong, learnt=labels, variant=variant)

    def _train(self, role: SurveyRole, labels: Labels, variant: str = "", start: Model | None = None) -> Model:
        """Train S, or what it has become, on labels of all capabilities together."""
        label = f"train {self._name(role, variant)}"
        return self._build.train(start or self._initial(), kept(labels), self._teaching.training, role, label)

    def _name(self, role: SurveyRole, variant: str) -> str:
        named = f"{role}-{variant}" if variant else role
        return f"{named}/{self._weak.name}-{self._strong.name}/seed{self._teaching.seed}"

    def _point(  # noqa: PLR0913  all but the first two have one usual value
        self,
        role: SurveyRole,
        models: Mapping[str, Model],
        model: ChainModel,
        *,
        learnt: Labels | None = None,
        variant: str = "",
        taught: bool = True,
        shots: Shots = NO_SHOTS,
    ) -> SurveyPoint:
        """Evaluate on every capability; a model that serves several is sampled over their tests at once."""
        seed = self._teaching.seed
        name = self._name(role, variant) if taught else f"{role}/{model.name}/seed{seed}"
        return SurveyPoint(
            id=name,
            role=role,
            variant=variant,
            model=model.name,
            weak=self._weak.name if taught else None,
            seed=seed,
            evaluations=self._evaluate(role, name, models, shots),
            learnt={capability: step.key for capability, step in (learnt or {}).items()},
            trains=tuple(dict.fromkeys(one.trained.key for one in models.values() if one.trained is not None)),
        )

    def _evaluate(self, role: SurveyRole, name: str, models: Mapping[str, Model], shots: Shots) -> dict[str, str]:
        build = self._build
        evaluations: dict[str, str] = {}
        for model in dict.fromkeys(models.values()):
            of = [one for one in build.capabilities if models[one.name] == model]
            label = name if len(of) == len(build.capabilities) else f"{name}/{of[0].name}"
            samples = build.sample_tests(model, of, label, shots=_shots_of(of, build.capabilities, shots))
            for one in of:
                evaluations[one.name] = build.evaluate(one, samples, role, f"{name}/{one.name}").key
        return {one.name: evaluations[one.name] for one in build.capabilities}


def _shots_of(of: Sequence[Capability], every: Sequence[Capability], shots: Shots) -> Shots:
    """Keep the examples of some capabilities."""
    if not shots.number:
        return shots
    examples: tuple[Input, ...] = tuple(shots.examples[list(every).index(one)] for one in of)
    return Shots(shots.number, examples)
