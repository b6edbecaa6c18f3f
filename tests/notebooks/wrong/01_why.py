# Plausible wrong answers, and a word that the hint must have.

# %% exercise=1 hint="must be a tab"
my_makefile = "report.txt: metrics.json slices.json\n    cat metrics.json slices.json > report.txt\n"

# %% exercise=1 hint="right of the colon"
my_makefile = "report.txt:\n\tcat metrics.json slices.json > report.txt\n"

# %% exercise=1 hint="Left of the colon"
my_makefile = "metrics.json slices.json: report.txt\n\tcat metrics.json slices.json > report.txt\n"


# %% exercise=2 hint="done already"
def ready(needs, done):
    return {name for name, above in needs.items() if above <= done}


# %% exercise=2 hint="One of several"
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and (not above or above & done)}


# %% exercise=2 hint="not a set"
def ready(needs, done):
    return [name for name, above in needs.items() if name not in done and above <= done]


# %% exercise=2 hint="more may be done"
def ready(needs, done):
    return {name for name, above in needs.items() if above == done and name not in done}
