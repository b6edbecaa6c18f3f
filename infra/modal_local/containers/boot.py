"""The first code in a container process: give it its own files, hide the checkout, then run Modal's entrypoint.

Runs as `python -I -S boot.py SPEC`, so before anything is installed: only the standard library, only what it can see.
`-S` keeps `.pth` files from being read: an editable install would make this checkout importable, and a missing
`add_local_python_source` would pass unnoticed here and fail in the cloud.
"""

import ctypes
import json
import os
import runpy
import shutil
import signal
import site
import sys
import threading
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def main() -> None:
    """Prepare the process as the JSON file says that is its only argument."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    if spec["paths"] == "redirect":
        runpy.run_path(str(Path(__file__).with_name("redirect.py")))["install"](spec["grafts"])
        home = spec["grafts"]["/root"]
    else:
        enter_own_root(Path(spec["new_root"]), spec["grafts"], spec["keep"], user=spec["paths"] == "user")
        home = "/root"
    if spec.get("probe"):
        print(Path("/root/probe").read_text())
        return
    end_with(spec["lifeline"])
    os.chdir(home)
    os.environ.update(HOME=home, PYTHONPATH=home)
    sys.prefix, sys.exec_prefix = spec["prefix"], spec["exec_prefix"]
    sys.path[:] = [home, *sys.path, *spec["packages"]]
    site.setquit()
    sys.argv[:] = ["modal._container_entrypoint"]
    runpy.run_module("modal._container_entrypoint", run_name="__main__", alter_sys=True)


def end_with(lifeline: int) -> None:
    """End this process and its children when the control plane ends, however it ended."""
    os.set_inheritable(lifeline, False)

    def wait() -> None:
        os.read(lifeline, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def enter_own_root(new_root: Path, grafts: "dict[str, str]", keep: "list[str]", user: bool) -> None:
    """Make `/` a private copy of the machine's in which every path of `grafts` is a folder of ours.

    What is in `keep` (Python itself) stays visible also below such a path.
    """
    ids = os.getuid(), os.getgid()
    call("unshare", CLONE_NEWNS | (CLONE_NEWUSER if user else 0))
    if user:  # without privileges: be the same user in a namespace of our own
        Path("/proc/self/setgroups").write_text("deny")
        for name, number in zip(("uid_map", "gid_map"), ids, strict=True):
            Path("/proc/self", name).write_text(f"{number} {number} 1")
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    call("mount", b"tmpfs", os.fsencode(new_root), b"tmpfs", 0, b"mode=755")
    graft(Path("/"), new_root, {Path(path): Path(source) for path, source in grafts.items()})
    for path in map(Path, keep):
        place = new_root / path.relative_to("/")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            bind(path, place)
    os.chroot(new_root)
    os.chdir("/")


def graft(host: Path, new: Path, grafts: "dict[Path, Path]") -> None:
    """Fill the folder `new` with what `host` holds, and with our folders in their places."""
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


def call(name: str, *arguments: "int | bytes | None") -> None:
    """Call a function of the C library. Raises OSError when it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
