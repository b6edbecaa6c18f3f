# Plausible wrong answers, and a word that the hint must have.

# %% exercise=1 hint="config.preset"
mine = {"preset": "tiny", "trials": 3}

# %% exercise=1 hint="test_start takes a date"
mine = config.preset("tiny", trials=3)

# %% exercise=1 hint="first argument"
mine = config.preset("lab", trials=3, test_start=date(2013, 6, 3))

# %% exercise=2 hint="useless"
allowed = {"carrier", "dest", "tailnum", "departure_minute", "weather_temp", "distance", "arr_delay"}

# %% exercise=2 hint="measured earlier"
allowed = {"carrier", "dest", "departure_minute", "distance"}

# %% exercise=2 hint="Write a set"
allowed = "carrier dest"


# %% exercise=1 hint="test_start takes a date"
mine = settings.model_copy(update={"trials": 3, "test_start": date(2013, 3, 6)})

# %% exercise=2 hint="useless"
allowed = {"arr_delay", "carrier"}
