"""Leader election on a coordination.k8s.io/v1 Lease: of several controllers one works, the others wait."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from controller.kube.api import KubeApi
from controller.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from controller.kube.fence import Fence
from controller.kube.lease_record import LeaseRecord, Sighting, Timing
from controller.kube.resource import LEASES

__all__ = ["Election"]

log = logging.getLogger(__name__)


class Election:
    """One term: wait for the Lease, hold it, and lose or release it. A further term needs a new Election.

    Parameters
    ----------
    api
        Without a fence: the Lease itself is written without being its holder.
    identity
        Unique for each start of a process, such as the pod's name and a random part.
    on_lost
        Called by the election's thread, with the fence closed already: the process should end, and may come again.
    """

    def __init__(
        self,
        api: KubeApi,
        namespace: str,
        name: str,
        identity: str,
        *,
        timing: Timing | None = None,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self.fence = Fence()
        """for KubeApi.fenced: open while this process leads"""
        self.leading = threading.Event()
        """set while this process leads; wait for it"""
        self.identity = identity
        self._api = api
        self._place = (namespace, name)
        self._timing = timing or Timing()
        self._on_lost = on_lost
        self._sighting = Sighting()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease {name}", daemon=True)

    def start(self) -> None:
        """Begin to wait for the Lease."""
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Release the Lease, so that the next takes over at once. First end everything that writes."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._attempt()
            if self.leading.is_set() and not self.fence.seconds_left():
                self._lose()
                return
            self._ended.wait(self._pause())
        if self.leading.is_set():
            self._release()

    def _attempt(self) -> None:
        """Take or renew the Lease once; failures are for the next attempt."""
        began = time.monotonic()
        try:
            held = self._hold(began)
        except KubeError as error:
            log.warning("%s", error)
            return
        if held:
            self.fence.open_until(began + self._timing.renew_deadline)
            if not self.leading.is_set():
                log.info("%s leads by lease %s/%s", self.identity, *self._place)
                self.leading.set()
        elif self.leading.is_set():
            self.fence.close()

    def _hold(self, now: float) -> bool:
        """Write the Lease where it is free or ours; False where somebody else has it."""
        api = self._api.within(self._seconds_for_a_request())
        namespace, name = self._place
        try:
            record = LeaseRecord.of(api.get(LEASES, name, namespace))
        except NotFound:
            return self._create(api)
        if not self._sighting.is_free(record, now) and record.holder != self.identity:
            return False
        wanted = record.held_by(self.identity, self._timing.lease_seconds, datetime.now(UTC))
        try:
            api.replace(LEASES, wanted.to_object(namespace, name))
        except Conflict:
            if self.leading.is_set():
                raise  # somebody wrote it meanwhile: the next attempt reads whether it is still ours
            return False
        return True

    def _create(self, api: KubeApi) -> bool:
        record = LeaseRecord.new(self.identity, self._timing.lease_seconds, datetime.now(UTC))
        try:
            api.create(LEASES, record.to_object(*self._place))
        except AlreadyExists:
            return False
        return True

    def _seconds_for_a_request(self) -> float:
        most = self._timing.renew_deadline / 2
        return min(most, max(self.fence.seconds_left(), most / 10)) if self.leading.is_set() else most

    def _pause(self) -> float:
        if self.leading.is_set():
            return min(self._timing.retry_seconds, self.fence.seconds_left())
        return self._timing.retry_seconds * (1 - 0.2 * random.random())  # noqa: S311 (candidates part)

    def _lose(self) -> None:
        self.fence.close()
        self.leading.clear()
        log.error("%s lost the lease %s/%s", self.identity, *self._place)
        self._on_lost()

    def _release(self) -> None:
        self.fence.close()
        self.leading.clear()
        namespace, name = self._place
        api = self._api.within(self._timing.renew_deadline / 2)
        try:
            record = LeaseRecord.of(api.get(LEASES, name, namespace))
            if record.holder == self.identity:
                api.replace(LEASES, record.released(datetime.now(UTC)).to_object(namespace, name))
        except KubeError as error:  # it runs out by itself
            log.warning("%s", error)
