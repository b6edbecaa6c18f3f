"""The other side of `external_baseline`: a program that needs only `dagster_pipes`, one file without dependencies."""

from dagster_pipes import open_dagster_pipes

from shared import steps


def main() -> None:
    """Train as the extras say, and report what came out."""
    with open_dagster_pipes() as pipes:
        pipes.log.info("training begins")
        summary = steps.train(pipes.get_extra("config_json"), pipes.get_extra("features"), pipes.get_extra("output"))
        hyperparameters = {"type": "json", "raw_value": summary["hyperparameters"]}
        pipes.report_asset_materialization(metadata={**summary, "hyperparameters": hyperparameters})


if __name__ == "__main__":
    main()
