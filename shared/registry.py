"""A versioned model registry in a folder of a store. Any number of processes may use it at once.

    <registry>/<model name>/versions/<version>/              model.skops and its manifest: written once, never changed
    <registry>/<model name>/records/<version>/<record>.json  what is known of a version: never changed either
    <registry>/<model name>/aliases.json                     staging, production, the history of production, and the
                                                             record in force of each version

Versions and records are named after the SHA-256 of their content: the same model has the same version on every
platform, registering it again changes nothing, and what is loaded is checked against its name. The one file that
changes is `aliases.json`. It changes in one step, and only if nobody else was faster; the slower ones begin again.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NotRequired, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from shared.errors import ArtifactError, RegistryError
from shared.fitted import MODEL_FILE, Model, dump_model, load_model, read_model
from shared.storage import (
    Artifact,
    Summary,
    change_file,
    first_problem,
    new_artifact,
    open_artifact,
    read_file,
    replace_file,
)

VERSION_LENGTH = 12

Digest = Annotated[str, Field(pattern=f"^[0-9a-f]{{{VERSION_LENGTH}}}$")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


@with_config(ConfigDict(extra="allow", strict=True))
class Verdict(TypedDict):
    """What one check of the quality gate found."""

    passed: bool
    reason: str


@with_config(ConfigDict(extra="forbid", strict=True))
class Metadata(TypedDict):
    """What a registered version says of itself; `trained_until` is the first day (ISO) that it has not seen."""

    winner: str
    passed: bool
    metrics: dict[str, dict[str, float]]
    gate: Annotated[list[Verdict], Field(min_length=1)]
    fingerprint: str
    config: dict[str, Any]
    trained_until: Day


class Promotion(TypedDict):
    """One entry of production's history; `promoted` is a time (ISO, UTC)."""

    version: Digest
    promoted: str


@with_config(ConfigDict(extra="forbid", strict=True))
class Aliases(TypedDict):
    """The versions that `staging` and `production` lead to, production's history, and each version's record."""

    staging: NotRequired[Digest]
    production: NotRequired[Digest]
    history: list[Promotion]
    records: dict[Digest, Digest]


_METADATA = TypeAdapter(Metadata)
_ALIASES = TypeAdapter(Aliases)
_CHAMPION = TypeAdapter(tuple[Digest, Day])


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
        summary = artifact.summary
        version, trained_until = _CHAMPION.validate_python((summary["version"], summary["trained_until"]))
        _check_name(artifact.read(MODEL_FILE), version, artifact.uri)
        return cls(version, read_model(artifact), trained_until)


@dataclass(frozen=True)
class Registry:
    """The versions and aliases of one model."""

    uri: str
    model_name: str

    def register(self, model: "Model | bytes", metadata: Metadata) -> str:
        """Store a model, or the content of its file, with its metadata and return its version."""
        version, record = self._store(model, metadata)
        self._change(lambda aliases: _with_record(aliases, version, record))
        return version

    def deploy(self, model: "Model | bytes", metadata: Metadata) -> str:
        """Store a model as `register` does, stage it and, if it passed its gate, promote it. Return its version.

        All of that happens, or nothing.
        """
        version, record = self._store(model, metadata)

        def change(aliases: Aliases) -> Aliases:
            staged: Aliases = {**_with_record(aliases, version, record), "staging": version}
            return staged if _failed(metadata) else _with_production(staged, version)

        self._change(change)
        return version

    def stage(self, name: str) -> None:
        """Point the alias staging at a version."""
        self._change(lambda aliases: {**aliases, "staging": self._resolve(aliases, name)})

    def promote(self, name: str) -> bool:
        """Point the alias production at a version that passed its gate; return whether that changed anything.

        Raises RegistryError with the gate's reasons when the version did not pass.
        """

        def change(aliases: Aliases) -> Aliases:
            version = self._resolve(aliases, name)  # an alias may move later, production may not move with it
            if failed := _failed(self._read_record(aliases, version)):
                raise RegistryError(f"{self.model_name} {version} may not go to production: {'; '.join(failed)}.")
            return _with_production(aliases, version)

        return self._change(change)

    def rollback(self) -> str:
        """Point production back at the version before the present one and return it."""

        def change(aliases: Aliases) -> Aliases:
            history = aliases["history"][:-1]
            if not history:
                raise RegistryError(f"{self.model_name}: there is no earlier production version to go back to.")
            previous.append(history[-1]["version"])
            return {**aliases, "production": previous[-1], "history": history}

        previous: list[str] = []
        self._change(change)
        return previous[-1]

    def versions(self) -> list[str]:
        """Return the names of all versions, sorted."""
        return sorted(self.aliases()["records"])

    def aliases(self) -> Aliases:
        """Return where the aliases lead to. Raises RegistryError when their file cannot be used."""
        return self._parse_aliases(read_file(self._aliases_uri))

    def metadata(self, name: str) -> Metadata:
        """Return the metadata of a version or alias."""
        aliases = self.aliases()
        return self._read_record(aliases, self._resolve(aliases, name))

    def load(self, name: str) -> Model:
        """Return the model of a version or alias; verified by its version, loaded without pickle."""
        return self._load(self._resolve(self.aliases(), name))

    def find_champion(self) -> Champion | None:
        """Return the model in production, or None while there is none."""
        aliases = self.aliases()
        if "production" not in aliases:
            return None
        version = aliases["production"]
        return Champion(version, self._load(version), self._read_record(aliases, version)["trained_until"])

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
    def _root(self) -> str:
        return f"{self.uri.rstrip('/')}/{self.model_name}"

    @property
    def _aliases_uri(self) -> str:
        return f"{self._root}/aliases.json"

    def _record_uri(self, version: str, record: str) -> str:
        return f"{self._root}/records/{version}/{record}.json"

    def _store(self, model: "Model | bytes", metadata: Metadata) -> tuple[str, str]:
        """Write a version and a record, which nothing leads to yet; return their names."""
        try:
            _METADATA.validate_python(metadata)
        except ValidationError as error:
            raise RegistryError(f"{self.model_name}: its metadata cannot be used ({first_problem(error)}).") from None
        content = model if isinstance(model, bytes) else dump_model(model)
        text = (json.dumps(metadata, indent=2, allow_nan=False) + "\n").encode()
        version, record = _digest(content), _digest(text)
        with new_artifact(f"{self._root}/versions/{version}", {"version": version}) as folder:
            (folder / MODEL_FILE).write_bytes(content)
        uri = self._record_uri(version, record)
        if read_file(uri) != text:  # there is none yet, or it is damaged
            replace_file(uri, text)
        return version, record

    def _load(self, version: str) -> Model:
        uri = f"{self._root}/versions/{version}"
        content = open_artifact(uri).read(MODEL_FILE)
        _check_name(content, version, uri)
        return load_model(content, f"{uri}/{MODEL_FILE}")

    def _read_record(self, aliases: Aliases, version: str) -> Metadata:
        record = aliases["records"][version]
        uri = self._record_uri(version, record)
        content = read_file(uri) or b""
        if _digest(content) != record:
            raise RegistryError(f"{uri}: is missing or not as it was written. Run the training pipeline again.")
        try:
            return _METADATA.validate_json(content)
        except ValidationError as error:
            raise RegistryError(
                f"{uri}: cannot be used ({first_problem(error)}). Run the training pipeline again."
            ) from None

    def _resolve(self, aliases: Aliases, name: str) -> str:
        version = {"staging": aliases.get("staging"), "production": aliases.get("production")}.get(name, name)
        if version not in aliases["records"]:
            raise RegistryError(
                f"{self.model_name}: there is no version or alias {name!r} in {self.uri}; "
                f"versions: {', '.join(sorted(aliases['records'])) or 'none'}. Run the training pipeline first."
            )
        return version

    def _change(self, change: Callable[[Aliases], Aliases]) -> bool:
        """Change the aliases in one step; return whether the change made a difference."""
        different = False

        def replace(content: bytes | None) -> bytes | None:
            nonlocal different
            before = self._parse_aliases(content)
            after = change(before)
            different = after != before
            return (json.dumps(after, indent=2) + "\n").encode() if different else None

        change_file(self._aliases_uri, replace)
        return different

    def _parse_aliases(self, content: bytes | None) -> Aliases:
        if content is None:
            return {"history": [], "records": {}}
        try:
            aliases = _ALIASES.validate_json(content)
            _check_consistency(aliases)
        except ValueError as error:
            problem = first_problem(error) if isinstance(error, ValidationError) else error
            raise RegistryError(
                f"{self._aliases_uri}: cannot be used ({problem}). Restore it, or remove {self._root} and train again."
            ) from None
        return aliases


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:VERSION_LENGTH]


def _check_name(content: bytes, version: str, uri: str) -> None:
    if _digest(content) != version:
        raise ArtifactError(f"{uri}: holds another model than {version}. Run the training pipeline again.")


def _check_consistency(aliases: Aliases) -> None:
    """Raise ValueError if an alias leads nowhere, or production is not the newest entry of its history."""
    promoted = [entry["version"] for entry in aliases["history"]]
    if aliases.get("production") != (promoted[-1] if promoted else None):
        raise ValueError("production is not the last version of its history")
    named = {*promoted, *([aliases["staging"]] if "staging" in aliases else [])}
    if missing := sorted(named - {*aliases["records"]}):
        raise ValueError(f"there is no record of {', '.join(missing)}")


def _failed(metadata: Metadata) -> list[str]:
    return [check["reason"] for check in metadata["gate"] if not check["passed"]]


def _with_record(aliases: Aliases, version: str, record: str) -> Aliases:
    return {**aliases, "records": {**aliases["records"], version: record}}


def _with_production(aliases: Aliases, version: str) -> Aliases:
    if aliases.get("production") == version:
        return aliases
    entry: Promotion = {"version": version, "promoted": datetime.now(UTC).isoformat(timespec="seconds")}
    return {**aliases, "production": version, "history": [*aliases["history"], entry]}
