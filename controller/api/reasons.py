"""Condition types, reasons and events: the one list. docs/status.md is written from here (`status_reference`).

Each member says what it means and what to do about it; commands name the experiment NAME and the Job JOB.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ConditionType", "EventReason", "Reason", "WaitReason"]


class Documented(StrEnum):
    """Words of the API with their meaning, and with what to do."""

    meaning: str
    """what it means, for a person"""
    fix: str
    """what to do, with the next command; empty where there is nothing to do"""

    def __new__(cls, value: str, meaning: str, fix: str = "") -> Documented:
        """Make a member out of its word, its meaning and its fix."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.fix = fix
        return member


class ConditionType(Documented):
    """Conditions of an experiment, in this order in its status."""

    READY = "Ready", "the report is there", "`kubectl wait w2s/NAME --for=condition=Ready`"
    PROGRESSING = "Progressing", "steps run, or will run without anybody doing anything"
    SUSPENDED = "Suspended", "nothing runs, because the experiment says so"
    SUCCEEDED = "Succeeded", "the experiment ended well"
    FAILED = "Failed", "the experiment ended, and not well"


class Reason(Documented):
    """Why a condition is as it is."""

    INVALID_SPEC = (
        "InvalidSpec",
        "the manifest cannot be compiled; the message names each field and its fix",
        "change the manifest as the message says and apply it again; `w2s validate FILE` says the same before",
    )
    PLAN_REFUSED = (
        "PlanRefused",
        "gold labels would reach a step that must not see them",
        "no manifest can ask for that: report it as a defect, with the manifest",
    )
    DOES_NOT_FIT = (
        "DoesNotFit",
        "no placement on the named pools holds a model; the message has the arithmetic",
        "name a pool of larger GPUs or of more nodes in spec.placement, or a smaller model; `w2s plan FILE` shows it",
    )
    STORE_UNAVAILABLE = (
        "StoreUnavailable",
        "the store cannot be reached, or refuses the credentials; tried again with growing pauses",
        "check the endpoint and the credentials of the store in the controller's settings; running steps go on",
    )
    STEPS_RUNNING = "StepsRunning", "at least one step runs"
    STEPS_WAITING = (
        "StepsWaiting",
        "steps are ready, but none runs; `status.waiting` says why for each",
        "`kubectl get w2s NAME -o jsonpath='{.status.waiting}'`, and the table of wait reasons below",
    )
    STEP_FAILED = (
        "StepFailed",
        "a step failed for good, and nothing else could still run",
        "read `status.failed`, cure the cause, then `kubectl delete job JOB`: the step is tried again",
    )
    ALL_STEPS_SUCCEEDED = "AllStepsSucceeded", "the report is in the store"
    SUSPENDED_BY_SPEC = (
        "SuspendedBySpec",
        "spec.suspend is true; steps keep what they had saved",
        '`kubectl patch w2s NAME --type merge -p \'{"spec":{"suspend":false}}\'` goes on',
    )
    DEADLINE_EXCEEDED = (
        "DeadlineExceeded",
        "the experiment took longer than spec.activeDeadlineSeconds",
        "raise spec.activeDeadlineSeconds: it goes on from what is done",
    )
    NOT_SUSPENDED = "NotSuspended", "spec.suspend is false"
    NOT_FINISHED = "NotFinished", "the experiment has not ended"


class WaitReason(Documented):
    """Why a step waits."""

    CONFIGURATION = (
        "MissingConfiguration",
        "a Secret, ConfigMap, volume, service account or priority class that the pod names is not there",
        "create what the message names, in the experiment's namespace; the step then starts by itself",
    )
    IMAGE = (
        "ImagePull",
        "the image cannot be pulled",
        "check the image's name and the pull secrets in the message's words; the kubelet tries again by itself",
    )
    POD_REFUSED = (
        "PodRefused",
        "an admission rule refuses the pods; the message has its words",
        "change the rule, or the namespace's pod security level (`restricted` is fine unless an overlay breaks it)",
    )
    QUOTA = (
        "QuotaExceeded",
        "a ResourceQuota refuses the pods or the Job; of each experiment one Job asks for room at a time, and the Job "
        "controller asks after pauses of up to a minute",
        "`kubectl describe quota`: wait until others have ended, or have it raised; spec.maxParallelSteps keeps an "
        "experiment below it",
    )
    UNSCHEDULABLE = (
        "Unschedulable",
        "no node fits; the message has the scheduler's words",
        "nothing where nodes are only busy; else compare the pool's selector and tolerations with "
        "`kubectl get nodes --show-labels`",
    )
    QUEUE = (
        "Queued",
        "Kueue holds the Job; the message has its words",
        "`kubectl describe workload -l kueue.x-k8s.io/job-uid=UID`; a queue that does not exist holds for ever",
    )
    BACKOFF = (
        "Backoff",
        "the last attempt failed; the next one comes after a pause",
        "nothing; `kubectl logs job/JOB` shows what the attempt said",
    )
    RESULT = (
        "ReadingResult",
        "the Job is complete, and its result is being read from the store",
        "nothing; if it lasts, see StoreUnavailable",
    )
    STARTING = (
        "Starting",
        "the Job or its pods are being created, or containers are",
        "if it lasts, `kubectl describe pod -l job-name=JOB`: volumes that cannot be mounted are told there only",
    )
    LIMIT = "MaxParallelSteps", "spec.maxParallelSteps others run", "wait, or raise spec.maxParallelSteps"
    DEPENDENCIES = "Dependencies", "steps before it are not done"

    @property
    def needs_person(self) -> bool:
        """It lasts until somebody changes something, or may: worth an event."""
        return self in _FOR_PERSONS


_FOR_PERSONS = frozenset(
    {
        WaitReason.CONFIGURATION,
        WaitReason.IMAGE,
        WaitReason.POD_REFUSED,
        WaitReason.QUOTA,
        WaitReason.UNSCHEDULABLE,
    }
)


class EventReason(Documented):
    """Events on the experiment."""

    STARTED = "Started", "compiled: how many steps, how many of them exist already"
    INVALID = "Invalid", "the manifest is refused; the reason is in the condition", "see InvalidSpec"
    STEP_RETRIED = "StepRetried", "an attempt of a step ended without a result, and another follows", "see Backoff"
    STEP_FAILED = "StepFailed", "a step failed for good; what it said", "see StepFailed above"
    STEP_WAITING = (
        "StepWaiting",
        "steps wait for something that a person may have to do: quota, image, Secret, nodes",
        "see the wait reason in its message",
    )
    SUSPENDED = "Suspended", "all running steps were told to save and stop"
    RESUMED = "Resumed", "goes on"
    SUCCEEDED = "Succeeded", "the report is there: where, and the best PGR", "`w2s report FILE`"
    FAILED = "Failed", "ended without a report", "see the condition Failed"
