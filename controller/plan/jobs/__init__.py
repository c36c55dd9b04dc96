"""PURE. A step of the plan as the objects that run it on a cluster: plain dicts, the same for the same arguments."""

from controller.plan.jobs.check import check_jobs
from controller.plan.jobs.context import JobContext, Operations, Owner
from controller.plan.jobs.job import build_job
from controller.plan.jobs.names import field_manager, job_name
from controller.plan.jobs.overlay import OverlayRefused, check_overlay
from controller.plan.jobs.ownership import build_join, build_release
from controller.plan.jobs.service import build_service

__all__ = [
    "JobContext",
    "Operations",
    "OverlayRefused",
    "Owner",
    "build_job",
    "build_join",
    "build_release",
    "build_service",
    "check_jobs",
    "check_overlay",
    "field_manager",
    "job_name",
]
