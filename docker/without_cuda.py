"""Make CUDA's libraries empty shells, for an image that computes on CPUs: `python without_cuda.py SITE_PACKAGES`.

The public index has torch for CUDA only. It is linked with 2.8 GB of libraries, and the loader wants each of their
symbols before torch's first line runs. Without a GPU none is called: a library of the same name with the same symbols
and a trap behind all of them is enough. The small libraries stay: torch asks them whether there is a GPU.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

LARGE = 10_000_000
_SYMBOL = re.compile(r"^(?!_Z)([A-Za-z]\w*)(?:@@(\S+))?", re.MULTILINE)  # C++ names: every library's own copy of std
_SONAME = re.compile(r"SONAME.*\[(.+)\]")


def main(site_packages: Path) -> None:
    """Hollow every large library of the NVIDIA wheels in `site_packages`, and say what that saved."""
    saved = 0
    for library in sorted(site_packages.glob("nvidia/**/lib/*.so*")):
        size = library.stat().st_size
        if size > LARGE and not library.is_symlink():
            _hollow(library)
            saved += size - library.stat().st_size
    print(f"without_cuda: {saved / 1e6:.0f} MB less")


def _hollow(library: Path) -> None:
    """Write `library` anew, with its name, its symbols and their version, and nothing else."""
    soname = _SONAME.findall(_output("readelf", "--dynamic", "--wide", str(library)))[0]
    symbols = dict(_SYMBOL.findall(_output("nm", "--dynamic", "--defined-only", "--format=posix", str(library))))
    versions = {version for version in symbols.values() if version}
    with tempfile.TemporaryDirectory() as folder:
        source, script = Path(folder, "shell.c"), Path(folder, "versions")
        names = sorted(symbols.keys() - versions)  # a version is listed as a symbol too
        functions = [f'void {name}(void) __attribute__((alias("trap")));' for name in names]
        source.write_text("\n".join(["static void trap(void) { __builtin_trap(); }", *functions]) + "\n")
        script.write_text("".join(f"{version} {{ *; }};\n" for version in versions))
        options = [f"-Wl,-soname,{soname}", *([f"-Wl,--version-script={script}"] if versions else [])]
        library.unlink()
        _output("gcc", "-w", "-shared", "-nostdlib", "-fno-builtin", "-s", *options, "-o", str(library), str(source))


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
