# Answers to the exercises of lesson 1, as students write them.

# %% 1 right automatic_variables
my_makefile = "report.txt: metrics.json slices.json\n\tcat $^ > $@\n"

# %% 1 right triple_quotes
my_makefile = """
report.txt: metrics.json slices.json
	cat metrics.json slices.json > report.txt
"""

# %% 1 right semicolon_instead_of_a_tab
my_makefile = "report.txt: metrics.json slices.json; cat metrics.json slices.json > report.txt"

# %% 1 right two_lines_of_prerequisites
my_makefile = "report.txt: slices.json\nreport.txt: metrics.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 right variables
my_makefile = """
SOURCES = metrics.json slices.json
REPORT := report.txt

$(REPORT): $(SOURCES)
	cat $(SOURCES) > $(REPORT)
"""

# %% 1 right first_target_is_another
my_makefile = """
.PHONY: all clean
all: report.txt

report.txt: metrics.json \\
            slices.json
	@cat metrics.json slices.json > report.txt

clean:
	rm -f report.txt
"""

# %% 1 right two_commands
my_makefile = "report.txt: metrics.json slices.json\n\tcat metrics.json > $@\n\tcat slices.json >> $@\n"

# %% 1 right joined_lines
my_makefile = "\n".join(
    ["# the report", "report.txt: metrics.json slices.json # both", "\tcat metrics.json slices.json > report.txt"]
)

# %% 1 right pattern_rule
my_makefile = "%.txt: metrics.json slices.json\n\tcat $^ > $@\n"

# %% 1 right other_prefix
my_makefile = ".RECIPEPREFIX := >\nreport.txt: metrics.json slices.json\n>cat metrics.json slices.json > report.txt\n"

# %% 1 right through_a_temporary_file
my_makefile = "report.txt: metrics.json slices.json\n\tcat $^ > new && mv new $@\n"

# %% 1 right depends_on_the_makefile_too
my_makefile = "report.txt: metrics.json slices.json Makefile\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong spaces hint="must be a tab"
my_makefile = "report.txt: metrics.json slices.json\n    cat metrics.json slices.json > report.txt\n"

# %% 1 wrong no_prerequisites hint="right of the colon"
my_makefile = "report.txt:\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong other_way_round hint="Left of the colon"
my_makefile = "metrics.json slices.json: report.txt\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong order_only hint="is newer than report.txt"
my_makefile = "report.txt: | metrics.json slices.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong appends hint="must replace the report"
my_makefile = "report.txt: metrics.json slices.json\n\tcat metrics.json slices.json >> report.txt\n"

# %% 1 wrong no_redirection hint="report.txt is missing"
my_makefile = "report.txt: metrics.json slices.json\n\tcat metrics.json slices.json\n"

# %% 1 wrong commas hint="metrics.json,"
my_makefile = "report.txt: metrics.json, slices.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong one_prerequisite hint="slices.json is newer"
my_makefile = "report.txt: metrics.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong the_other_prerequisite hint="metrics.json is newer"
my_makefile = "report.txt: slices.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong command_among_the_prerequisites hint="report.txt is missing"
my_makefile = "report.txt: metrics.json slices.json cat metrics.json slices.json > report.txt\n"

# %% 1 wrong always_made hint="each time"
my_makefile = ".PHONY: report.txt\nreport.txt: metrics.json slices.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong prerequisite_that_never_exists hint="each time"
my_makefile = "report.txt: metrics.json slices.json now\n\tcat metrics.json slices.json > report.txt\nnow:\n"

# %% 1 wrong circle hint="ircular"
my_makefile = "report.txt: metrics.json slices.json\n\tcat metrics.json slices.json > report.txt\nslices.json: report.txt\n"

# %% 1 wrong other_order_of_files hint="report.txt is"
my_makefile = "report.txt: slices.json metrics.json\n\tcat $^ > $@\n"

# %% 1 wrong newest_file_alone hint="report.txt is"
my_makefile = "report.txt: metrics.json slices.json\n\tcat $? > $@\n"

# %% 1 wrong first_file_alone hint="report.txt is"
my_makefile = "report.txt: metrics.json slices.json\n\tcat $< > $@\n"

# %% 1 wrong other_target hint="report.txt is missing"
my_makefile = "report: metrics.json slices.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong empty_file hint="report.txt is ''"
my_makefile = "report.txt: metrics.json slices.json\n\ttouch report.txt\n"

# %% 1 wrong hard_coded hint="report.txt is"
my_makefile = "report.txt: metrics.json slices.json\n\techo metrics slices > report.txt\n"

# %% 1 wrong removes_its_sources hint="Then report.txt is"
my_makefile = "report.txt: metrics.json slices.json\n\tcat metrics.json slices.json > report.txt; rm slices.json\n"

# %% 1 wrong waits_for_input hint="report.txt is"
my_makefile = "report.txt: metrics.json slices.json\n\tcat > report.txt\n"

# %% 1 wrong raw_text
my_makefile = r"report.txt: metrics.json slices.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong bytes hint="is a bytes"
my_makefile = b"report.txt: metrics.json slices.json\n\tcat metrics.json slices.json > report.txt\n"

# %% 1 wrong list_of_lines hint="one string"
my_makefile = ["report.txt: metrics.json slices.json", "\tcat metrics.json slices.json > report.txt"]

# %% 1 wrong empty
my_makefile = ""

# %% 2 right loop
def ready(graph, finished):
    startable = set()
    for step in graph:
        if step in finished:
            continue
        if all(need in finished for need in graph[step]):
            startable.add(step)
    return startable

# %% 2 right set_differences
def ready(needs, done):
    return {step for step in needs.keys() - done if not needs[step] - done}

# %% 2 right frozenset
def ready(needs, done):
    return frozenset(step for step in needs if step not in done and needs[step].issubset(done))

# %% 2 right filter_and_lambda
ready = lambda needs, done: set(filter(lambda name: name not in done and done >= needs[name], needs))

# %% 2 right named_arguments_alone
def ready(*, needs, done):
    return {name for name, above in needs.items() if name not in done and above <= done}

# %% 2 right more_parameters
def ready(needs, done, *rest, verbose=False, **options):
    return {name for name, above in needs.items() if name not in done and above <= done}

# %% 2 right other_order_of_parameters
def ready(done, needs):
    return {name for name, above in needs.items() if name not in done and above <= done}

# %% 2 right any_arguments
def ready(*arguments):
    needs, done = arguments
    return {name for name, above in needs.items() if name not in done and above <= done}

# %% 2 right class_with_call
class Ready:
    def __call__(self, needs, done):
        return {name for name, above in needs.items() if name not in done and above <= done}


ready = Ready()

# %% 2 right method
class Orchestrator:
    def __init__(self):
        self.asked = 0

    def ready(self, needs, done):
        self.asked += 1
        return {name for name, above in needs.items() if name not in done and above <= done}


ready = Orchestrator().ready

# %% 2 right partial
from functools import partial


def start(empty, needs, done):
    return empty.union(name for name, above in needs.items() if name not in done and above <= done)


ready = partial(start, set())

# %% 2 right keys_of_a_dictionary
def ready(needs, done):
    return {name: above for name, above in needs.items() if name not in done and above <= done}.keys()

# %% 2 right uses_up_its_first_argument
def ready(needs, done):
    for name in done:
        needs.pop(name, None)
    for above in needs.values():
        above -= done
    return {name for name, above in needs.items() if not above}

# %% 2 right pandas
import pandas as pd


def ready(needs, done):
    table = pd.DataFrame({"name": list(needs), "left": [len(above - done) for above in needs.values()]})
    return set(table.loc[(table["left"] == 0) & ~table["name"].isin(done), "name"])

# %% 2 wrong done_again hint="already done"
def ready(needs, done):
    return {name for name, above in needs.items() if above <= done}

# %% 2 wrong one_need_is_enough hint="One of several"
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and (not above or above & done)}

# %% 2 wrong list hint="not a set"
def ready(needs, done):
    return [name for name, above in needs.items() if name not in done and above <= done]

# %% 2 wrong exactly_what_is_done hint="more steps may be done"
def ready(needs, done):
    return {name for name, above in needs.items() if above == done and name not in done}

# %% 2 wrong strictly_less
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and above < done}

# %% 2 wrong printed hint="`return`"
def ready(needs, done):
    print({name for name, above in needs.items() if name not in done and above <= done})

# %% 2 wrong forgotten_return hint="`return`"
def ready(needs, done):
    {name for name, above in needs.items() if name not in done and above <= done}

# %% 2 wrong return_in_the_loop
def ready(needs, done):
    for name, above in needs.items():
        if name not in done and above <= done:
            return {name}
    return set()

# %% 2 wrong counts
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and len(above) <= len(done)}

# %% 2 wrong the_lessons_graph
def ready(graph, done):
    return {step.name for step in TRAINING if step.name not in done and set(step.needs) <= done}

# %% 2 wrong global_needs
lesson = needs


def ready(needs, done):
    return {name for name, above in lesson.items() if name not in done and above <= done}

# %% 2 wrong marks_as_done hint="leave `done` unchanged"
def ready(needs, done):
    new = {name for name, above in needs.items() if name not in done and above <= done}
    done |= new
    return new

# %% 2 wrong remembers_what_it_said
started = set()


def ready(needs, done):
    new = {name for name, above in needs.items() if name not in done | started and above <= done}
    started.update(new)
    return new

# %% 2 wrong remembers_in_a_default
def ready(needs, done, seen=set()):
    seen |= done
    return {name for name, above in needs.items() if name not in seen and above <= seen}

# %% 2 wrong roots_at_the_start_only
def ready(needs, done):
    if not done:
        return {name for name, above in needs.items() if not above}
    return {name for name, above in needs.items() if above and above <= done and name not in done}

# %% 2 wrong recursion_without_an_end hint="RecursionError"
def ready(needs, done):
    return ready(needs, done)

# %% 2 wrong generator hint="not a set"
def ready(needs, done):
    for name, above in needs.items():
        if name not in done and above <= done:
            yield name

# %% 2 wrong asynchronous hint="coroutine"
async def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and above <= done}

# %% 2 wrong one_argument hint="TypeError"
def ready(needs):
    return {name for name, above in needs.items() if not above}

# %% 2 wrong result_instead_of_function hint="def ready"
ready = {name for name, above in needs.items() if not above}

# %% 2 wrong and_instead_of_all
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and (above and done or not above)}

# %% 2 wrong everything_that_waits
def ready(needs, done):
    return needs.keys() - done

# %% 2 wrong text hint="not a set"
def ready(needs, done):
    return ", ".join(sorted(name for name, above in needs.items() if name not in done and above <= done))

# %% 2 wrong none_for_nothing
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and above <= done} or None

# %% 2 wrong direct_needs_of_the_last
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and not any(above - done for one in above)} - {"d"}
