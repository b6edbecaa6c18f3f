# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong look_at_status hint="look at status"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}


# %% 1 wrong subtract hint="Subtract"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value / plain for name, value in seconds.items()}


# %% 1 wrong not_by_its_place hint="not by its place"
def over_python(rows):
    good = [row for row in rows if row["status"] == "ok"]
    return {row["platform"]: row["seconds"] - good[0]["seconds"] for row in good[1:] if row["platform"] != "python"}


# %% 2 wrong airflow_which_failed hint="airflow, which failed"
def choose(rows, can, needs):
    able = [row for row in rows if needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None


# %% 2 wrong only_modal hint="only modal"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and (not needs or needs & can[row["platform"]])]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None


# %% 2 wrong empty hint="empty"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"]


# %% 2 wrong it_returned_python hint="It returned 'python'"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and can[row["platform"]] <= needs]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None
