# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 right retries_object
@my_app.function(cpu=2, timeout=300, retries=modal.Retries(max_retries=3, initial_delay=5.0))
def forecast(day):
    return f"{day}: late"

# %% 1 right half_a_dozen_other_options
@my_app.function(cpu=2, timeout=300, retries=3, memory=1024, gpu="L40S", max_containers=5, region="eu")
def forecast(day):
    return f"{day}: late"

# %% 1 right request_below_the_limit
@my_app.function(cpu=(2.0, 8.0), timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 right minutes_multiplied
MINUTE = 60

@my_app.function(timeout=MINUTE * 5, cpu=2.0, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 right from_a_timedelta
from datetime import timedelta

@my_app.function(cpu=2, timeout=int(timedelta(minutes=5).total_seconds()), retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 right startup_timeout_as_well
@my_app.function(cpu=2, timeout=300, startup_timeout=60, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 right another_app
mine = modal.App("mine")

@mine.function(image=modal.Image.debian_slim(), cpu=2, timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 right async_function
@my_app.function(cpu=2, timeout=300, retries=3)
async def forecast(day: str) -> str:
    return f"{day}: late"

# %% 1 right decorated_by_hand
def predict_late(day, *, carrier="UA", **options):
    return [day, carrier]


forecast = my_app.function(cpu=2, timeout=300, retries=3, serialized=True)(predict_late)

# %% 1 right options_in_a_dictionary
needs = dict(cpu=2, timeout=300, retries=3)

@my_app.function(**needs)
def forecast(day):
    return f"{day}: late"

# %% 1 right concurrent_inputs
@my_app.function(cpu=2, timeout=300, retries=3)
@modal.concurrent(max_inputs=4)
def forecast(day):
    return f"{day}: late"

# %% 1 right text_made_a_number
@my_app.function(cpu=float("2"), timeout=int("300"), retries=int("3"))
def forecast(day):
    return f"{day}: late"

# %% 1 wrong five_seconds hint="five minutes are 300"
@my_app.function(cpu=2, timeout=5, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong milliseconds hint="300000"
@my_app.function(cpu=2, timeout=300_000, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong no_timeout hint="no timeout="
@my_app.function(cpu=2, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong timeout_of_the_start hint="startup_timeout="
@my_app.function(cpu=2, startup_timeout=5 * 60, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong no_retries hint="retries="
@my_app.function(cpu=2, timeout=300)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong four_retries hint="first attempt is not one"
@my_app.function(cpu=2, timeout=300, retries=4)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong two_retries_in_an_object hint="retries are 2"
@my_app.function(cpu=2, timeout=300, retries=modal.Retries(max_retries=2))
def forecast(day):
    return f"{day}: late"

# %% 1 wrong no_processors hint="cpu=None"
@my_app.function(timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong processors_as_text hint="'2'"
@my_app.function(cpu="2", timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong one_with_a_limit_of_two hint="cpu=(1, 2)"
@my_app.function(cpu=(1, 2), timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong memory_for_processors hint="cpu=None"
@my_app.function(memory=2, timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong a_list_of_processors hint="cpu=[2, 2]"
@my_app.function(cpu=[2, 2], timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong seconds_as_a_float hint="300.0"
@my_app.function(cpu=2, timeout=300.0, retries=3)
def forecast(day):
    return f"{day}: late"

# %% 1 wrong only_a_function hint="above the function"
def forecast(day, cpu=2, timeout=300, retries=3):
    return day

# %% 1 wrong the_result hint="do not call it"
@my_app.function(cpu=2, timeout=300, retries=3)
def forecast(day):
    return f"{day}: late"


forecast = forecast.local("2013-03-12")

# %% 1 wrong runs_on_your_machine hint="runs on your machine"
@my_app.local_entrypoint()
def forecast(day="2013-03-12", cpu=2, timeout=300, retries=3):
    return day

# %% 1 wrong no_day hint="one argument"
@my_app.function(cpu=2, timeout=300, retries=3)
def forecast():
    return 1

# %% 1 wrong two_days hint="one argument"
@my_app.function(cpu=2, timeout=300, retries=3)
def forecast(day, weather):
    return 1

# %% 1 right changed_afterward
@my_app.function()
def plain(day):
    return day


forecast = plain.with_options(cpu=2, timeout=300, retries=3)

# %% 1 wrong looked_up hint="from elsewhere"
forecast = modal.Function.from_name("forecast", "forecast")

# %% 1 wrong decorator_without_parentheses raises="TypeError"
@my_app.function
def forecast(day):
    return f"{day}: late"

# %% 1 wrong retries_as_text raises="InvalidError"
@my_app.function(cpu=2, timeout=300, retries="3")
def forecast(day):
    return f"{day}: late"

# %% 2 right leading_zeros
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("00 05 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right steps_of_one
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 */1 * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right names_of_all_days
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * MON-SUN"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right every_month_and_weekday
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 1-31 1-12 *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right a_list_of_weekdays
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0  5 * * 0,1,2,3,4,5,6"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right new_york
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *", timezone="America/New_York"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right three_part_zone
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *", "America/Argentina/Buenos_Aires"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right a_zone_with_a_sign
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *", timezone="Etc/GMT+5"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 right disk_of_the_whole_app
disk = modal.Volume.from_name("forecasts", create_if_missing=True)

daily = modal.App("daily", volumes={"/forecasts": disk})

@daily.function(schedule=modal.Cron("0 5 * * *"))
def nightly():
    pass

# %% 2 right three_disks
disk = modal.Volume.from_name("forecasts", create_if_missing=True)

other = modal.Volume.from_name("a")

@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/a": other, "/forecasts": disk, "/forecasts-old": modal.Volume.from_name("old")})
def nightly():
    pass

# %% 2 right a_default_argument
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": disk})
def nightly(day=None, *names):
    print(day, names)

# %% 2 right writes_and_commits
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": disk})
def nightly():
    with open("/forecasts/today", "w") as file:
        file.write("late")
    disk.commit()

# %% 2 right a_folder_of_the_disk
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": disk.with_mount_options(sub_path="daily")})
def nightly():
    pass

# %% 2 right mounted_as_usual
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts/": disk.with_mount_options(read_only=False)})
def nightly():
    pass

# %% 2 right async_and_more_options
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron(timezone="Asia/Kolkata", cron_string=" 0 5 * * * "), timeout=900, retries=2, volumes={"/forecasts": disk})
async def nightly():
    return 1

# %% 2 wrong a_period hint="no time of day"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Period(days=1), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong no_disk hint="gone when it ends"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"))
def nightly():
    pass

# %% 2 wrong no_schedule hint="no schedule"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong five_past_midnight hint="00:05"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("5 0 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong every_minute_from_five hint="05:01"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("* 5 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong five_in_the_afternoon hint="17:00"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 17 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong weekdays_only hint="Saturday"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * 1-5"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong first_of_the_month hint="means"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 1 * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong every_second_day hint="means"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 */2 * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong never_on_the_31st hint="31 January"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 1-30 * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong never_on_the_29th hint="29 January"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 1-28,30,31 * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong not_in_december hint="December"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * 1-11 *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong twice_a_day hint="17:00"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5,17 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong six_fields hint="five fields"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 0 5 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong words hint="five fields"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("every day at 5"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong hour_25 hint="not a cron expression"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 25 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong no_such_zone hint="no time zone"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *", timezone="New York"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong singular_path hint="at /forecast:"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecast": disk})
def nightly():
    pass

# %% 2 wrong mounted_below hint="at /data/forecasts"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/data/forecasts": disk})
def nightly():
    pass

# %% 2 wrong another_disk hint="'models'"
disk = modal.Volume.from_name("models", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong names_exchanged hint="at /models"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/models": disk, "/forecasts": modal.Volume.from_name("models")})
def nightly():
    pass

# %% 2 wrong for_reading_only hint="reading only"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": disk.with_mount_options(read_only=True)})
def nightly():
    pass

# %% 2 wrong cron_without_modal raises="AttributeError"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule="0 5 * * *", volumes={"/forecasts": disk})
def nightly():
    pass

# %% 2 wrong needs_a_day raises="InvalidError"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"/forecasts": disk})
def nightly(day):
    return day

# %% 2 wrong relative_path raises="InvalidError"
disk = modal.Volume.from_name("forecasts", create_if_missing=True)


@my_app.function(schedule=modal.Cron("0 5 * * *"), volumes={"forecasts": disk})
def nightly():
    pass

# %% 2 wrong never_scheduled hint="above the function"
def nightly():
    return modal.Cron("0 5 * * *")

# %% 3 right added_up_in_a_loop
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
    total = 0
    for result in score.map("EWR JFK LGA".split(), order_outputs=False):
        total += result
    print(total)
"""

# %% 3 right spawned_and_gathered
my_file = """
import time
import modal

AIRPORTS = ("EWR", "JFK", "LGA")

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function()
def score(airport):
    begin = time.time()
    time.sleep(2)
    print("span", begin, time.time())
    return len(airport)


@app.local_entrypoint()
def main():
    calls = [score.spawn(name) for name in AIRPORTS]
    print("sum", sum(modal.FunctionCall.gather(*calls)))
"""

# %% 3 right two_spawned_one_waited_for
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
    first, second = score.spawn("EWR"), score.spawn("JFK")
    third = score.remote("LGA")
    print(f"sum={first.get() + second.get() + third}")
"""

# %% 3 right async_gather
my_file = """
import asyncio
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
async def main():
    results = await asyncio.gather(*[score.remote.aio(name) for name in ["EWR", "JFK", "LGA"]])
    print("sum", sum(results))
"""

# %% 3 right threads_that_wait
my_file = """
from concurrent.futures import ThreadPoolExecutor
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
    with ThreadPoolExecutor() as pool:
        print("sum", sum(pool.map(score.remote, ["EWR", "JFK", "LGA"])))
"""

# %% 3 right airports_from_the_command_line
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
def main(airports: str = "EWR,JFK,LGA"):
    print("sum", sum(score.map(airports.split(","))))
"""

# %% 3 right fanned_out_in_the_cloud
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


@app.function(timeout=600)
def total():
    calls = [score.spawn(name) for name in ["EWR", "JFK", "LGA"]]
    return sum(call.get() for call in calls)


@app.local_entrypoint()
def main():
    print("sum", total.remote())
"""

# %% 3 right added_up_in_the_cloud
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


@app.function(max_containers=1)
def add(numbers):
    return sum(numbers)


@app.local_entrypoint()
def main():
    print("sum", add.remote(list(score.map(["EWR", "JFK", "LGA"]))))
"""

# %% 3 wrong one_after_the_other hint="waits for its result"
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

# %% 3 wrong the_third_waits hint="At most 2"
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
    calls = [score.spawn("EWR"), score.spawn("JFK")]
    total = sum(call.get() for call in calls)
    print("sum", total + score.remote("LGA"))
"""

# %% 3 wrong a_loop_in_the_cloud hint="At most 1"
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


@app.function()
def total(airports):
    return sum(score.remote(airport) for airport in airports)


@app.local_entrypoint()
def main():
    print("sum", total.remote(["EWR", "JFK", "LGA"]))
"""

# %% 3 wrong threads_on_this_machine hint="plain Python call"
my_file = """
from concurrent.futures import ThreadPoolExecutor
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
    with ThreadPoolExecutor() as pool:
        print("sum", sum(pool.map(score.local, ["EWR", "JFK", "LGA"])))
"""

# %% 3 wrong threads_in_one_container hint="ran in containers"
my_file = """
from concurrent.futures import ThreadPoolExecutor
import time
import modal

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function()
def score(airport):
    begin = time.time()
    time.sleep(2)
    print("span", begin, time.time())
    return len(airport)


@app.function()
def total(airports):
    with ThreadPoolExecutor() as pool:
        return sum(pool.map(score.local, airports))


@app.local_entrypoint()
def main():
    print("sum", total.remote(["EWR", "JFK", "LGA"]))
"""

# %% 3 wrong all_in_one_container hint="share its processors"
my_file = """
import time
import modal

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function()
@modal.concurrent(max_inputs=10)
def score(airport):
    begin = time.time()
    time.sleep(2)
    print("span", begin, time.time())
    return len(airport)


@app.local_entrypoint()
def main():
    print("sum", sum(score.map(["EWR", "JFK", "LGA"])))
"""

# %% 3 wrong two_containers hint="allows only 2"
my_file = """
import time
import modal

app = modal.App("scores", image=modal.Image.debian_slim(python_version="3.12"))


@app.function(max_containers=2)
def score(airport):
    begin = time.time()
    time.sleep(2)
    print("span", begin, time.time())
    return len(airport)


@app.local_entrypoint()
def main():
    print("sum", sum(score.map(["EWR", "JFK", "LGA"])))
"""

# %% 3 wrong never_asked_for hint="results are asked for"
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

# %% 3 wrong sum_typed_in hint="must print 22"
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
    list(score.map(["EWR", "JFK", "LGA"]))
    print("sum", 9)
"""

# %% 3 wrong no_entrypoint hint="ended with status"
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


def main():
    print("sum", sum(score.map(["EWR", "JFK", "LGA"])))
"""

# %% 3 wrong a_colon_is_missing hint="SyntaxError"
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
def main()
    print("sum", sum(score.map(["EWR", "JFK", "LGA"])))
"""

# %% 3 wrong a_path hint="into a string"
my_file = "scores.py"

# %% 3 wrong the_functions_themselves hint="into a string"
scores = modal.App("scores")


@scores.function()
def score(airport):
    return len(airport)


my_file = score

# %% 3 wrong a_number hint="into a string"
my_file = 9
