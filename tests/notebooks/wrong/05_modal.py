# Plausible wrong answers, and a word that the hint must have.


# %% exercise=1 hint="five minutes are 300"
my_app = modal.App("forecast")


@my_app.function(cpu=2, timeout=5, retries=3)
def forecast(day):
    return f"{day}: late"


# %% exercise=1 hint="retries="
my_app = modal.App("forecast")


@my_app.function(cpu=2, timeout=300)
def forecast(day):
    return f"{day}: late"


# %% exercise=1 hint="above the function"
def forecast(day, cpu=2, timeout=300, retries=3):
    return f"{day}: late"


# %% exercise=2 hint="no time of day"
@my_app.function(schedule=modal.Period(days=1), volumes={"/forecasts": modal.Volume.from_name("forecasts")})
def nightly():
    pass


# %% exercise=2 hint="gone when it ends"
@my_app.function(schedule=modal.Cron("0 5 * * *"))
def nightly():
    pass


# %% exercise=2 hint="no schedule"
@my_app.function(volumes={"/forecasts": modal.Volume.from_name("forecasts")})
def nightly():
    pass


# %% exercise=3 hint="waits for its result"
my_file = """
import time
import modal

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function()
def score(airport):
    begin = time.time()
    time.sleep(2)
    print("span", begin, time.time())
    return len(airport)


@app.local_entrypoint()
def main():
    print("sum", sum(score.remote(airport) for airport in ["EWR", "JFK", "LGA"]))
"""

# %% exercise=3 hint="once per airport"
my_file = """
import modal

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function()
def score(airports):
    return sum(map(len, airports))


@app.local_entrypoint()
def main():
    print("sum", score.remote(["EWR", "JFK", "LGA"]))
"""


# %% exercise=3 hint="when its results are asked for"
my_file = """
import time
import modal

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function()
def score(airport):
    begin = time.time()
    time.sleep(2)
    print("span", begin, time.time())
    return len(airport)


@app.local_entrypoint()
def main():
    score.map(["EWR", "JFK", "LGA"])
    print("sum", 9)
"""
