# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong five_minutes_are_300 hint="five minutes are 300"
my_app = modal.App("forecast")


@my_app.function(cpu=2, timeout=5, retries=3)
def forecast(day):
    return f"{day}: late"


# %% 1 wrong retries hint="retries="
my_app = modal.App("forecast")


@my_app.function(cpu=2, timeout=300)
def forecast(day):
    return f"{day}: late"


# %% 1 wrong above_the_function hint="above the function"
def forecast(day, cpu=2, timeout=300, retries=3):
    return f"{day}: late"


# %% 2 wrong no_time_of_day hint="no time of day"
@my_app.function(schedule=modal.Period(days=1), volumes={"/forecasts": modal.Volume.from_name("forecasts")})
def nightly():
    pass


# %% 2 wrong gone_when_it_ends hint="gone when it ends"
@my_app.function(schedule=modal.Cron("0 5 * * *"))
def nightly():
    pass


# %% 2 wrong no_schedule hint="no schedule"
@my_app.function(volumes={"/forecasts": modal.Volume.from_name("forecasts")})
def nightly():
    pass


# %% 3 wrong waits_for_its_result hint="waits for its result"
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


# %% 3 wrong once_per_airport hint="once per airport"
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


# %% 3 wrong when_its_results_are_asked_for hint="when its results are asked for"
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
