import os

import modal

app = modal.App("versions")
secret = modal.Secret.from_dict({"NUMBER": os.environ.get("NUMBER", "")})


@app.function(secrets=[secret])
def number() -> str:
    return os.environ["NUMBER"]


@app.cls(secrets=[secret])
class Model:
    @modal.method()
    def number(self) -> str:
        return os.environ["NUMBER"]
