"""Where a rule stands, and when it is passed over."""

from controller.api.crd.rules.rule import Rule
from controller.api.v1alpha1 import ExperimentSpec

RULE = Rule(ExperimentSpec, "self.seeds.all(one, one > 0)", "seeds are above 0", ".seeds")
GROWS = Rule(ExperimentSpec, "oldSelf.seeds.all(one, one in self.seeds)", "seeds may only be added to", ".seeds")


def test_a_rule_of_the_spec_reads_the_spec_of_the_whole_object_and_points_into_it() -> None:
    whole = RULE.to_whole()
    assert "|| (self.spec.seeds.all(one, one > 0)) ||" in whole["rule"]
    assert whole["fieldPath"] == ".spec.seeds"
    assert GROWS.to_whole()["rule"].endswith("|| (oldSelf.spec.seeds.all(one, one in self.spec.seeds))")


def test_a_rule_that_needs_no_old_object_holds_for_a_new_one_too() -> None:
    whole = RULE.to_whole()
    assert whole["optionalOldSelf"] is True
    assert whole["rule"].startswith("oldSelf.hasValue() && ")
    assert "optionalOldSelf" not in GROWS.to_whole()
