import os

import modal

app = modal.App("with-secrets")
secrets = [
    modal.Secret.from_local_environ(["FROM_SHELL"]),
    modal.Secret.from_dotenv(__file__, filename="sample.env"),
    modal.Secret.from_name("account", required_keys=["PASSWORD"]),
]


@app.function(secrets=secrets)
def variables() -> list[str | None]:
    return [os.environ.get(name) for name in ("FROM_SHELL", "FROM_FILE", "PASSWORD")]


@app.local_entrypoint()
def main() -> None:
    print(variables.remote())
