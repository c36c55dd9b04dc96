"""Files of remote stores on this machine, by their SHA-256: each is fetched once, by whichever process comes first.

    <root>/<store>/<2 digits>/<sha256>   a verified file; whoever uses it holds a shared lock on it
    <root>/<store>/incoming/             files that are not verified yet
    <root>/<store>/locks/<sha256>        held by the process that fetches the file; holds its size
    <root>/<store>/notes/<identity>      the SHA-256 of an object that no result states

Processes of any containers that mount the same folder may be at work in it. One that is killed leaves a lock that is
free, and at most a half file in `incoming`, which the next one removes.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from w2s_jobs.store.cache_space import INCOMING, LOCKS, make_room, remove_leftovers
from w2s_jobs.store.checksum import sha256_of
from w2s_jobs.store.disk import disk_errors
from w2s_jobs.store.file_lock import is_named, share, sole
from w2s_jobs.store.signs import Sign, growing, no_sign

__all__ = ["FileCache"]

_NOTES = "notes"
log = logging.getLogger(__name__)

_COPIED_BYTES = 64 * 1024 * 1024
"""A larger file is not copied to another disk but used where it is, and held for as long as this process lives."""
_held: list[int] = []


class FileCache:
    """A folder of verified files. A name appears by a rename after the check; what it leads to is checked once more."""

    def __init__(self, root: Path, home: Path | None = None, sign: Sign = no_sign) -> None:
        self.root, self._sign = root, sign
        self.home = home or root
        """folder of all stores' caches, which share the disk"""

    @classmethod
    def of_this_machine(cls, sign: Sign = no_sign) -> FileCache:
        """Return the cache that `W2S_CACHE` names, or the one in the user's cache folder.

        It gives a `sign` while a file that is wanted arrives, whichever process fetches it.
        """
        home = os.environ.get("W2S_CACHE")
        return cls(Path(home) if home else Path.home() / ".cache" / "w2s" / "files", sign=sign)

    def of_store(self, place: str) -> FileCache:
        """Return the part that holds the files of one store.

        A result states the digest of its files, and a download is checked by a CRC of the same result: whoever writes
        to one store must not choose what the readers of another find under a digest.
        """
        return FileCache(self.root / hashlib.sha256(place.encode()).hexdigest()[:16], self.root, self._sign)

    def path(self, sha256: str) -> Path:
        """Return where a file with this digest lies, whether or not it is there."""
        return self.root / sha256[:2] / sha256

    def provide(self, sha256: str, size: int, target: Path, download: Callable[[Path], None]) -> None:
        """Put a file at `target`: a hard link, a copy, or a link to where it lies. It must not be written to.

        `download` brings the file to a path, verified; it is called where the file is not there or is damaged, and
        while no other process fetches it.

        Raises
        ------
        DependencyError
            The disk is full, and nothing is left that could make room.
        """
        with disk_errors(self.home):
            held = self._hold(sha256, size)
            while held is None:
                with self._sole(sha256) as lock:
                    if not self.path(sha256).exists():  # else another process brought it while this one waited
                        os.write(lock, str(size).encode())
                        held = self._bring(sha256, size, download, lambda _: sha256)
                if held is None:
                    held = self._hold(sha256, size)
        with disk_errors(target):
            self._place(held, sha256, target)
        self._sign()

    def learn(self, identity: str, size: int, download: Callable[[Path], None]) -> str:
        """Return the SHA-256 of a file that is known by another name; the first time it is fetched for that.

        `identity` must differ for other bytes: place, size and version of an object.
        """
        note = self.root / _NOTES / identity
        with disk_errors(self.home):
            while not note.exists():
                with self._sole(identity) as lock:
                    if not note.exists():
                        os.write(lock, str(size).encode())
                        os.close(self._bring(identity, size, download, lambda path: self._note(note, path)))
            return note.read_text()

    @contextmanager
    def _sole(self, name: str) -> Iterator[int]:
        """Be the only process that fetches a file; while another one does, its bytes are a sign to this one too."""
        with ExitStack() as waiting:
            waiting.enter_context(growing(self.root / INCOMING, f"{name}.*", self._sign))
            with sole(self.root / LOCKS / name) as lock:
                waiting.close()
                yield lock

    def _hold(self, sha256: str, size: int) -> int | None:
        """Return the file, open and safe from eviction, or None where there is none that is right."""
        path = self.path(sha256)
        held = share(path)
        if held is None:
            return None
        try:
            if os.fstat(held).st_size == size and sha256_of(path) == sha256:
                with suppress(OSError):
                    os.utime(path)  # what was used last is evicted last
                return held
        except BaseException:
            os.close(held)
            raise
        log.warning("%s is damaged and is fetched again", path)
        if is_named(held, path):  # else another process has fetched it anew meanwhile
            path.unlink(missing_ok=True)
        os.close(held)
        return None

    def _bring(self, name: str, size: int, download: Callable[[Path], None], digest: Callable[[Path], str]) -> int:
        """Fetch a file, and hold it before it has the name that others look for: nobody may evict it in between."""
        remove_leftovers(self.root, name)
        make_room(self.home, size)
        incoming = self.root / INCOMING / f"{name}.{uuid.uuid4().hex}"
        incoming.parent.mkdir(parents=True, exist_ok=True)
        try:
            download(incoming)
            path = self.path(digest(incoming))
            path.parent.mkdir(parents=True, exist_ok=True)
            held = share(incoming)
            assert held is not None  # noqa: S101  only the holder of the lock removes it
            incoming.replace(path)
        finally:
            incoming.unlink(missing_ok=True)
        return held

    def _note(self, note: Path, path: Path) -> str:
        sha256 = sha256_of(path)
        staged = path.with_name(f"{path.name}.note")
        staged.write_text(sha256)
        note.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(note)
        return sha256

    def _place(self, held: int, sha256: str, target: Path) -> None:
        path = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(path, target)
        except OSError:  # another disk
            if os.fstat(held).st_size > _COPIED_BYTES:
                target.symlink_to(path)
                _held.append(held)
                return
            shutil.copyfile(path, target)
        os.close(held)
