# What students may hand in as their platform. `make` writes a folder; without arguments it is a right one.

# %% 1 right graphlib
from tests.notebooks.platform_folders import make

folder = make()

# %% 1 right path_as_text
from tests.notebooks.platform_folders import make

folder = f"{make()}/"

# %% 1 right graph_alone
from tests.notebooks.platform_folders import ROW, make

folder = make(
    ROW + 'again = "it starts over."\n',
    """
import shared.graph as g

TASKS = [
    ("load_data", []), ("preprocess", ["load_data"]), ("train", ["preprocess"]),
    ("hyperparameter_search", ["train", "preprocess"]),
    ("evaluate", ["hyperparameter_search", "train", "preprocess"]), ("deploy", ["evaluate"]),
]
PARTS = [("propose_trials", [], False), ("run_trial", ["propose_trials"], True), ("select_best", ["run_trial"], False)]


def read_graph() -> g.Graph:
    inner = [g.Node(name, needs, mapped) for name, needs, mapped in PARTS]
    return g.Graph("relay", [g.Node(n, needs, inner=inner if "search" in n else ()) for n, needs in reversed(TASKS)])
""",
    run=None,
)

# %% 1 right functions_and_their_parameters
from tests.notebooks.platform_folders import make

folder = make(
    graph="""
from inspect import getmembers, isfunction, signature

import flow
from shared.graph import Graph, Node


def read_graph():
    functions = dict(getmembers(flow, isfunction))
    search = {n for n, f in functions.items() if getattr(f, "group", "")}
    def needs(n):
        return [p for p in signature(functions[n]).parameters if p in functions]
    outer = lambda n: "hyperparameter_search" if n in search else n
    inner = tuple(Node(n, tuple(set(needs(n)) & search), getattr(functions[n], "loop", False)) for n in search)
    steps = {outer(n) for n in functions}
    return Graph("training", tuple(
        Node(s, tuple({outer(x) for n in functions if outer(n) == s for x in needs(n)} - {s}),
             inner=inner if s not in functions else ()) for s in steps))
""",
    flow="""
def grouped(f): f.group = "search"; return f
def load_data(): ...
def preprocess(load_data): ...
def train(preprocess): ...
def propose_trials(train): ...
def run_trial(propose_trials, preprocess): ...
def select_best(run_trial, preprocess): ...
def evaluate(preprocess, train, select_best): ...
def deploy(evaluate): ...
for f in (propose_trials, run_trial, select_best): grouped(f)
del f
run_trial.loop = True
del grouped
""",
)

# %% 1 right classes_with_requires
from tests.notebooks.platform_folders import make

folder = make(
    graph="""
from dataclasses import dataclass
from shared.graph import Graph, Node


class Task:
    requires = ()
    parts = ()
    loop = False

class load_data(Task): ...
class preprocess(Task): requires = (load_data,)
class train(Task): requires = (preprocess,)
class propose_trials(Task): ...
class run_trial(Task): requires, loop = (propose_trials,), True
class select_best(Task): requires = (run_trial,)
class hyperparameter_search(Task):
    requires = (preprocess, train)
    parts = (propose_trials, run_trial, select_best)
class evaluate(Task): requires = (preprocess, train, hyperparameter_search)
class deploy(Task): requires = (evaluate,)


def node(task):
    return Node(task.__name__, tuple(t.__name__ for t in task.requires), task.loop, tuple(map(node, task.parts)))


def read_graph():
    seen = {}
    def visit(task):
        for above in task.requires:
            visit(above)
        seen[task.__name__] = node(task)
    visit(deploy)
    return Graph("training", tuple(seen.values()))
"""
)

# %% 1 right read_from_a_file
from tests.notebooks.platform_folders import make

folder = make(
    graph='''
from pathlib import Path
from shared.graph import Graph, Node

def read_graph():
    print("reading the flow")
    nodes, inner = [], []
    for line in Path(__file__).with_name("flow.txt").read_text().splitlines():
        name, _, needs = line.strip().partition(":")
        target = inner if line.startswith(" ") else nodes
        target.append(Node(name.strip("*"), tuple(needs.split()), mapped="*" in name))
    return Graph("training", tuple(Node(n.name, n.needs, n.mapped, tuple(inner) if "search" in n.name else ()) for n in nodes))
'''
)
_ = (folder / "flow.txt").write_text(
    """load_data:
preprocess: load_data
train: preprocess
hyperparameter_search: preprocess train
  propose_trials:
  run_trial*: propose_trials
  select_best: run_trial
evaluate: preprocess train hyperparameter_search
deploy: evaluate
"""
)

# %% 1 right other_directory_names
from tests.notebooks.platform_folders import make

folder = make()
folder = folder.rename(f"{folder} my-own.platform")

# %% 1 right relative_path
import os

from tests.notebooks.platform_folders import make

folder = os.path.relpath(make())

# %% 1 right helper_with_a_common_name
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("from run import", "from jobs_of_relay import")), jobs_of_relay="from run import *")

# %% 1 right hamilton
folder = str(ROOT / "notebooks" / "solutions" / "hamilton")

# %% 1 wrong no_such_folder hint="is not a folder"
folder = "there/is/no/such/folder"

# %% 1 wrong not_a_path hint="It is a dict"
folder = {"name": "relay"}

# %% 1 wrong the_lessons_draft hint="That is the lesson's draft"
folder = DRAFT

# %% 1 wrong copy_of_the_draft hint="step hyperparameter_search is missing"
import shutil
import tempfile

folder = shutil.copytree(DRAFT, tempfile.mkdtemp() + "/copy")

# %% 1 wrong no_row hint="has no platform.toml"
from tests.notebooks.platform_folders import make

folder = make(row=None)

# %% 1 wrong no_reader hint="has no graph.py"
from tests.notebooks.platform_folders import make

folder = make(graph=None)

# %% 1 wrong name_taken hint="which is taken"
from tests.notebooks.platform_folders import ROW, change, make

folder = make(change(ROW, ('"relay"', '"airflow"')))

# %% 1 wrong file_hides_a_package hint="dagster.py has the name of a package"
from tests.notebooks.platform_folders import make

folder = make(dagster="x = 1")

# %% 1 wrong the_declaration hint="It returned the course's declaration"
from tests.notebooks.platform_folders import make

folder = make(graph="from shared.graph import TRAINING\n\n\ndef read_graph():\n    return TRAINING\n")

# %% 1 wrong forgotten_return hint="`return`"
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("return Graph", "Graph")))

# %% 1 wrong a_dictionary hint="not a Graph of shared.graph"
from tests.notebooks.platform_folders import make

folder = make(graph="def read_graph():\n    return {'load_data': []}\n")

# %% 1 wrong edge_missing hint="edge preprocess → evaluate is missing."
from tests.notebooks.platform_folders import RUN, change, make

folder = make(run=change(RUN, ('("preprocess", "train", "select_best")', '("train", "select_best")')))

# %% 1 wrong edge_too_many hint="edge load_data → train is not in the declared graph"
from tests.notebooks.platform_folders import RUN, change, make

folder = make(run=change(RUN, ('"train": (("preprocess",)', '"train": (("preprocess", "load_data")')))

# %% 1 wrong not_mapped hint="run_trial must be mapped"
from tests.notebooks.platform_folders import RUN, change, make

folder = make(run=change(RUN, ('LOOPS = {"run_trial"}', "LOOPS = set()")))

# %% 1 wrong no_inner_steps hint="hyperparameter_search has no inner steps"
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("inner=tuple(inner)", "inner=()")))

# %% 1 wrong flat hint="step hyperparameter_search is missing."
from tests.notebooks.platform_folders import RUN, change, make

folder = make(run=change(RUN, ('GROUPS = {SEARCH: ("propose_trials", "run_trial", "select_best")}', "GROUPS = {}")))

# %% 1 wrong step_forgotten hint="step deploy is missing."
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("tuple(nodes)", "tuple(nodes[:-1])")))

# %% 1 wrong step_twice hint="step train appears 2 times"
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("tuple(nodes)", "tuple([*nodes, nodes[2]])")))

# %% 1 wrong hyphens hint="a step load-data"
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("Node(step, ", 'Node(step.replace("_", "-"), ')))

# %% 1 wrong needs_as_text hint="Write a tuple of names"
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("Node(step, tuple(needs)", 'Node(step, ", ".join(needs)')))

# %% 1 wrong raises hint="(graph.py, line 9)"
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("nodes = []", "nodes = 1 / 0")))

# %% 1 wrong other_function_name hint="graph.py has no function read_graph"
from tests.notebooks.platform_folders import GRAPH, change, make

folder = make(graph=change(GRAPH, ("def read_graph", "def graph")))

# %% 2 right graphlib
from tests.notebooks.platform_folders import make

platform = make()

# %% 2 right trials_in_threads
from tests.notebooks.platform_folders import RUN, change, make

platform = str(
    make(
        run=change(
            RUN,
            ("from graphlib", "from concurrent.futures import ThreadPoolExecutor\nfrom graphlib"),
            (
                '[steps.run_trial(c, m["preprocess"]["uri"], t) for t in m["propose_trials"]]',
                'list(ThreadPoolExecutor(2).map(lambda t: steps.run_trial(c, m["preprocess"]["uri"], t), m["propose_trials"]))',
            ),
        )
    )
)

# %% 2 right plain_calls
from tests.notebooks.platform_folders import make

platform = make(
    run="""
from shared.steps import *
from shared.steps import read_fingerprint


def run(settings, where):
    c, f = settings.to_json(), where + "/runs/mine"
    x = preprocess(c, load_data(c, f + "/load_data")["uri"], f + "/preprocess")["uri"]
    b = train(c, x, f + "/train")["uri"]
    results = []
    for t in propose_trials(c)[::-1]:
        results.append(run_trial(config_json=c, features=x, trial=t))
    best = select_best(c, x, ["\\n".join(results)], f + "/search")["uri"]
    e = evaluate(c, x, b, best, where + "/registry", f + "/evaluate")["uri"]
    return read_fingerprint(deploy(c, e, where + "/registry", f + "/deploy", platform="mine", run_id="1")["uri"])
""",
)

# %% 2 right asyncio
from tests.notebooks.platform_folders import make

platform = make(
    run="""
import asyncio

from shared import steps


async def pipeline(c, f, r):
    step = lambda function, *words: asyncio.to_thread(getattr(steps, function), c, *words)
    data = (await step("load_data", f"{f}/load_data"))["uri"]
    table = (await step("preprocess", data, f"{f}/preprocess"))["uri"]
    baseline = (await step("train", table, f"{f}/train"))["uri"]
    trials = await step("propose_trials")
    results = await asyncio.gather(*(step("run_trial", table, trial) for trial in trials))
    best = (await step("select_best", table, results, f"{f}/select_best"))["uri"]
    judged = (await step("evaluate", table, baseline, best, r, f"{f}/evaluate"))["uri"]
    return steps.read_fingerprint((await step("deploy", judged, r, f"{f}/deploy"))["uri"])


def run(config, store, run_id="one"):
    return asyncio.run(pipeline(config.to_json(), f"{store}/runs/{run_id}", f"{store}/registry"))
"""
)

# %% 2 right with_retries
from tests.notebooks.platform_folders import RUN, change, make

platform = make(
    run=change(
        RUN,
        (
            'made[name] = JOBS[name][1](config.to_json(), made, f"{store}/runs/relay/{name}", f"{store}/registry")',
            """for attempt in range(3):
            try:
                made[name] = JOBS[name][1](config.to_json(), made, f"{store}/runs/relay/{name}", f"{store}/registry")
                break
            except Exception:
                if attempt == 2:
                    raise""",
        ),
    )
)

# %% 2 right a_class_of_tasks
from tests.notebooks.platform_folders import make

platform = make(
    run="""
import uuid
from functools import cached_property
from pathlib import Path

from shared import steps
from shared.config import PipelineConfig


class Flow:
    def __init__(self, config: PipelineConfig, store: Path) -> None:
        self.config, self.store = config.model_dump_json(), store
        self.folder = store / "runs" / uuid.uuid4().hex

    def place(self, name): return str(self.folder / name)

    @cached_property
    def flights(self): return steps.load_data(self.config, self.place("load_data"))["uri"]
    @cached_property
    def table(self): return steps.preprocess(self.config, self.flights, self.place("preprocess"))["uri"]
    @cached_property
    def baseline(self): return steps.train(self.config, self.table, self.place("train"))["uri"]
    @cached_property
    def candidate(self):
        results = [steps.run_trial(self.config, self.table, t) for t in steps.propose_trials(self.config)]
        return steps.select_best(self.config, self.table, results, self.place("best"))["uri"]
    @cached_property
    def evaluation(self):
        registry = str(self.store / "registry")
        return steps.evaluate(self.config, self.table, self.baseline, self.candidate, registry, self.place("evaluate"))["uri"]
    def deploy(self):
        return steps.deploy(self.config, self.evaluation, str(self.store / "registry"), self.place("deploy"))["uri"]


def run(config, store):
    return steps.read_fingerprint(Flow(config, Path(store)).deploy())
"""
)

# %% 2 right two_files
from tests.notebooks.platform_folders import RUN, make

platform = make(run="from engine import run\nfrom engine import JOBS, GROUPS, LOOPS\n", engine=RUN)

# %% 2 right only_run_and_row
from tests.notebooks.platform_folders import RUN, change, make

platform = make(
    run=change(RUN, ("def run(config, store):", "def run(config, /, store, *ignored, **more):"), ("runs/relay/", "runs/2026-11-25/"))
)

# %% 2 wrong no_run hint="has no run.py"
from tests.notebooks.platform_folders import make

platform = make(run=None)

# %% 2 wrong other_function_name hint="run.py has no function run"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(run=change(RUN, ("def run(", "def start(")))

# %% 2 wrong syntax_error hint="SyntaxError"
from tests.notebooks.platform_folders import make

platform = make(run="def run(config, store)\n    pass\n")

# %% 2 wrong package_missing hint="No module named"
from tests.notebooks.platform_folders import RUN, make

platform = make(run="import a_platform_that_is_not_installed\n" + RUN)

# %% 2 wrong one_parameter hint="TypeError"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(run=change(RUN, ("def run(config, store):", "def run(config):")))

# %% 2 wrong config_not_as_json hint="JSON input should be string"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(run=change(RUN, ("config.to_json()", "config")))

# %% 2 wrong summary_for_a_uri hint="(run.py, line"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(run=change(RUN, ('m["load_data"]["uri"]', 'm["load_data"]')))

# %% 2 wrong invented_fingerprint hint="the steps that ran were: none"
from tests.notebooks.platform_folders import make

platform = make(run="def run(config, store):\n    return {'fingerprint': 'fcef926d4333'}\n")

# %% 2 wrong nothing_at_all hint="the steps that ran were: none"
from tests.notebooks.platform_folders import make

platform = make(run="def run(config, store):\n    ...\n")

# %% 2 wrong never_an_order hint="CycleError"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(run=change(RUN, ('"load_data": (()', '"load_data": (("deploy",)')))

# %% 2 wrong order_by_name hint="KeyError"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(
    run=change(RUN, ("TopologicalSorter({name: needs for name, (needs, _) in JOBS.items()}).static_order()", "sorted(JOBS)"))
)

# %% 2 wrong ends_the_process hint="Its process ended"
from tests.notebooks.platform_folders import make

platform = make(run="import os\n\n\ndef run(config, store):\n    os._exit(3)\n")

# %% 2 wrong name_taken hint="which is taken"
from tests.notebooks.platform_folders import ROW, change, make

platform = make(change(ROW, ('"relay"', '"python"')))

# %% 2 wrong plain_python hint="not your platform"
from tests.notebooks.platform_folders import make

platform = make(run="from shared import pipeline\n\n\ndef run(config, store):\n    return pipeline.run(config, store)\n")

# %% 2 wrong own_configuration hint="run_trial 2 times instead of 3"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(
    run=change(RUN, ("made = {}", 'from shared.config import preset\n\n    made, config = {}, preset("tiny", baseline={"max_iter": 2})'))
)

# %% 2 wrong models_swapped hint="first the baseline, then the candidate"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(
    run=change(RUN, ('m["train"]["uri"], m["select_best"]["uri"]', 'm["select_best"]["uri"], m["train"]["uri"]'))
)

# %% 2 wrong forgotten_return hint="`return`"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(run=change(RUN, ("return steps.read", "steps.read")))

# %% 2 wrong error_hidden hint="an error was hidden"
from tests.notebooks.platform_folders import RUN, change, make

platform = make(
    run=change(RUN, ("def run(", "def run_once("))
    + """
last = {}


def run(config, store):
    try:
        last["fingerprint"] = run_once(config, store)
    except Exception as error:
        print("failed:", error)
    return last["fingerprint"]
"""
)
