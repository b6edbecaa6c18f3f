# Plausible wrong answers, and a word that the hint must have.


# %% exercise=1 hint="look at status"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows}
    plain = seconds.pop("python")
    return {name: value - plain for name, value in seconds.items()}


# %% exercise=1 hint="Subtract"
def over_python(rows):
    seconds = {row["platform"]: row["seconds"] for row in rows if row["status"] == "ok"}
    plain = seconds.pop("python")
    return {name: value / plain for name, value in seconds.items()}


# %% exercise=1 hint="not by its place"
def over_python(rows):
    good = [row for row in rows if row["status"] == "ok"]
    return {row["platform"]: row["seconds"] - good[0]["seconds"] for row in good[1:] if row["platform"] != "python"}


# %% exercise=2 hint="airflow, which failed"
def choose(rows, can, needs):
    able = [row for row in rows if needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None


# %% exercise=2 hint="only modal"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and (not needs or needs & can[row["platform"]])]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None


# %% exercise=2 hint="empty"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and needs <= can[row["platform"]]]
    return min(able, key=lambda row: row["seconds"])["platform"]


# %% exercise=2 hint="It returned 'python'"
def choose(rows, can, needs):
    able = [row for row in rows if row["status"] == "ok" and can[row["platform"]] <= needs]
    return min(able, key=lambda row: row["seconds"])["platform"] if able else None
