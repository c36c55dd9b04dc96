"""Answers of the API server become errors that name verb, object, reason and next step."""

from __future__ import annotations

import json

import pytest
import urllib3

from controller.errors import W2sError
from controller.kube import errors
from controller.kube.errors import RequestName, broken_connection, error_of_answer, error_of_status

REQUEST = RequestName("apply", "jobs", "team", "w2s-train-1f")


def status(code: int, reason: str, message: str = "words", **details: object) -> bytes:
    return json.dumps(
        {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    ).encode()


@pytest.mark.parametrize(
    ("code", "reason", "kind", "may_retry"),
    [
        (400, "BadRequest", errors.Invalid, False),
        (401, "Unauthorized", errors.Forbidden, True),
        (403, "Forbidden", errors.Forbidden, True),
        (404, "NotFound", errors.NotFound, False),
        (409, "Conflict", errors.Conflict, True),
        (409, "AlreadyExists", errors.AlreadyExists, False),
        (410, "Expired", errors.Gone, True),
        (413, "RequestEntityTooLarge", errors.Invalid, False),
        (422, "Invalid", errors.Invalid, False),
        (429, "TooManyRequests", errors.TooManyRequests, True),
        (500, "InternalError", errors.Unavailable, True),
        (503, "ServiceUnavailable", errors.Unavailable, True),
        (504, "Timeout", errors.Unavailable, True),
    ],
)
def test_each_answer_has_its_error_which_knows_whether_a_retry_may_help(
    code: int, reason: str, kind: type[errors.KubeError], may_retry: bool
) -> None:
    error = error_of_answer(REQUEST, code, status(code, reason), {})
    assert type(error) is kind
    assert isinstance(error, W2sError)
    assert (error.code, error.reason, error.may_retry) == (code, reason, may_retry)


def test_a_webhook_that_cannot_be_asked_refuses_one_object_and_a_broken_server_all() -> None:
    words = 'Internal error occurred: failed calling webhook "mjob.kb.io": connection refused'
    failed = error_of_answer(REQUEST, 500, status(500, "InternalError", words), {})
    assert type(failed) is errors.WebhookFailed
    assert failed.is_refusal
    assert error_of_answer(REQUEST, 403, status(403, "Forbidden", "quota"), {}).is_refusal
    assert not error_of_answer(REQUEST, 503, status(503, "ServiceUnavailable"), {}).is_refusal


def test_a_message_names_the_verb_the_object_the_reason_and_the_next_step() -> None:
    error = error_of_answer(REQUEST, 403, status(403, "Forbidden", "exceeded quota: gpus."), {})
    assert str(error).startswith("apply jobs team/w2s-train-1f: the API server answers 403 Forbidden: exceeded quota: ")
    assert "kubectl auth can-i" in str(error)


def test_an_invalid_object_comes_with_a_line_for_each_field() -> None:
    causes = [{"field": "spec.template", "message": "field is immutable", "reason": "FieldValueInvalid"}]
    assert error_of_answer(REQUEST, 422, status(422, "Invalid", causes=causes), {}).causes == (
        "spec.template: field is immutable",
    )


def test_the_wait_that_the_api_server_asks_for_is_in_the_header_or_in_the_details() -> None:
    by_header = error_of_answer(
        REQUEST, 429, b"Too many requests, please try again later.\n", urllib3.HTTPHeaderDict({"retry-after": "7"})
    )
    by_details = error_of_status(REQUEST, {"code": 429, "details": {"retryAfterSeconds": 9}})
    assert isinstance(by_header, errors.TooManyRequests)
    assert isinstance(by_details, errors.TooManyRequests)
    assert (by_header.retry_after, by_details.retry_after) == (7, 9)
    assert "please try again later" in str(by_header)


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"[]", b"\xff\xfe", b'{"kind": "Pod"}'])
def test_an_answer_of_something_that_is_no_api_server_is_still_an_error_with_words(body: bytes) -> None:
    error = error_of_answer(REQUEST, 502, body, {})
    assert isinstance(error, errors.Unavailable)
    assert "502" in str(error)


def test_a_lost_connection_names_what_was_asked() -> None:
    error = broken_connection(REQUEST, ConnectionResetError(104, "Connection reset by peer"))
    assert str(error).startswith("apply jobs team/w2s-train-1f: no answer from the API server (ConnectionResetError")
