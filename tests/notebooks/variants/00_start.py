# Answers to the exercises, right and wrong, and a part of the hint that a wrong one must get.

# %% 1 wrong config_preset hint="config.preset"
mine = {"preset": "tiny", "trials": 3}


# %% 1 wrong test_start_takes_a_date hint="test_start takes a date"
mine = config.preset("tiny", trials=3)


# %% 1 wrong first_argument hint="first argument"
mine = config.preset("lab", trials=3, test_start=date(2013, 6, 3))


# %% 1 wrong test_start_takes_a_date_2 hint="test_start takes a date"
mine = settings.model_copy(update={"trials": 3, "test_start": date(2013, 3, 6)})


# %% 2 wrong useless hint="useless"
allowed = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance", "arr_delay"}


# %% 2 wrong measured_earlier hint="measured earlier"
allowed = {"carrier", "dest", "departure_minute", "distance"}


# %% 2 wrong write_a_set hint="Write a set"
allowed = "carrier dest"


# %% 2 wrong useless_2 hint="useless"
allowed = {"arr_delay", "carrier"}
