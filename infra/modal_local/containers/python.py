"""The containers' Python: this interpreter and its packages in a virtual environment without `.pth` files.

An editable install is a `.pth` file. It would make this checkout importable in containers, so that a forgotten
`add_local_python_source` would go unnoticed here and fail in the cloud. Options of the interpreter (`-I -S`) would have
the same effect, but the Python processes that libraries start inherit them and fail to import anything.
"""

import sys
import sysconfig
from pathlib import Path

REDIRECT = Path(__file__).with_name("redirect.py")
LEFT_OUT = ("__editable__", "sitecustomize.py", "usercustomize.py")


def make_python(folder: Path, redirect: bool) -> Path:
    """Make the environment in `folder`, which must not exist, and return its interpreter.

    With `redirect`, its processes translate paths (see `redirect.py`).
    """
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    base = Path(getattr(sys, "_base_executable", sys.executable))
    for name in ("python", "python3", f"python3.{sys.version_info.minor}"):
        (python.parent / name).symlink_to(base)
    version = ".".join(map(str, sys.version_info[:3]))
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {version}\n", encoding="utf-8"
    )
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    packages.mkdir(parents=True)
    for source in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(source).iterdir():
            if not path.name.startswith(LEFT_OUT) and path.suffix != ".pth":
                (packages / path.name).symlink_to(path)
    if redirect:
        (packages / "sitecustomize.py").write_text(REDIRECT.read_text(encoding="utf-8"), encoding="utf-8")
    return python
