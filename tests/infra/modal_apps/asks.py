"""Functions that ask for what the control plane does not give."""

import json
import os

import modal

image = (
    modal.Image.debian_slim(python_version="3.13")
    .pip_install("torch")
    .workdir("/application/code")
    .env({"PATH": "/opt:$PATH"})
)
app = modal.App("asks", image=image)


@app.function(
    gpu="H100:8",
    cpu=(1, 4),
    memory=512,
    ephemeral_disk=600_000,
    region=["us-east", "eu-west"],
    cloud="aws",
    enable_memory_snapshot=True,
)
def resources() -> list[str]:
    return [os.getcwd(), os.environ["PATH"].partition("/opt:/")[0][-12:]]


@app.function(gpu=["H100:2", "A100"], block_network=True, schedule=modal.Period(hours=1))
def ranked() -> str:
    return "called"


@app.function(volumes={"/bucket": modal.CloudBucketMount("my-bucket")})
def bucket() -> None:
    os.listdir("/bucket")


@app.function()
@modal.fastapi_endpoint()
def page() -> str:
    return "served"


@app.cls()
class Server:
    @modal.method()
    def call(self) -> str:
        return "called"

    @modal.fastapi_endpoint()
    def page(self) -> str:
        return "served"


@app.function()
@modal.clustered(size=2)
def cluster() -> None: ...


@app.local_entrypoint()
def main() -> None:
    server = Server()
    said = [resources.remote(), ranked.remote(), server.call.remote(), resources.remote()]
    for function in (bucket, page, server.page, cluster):
        try:
            said.append(function.remote())
        except modal.exception.Error as error:
            said.append(str(error))
    print("RESULT " + json.dumps(said))
