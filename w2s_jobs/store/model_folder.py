"""The digest that pins a model folder: what `ModelSource.sha256` means."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from w2s_jobs.store.checksum import sha256_of

__all__ = ["model_folder_sha256"]


def model_folder_sha256(folder: Path, digest_of: Callable[[Path], str] = sha256_of) -> str:
    """Compute the SHA-256 over the sorted lines `<sha256 of file>  <name>` of all files that are not hidden.

    Times, owners and hidden files (a download tool's `.cache`) play no part, so a copied folder has the same digest.
    `digest_of` gives the SHA-256 of one file.
    """
    files = sorted(
        (path.relative_to(folder).as_posix(), path)
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    with ThreadPoolExecutor(2) as pool:  # hashing frees the interpreter lock; two keep a disk busy
        digests = pool.map(lambda entry: digest_of(entry[1]), files)
        lines = "".join(f"{digest}  {name}\n" for digest, (name, _) in zip(digests, files, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()
