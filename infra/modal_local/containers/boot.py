"""The first code in a container's process: give it its own files, then become Modal's entrypoint.

Runs as `python -I -S boot.py SPEC`: it needs the standard library only, and starts quickly.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
from pathlib import Path

REDIRECTED = "MODAL_LOCAL_REDIRECTED"  # the variable that `redirect.py` reads
PR_SET_PDEATHSIG = 1
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def main() -> None:
    """Prepare the process as the JSON file says that is its only argument, and run Modal's entrypoint in it."""
    spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if spec["paths"] == "redirect":
        home = spec["grafts"]["/root"]
        os.environ[REDIRECTED] = json.dumps(spec["grafts"])
    else:
        home = "/root"
        enter_own_root(Path(spec["new_root"]), spec["grafts"], spec["keep"], user=spec["paths"] == "user")
    if spec.get("probe"):
        print(Path("/root/probe").read_text(encoding="utf-8"))
        return
    os.chdir(home)
    os.environ.update(HOME=home, PYTHONPATH=home)
    os.execv(spec["python"], [spec["python"], "-u", "-m", "modal._container_entrypoint"])


def enter_own_root(new_root: Path, grafts: "dict[str, str]", keep: "list[str]", user: bool) -> None:
    """Make `/` a private copy of the machine's in which every path of `grafts` is a folder of ours.

    What is in `keep` (Python itself) stays visible also below such a path.
    """
    ids = os.getuid(), os.getgid()
    call("unshare", CLONE_NEWNS | (CLONE_NEWUSER if user else 0))
    if user:  # without privileges: be the same user in a namespace of our own
        Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
        for name, number in zip(("uid_map", "gid_map"), ids, strict=True):
            Path("/proc/self", name).write_text(f"{number} {number} 1", encoding="utf-8")
        call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)  # which `unshare` has reset: die with the supervisor
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
