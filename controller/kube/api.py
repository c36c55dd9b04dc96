"""Requests to the API server with plain dicts, over the connections and credentials of the official client.

The typed models of that client are left out: they cost more than the request. JSON is read once, straight from the
answer's bytes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlencode

import urllib3
from kubernetes.client import ApiClient

from controller.kube.errors import RequestName, broken_connection, error_of_answer
from controller.kube.fence import Fence
from controller.kube.resource import Resource
from controller.kube.watch import Watch

__all__ = ["KubeApi", "Object", "Objects", "Observer"]

Object = dict[str, Any]
"""An object of Kubernetes as JSON has it"""
Objects = list[Object]
Observer = Callable[[str, str, int, float], None]
"""Told of each request: verb, plural of the resource, status code (0 without an answer), seconds"""
Propagation = Literal["Background", "Foreground", "Orphan"]

_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"  # JSON is YAML
_MERGE = "application/merge-patch+json"
_STRATEGIC = "application/strategic-merge-patch+json"
_TIMEOUT = 30.0
"""Seconds that a request may take"""
_CONNECT_TIMEOUT = 5.0
_SILENCE = 150.0
"""Seconds without a word after which a watch counts as dead; bookmarks come each minute or so"""
_PAGE = 500
"""Objects in one page of a list"""


class KubeApi:
    """The verbs. Every failure is a KubeError. Threads share one.

    With a fence each write asks it first, and ends in the time it has left: the API server itself is told (`timeout`).
    """

    def __init__(
        self,
        client: ApiClient,
        fence: Fence | None = None,
        observer: Observer | None = None,
        timeout: float = _TIMEOUT,
    ) -> None:
        self._client = client
        self._configuration = client.configuration
        self._pool: urllib3.PoolManager = client.rest_client.pool_manager
        self._fence = fence
        self._observer = observer
        self._timeout = timeout

    def fenced(self, fence: Fence) -> KubeApi:
        """The same connections, behind a fence."""
        return KubeApi(self._client, fence, self._observer, self._timeout)

    def within(self, seconds: float) -> KubeApi:
        """The same connections, for requests that may take `seconds` each."""
        return KubeApi(self._client, self._fence, self._observer, seconds)

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        """Read one object. Raises NotFound."""
        return self._read(RequestName("get", resource.plural, namespace, name), resource.path(namespace, name), {})

    def list(
        self, resource: Resource, namespace: str = "", label_selector: str = "", resource_version: str = ""
    ) -> tuple[Objects, str]:
        """Read all objects: (items, resourceVersion to watch from). Of all namespaces when none is given."""
        items: Objects = []
        version = ""
        for page, page_version in self.pages(resource, namespace, label_selector, resource_version):
            items += page
            version = page_version
        return items, version

    def pages(
        self, resource: Resource, namespace: str = "", label_selector: str = "", resource_version: str = ""
    ) -> Iterator[tuple[Objects, str]]:
        """Read all objects page by page: (items, resourceVersion). All pages show one state. Raises Gone if too slow.

        Items of a list have no kind of their own in the API; they are given it here.
        """
        request = RequestName("list", resource.plural, namespace)
        query = {
            "limit": str(_PAGE),
            "labelSelector": label_selector,
            "fieldSelector": resource.field_selector,
            "resourceVersion": resource_version,
        }
        while True:
            answer = self._read(request, resource.path(namespace), query)
            for item in answer["items"] or ():
                item["apiVersion"], item["kind"] = resource.api_version, resource.kind
            yield answer["items"] or [], answer["metadata"]["resourceVersion"]
            query = {**query, "continue": answer["metadata"].get("continue", ""), "resourceVersion": ""}
            if not query["continue"]:
                return

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        label_selector: str = "",
        resource_version: str = "",
        timeout_seconds: float = 300,
    ) -> Watch:
        """Follow changes after `resource_version` for `timeout_seconds` at most, with bookmarks. Raises Gone."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": label_selector,
            "fieldSelector": resource.field_selector,
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, round(timeout_seconds))),
        }
        request = RequestName("watch", resource.plural, namespace)
        timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT, read=_SILENCE)
        return Watch(self._send(request, "GET", _url(resource.path(namespace), query), timeout=timeout), request)

    def create(self, resource: Resource, obj: Object, field_manager: str = "") -> Object:
        """Create an object. Raises AlreadyExists."""
        request = _name("create", resource, obj)
        return self._write(request, "POST", resource.path(request.namespace), {"fieldManager": field_manager}, obj)

    def apply(
        self, resource: Resource, obj: Object, field_manager: str, *, force: bool = False, subresource: str = ""
    ) -> Object:
        """Server-side apply. Raises Conflict where another manager owns a field and `force` does not take it."""
        request = _name("apply", resource, obj)
        query = {"fieldManager": field_manager, "force": "true" if force else ""}
        path = resource.path(request.namespace, request.name, subresource)
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
        return self._write(request, "PATCH", path, query, body, _APPLY)

    def replace(self, resource: Resource, obj: Object) -> Object:
        """Replace an object whose resourceVersion is still that of `obj`. Raises Conflict."""
        request = _name("update", resource, obj)
        return self._write(request, "PUT", resource.path(request.namespace, request.name), {}, obj)

    def merge_patch(
        self, resource: Resource, name: str, namespace: str, patch: Object, *, subresource: str = ""
    ) -> Object:
        """Change fields; null removes one. With `metadata.resourceVersion` in it only that version (else Conflict)."""
        request = RequestName("patch", resource.plural, namespace, name)
        return self._write(request, "PATCH", resource.path(namespace, name, subresource), {}, patch, _MERGE)

    def strategic_patch(self, resource: Resource, name: str, namespace: str, patch: Object) -> Object:
        """Change fields of a built-in kind, whose lists know their keys: one entry can go without naming the others."""
        request = RequestName("patch", resource.plural, namespace, name)
        return self._write(request, "PATCH", resource.path(namespace, name), {}, patch, _STRATEGIC)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = "Background",
    ) -> Object:
        """Delete an object; with a uid or version only that one (else Conflict). Raises NotFound."""
        request = RequestName("delete", resource.plural, namespace, name)
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        if given := {name: value for name, value in preconditions.items() if value}:
            options["preconditions"] = given
        return self._write(request, "DELETE", resource.path(namespace, name), {}, options)

    def _read(self, request: RequestName, path: str, query: Mapping[str, str]) -> Object:
        return self._json(request, "GET", _url(path, query), None, _JSON, self._timeout)

    def _write(
        self,
        request: RequestName,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Object,
        content: str = _JSON,
    ) -> Object:
        seconds = self._timeout
        if self._fence is not None:
            seconds = min(seconds, self._fence.check(request))
            query = {**query, "timeout": f"{int(seconds * 1000)}ms"}
        data = json.dumps(body, separators=(",", ":")).encode()
        return self._json(request, method, _url(path, query), data, content, seconds)

    def _json(
        self, request: RequestName, method: str, url: str, body: bytes | None, content: str, seconds: float
    ) -> Object:
        timeout = urllib3.Timeout(connect=min(_CONNECT_TIMEOUT, seconds), total=seconds)
        response = self._send(request, method, url, body=body, content=content, timeout=timeout)
        try:
            answer: Object = json.loads(response.data)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise broken_connection(request, error) from error
        return answer

    def _send(
        self,
        request: RequestName,
        method: str,
        url: str,
        *,
        timeout: urllib3.Timeout,
        body: bytes | None = None,
        content: str = _JSON,
    ) -> urllib3.BaseHTTPResponse:
        started = time.monotonic()
        code = 0
        try:
            response = self._pool.request(
                method,
                self._configuration.host + url,
                body=body,
                headers=self._headers(content),
                timeout=timeout,
                preload_content=False,
                retries=False,  # who asks decides what is repeated
            )
            code = response.status
            if code < 300:
                return response
            raise error_of_answer(request, code, response.data, response.headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise broken_connection(request, error) from error
        finally:
            if self._observer is not None:
                self._observer(request.verb, request.resource, code, time.monotonic() - started)

    def _headers(self, content: str) -> dict[str, str]:
        headers = {"Accept": _JSON, "Content-Type": content, "User-Agent": self._client.user_agent}
        for setting in self._configuration.auth_settings().values():  # reads a rotated token again
            if setting["value"]:
                headers[setting["key"]] = setting["value"]
        return headers


def _name(verb: str, resource: Resource, obj: Object) -> RequestName:
    metadata = obj["metadata"]
    return RequestName(verb, resource.plural, metadata.get("namespace", ""), metadata.get("name", ""))


def _url(path: str, query: Mapping[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
