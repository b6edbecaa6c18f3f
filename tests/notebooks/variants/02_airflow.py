# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong daily_means_midnight hint="@daily means midnight"
@dag(schedule="@daily", start_date=datetime(2026, 3, 1), catchup=False)
def every_morning():
    report(count_flights())


morning = every_morning()


# %% 1 wrong no_arrow hint="no arrow"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def every_morning():
    count_flights()
    report(842)


morning = every_morning()


# %% 1 wrong catchup_true hint="catchup=True"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=True)
def every_morning():
    report(count_flights())


morning = every_morning()


# %% 1 wrong when_it_is_called hint="when it is called"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def every_morning():
    report(count_flights())


morning = every_morning


# %% 2 wrong five_minutes hint="five minutes"
@task(retries=3, retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    download()


patient = patient_download()


# %% 2 wrong retry_exponential hint="retry_exponential"
@task(retries=3, retry_delay=timedelta(seconds=10))
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    download()


patient = patient_download()


# %% 2 wrong no_task hint="no task"
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    pass


patient = patient_download()


# %% 2 wrong multiplied_by hint="multiplied by"
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=1)
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    download()


patient = patient_download()


# %% 3 wrong whole_list hint="whole list"
@dag(schedule=None)
def fan_out():
    worst(late_share(airports()))


per_airport = fan_out()


# %% 3 wrong fourth_airport hint="fourth airport"
@dag(schedule=None)
def fan_out():
    airports()
    worst(late_share.expand(airport=["EWR", "JFK", "LGA"]))


per_airport = fan_out()


# %% 3 wrong does_not_wait hint="does not wait"
@dag(schedule=None)
def fan_out():
    late_share.expand(airport=airports())
    worst([0.26])


per_airport = fan_out()


# %% 3 wrong none_sees_all hint="none sees all"
@dag(schedule=None)
def fan_out():
    worst.expand(shares=late_share.expand(airport=airports()))


per_airport = fan_out()


# %% 4 wrong would_make_the_event hint="would make the event"
@task(outlets=[Asset("production-model")])
def announce():
    print("There is a new model.")


@dag(schedule=None)
def tell_the_team():
    announce()


on_new_model = tell_the_team()


# %% 4 wrong to_the_letter hint="to the letter"
@dag(schedule=Asset("production_model"))
def tell_the_team():
    announce()


on_new_model = tell_the_team()


# %% 4 wrong by_the_clock_too hint="by the clock too"
from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * *", timezone="UTC"), assets=Asset("production-model")
    )
)
def tell_the_team():
    announce()


on_new_model = tell_the_team()
