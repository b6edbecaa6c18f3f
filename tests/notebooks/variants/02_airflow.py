# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 right with_statement
from airflow.sdk import DAG

with DAG("early", schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False) as morning:
    report(flights=count_flights())


# %% 1 right padded_cron_and_more_options
@dag("early", schedule="00  05 * * *", start_date=datetime(2026, 3, 1), tags=["daily"], max_active_runs=1)
def early():
    total = count_flights()
    report(total)


morning = early()


# %% 1 right every_weekday_listed
@dag(schedule="0 5 * * SUN,MON,TUE,WED,THU,FRI,SAT", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 right steps_in_cron
@dag(schedule="0 5 */1 1-12 *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 right timedelta_from_five
@dag(schedule=timedelta(days=1), start_date=datetime(2026, 3, 1, 5), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 right timedelta_of_hours_with_a_zone
import pendulum


@dag(schedule=timedelta(hours=24), start_date=pendulum.datetime(2026, 3, 1, 5, tz="Asia/Tokyo"), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 right trigger_timetable_with_a_zone
from airflow.sdk import CronTriggerTimetable


@dag(schedule=CronTriggerTimetable("0 5 * * *", timezone="Asia/Kolkata"), start_date=datetime(2026, 2, 28, 23, 15))
def early():
    report(count_flights())


morning = early()


# %% 1 right several_crons_in_one_timetable
from airflow.sdk import MultipleCronTriggerTimetable


@dag(
    schedule=MultipleCronTriggerTimetable("0 5 * * 1-5", "0 5 * * 6,0", timezone="UTC"),
    start_date=datetime(2026, 3, 1),
)
def early():
    report(count_flights())


morning = early()


# %% 1 right data_interval
from airflow.sdk import CronDataIntervalTimetable


@dag(schedule=CronDataIntervalTimetable("0 5 * * *", timezone="America/Lima"), start_date=datetime(2026, 3, 1, 9))
def early():
    report(count_flights())


morning = early()


# %% 1 right offset_from_greenwich
from datetime import timezone


@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))))
def early():
    report(count_flights())


morning = early()


# %% 1 right operators_and_a_task_in_front
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

with DAG("early", schedule="0 5 * * *", start_date=datetime(2026, 3, 1)) as morning:
    begin = EmptyOperator(task_id="begin")
    first = PythonOperator(task_id="count_flights", python_callable=lambda: 842)
    last = PythonOperator(task_id="report", python_callable=print, op_args=["flights:", first.output])
    begin >> first


# %% 1 right in_a_task_group
from airflow.sdk import task_group


@task_group
def both():
    report(count_flights())


@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1))
def early():
    both()


morning = early()


# %% 1 right pulled_by_hand
@task
def report(ti=None):
    print(ti.xcom_pull(task_ids="count_flights"))


@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    count_flights() >> report()


morning = early()


# %% 1 right asynchronous
@task
async def count_flights():
    return 842


@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong arrow_and_a_constant hint="An arrow is not enough"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    counted = count_flights()
    reported = report(842)
    counted >> reported


morning = early()


# %% 1 wrong five_in_the_afternoon hint="1 March 2026 17:00"
@dag(schedule="0 17 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong working_days hint="then 9 March 2026 05:00"
@dag(schedule="0 5 * * 1-5", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong every_other_day
@dag(schedule="0 5 */2 * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong every_five_hours
@dag(schedule="0 */5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong timedelta_from_midnight
@dag(schedule=timedelta(days=1), start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong timedelta_of_five_hours
@dag(schedule=timedelta(hours=5), start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong starts_too_late_for_the_first_day
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1, 6), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong the_third_of_january
@dag(schedule="0 5 * * *", start_date=datetime(2026, 1, 3), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong no_start hint="Without it no schedule begins"
@dag(schedule="0 5 * * *", catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong only_in_march
@dag(schedule="0 5 * 3 *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong ends_in_summer hint="and never again"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), end_date=datetime(2026, 8, 31), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong catches_up hint="catchup=True"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=True)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong no_schedule hint="no clock starts it"
@dag(start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong forgotten_return hint="Is the `return` missing?"
@task
def count_flights():
    842


@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong wrapped_in_a_list hint="report got [17]"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    report([count_flights()])


morning = early()


# %% 1 wrong pulled_but_not_waited_for hint="no arrow"
@task
def report(ti=None):
    print(ti.xcom_pull(task_ids="count_flights"))


@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    count_flights()
    report()


morning = early()


# %% 1 wrong reported_twice hint="report, report__1"
@dag(schedule="0 5 * * *", start_date=datetime(2026, 3, 1), catchup=False)
def early():
    flights = count_flights()
    report(flights)
    report(flights)


morning = early()


# %% 1 wrong also_at_events hint="Events of flights"
from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 5 * * *", timezone="UTC"), assets=[Asset("flights")]
    ),
    start_date=datetime(2026, 3, 1),
)
def early():
    report(count_flights())


morning = early()


# %% 1 wrong the_task_itself hint="when it is called"
morning = count_flights


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


# %% 2 right for_all_tasks_of_the_dag
@task
def download():
    return "flights.csv"


@dag(default_args={"retries": 3, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True})
def patiently():
    download()


patient = patiently()


# %% 2 right with_statement_and_factor
from airflow.sdk import DAG


@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=4)
def download():
    return "flights.csv"


with DAG("patiently") as patient:
    download()


# %% 2 right longest_pause_that_is_long_enough
@task(
    retries=3,
    retry_delay=timedelta(seconds=10),
    retry_exponential_backoff=True,
    max_retry_delay=timedelta(seconds=40),
)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 right other_units
@task(retries=3, retry_delay=timedelta(minutes=1 / 6), retry_exponential_backoff=2.0)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 right bash_operator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("patiently") as patient:
    BashOperator(
        task_id="download",
        bash_command="true",
        retries=3,
        retry_delay=timedelta(seconds=10),
        retry_exponential_backoff=True,
    )


# %% 2 right with_a_time_limit_and_a_second_task
@task(
    retries=3,
    retry_delay=timedelta(seconds=10),
    retry_exponential_backoff=1.5,
    execution_timeout=timedelta(minutes=5),
)
def download():
    return "flights.csv"


@task
def show(path):
    print(path)


@dag(schedule="@daily", start_date=datetime(2026, 3, 1))
def patiently():
    show(download())


patient = patiently()


# %% 2 right in_a_task_group
from airflow.sdk import task_group


@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@task_group
def fetching():
    download()


@dag
def patiently():
    fetching()


patient = patiently()


# %% 2 right mapped
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download(name):
    return name


@dag
def patiently():
    download.expand(name=["flights.csv", "weather.csv"])


patient = patiently()


# %% 2 right policy_that_leaves_the_pauses_alone
from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule


@task(
    retries=3,
    retry_delay=timedelta(seconds=10),
    retry_exponential_backoff=True,
    retry_policy=ExceptionRetryPolicy(rules=[RetryRule(exception=FileNotFoundError, action=RetryAction.FAIL)]),
)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong capped_after_the_second hint="10 s, 20 s, 20 s"
@task(
    retries=3,
    retry_delay=timedelta(seconds=10),
    retry_exponential_backoff=True,
    max_retry_delay=timedelta(seconds=20),
)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong capped_below_the_first
@task(
    retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=2, max_retry_delay=timedelta(seconds=5)
)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong ten_days hint="days=10"
@task(retries=3, retry_delay=timedelta(10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong ten_minutes
@task(retries=3, retry_delay=timedelta(minutes=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong four_retries hint="retries=4"
@task(retries=4, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong shrinking_pauses
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=0.5)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong equal_pauses
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=False)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong overridden_by_the_call
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag
def patiently():
    download.override(retries=0)()


patient = patiently()


# %% 2 wrong default_args_hidden_by_the_task
@task(retries=1)
def download():
    return "flights.csv"


@dag(default_args={"retries": 3, "retry_delay": timedelta(seconds=10), "retry_exponential_backoff": True})
def patiently():
    download()


patient = patiently()


# %% 2 wrong on_another_task
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def show(path):
    print(path)


@task
def download():
    return "flights.csv"


@dag
def patiently():
    show(download())


patient = patiently()


# %% 2 wrong not_in_the_dag hint="no task"
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag
def patiently():
    download


patient = patiently()


# %% 2 wrong policy_with_pauses_of_its_own
from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule


@task(
    retries=3,
    retry_delay=timedelta(seconds=10),
    retry_exponential_backoff=True,
    retry_policy=ExceptionRetryPolicy(
        rules=[RetryRule(exception=OSError, action=RetryAction.RETRY, retry_delay=timedelta(seconds=10))]
    ),
)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently()


# %% 2 wrong dag_not_called
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=True)
def download():
    return "flights.csv"


@dag
def patiently():
    download()


patient = patiently


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


# %% 2 wrong multiplied_by hint="multiplied by"
@task(retries=3, retry_delay=timedelta(seconds=10), retry_exponential_backoff=1)
def download():
    return "flights.csv"


@dag(schedule=None)
def patient_download():
    download()


patient = patient_download()


# %% 3 right partial
@dag
def each():
    worst(late_share.partial().expand(airport=airports()))


per_airport = each()


# %% 3 right with_statement_and_names
from airflow.sdk import DAG

with DAG("each") as per_airport:
    names = airports()
    shares = late_share.expand(airport=names)
    top = worst(shares=shares)


# %% 3 right expand_kwargs
@dag
def each():
    arguments = airports().map(lambda name: {"airport": name})
    worst(late_share.expand_kwargs(arguments))


per_airport = each()


# %% 3 right mapped_group
from airflow.sdk import task_group


@dag
def each():
    @task_group
    def one_airport(airport):
        return late_share(airport)

    worst(one_airport.expand(airport=airports()))


per_airport = each()


# %% 3 right plain_group_around_all
from airflow.sdk import task_group


@task_group
def everything():
    return worst(late_share.expand(airport=airports()))


@dag
def each():
    everything()


per_airport = each()


# %% 3 right operators
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

SHARES = {"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}
with DAG("each") as per_airport:
    names = PythonOperator(task_id="airports", python_callable=lambda: [*SHARES])
    shares = PythonOperator.partial(task_id="late_share", python_callable=lambda name: SHARES[name]).expand(
        op_args=names.output.map(lambda name: [name])
    )
    PythonOperator(task_id="worst", python_callable=lambda each: max(each), op_args=[shares.output])


# %% 3 right a_task_for_the_result
@task
def show(share):
    print(share)


@dag(schedule="@daily", start_date=datetime(2026, 1, 1))
def each():
    show(worst(late_share.override(max_active_tis_per_dagrun=2).expand(airport=airports())))


per_airport = each()


# %% 3 right asynchronous_with_context
@task
async def late_share(airport, ti=None):
    return {"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}[airport]


@dag
def each():
    worst(late_share.expand(airport=airports()))


per_airport = each()


# %% 3 right mapped_before_it_is_handed_on
@task
def worst(shares):
    return max(shares) / 100


@dag
def each():
    percent = late_share.expand(airport=airports())
    worst(percent)


per_airport = each()


# %% 3 wrong constant_beside_an_arrow hint="worst got [0.26, 0.22, 0.23]"
@dag
def each():
    late_share.expand(airport=airports()) >> worst([0.26, 0.22, 0.23])


per_airport = each()


# %% 3 wrong list_written_out
@dag
def each():
    worst(late_share.expand(airport=["EWR", "JFK", "LGA"]))


per_airport = each()


# %% 3 wrong list_written_out_beside_an_arrow hint="fourth airport"
@dag
def each():
    shares = late_share.expand(airport=["EWR", "JFK", "LGA"])
    airports() >> shares
    worst(shares)


per_airport = each()


# %% 3 wrong python_loop
@dag
def each():
    airports()
    worst([late_share(name) for name in ("EWR", "JFK", "LGA")])


per_airport = each()


# %% 3 wrong whole_list_at_once hint="whole list"
@dag
def each():
    worst(late_share(airports()))


per_airport = each()


# %% 3 wrong result_in_a_list
@dag
def each():
    worst([late_share.expand(airport=airports())])


per_airport = each()


# %% 3 wrong list_in_a_list
@dag
def each():
    worst(late_share.expand(airport=[airports()]))


per_airport = each()


# %% 3 wrong airports_handed_to_worst
@dag
def each():
    names = airports()
    late_share.expand(airport=names) >> worst(names)


per_airport = each()


# %% 3 wrong worst_mapped hint="none sees all"
@dag
def each():
    worst.expand(shares=late_share.expand(airport=airports()))


per_airport = each()


# %% 3 wrong worst_in_the_group
from airflow.sdk import task_group


@task_group
def one_airport(airport):
    worst([late_share(airport)])


@dag
def each():
    one_airport.expand(airport=airports())


per_airport = each()


# %% 3 wrong forgotten_return hint="late_share: It returned None"
@task
def late_share(airport):
    {"EWR": 0.26, "JFK": 0.22, "LGA": 0.23}[airport]


@dag
def each():
    worst(late_share.expand(airport=airports()))


per_airport = each()


# %% 3 wrong without_worst
@dag
def each():
    late_share.expand(airport=airports())


per_airport = each()


# %% 3 wrong two_of_three
@dag
def each():
    worst(late_share.expand(airport=airports().map(lambda name: "EWR" if name == "JFK" else name)))


per_airport = each()


# %% 3 wrong the_result_and_not_the_dag
@dag
def each():
    worst(late_share.expand(airport=airports()))


each()
per_airport = late_share


# %% 3 wrong does_not_wait hint="does not wait"
@dag(schedule=None)
def fan_out():
    late_share.expand(airport=airports())
    worst([0.26])


per_airport = fan_out()


# %% 4 right list_of_one
@dag(schedule=[Asset("production-model")])
def tell():
    announce()


on_new_model = tell()


# %% 4 right with_uri_and_options
@dag(schedule=Asset("production-model", uri="s3://models/production"), max_active_runs=1, catchup=False)
def tell():
    announce()


on_new_model = tell()


# %% 4 right any_of_one
from airflow.sdk import AssetAny


@dag(schedule=AssetAny(Asset("production-model")))
def tell():
    announce()


on_new_model = tell()


# %% 4 right all_of_one
from airflow.sdk import AssetAll


@dag(schedule=AssetAll(Asset("production-model")))
def tell():
    announce()


on_new_model = tell()


# %% 4 right reference_by_name
@dag(schedule=Asset.ref(name="production-model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 right with_statement
from airflow.sdk import DAG

with DAG(dag_id="tell", schedule=(Asset(name="production-model"),)) as on_new_model:
    announce()


# %% 4 right reads_the_asset_and_makes_another
@task(inlets=[Asset("production-model")], outlets=[Asset("announcement")])
def announce(inlet_events=None):
    print("There is a new model.")


@dag(schedule=Asset("production-model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 right with_a_start_and_a_second_task
@task
def write_down():
    print("written")


@dag(schedule=[Asset("production-model")], start_date=datetime(2026, 1, 1), tags=["models"])
def tell():
    announce() >> write_down()


on_new_model = tell()


# %% 4 right timetable_of_assets
@dag(schedule=Asset("production-model") | Asset("production-model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong underscore hint="to the letter"
@dag(schedule=Asset("production_model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong capital
@dag(schedule=Asset("Production-Model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong only_the_uri
@dag(schedule=Asset("model", uri="s3://models/production-model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong or_another
@dag(schedule=Asset("production-model") | Asset("retraining"))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong and_another hint="also needs an event of retraining"
@dag(schedule=[Asset("production-model"), Asset("retraining")])
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong alias hint="stand-in"
from airflow.sdk import AssetAlias


@dag(schedule=[AssetAlias("production-model")])
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong asset_or_alias
from airflow.sdk import AssetAlias


@dag(schedule=Asset("production-model") | AssetAlias("production-model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong outlet hint="would emit the event"
@task(outlets=[Asset("production-model")])
def announce():
    print("There is a new model.")


@dag
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong starts_itself hint="again and again"
@task(outlets=[Asset("production-model")])
def announce():
    print("There is a new model.")


@dag(schedule=Asset("production-model"))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong and_by_the_clock hint="by the clock too"
from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable


@dag(
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("@daily", timezone="UTC"), assets=[Asset("production-model")]
    )
)
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong daily
@dag(schedule="@daily", start_date=datetime(2026, 3, 1))
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong waits_in_a_task_parameter
@task(inlets=[Asset("production-model")])
def announce():
    print("There is a new model.")


@dag(schedule="@continuous", start_date=datetime(2026, 3, 1), max_active_runs=1)
def tell():
    announce()


on_new_model = tell()


# %% 4 wrong no_task
@dag(schedule=Asset("production-model"))
def tell():
    print("There is a new model.")


on_new_model = tell()


# %% 4 wrong not_called
@dag(schedule=Asset("production-model"))
def tell():
    announce()


on_new_model = tell
