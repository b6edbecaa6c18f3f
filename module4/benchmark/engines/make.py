"""Make: a file per task, and a process for each; as many at a time as there are processors."""

import os
import subprocess
import sys
from pathlib import Path

from module4.benchmark.engines.noop import Shape, shape

INHERITED = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS")  # of an outer make: its options are not meant for this


def makefile(wanted: Shape) -> str:
    """Return the shape as a Makefile whose target `all` needs every task."""
    rules, last = ["STEP = @cd $(ROOT) && $(PY) -m module4.benchmark.engines.noop", "", "all: done"], ""

    def rule(target: str, needs: str, task: str) -> str:
        rules.append(f"{target}: {needs}\n\t$(STEP) {task}\n\t@touch $@")
        return target

    for name in wanted.before:
        last = rule(name, last, name)
    if wanted.trials:
        proposed = rule("propose_trials", last, "propose_trials")
        trials = [rule(f"trial_{number}", proposed, "run_trial") for number in range(wanted.trials)]
        last = rule("select_best", " ".join(trials), "select_best")
    for name in wanted.after:
        last = rule(name, last, name)
    return "\n".join([*rules, f"done: {last}\n\t@touch $@\n.PHONY: all"]) + "\n"


def main() -> None:
    """Make everything anew in the folder named on the command line."""
    folder = Path(sys.argv[1])
    for old in folder.glob("*"):
        old.unlink()
    (folder / "Makefile").write_text(makefile(shape()), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
    places = [f"ROOT='{os.getcwd()}'", f"PY='{sys.executable}'"]
    sys.exit(subprocess.run(["make", "-s", f"-j{os.cpu_count()}", *places], cwd=folder, env=environment).returncode)


if __name__ == "__main__":
    main()
