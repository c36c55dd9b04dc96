"""What can go wrong with a request to the API server. Answers and broken connections become these here, nowhere else.

W2sError
└── KubeError            `may_retry` says whether the same request may work later
    ├── NotFound         404: the object, or the whole kind (no CRD)
    ├── Conflict         409: somebody else changed it (resourceVersion, uid), or owns the field
    │   └── AlreadyExists    409: something of that name is there
    ├── Invalid          400, 422: the object breaks the schema; `causes` has a line for each field
    ├── Forbidden        401, 403: no such right, or a quota or an admission rule says no
    ├── Gone             410: the resourceVersion is too old, list again
    ├── TooManyRequests  429: come back after `retry_after` seconds
    ├── Unavailable      5xx, time-outs, lost connections: it may or may not have happened
    │   └── WebhookFailed    500: an admission webhook could not be asked
    └── LostLeadership   another controller may lead: nothing was sent
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from controller.errors import W2sError

__all__ = [
    "AlreadyExists",
    "Conflict",
    "Forbidden",
    "Gone",
    "Invalid",
    "KubeError",
    "LostLeadership",
    "NotFound",
    "RequestName",
    "TooManyRequests",
    "Unavailable",
    "WebhookFailed",
    "broken_connection",
    "error_of_answer",
    "error_of_status",
]

_UNREADABLE = 300
"""How much of an answer that is no Status object goes into a message, in letters"""


@dataclass(frozen=True)
class RequestName:
    """A request in words, for messages: `apply jobs team-a/w2s-train-1f`."""

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.verb} {self.resource} {place}".rstrip()


class KubeError(W2sError):
    """A request that did not do what it was for."""

    may_retry: ClassVar[bool] = True
    """whether the same request may work later without a change by a person"""
    next_step: ClassVar[str] = "The API server's log says more."
    """what a person can do"""

    is_refusal: ClassVar[bool] = False
    """whether somebody said no to this very object: others may still be taken"""

    def __init__(self, request: RequestName, message: str, code: int = 0, reason: str = "") -> None:
        self.request = request
        self.code = code
        self.reason = reason
        self.causes: tuple[str, ...] = ()
        super().__init__(f"{request}: {message.rstrip('.')}. {self.next_step}")


class NotFound(KubeError):
    """404."""

    may_retry = False
    next_step = "It was deleted meanwhile, or its kind is not installed: `kubectl api-resources` lists the kinds."


class Conflict(KubeError):
    """409: the object is not as the request expected it."""

    next_step = "Read it again and decide anew."


class AlreadyExists(Conflict):
    """409 of a creation."""

    may_retry = False
    next_step = "Read what is there, or apply it instead."


class Invalid(KubeError):
    """400 and 422: the API server refuses the object itself."""

    may_retry = False
    is_refusal = True
    next_step = "Correct the fields named above; `kubectl explain` describes them."


class Forbidden(KubeError):
    """401 and 403: the identity has no such right, or an admission rule or a quota refuses the object."""

    is_refusal = True
    next_step = (
        "Grant the right to the controller's service account (`kubectl auth can-i --list --as …`), or raise the quota."
    )


class Gone(KubeError):
    """410: the resourceVersion, or the list's token, is too old."""

    next_step = "List again."


class TooManyRequests(KubeError):
    """429: the API server's priority and fairness, or a disruption budget, holds the request back."""

    next_step = "It is tried again by itself; where it stays, `kubectl get flowschemas` shows who is held back."

    def __init__(self, request: RequestName, message: str, code: int = 429, reason: str = "") -> None:
        super().__init__(request, message, code, reason)
        self.retry_after = 1.0
        """seconds to wait before the next try"""


class Unavailable(KubeError):
    """5xx, time-outs and lost connections. A write of this kind may have happened: only idempotent ones are sent."""

    next_step = "It is tried again by itself; where it stays, look at the API server (`kubectl get --raw /readyz`)."


class WebhookFailed(Unavailable):
    """500: an admission webhook could not be asked, such as Kueue's while its pod is down. Nothing happened."""

    is_refusal = True
    next_step = "It is tried again by itself; where it stays, look at the pod behind the webhook that is named above."


class LostLeadership(KubeError):
    """The Lease is not held any more, or not for long enough. The request was not sent."""

    may_retry = False
    next_step = "The leader does it; this process waits for the Lease."


_BY_CODE: dict[int, type[KubeError]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    405: NotFound,
    408: Unavailable,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}


def error_of_answer(request: RequestName, code: int, body: bytes, headers: Mapping[str, str]) -> KubeError:
    """Return the error for an answer with status `code` (300 and above) and its body, a Status object as a rule."""
    try:
        status = json.loads(body)
        if not isinstance(status, dict) or status.get("kind") != "Status":
            raise ValueError("no Status object")
    except ValueError:
        text = body[:_UNREADABLE].decode(errors="replace").strip()
        status = {"message": text or "an answer without words"}
    error = error_of_status(request, {**status, "code": code})
    if isinstance(error, TooManyRequests) and (seconds := headers.get("Retry-After", "")).isdigit():
        error.retry_after = float(seconds)
    return error


def error_of_status(request: RequestName, status: Mapping[str, Any]) -> KubeError:
    """Return the error that a `v1.Status` object tells of, such as the one in an ERROR event of a watch."""
    code = int(status.get("code") or 500)
    reason = str(status.get("reason") or "")
    kind = AlreadyExists if reason == "AlreadyExists" else _BY_CODE.get(code, Unavailable)
    words = str(status.get("message") or reason or "no message")
    if kind is Unavailable and "failed calling webhook" in words:
        kind = WebhookFailed
    error = kind(request, f"the API server answers {code}{f' {reason}' if reason else ''}: {words}", code, reason)
    details = status.get("details") or {}
    error.causes = tuple(
        f"{cause.get('field', '(object)')}: {cause.get('message', '')}" for cause in details.get("causes") or ()
    )
    if isinstance(error, TooManyRequests) and (seconds := details.get("retryAfterSeconds")):
        error.retry_after = float(seconds)
    return error


def broken_connection(request: RequestName, error: Exception) -> Unavailable:
    """Return the error for a request that got no answer: refused, reset, timed out, or an unknown certificate."""
    return Unavailable(request, f"no answer from the API server ({type(error).__name__}: {error})")
