# Plausible wrong answers, and a word that the hint must have.


# %% exercise=1 hint="@daily means midnight"
@dag(schedule="@daily", start_date=datetime(2026, 3, 1), catchup=False)
def every_morning():
    report(count_flights())


morning = every_morning()


# %% exercise=1 hint="no arrow"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def every_morning():
    count_flights()
    report(842)


morning = every_morning()


# %% exercise=1 hint="catchup=True"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=True)
def every_morning():
    report(count_flights())


morning = every_morning()


# %% exercise=1 hint="when it is called"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def every_morning():
    report(count_flights())


morning = every_morning


# %% exercise=2 hint="five minutes"
@task(retries=3, retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    download()


patient = patient_download()


# %% exercise=2 hint="retry_exponential"
@task(retries=3, retry_delay=timedelta(seconds=10))
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    download()


patient = patient_download()


# %% exercise=2 hint="no task"
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    pass


patient = patient_download()


# %% exercise=3 hint="whole list"
@dag(schedule=None)
def fan_out():
    worst(late_share(airports()))


per_airport = fan_out()


# %% exercise=3 hint="fourth airport"
@dag(schedule=None)
def fan_out():
    airports()
    worst(late_share.expand(airport=["EWR", "JFK", "LGA"]))


per_airport = fan_out()


# %% exercise=3 hint="does not wait"
@dag(schedule=None)
def fan_out():
    late_share.expand(airport=airports())
    worst([0.26])


per_airport = fan_out()


# %% exercise=4 hint="would emit the event"
@task(outlets=[Asset("production-model")])
def announce():
    print("There is a new model.")


@dag(schedule=None)
def tell_the_team():
    announce()


on_new_model = tell_the_team()


# %% exercise=4 hint="to the letter"
@dag(schedule=Asset("production_model"))
def tell_the_team():
    announce()


on_new_model = tell_the_team()


# %% exercise=4 hint="by the clock too"
from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * *", timezone="UTC"), assets=Asset("production-model")
    )
)
def tell_the_team():
    announce()


on_new_model = tell_the_team()


# %% exercise=2 hint="multiplied by"
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=1)
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    download()


patient = patient_download()


# %% exercise=3 hint="none sees all"
@dag(schedule=None)
def fan_out():
    worst.expand(shares=late_share.expand(airport=airports()))


per_airport = fan_out()
