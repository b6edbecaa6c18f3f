# Answers to the exercises of lesson 0, as students write them.

# %% 1 right copy_of_the_settings
mine = settings.model_copy(update={"trials": 3, "test_start": date(2013, 6, 3)})

# %% 1 right date_as_iso_text
mine = config.preset("tiny", test_start="2013-06-03", trials=3)

# %% 1 right midnight
from datetime import datetime

mine = config.preset("tiny", trials=3, test_start=datetime(2013, 6, 3, 0, 0))

# %% 1 right name_by_name
mine = config.preset(name="tiny", trials=1 + 2, test_start=date(month=6, day=3, year=2013))

# %% 1 right unpacked_dictionary
changes = {"trials": 3, "test_start": date.fromisoformat("2013-06-03")}
mine = config.preset("tiny", **changes)

# %% 1 right validated_dump
mine = config.PipelineConfig.model_validate(
    {**config.preset("tiny").model_dump(), "trials": 3, "test_start": date(2013, 6, 3)}
)

# %% 1 right through_json
import json

values = json.loads(config.preset("tiny").to_json())
values["trials"], values["test_start"] = 3, "2013-06-03"
mine = config.PipelineConfig.model_validate_json(json.dumps(values))

# %% 1 right partial
from functools import partial

of_three_trials = partial(config.preset, "tiny", trials=3)
mine = of_three_trials(test_start=date(2013, 6, 3))

# %% 1 right own_function
def configure(trials):
    return config.preset("tiny", trials=trials, test_start=date(2013, 6, 3))


mine = configure(3)

# %% 1 right in_two_steps
mine = config.preset("tiny", trials=3)
mine = mine.model_copy(update=dict(test_start=date(2013, 6, 3)))

# %% 1 right computed_date
from datetime import timedelta

mine = config.preset("tiny", trials=3, test_start=date(2013, 6, 1) + timedelta(days=2))

# %% 1 wrong dictionary hint="config.preset"
mine = {"preset": "tiny", "trials": 3, "test_start": date(2013, 6, 3)}

# %% 1 wrong one_change_forgotten hint="test_start takes a date"
mine = config.preset("tiny", trials=3)

# %% 1 wrong trials_forgotten hint="trials is 2"
mine = config.preset("tiny", test_start=date(2013, 6, 3))

# %% 1 wrong other_preset hint="first argument"
mine = config.preset("lab", trials=3, test_start=date(2013, 6, 3))

# %% 1 wrong lab_called_tiny hint="Different from the preset tiny"
mine = config.preset("lab", trials=3, test_start=date(2013, 6, 3)).model_copy(update={"preset": "tiny"})

# %% 1 wrong day_and_month_exchanged hint="test_start is datetime.date(2013, 3, 6)"
mine = settings.model_copy(update={"trials": 3, "test_start": date(2013, 3, 6)})

# %% 1 wrong a_day_off hint="2013, 6, 4"
mine = config.preset("tiny", trials=3, test_start=date(2013, 6, 4))

# %% 1 wrong text_for_a_number hint="trials is '3'"
mine = settings.model_copy(update={"trials": "3", "test_start": date(2013, 6, 3)})

# %% 1 wrong text_for_a_date hint="test_start is '2013-06-03'"
mine = settings.model_copy(update={"trials": 3, "test_start": "2013-06-03"})

# %% 1 wrong midnight_without_validation hint="datetime.datetime(2013, 6, 3"
from datetime import datetime

mine = settings.model_copy(update={"trials": 3, "test_start": datetime(2013, 6, 3, 5)})

# %% 1 wrong json hint="config.preset"
mine = config.preset("tiny", trials=3, test_start=date(2013, 6, 3)).to_json()

# %% 1 wrong trailing_comma hint="is a tuple"
mine = (config.preset("tiny", trials=3, test_start=date(2013, 6, 3)),)

# %% 1 wrong not_called hint="config.preset"
mine = lambda: config.preset("tiny", trials=3, test_start=date(2013, 6, 3))

# %% 1 wrong printed
mine = print(config.preset("tiny", trials=3, test_start=date(2013, 6, 3)))

# %% 1 wrong forgotten_return
def configure():
    config.preset("tiny", trials=3, test_start=date(2013, 6, 3))


mine = configure()

# %% 1 wrong changes_too_much hint="seed"
mine = config.preset("tiny", trials=3, test_start=date(2013, 6, 3), seed=1)

# %% 1 wrong changes_its_limits hint="monitoring"
from shared.config import Monitoring

mine = config.preset(
    "tiny", trials=3, test_start=date(2013, 6, 3), monitoring=Monitoring(max_prediction_psi=0.5)
)

# %% 1 wrong mistyped_field raises="ConfigError"
mine = config.preset("tiny", trial=3, test_start=date(2013, 6, 3))

# %% 1 wrong class_alone hint="config.preset"
mine = config.PipelineConfig

# %% 2 right list
allowed = ["distance", "weather_temp", "departure_minute", "tailnum", "dest", "carrier"]

# %% 2 right tuple_with_a_name_twice
allowed = "carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance", "dest"

# %% 2 right split_text
allowed = set("carrier dest tailnum departure_minute weather_temp distance".split())

# %% 2 right frozenset
allowed = frozenset(("carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"))

# %% 2 right all_but_one
columns = ["carrier", "dest", "arr_delay", "tailnum", "departure_minute", "weather_temp", "distance"]
allowed = {name for name in columns if name != "arr_delay"}

# %% 2 right difference
allowed = {"carrier", "dest", "arr_delay", "tailnum", "departure_minute", "weather_temp", "distance"} - {"arr_delay"}

# %% 2 right keys
allowed = dict.fromkeys(["carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"], True).keys()

# %% 2 right pandas_index
import pandas as pd

allowed = pd.Index(["carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"])

# %% 2 right pandas_series
import pandas as pd

allowed = pd.Series(["carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"])

# %% 2 right numpy_array
import numpy as np

allowed = np.array(["carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"])

# %% 2 right removed_by_hand
allowed = ["carrier", "dest", "arr_delay", "tailnum", "departure_minute", "weather_temp", "distance"]
allowed.remove("arr_delay")

# %% 2 wrong with_the_future hint="useless"
allowed = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance", "arr_delay"}

# %% 2 wrong without_the_plane hint="tailnum"
allowed = {"carrier", "dest", "departure_minute", "weather_temp", "distance"}

# %% 2 wrong without_the_weather hint="measured earlier"
allowed = {"carrier", "dest", "tailnum", "departure_minute", "distance"}

# %% 2 wrong one_text hint="Write a set"
allowed = "carrier dest tailnum departure_minute weather_temp distance"

# %% 2 wrong one_text_in_a_set hint="Not in the list"
allowed = {"carrier, dest, tailnum, departure_minute, weather_temp, distance"}

# %% 2 wrong future_alone hint="useless"
allowed = {"arr_delay"}

# %% 2 wrong empty hint="known before departure"
allowed = set()

# %% 2 wrong empty_braces hint="Write a set"
allowed = {}

# %% 2 wrong true_and_false hint="Write a set"
allowed = {
    "carrier": True, "dest": True, "arr_delay": False, "tailnum": True,
    "departure_minute": True, "weather_temp": True, "distance": True,
}

# %% 2 wrong upper_case hint="'CARRIER'"
allowed = {"CARRIER", "DEST", "TAILNUM", "DEPARTURE_MINUTE", "WEATHER_TEMP", "DISTANCE"}

# %% 2 wrong numbers_of_columns hint="not text"
allowed = {0, 1, 3, 4, 5, 6}

# %% 2 wrong nested_list hint="not text"
allowed = [["carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"]]

# %% 2 wrong with_the_label hint="'late'"
allowed = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance", "late"}

# %% 2 wrong missing_comma hint="'carrierdest'"
allowed = {"carrier" "dest", "tailnum", "departure_minute", "weather_temp", "distance"}

# %% 2 wrong names_without_quotes raises="NameError"
allowed = {carrier, dest, tailnum, departure_minute, weather_temp, distance}

# %% 2 wrong with_nothing hint="None"
allowed = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance", None}

# %% 2 wrong read_once hint="read only once"
allowed = (name for name in ["carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance"])

# %% 2 wrong count hint="Write a set"
allowed = 6
