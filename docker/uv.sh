#!/bin/sh -e
# uv with the settings of an image's build. Both are mounted, not copied: no image keeps them.
export UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1
# Compiled files are trusted without a look at the time of their source, which a reproducible layer resets.
export PYC_INVALIDATION_MODE=UNCHECKED_HASH
exec /build/uv "$@"
