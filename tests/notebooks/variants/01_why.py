# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong must_be_a_tab hint="must be a tab"
my_makefile = "report.txt: metrics.json slices.json\n    cat metrics.json slices.json > report.txt\n"


# %% 1 wrong right_of_the_colon hint="right of the colon"
my_makefile = "report.txt:\n\tcat metrics.json slices.json > report.txt\n"


# %% 1 wrong left_of_the_colon hint="Left of the colon"
my_makefile = "metrics.json slices.json: report.txt\n\tcat metrics.json slices.json > report.txt\n"


# %% 2 wrong done_already hint="done already"
def ready(needs, done):
    return {name for name, above in needs.items() if above <= done}


# %% 2 wrong one_of_several hint="One of several"
def ready(needs, done):
    return {name for name, above in needs.items() if name not in done and (not above or above & done)}


# %% 2 wrong not_a_set hint="not a set"
def ready(needs, done):
    return [name for name, above in needs.items() if name not in done and above <= done]


# %% 2 wrong more_may_be_done hint="more may be done"
def ready(needs, done):
    return {name for name, above in needs.items() if above == done and name not in done}
