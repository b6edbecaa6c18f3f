"""A versioned model registry in a folder at any URI.

    <registry>/<model name>/versions/<version>/   model.skops and manifest.json (checksums, metadata)
    <registry>/<model name>/aliases.json          staging, production, and the history of production

A version is named after its model's SHA-256: the same model has the same version on every platform, and registering it
again only renews its metadata. Versions are never removed. One process may deploy at a time.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from upath import UPath

from shared.errors import RegistryError
from shared.models import MODEL_FILE, Model, dump_model, read_model
from shared.storage import Artifact, Summary, new_artifact, open_artifact, replace_file

VERSION_LENGTH = 12


@dataclass(frozen=True)
class Champion:
    """The model now in production; `trained_until` is the first day (ISO) that it has not seen."""

    version: str
    model: Model
    trained_until: str

    def write(self, folder: Path) -> Summary:
        """Write the model's file into `folder`; the rest is the summary."""
        (folder / MODEL_FILE).write_bytes(dump_model(self.model))
        return {"version": self.version, "trained_until": self.trained_until}

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Return what `write` stored."""
        return cls(artifact.summary["version"], read_model(artifact), artifact.summary["trained_until"])


@dataclass(frozen=True)
class Registry:
    """The versions and aliases of one model."""

    uri: str
    model_name: str

    def register(self, model: Model, metadata: dict[str, Any]) -> str:
        """Store a model with its metadata and return its version."""
        content = dump_model(model)
        version = hashlib.sha256(content).hexdigest()[:VERSION_LENGTH]
        with new_artifact(self._version_uri(version), metadata) as folder:
            (folder / MODEL_FILE).write_bytes(content)
        return version

    def stage(self, version: str) -> None:
        """Point the alias staging at a version."""
        self._write_aliases({**self.aliases(), "staging": self._existing(version)})

    def promote(self, version: str) -> bool:
        """Point the alias production at a version that passed its gate; return whether that changed anything.

        Raises RegistryError with the gate's reasons when the version did not pass.
        """
        version = self._existing(version)  # an alias may move later, production may not move with it
        failed = [check["reason"] for check in self.metadata(version)["gate"] if not check["passed"]]
        if failed:
            raise RegistryError(f"{self.model_name} {version} may not go to production: {'; '.join(failed)}.")
        aliases = self.aliases()
        if aliases.get("production") == version:
            return False
        self._write_aliases({**aliases, "production": version, "history": [*aliases["history"], _entry(version)]})
        return True

    def rollback(self) -> str:
        """Point production back at the version before the present one and return it."""
        aliases = self.aliases()
        history = aliases["history"]
        if len(history) < 2:
            raise RegistryError(f"{self.model_name}: there is no earlier production version to go back to.")
        previous = str(history[-2]["version"])
        self._write_aliases({**aliases, "production": previous, "history": history[:-1]})
        return previous

    def versions(self) -> list[str]:
        """Return the names of all versions, sorted."""
        folder = self._root / "versions"
        if not folder.exists():
            return []
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))

    def aliases(self) -> dict[str, Any]:
        """Return `staging` and `production` (if set) and the `history` of production."""
        path = self._root / "aliases.json"
        try:
            aliases: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return {"history": []}
        except ValueError as error:
            raise RegistryError(
                f"{path}: is not readable ({error}). Restore it, or remove it and promote again."
            ) from None
        return aliases

    def metadata(self, name: str) -> dict[str, Any]:
        """Return the metadata of a version or alias."""
        return open_artifact(self._version_uri(self._existing(name))).summary

    def load(self, name: str) -> Model:
        """Return the model of a version or alias; verified by its checksum, loaded without pickle."""
        return read_model(open_artifact(self._version_uri(self._existing(name))))

    def find_champion(self) -> Champion | None:
        """Return the model in production, or None while there is none."""
        version = self.aliases().get("production")
        if version is None:
            return None
        return Champion(version, self.load(version), self.metadata(version)["trained_until"])

    def get_champion(self) -> Champion:
        """Return the model in production. Raises RegistryError when there is none."""
        champion = self.find_champion()
        if champion is None:
            raise RegistryError(
                f"{self.model_name}: no model is in production in {self.uri}. Run the training pipeline first, until a "
                "model passes its gate; or give the registry that a training run wrote to."
            )
        return champion

    @property
    def _root(self) -> UPath:
        return UPath(self.uri) / self.model_name

    def _version_uri(self, version: str) -> str:
        return str(self._root / "versions" / version)

    def _existing(self, name: str) -> str:
        version = str(self.aliases().get(name, name))
        if version not in self.versions():
            raise RegistryError(
                f"{self.model_name}: there is no version or alias {name!r} in {self.uri}; "
                f"versions: {', '.join(self.versions()) or 'none'}. Run the training pipeline first."
            )
        return version

    def _write_aliases(self, aliases: dict[str, Any]) -> None:
        replace_file(self._root / "aliases.json", (json.dumps(aliases, indent=2) + "\n").encode())


def _entry(version: str) -> dict[str, str]:
    return {"version": version, "promoted": datetime.now(UTC).isoformat(timespec="seconds")}
