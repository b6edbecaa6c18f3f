"""Plain Python: function calls, one after the other."""

from module4.benchmark.engines.noop import do, shape


def main() -> None:
    """Run the tasks."""
    wanted = shape()
    search = ["propose_trials", *["run_trial"] * wanted.trials, "select_best"] if wanted.trials else []
    for name in [*wanted.before, *search, *wanted.after]:
        do(name)


if __name__ == "__main__":
    main()
