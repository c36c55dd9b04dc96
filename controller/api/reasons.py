"""Condition types and their reasons: the one list, documented in docs/status.md (generated from here)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ConditionType", "EventReason", "Reason", "WaitReason"]


class ConditionType(StrEnum):
    """Conditions of an experiment, in this order in its status."""

    READY = "Ready"
    """the report is there"""
    PROGRESSING = "Progressing"
    """steps run, or will run without anybody doing anything"""
    SUSPENDED = "Suspended"
    """nothing runs, because the experiment says so"""
    SUCCEEDED = "Succeeded"
    """the experiment ended well"""
    FAILED = "Failed"
    """the experiment ended, and not well"""


class Reason(StrEnum):
    """Why a condition is as it is."""

    PENDING = "Pending"
    """accepted; the first pass is not over"""
    INVALID_SPEC = "InvalidSpec"
    """the manifest cannot be compiled; the message names each field and its fix"""
    PLAN_REFUSED = "PlanRefused"
    """gold labels would reach a step that must not see them"""
    DOES_NOT_FIT = "DoesNotFit"
    """no placement on the named pools holds a model; the message has the arithmetic"""
    STORE_UNAVAILABLE = "StoreUnavailable"
    """the store cannot be reached, or refuses the credentials; tried again with growing pauses"""
    STEPS_RUNNING = "StepsRunning"
    """at least one step runs"""
    STEPS_WAITING = "StepsWaiting"
    """steps are ready, but none runs; `status.waiting` says why for each"""
    STEP_FAILED = "StepFailed"
    """a step failed for good, and nothing else could still run"""
    ALL_STEPS_SUCCEEDED = "AllStepsSucceeded"
    """the report is in the store"""
    SUSPENDED_BY_SPEC = "SuspendedBySpec"
    """spec.suspend is true; set it to false to go on"""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """the experiment took longer than spec.activeDeadlineSeconds"""
    NOT_SUSPENDED = "NotSuspended"
    """spec.suspend is false"""
    NOT_FINISHED = "NotFinished"
    """the experiment has not ended"""


class WaitReason(StrEnum):
    """Why a step waits."""

    DEPENDENCIES = "Dependencies"
    """steps before it are not done"""
    LIMIT = "MaxParallelSteps"
    """spec.maxParallelSteps others run"""
    QUEUE = "Queued"
    """Kueue holds the Job; the message has its words"""
    QUOTA = "QuotaExceeded"
    """a ResourceQuota refuses the pods"""
    UNSCHEDULABLE = "Unschedulable"
    """no node fits; the message has the scheduler's words"""
    IMAGE = "ImagePull"
    """the image cannot be pulled"""
    CONFIGURATION = "MissingConfiguration"
    """a Secret, ConfigMap, volume or service account that the pod names is not there"""
    STARTING = "Starting"
    """scheduled; containers are being created"""
    BACKOFF = "Backoff"
    """the last attempt failed; the next one comes after a pause"""


class EventReason(StrEnum):
    """Events on the experiment."""

    STARTED = "Started"
    """compiled: how many steps, how many of them exist already"""
    INVALID = "Invalid"
    """the manifest is refused; the reason is in the condition"""
    STEP_RETRIED = "StepRetried"
    """an attempt of a step ended without a result, and another follows"""
    STEP_FAILED = "StepFailed"
    """a step failed for good; what it said"""
    STEP_WAITING = "StepWaiting"
    """a step waits for something that a person may have to do: quota, image, Secret, nodes"""
    SUSPENDED = "Suspended"
    """all running steps were told to save and stop"""
    RESUMED = "Resumed"
    """goes on"""
    SUCCEEDED = "Succeeded"
    """the report is there: where, and the best PGR"""
    FAILED = "Failed"
    """ended without a report"""
