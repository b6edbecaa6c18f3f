import sys

import modal

image = modal.Image.debian_slim()
if "with-source" in sys.argv or not modal.is_local():
    image = image.add_local_python_source("helper")
app = modal.App("needs-helper", image=image)


@app.function()
def greet() -> str:
    from helper import GREETING

    return GREETING


@app.local_entrypoint()
def main(how: str) -> None:
    print(greet.remote())
