"""Models of the hub on this machine: the hub's own cache fetches each once, here they are held and evicted.

A marker `<cache>/hub/<owner>--<name>@<revision>` stands for a model: shared by those who use it, touched at each use,
and holding its size and its whole revision, by which it is deleted. Only where a cache was set up for w2s (W2S_CACHE)
is anything evicted: elsewhere the hub's cache is the user's.
"""

from __future__ import annotations

import os
from pathlib import Path

from w2s_jobs.store.cache import FileCache
from w2s_jobs.store.cache_space import HUB, make_room
from w2s_jobs.store.file_lock import share
from w2s_jobs.store.signs import Sign, growing, no_sign

__all__ = ["fetch_hub_model"]

_WANTED = ["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]
_held: list[int] = []


def fetch_hub_model(name: str, revision: str, sign: Sign = no_sign) -> Path:
    """Return the folder of a model, which stays while this process lives. Raises what the hub's library raises."""
    if not os.environ.get("W2S_CACHE"):
        return _fetch(name, revision, sign)
    home = FileCache.of_this_machine().home
    marker = _hold(home / HUB / f"{name.replace('/', '--')}@{revision}")
    folder = _fetch(name, revision, sign)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    marker.write_text(f"{size} {folder.name}")
    make_room(home, 0)
    return folder


def _fetch(name: str, revision: str, sign: Sign) -> Path:
    from huggingface_hub import constants, snapshot_download  # only hub models need it

    # Of several processes one fetches a file and the others wait for it: its bytes are a sign to all of them.
    blobs = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}" / "blobs"
    with growing(blobs, "*", sign):
        return Path(snapshot_download(name, revision=revision, allow_patterns=_WANTED))


def _hold(marker: Path) -> Path:
    marker.parent.mkdir(parents=True, exist_ok=True)
    while True:
        marker.touch()
        if (held := share(marker)) is not None:  # else it was evicted just now
            _held.append(held)
            return marker
