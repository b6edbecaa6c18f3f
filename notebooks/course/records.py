"""Read an offline W&B run: a log in LevelDB's format that holds W&B's own protobuf records."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Record:
    """A tracked run, as it is stored on disk."""

    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: list[str] = field(default_factory=list)


def read_record(folder: Path) -> Record:
    """Return the record of the run in `folder` (`offline-run-…`)."""
    from wandb.proto import wandb_internal_pb2

    found = Record()
    for data in _messages(next(folder.glob("run-*.wandb")).read_bytes()):
        record = wandb_internal_pb2.Record.FromString(data)
        for place, updates in ((found.config, record.run.config.update), (found.config, record.config.update)):
            place.update({_name(update): json.loads(update.value_json) for update in updates})
        found.summary.update({_name(update): json.loads(update.value_json) for update in record.summary.update})
        found.tags += record.run.tags
        for name in (record.artifact.name, record.request.log_artifact.artifact.name):
            found.artifacts += [name] if name else []
    return found


def _name(update: Any) -> str:
    return update.key or "/".join(update.nested_key)


FILE_HEADER, BLOCK, RECORD_HEADER = 7, 32768, struct.Struct("<IHB")  # checksum, length, and one of four types:
FULL, _FIRST, _MIDDLE, LAST = 1, 2, 3, 4


def _messages(log: bytes) -> Iterator[bytes]:
    """Yield a log's messages. Blocks have a fixed size, a long message is split, and a block's end may be empty."""
    position, parts = FILE_HEADER, b""
    while position < len(log):
        rest = BLOCK - position % BLOCK
        if rest < RECORD_HEADER.size:
            position += rest
            continue
        if position + RECORD_HEADER.size > len(log):
            return  # still being written
        _, length, kind = RECORD_HEADER.unpack_from(log, position)
        position += RECORD_HEADER.size
        parts += log[position : position + length]
        position += length
        if kind in (FULL, LAST):
            yield parts
            parts = b""
