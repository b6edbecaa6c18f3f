import modal

app = modal.App("scheduled")
ticks = modal.Dict.from_name("ticks", create_if_missing=True)


@app.function(schedule=modal.Period(minutes=2))
def by_period() -> None:
    ticks["period"] = ticks.get("period", 0) + 1


@app.function(schedule=modal.Cron("*/2 * * * *", timezone="America/New_York"))
def by_cron() -> None:
    ticks["cron"] = ticks.get("cron", 0) + 1


@app.function()
def seen() -> dict[str, int]:
    return {name: ticks.get(name, 0) for name in ("period", "cron")}
