"""`python -m module4.lab2_kubeflow COMMAND`: the lineage of a local run, the compiled files, and a real server."""

from pathlib import Path
from typing import Annotated

import typer

from module4.platforms import WORKSPACE
from shared.config import preset
from shared.errors import PipelineError, exit_on_error
from shared.version import code_version

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

DAILY = "0 0 6 * * *"
SCHEDULED_DAY = "2013-[[ScheduledTime.01-02]]"  # KFP's scheduler fills it in, by Go's way of writing dates
HostOption = Annotated[str, typer.Option(envvar="KF_PIPELINES_ENDPOINT", help="The server's URL.")]
PresetOption = Annotated[str, typer.Option("--preset", help="tiny, lab or full.")]
FileOption = Annotated[Path, typer.Option("--file", help="A compiled pipeline.")]


@app.command()
def local(
    pipeline: Annotated[str, typer.Argument(help="training, inference or monitoring.")],
    day: Annotated[str, typer.Option(help="For inference and monitoring. Default: the day after the test weeks.")] = "",
    preset_name: PresetOption = "tiny",
    runner: Annotated[str, typer.Option(help="process, or docker: a container per task (make image).")] = "process",
    store: Annotated[str, typer.Option(help="A folder.")] = str(WORKSPACE / "kubeflow"),
) -> None:
    """Run a pipeline on this machine."""
    from module4.lab2_kubeflow.run import run, run_inference, run_monitoring

    if runner not in ("process", "docker"):
        raise PipelineError(f"runner: process or docker, got {runner!r}.")
    config, docker = preset(preset_name), runner == "docker"
    if pipeline == "training":
        print(f"fingerprint {run(config, store, docker)['fingerprint']}")
    elif pipeline == "inference":
        print(run_inference(config, store, day or config.test_end.isoformat(), docker)["uri"])
    elif pipeline == "monitoring":
        run_monitoring(config, store, day or config.test_end.isoformat(), docker)
    else:
        raise PipelineError(f"pipeline: training, inference or monitoring, got {pipeline!r}.")


@app.command()
def lineage(
    store: Annotated[Path, typer.Option(help="The store of the local runs.")] = WORKSPACE / "kubeflow",
    picture: Annotated[Path | None, typer.Option(help="Default: lineage.png in the store.")] = None,
) -> None:
    """Show which data produced which model in the last local run: a table, one line, and a picture."""
    from module4.lab2_kubeflow.compile import pipeline_of  # before scikit-learn: KFP looks at all that is loaded

    # isort: split
    from module4.lab2_kubeflow import lineage as reading
    from module4.lab2_kubeflow.picture import draw_lineage
    from module4.lab2_kubeflow.run import RUNS
    from shared.report import save_figure

    run = reading.last_run(store / RUNS)
    nodes = reading.read_run(run, pipeline_of(run.name).pipeline_spec)
    print(reading.table(nodes))
    print(answer := reading.answer(run, nodes))
    save_figure(draw_lineage(nodes, answer), target := picture or store / "lineage.png")
    print(target)


@app.command("compile")
def compile_files(
    folder: Annotated[Path | None, typer.Option(help="Default: where the files stand in Git.")] = None,
    image: Annotated[str, typer.Option(help="The image that the cluster's pods start from.")] = "",
    gpus: Annotated[int, typer.Option(min=0, help="Accelerators per task that fits a model.")] = 0,
) -> None:
    """Write every pipeline as the file that a cluster gets."""
    from module4.lab2_kubeflow.cluster import Cluster
    from module4.lab2_kubeflow.compile import FOLDER, compile_all
    from module4.lab2_kubeflow.components import IMAGE

    for path in compile_all(folder or FOLDER, Cluster(image or IMAGE, gpus=gpus)):
        print(path)


@app.command()
def submit(
    file: FileOption,
    host: HostOption = "",
    what: Annotated[str, typer.Option(help="upload, run, or schedule (a recurring run).")] = "run",
    store: Annotated[str, typer.Option(help="Registry and predictions, as pods reach them.")] = "/store",
    preset_name: PresetOption = "tiny",
    day: Annotated[str, typer.Option(help="For inference and monitoring; for schedule: the day it is, in 2013.")] = "",
    cron: Annotated[str, typer.Option(help="For schedule: six fields, seconds first.")] = DAILY,
    namespace: Annotated[str | None, typer.Option(help="On a server of many users: yours.")] = None,
) -> None:
    """Upload a compiled pipeline to a server, run it there, or run it again and again."""
    from module4.lab2_kubeflow import submit as sending
    from module4.lab2_kubeflow.compile import arguments_for

    if what not in ("upload", "run", "schedule"):
        raise PipelineError(f"what: upload, run or schedule, got {what!r}.")
    if not host:
        raise PipelineError("host: no server is given. Name its URL: make kubeflow-submit HOST=http://localhost:8080")
    if not file.is_file():
        raise PipelineError(f"file: {file} does not exist. Compile it first: make kubeflow-compile")
    arguments = arguments_for(
        file,
        config=preset(preset_name).to_json(),
        registry=f"{store}/registry",
        partitions=f"{store}/predictions",
        day=day or (SCHEDULED_DAY if what == "schedule" else preset(preset_name).test_end.isoformat()),
        code=code_version(),
    )
    client = sending.connect(host, namespace)
    with sending.explained(host):
        if what == "upload":
            print(sending.upload(client, file))
        elif what == "run":
            print(sending.start(client, file, arguments, namespace))
        else:
            print(sending.schedule(client, file, arguments, cron, namespace))


def main() -> None:
    """Run a command; errors made for people are printed without a traceback and end with status 1."""
    with exit_on_error():
        app(prog_name="python -m module4.lab2_kubeflow")


if __name__ == "__main__":
    main()
