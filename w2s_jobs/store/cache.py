"""Files of remote stores on this machine, by their SHA-256: fetched once, shared by concurrent processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from pathlib import Path

__all__ = ["FileCache"]


class FileCache:
    """A folder of verified files. A name appears by a rename after the check, so what is there is right."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_this_machine(cls) -> FileCache:
        """Return the cache that `W2S_CACHE` names, or the one in the user's cache folder."""
        home = os.environ.get("W2S_CACHE")
        return cls(Path(home) if home else Path.home() / ".cache" / "w2s" / "files")

    def of_store(self, place: str) -> FileCache:
        """Return the part that holds the files of one store.

        A result states the digest of its files, and a download is checked by a CRC of the same result: whoever writes
        to one store must not choose what the readers of another find under a digest.
        """
        return FileCache(self.root / hashlib.sha256(place.encode()).hexdigest()[:16])

    def path(self, sha256: str) -> Path:
        """Return where a file with this digest lies, whether or not it is there."""
        return self.root / sha256[:2] / sha256

    def has(self, sha256: str, size: int) -> bool:
        """Tell whether the file is there in full."""
        path = self.path(sha256)
        return path.is_file() and path.stat().st_size == size

    def incoming(self, sha256: str) -> Path:
        """Return a name of this process's own on the cache's disk, for a file that is not verified yet."""
        return self.root / "incoming" / f"{sha256}.{uuid.uuid4().hex}"

    def add(self, sha256: str, verified: Path) -> None:
        """Move a verified file of the same disk into the cache."""
        self.path(sha256).parent.mkdir(parents=True, exist_ok=True)
        verified.replace(self.path(sha256))

    def place(self, sha256: str, target: Path) -> None:
        """Put a cached file at `target`: a hard link where the disk allows it, else a copy."""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(self.path(sha256), target)
        except OSError:
            shutil.copyfile(self.path(sha256), target)
