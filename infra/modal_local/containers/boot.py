"""The first code that runs in a container: set up its file system, then become Modal's entrypoint.

Runs as `python -I -S boot.py SPEC`: it needs the standard library only, and starts quickly.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

REDIRECTED = "MODAL_LOCAL_REDIRECTED"  # the variable that `redirect.py` reads
PR_SET_PDEATHSIG = 1
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_RELATIME = 1, 32, 4096, 16384, 1 << 18, 1 << 21


def main() -> None:
    """Prepare the process as its argument, a JSON file, specifies, and run Modal's entrypoint in it."""
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if spec["paths"] == "redirect":
        home = spec["grafts"]["/root"]
        os.environ[REDIRECTED] = json.dumps({name: spec[name] for name in ("grafts", "read_only")})
    else:
        home = "/root"
        enter_own_root(spec, user=spec["paths"] == "user")
    if spec.get("probe"):
        print(Path("/root/probe").read_text(encoding="utf-8"))
        return
    os.environ.update(HOME=home, PYTHONPATH=os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")])))
    os.chdir(spec["workdir"] if spec["paths"] != "redirect" else redirected(spec["workdir"], spec["grafts"]))
    os.execv(spec["python"], [spec["python"], "-u", "-m", "modal._container_entrypoint"])


def redirected(path: str, grafts: "dict[str, str]") -> str:
    """Return the real location of a path in the container."""
    for target, source in grafts.items():
        if Path(path).is_relative_to(target):
            return str(Path(source, Path(path).relative_to(target)))
    return path


def enter_own_root(spec: "dict[str, Any]", user: bool) -> None:
    """Make `/` a private view of the machine's files in which each path in `grafts` shows one of our folders.

    Paths in `keep` (Python itself) stay visible even below such a folder; paths in `read_only` cannot be changed.
    """
    new_root = Path(spec["new_root"])
    ids = os.getuid(), os.getgid()
    call("unshare", CLONE_NEWNS | (CLONE_NEWUSER if user else 0))
    if user:  # without privileges: the same user in a new namespace
        Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
        for name, number in zip(("uid_map", "gid_map"), ids, strict=True):
            Path("/proc/self", name).write_text(f"{number} {number} 1", encoding="utf-8")
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)  # `unshare` has reset it: die with the supervisor
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    call("mount", b"tmpfs", os.fsencode(new_root), b"tmpfs", 0, b"mode=755")
    graft(Path("/"), new_root, {Path(path): Path(source) for path, source in spec["grafts"].items()})
    for path in map(Path, spec["keep"]):
        place = new_root / path.relative_to("/")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            bind(path, place)
    for path in map(Path, spec["read_only"]):
        protect(new_root / path.relative_to("/"))
    os.chroot(new_root)
    os.chdir("/")


def graft(host: Path, new: Path, grafts: "dict[Path, Path]") -> None:
    """Show in the folder `new` what `host` contains, with our folders in their places."""
    names = set(os.listdir(host)) if host.is_dir() else set()
    names |= {path.relative_to(host).parts[0] for path in grafts if path.is_relative_to(host) and path != host}
    for name in names:
        path, place = host / name, new / name
        if path in grafts:
            bind(grafts[path], place)
        elif any(target.is_relative_to(path) for target in grafts):
            place.mkdir()
            if path.is_dir():
                shutil.copymode(path, place)
            graft(path, place, grafts)
        elif path.is_symlink():
            place.symlink_to(os.readlink(path))
        else:
            bind(path, place)


def bind(source: Path, place: Path) -> None:
    """Show `source` at `place`."""
    if source.is_dir():
        place.mkdir()
    else:
        place.touch()
    call("mount", os.fsencode(source), os.fsencode(place), None, MS_BIND | MS_REC, None)


def protect(folder: Path) -> None:
    """Make a folder read-only. The mount keeps its other flags: unprivileged users may not remove any."""
    call("mount", os.fsencode(folder), os.fsencode(folder), None, MS_BIND | MS_REC, None)
    flags = os.statvfs(folder).f_flag
    kept = flags & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)
    relative = MS_RELATIME if flags & os.ST_RELATIME else 0
    call("mount", None, os.fsencode(folder), None, MS_BIND | MS_REMOUNT | MS_RDONLY | kept | relative, None)


def call(name: str, *arguments: "int | bytes | None") -> None:
    """Call a function of the C library. Raises OSError when it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
