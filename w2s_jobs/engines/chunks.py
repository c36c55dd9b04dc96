"""The chunks of a step whose rows are computed a few at a time: what is committed is never computed again.

    parts/samples/rows-00000000-00000256.parquet
    parts/computed/samples-0000.json                how long a shard took, with which versions; noted with each chunk

A chunk is a range of all the step's rows, so any number of shards commits the same chunks, and a killed run goes on
after those that are there. Which rows a chunk must hold is known beforehand: any other content is damage.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, JsonValue, ValidationError

from w2s_jobs.context import Outcome, StepContext
from w2s_jobs.contracts.artifact import FileEntry
from w2s_jobs.contracts.errors import InputError
from w2s_jobs.contracts.model import Contract
from w2s_jobs.core.shards import chunk_ranges, shard_range
from w2s_jobs.store.rows import read_rows, stream_rows, write_rows

__all__ = ["ChunkRows", "Chunks", "Computed"]

log = logging.getLogger(__name__)

Identity = tuple[Any, ...]


@dataclass(frozen=True)
class ChunkRows:
    """What the rows in the chunks are."""

    schema: str
    """schema of the rows; the chunks lie in a folder of this name"""
    identity: tuple[str, ...]
    """identity columns, which tell a chunk's rows apart and order them"""
    expected: Callable[[int], Iterable[Identity]]
    """expected identities of the rows that row number k of the step becomes"""


class Computed(Contract):
    """How chunks were computed: what the result says of it, whichever attempt publishes it."""

    timings: dict[str, float] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)


class Chunks:
    """The chunks of one attempt: which of them are this shard's, which are committed."""

    def __init__(self, context: StepContext, rows: int, content: ChunkRows) -> None:
        self.context, self.content = context, content
        self.ranges = chunk_ranges(rows, context.execution.chunk_rows) or [range(0)]
        self._committed: dict[int, FileEntry] = {}
        self._computed: Computed | None = None

    def pending(self) -> list[int]:
        """Return this shard's chunks that are still to be computed; a step without rows has none."""
        mine = shard_range(len(self.ranges), self.context.execution.shard, self.context.execution.shards)
        self._find_committed(mine)
        if self.rows == 0 and not self._committed:
            self.commit(0, [], Computed())
        pending = [chunk for chunk in mine if chunk not in self._committed]
        log.info("%d rows in %d chunks; %d of this shard's are to be done", self.rows, len(mine), len(pending))
        return pending

    @property
    def rows(self) -> int:
        """Rows of the whole step."""
        return self.ranges[-1].stop

    def commit(self, chunk: int, rows: Iterable[Mapping[str, Any]], computed: Computed) -> None:
        """Store a chunk; its rows are in the order of their identities, whatever order they were computed in.

        How it was computed is noted first: an attempt that finds all chunks there finds that too.
        """
        self._note(computed)
        local = self.context.work_dir / self._name(chunk)
        write_rows(local, self.content.schema, sorted(rows, key=self._identity))
        self._committed[chunk] = self.context.store.put_part(self.context.ref, self._name(chunk), local)

    def stop_if_told(self) -> None:
        """Raise `Stopped` if the step was told to stop."""
        self.context.stop_here(f"{len(self._committed)} chunks are committed")

    def outcome(
        self,
        metrics: Callable[[Iterator[dict[str, Any]]], dict[str, JsonValue]],
    ) -> Outcome:
        """Return all chunks of all shards, with metrics of their rows; incomplete while other shards are at work.

        Timings and versions are those of the last attempt of this shard that computed a chunk.
        """
        if self.context.execution.shards > 1:
            self._find_committed(range(len(self.ranges)))
        complete = len(self._committed) == len(self.ranges)
        computed = self._computed or self._read_note()
        return Outcome(
            parts={self._name(chunk): entry for chunk, entry in self._committed.items()},
            metrics=metrics(self._all_rows()) if complete else {},
            timings=computed.timings,
            versions=computed.versions,
            complete=complete,
        )

    def _all_rows(self) -> Iterator[dict[str, Any]]:
        for chunk in range(len(self.ranges)):
            yield from stream_rows(self.context.work_dir / self._name(chunk), self.content.schema)

    def _find_committed(self, wanted: range) -> None:
        """Check the chunks that are in the store already; one that is not exactly what it must be is done again."""
        there = self.context.store.list_parts(self.context.ref, f"{self.content.schema}/")
        for chunk in wanted:
            name = self._name(chunk)
            if chunk in self._committed or name not in there:
                continue
            local = self.context.work_dir / name
            entry = self.context.store.get_part(self.context.ref, name, local)
            try:
                found = [self._identity(row) for row in read_rows(local, self.content.schema)]
            except InputError:
                found = []
            expected = {identity for row in self.ranges[chunk] for identity in self.content.expected(row)}
            if len(found) == len(set(found)) and set(found) == expected:
                self._committed[chunk] = entry
            else:
                log.warning("chunk %s is damaged: it is done again", name)

    def _note(self, computed: Computed) -> None:
        self._computed = computed
        local = self.context.work_dir / self._note_name
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_text(computed.model_dump_json())
        self.context.store.put_part(self.context.ref, self._note_name, local)

    def _read_note(self) -> Computed:
        local = self.context.work_dir / self._note_name
        if self._note_name not in self.context.store.list_parts(self.context.ref, self._note_name):
            return Computed()  # chunks of an earlier release
        try:
            self.context.store.get_part(self.context.ref, self._note_name, local)
            return Computed.model_validate_json(local.read_bytes())
        except (InputError, ValidationError):
            log.warning("%s is damaged: the result has no timings and versions of its engine", self._note_name)
            return Computed()

    @property
    def _note_name(self) -> str:
        return f"computed/{self.content.schema}-{self.context.execution.shard:04d}.json"

    def _identity(self, row: Mapping[str, Any]) -> Identity:
        return tuple(row[column] for column in self.content.identity)

    def _name(self, chunk: int) -> str:
        rows = self.ranges[chunk]
        return f"{self.content.schema}/rows-{rows.start:08d}-{rows.stop:08d}.parquet"
