"""Objects in memory that are found by name or id: Dicts, Queues and Secrets."""

import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from modal_proto import api_pb2

from infra.modal_local.errors import already_exists, not_found
from infra.modal_local.names import check_name
from infra.modal_local.records import new_id

T = TypeVar("T")


@dataclass(eq=False)
class Named(Generic[T]):
    """A value with its name and id; an anonymous object has an empty name."""

    name: str
    id: str
    value: T
    created_at: float = field(default_factory=time.time)

    @property
    def creation(self) -> api_pb2.CreationInfo:
        """When it was created, in the protocol's terms."""
        return api_pb2.CreationInfo(created_at=self.created_at)


class NamedObjects(Generic[T]):
    """All objects of one kind ("Dict", …), whose ids begin with `prefix`."""

    def __init__(self, kind: str, prefix: str) -> None:
        self._kind, self._prefix = kind, prefix
        self._objects: dict[str, Named[T]] = {}

    def get(self, object_id: str) -> Named[T]:
        """Return the object with this id. Raises NOT_FOUND."""
        if object_id not in self._objects:
            raise not_found(f"There is no {self._kind} {object_id}.")
        return self._objects[object_id]

    def get_or_create(self, name: str, creation: int, value: T) -> Named[T]:
        """Return the object with this name, or a new one with `value` if `creation` asks for it.

        Raises NOT_FOUND, ALREADY_EXISTS or INVALID_ARGUMENT.
        """
        if name:
            check_name(self._kind, name)
        found = next((one for one in self._objects.values() if name and one.name == name), None)
        if found and creation == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise already_exists(f"{self._kind} {name!r} exists already.")
        if found and creation == api_pb2.OBJECT_CREATION_TYPE_CREATE_OVERWRITE_IF_EXISTS:
            found.value = value
        if not found and creation == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
            raise not_found(f"{self._kind} {name!r} not found.")
        found = found or Named(name, new_id(self._prefix), value)
        self._objects[found.id] = found
        return found

    def page(self, pagination: api_pb2.ListPagination) -> list[Named[T]]:
        """Return a page of the named objects, the newest first."""
        before, most = pagination.created_before or float("inf"), pagination.max_objects or None
        named = [one for one in self._objects.values() if one.name and one.created_at < before]
        return sorted(named, key=lambda one: one.created_at, reverse=True)[:most]

    def delete(self, object_id: str) -> None:
        """Remove an object."""
        self._objects.pop(object_id, None)
