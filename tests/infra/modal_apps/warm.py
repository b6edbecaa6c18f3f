import modal

app = modal.App("warm")


@app.function(min_containers=1)
def ready() -> str:
    return "ready"
