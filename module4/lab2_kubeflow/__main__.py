"""`python -m module4.lab2_kubeflow COMMAND`: run pipelines here, ask where a model came from, compile, submit."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer

from module4.platforms import WORKSPACE
from shared.config import preset
from shared.errors import PipelineError, exit_on_error

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

DAILY = "0 0 6 * * *"
PresetOption = Annotated[str, typer.Option("--preset", help="tiny, lab or full.")]
StoreOption = Annotated[str, typer.Option(envvar="PIPELINE_STORE", help="A folder.")]


@app.command()
def run(
    pipeline: Annotated[Literal["training", "inference", "monitoring"], typer.Argument()] = "training",
    day: Annotated[str, typer.Option(help="For inference and monitoring. Default: the day after the test weeks.")] = "",
    preset_name: PresetOption = "tiny",
    runner: Annotated[
        Literal["process", "docker"], typer.Option(help="A process per task, or a container per task (make image).")
    ] = "process",
    store: StoreOption = str(WORKSPACE / "kubeflow"),
) -> None:
    """Run a pipeline on this machine."""
    from module4.lab2_kubeflow import run as local

    config, docker = preset(preset_name), runner == "docker"
    day = day or config.test_end.isoformat()
    if pipeline == "training":
        print(f"fingerprint {local.run(config, store, docker)['fingerprint']}")
    elif pipeline == "inference":
        print(local.run_inference(config, store, day, docker)["uri"])
    else:
        local.run_monitoring(config, store, day, docker)


@app.command()
def lineage(
    store: StoreOption = str(WORKSPACE / "kubeflow"),
    picture: Annotated[Path | None, typer.Option(help="A Markdown file. Default: lineage.md in the store.")] = None,
) -> None:
    """Show which data produced which model in the last local run: a table, one line, and a picture (Mermaid)."""
    from module4.lab2_kubeflow.pipelines import PIPELINES  # first: with scikit-learn loaded, KFP takes longer

    # isort: split
    from module4.lab2_kubeflow.lineage import answer, last_run, read_run, table, to_markdown
    from module4.lab2_kubeflow.run import RUNS, local_folder
    from shared.outputs import check_output
    from shared.storage import replace_file

    folder = local_folder(store)
    newest = last_run(folder / RUNS)
    target = picture or folder / "lineage.md"
    check_output(target, "picture")
    nodes = read_run(newest, PIPELINES[newest.name.partition("-")[0]].pipeline_spec)
    print(table(nodes))
    print(title := answer(newest, nodes))
    replace_file(str(target), to_markdown(nodes, title).encode())
    print(target)


@app.command("compile")
def compile_files(
    folder: Annotated[Path | None, typer.Option(help="Default: the lab's folder compiled/.")] = None,
    image: Annotated[str, typer.Option(help="The image that the cluster's pods start from.")] = "",
    node: Annotated[str, typer.Option(help="LABEL=VALUE of the nodes to run on, e.g. kubernetes.io/arch=amd64.")] = "",
    gpus: Annotated[int, typer.Option(min=0, help="Accelerators per task that fits a model.")] = 0,
) -> None:
    """Compile every pipeline to the files that a cluster gets."""
    from module4.lab2_kubeflow.compile import FOLDER, compile_all
    from module4.lab2_kubeflow.components import IMAGE

    label, _, value = node.partition("=")
    if node and not (label and value):
        raise PipelineError(f"node: write LABEL=VALUE, as in kubernetes.io/arch=amd64, got {node!r}.")
    for path in compile_all(folder or FOLDER, image or IMAGE, {label: value} if node else {}, gpus):
        print(path)


@app.command()
def submit(
    file: Annotated[Path, typer.Option("--file", help="A compiled pipeline.")],
    host: Annotated[
        str, typer.Option(envvar="KF_PIPELINES_ENDPOINT", help="The server's URL. Default: the one in your cluster.")
    ] = "",
    what: Annotated[Literal["upload", "run", "schedule"], typer.Option(help="schedule: a recurring run.")] = "run",
    store: Annotated[str, typer.Option(help="Registry and predictions, as pods reach them.")] = "/store",
    preset_name: PresetOption = "tiny",
    day: Annotated[
        str, typer.Option(help="For inference and monitoring. Default for schedule: the same day in 2013.")
    ] = "",
    cron: Annotated[str, typer.Option(help="For schedule: six fields, seconds first.")] = DAILY,
    namespace: Annotated[str | None, typer.Option(help="On a multi-user server: yours.")] = None,
    context: Annotated[str, typer.Option(help="Your cluster, as a context of kubeconfig. Default: kind's.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run has ended.")] = False,
) -> None:
    """Upload a compiled pipeline to a server, run it there once, or schedule it."""
    from module4.lab2_kubeflow import submit as server
    from module4.lab2_kubeflow.forward import forwarded

    if what == "schedule":
        server.check_cron(cron)
    arguments = server.arguments_for(file, preset(preset_name), store, day, scheduled=what == "schedule")
    with nullcontext(host) if host else forwarded(context) as url:
        client = server.connect(url, namespace)
        with server.explained(url):
            if what == "upload":
                print(server.upload(client, file).display_name)
            elif what == "schedule":
                print(server.schedule(client, file, arguments, cron, namespace))
            else:
                print(run_id := server.start(client, file, arguments, namespace))
                if wait:
                    server.wait(client, run_id)


@app.command()
def traps() -> None:
    """Fall into two traps of Kubeflow Pipelines: a stale cache and a branch that is not taken."""
    from module4.lab2_kubeflow.traps import show

    show(WORKSPACE / "kubeflow-traps")


def main() -> None:
    """Run one command; a PipelineError is printed without a traceback, and the exit status is 1."""
    with exit_on_error():
        app(prog_name="python -m module4.lab2_kubeflow")


if __name__ == "__main__":
    main()
