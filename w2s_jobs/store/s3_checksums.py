"""The checksums of a file that goes to S3: SHA-256, and the CRC-64/NVME that the CRT can check on the way back.

CRC-64/NVME is S3's own checksum of whole objects. It finds every accidental change but one in 2^64, at a seventh of
SHA-256's cost, and the CRCs of ranges that arrive in any order can be put together, which no SHA can.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from awscrt.checksums import crc64nvme

__all__ = ["sha256_and_crc64nvme"]

_CHUNK = 256 * 1024
"""Bytes read at once: few enough to stay in a core's cache."""


def sha256_and_crc64nvme(path: Path) -> tuple[str, str]:
    """Return both checksums of the same bytes: 64 hex digits, and eight bytes (the highest first) in base64."""
    sha256, crc, chunk = hashlib.sha256(), 0, memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as stream:
        while read := stream.readinto(chunk):
            sha256.update(chunk[:read])
            crc = crc64nvme(chunk[:read], crc)
    return sha256.hexdigest(), base64.b64encode(crc.to_bytes(8, "big")).decode()
