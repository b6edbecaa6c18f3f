"""Valid names: the rules of Modal's own client, checked again because names become paths here."""

from modal._utils.name_utils import is_valid_environment_name, is_valid_object_name

from infra.modal_local.errors import invalid, not_found

ENVIRONMENT = "main"


def check_name(kind: str, name: str) -> str:
    """Return `name` if an object of this kind ("Volume", "Dict", …) may have it. Raises INVALID_ARGUMENT."""
    if not is_valid_object_name(name) or not name.strip("."):
        raise invalid(
            f"{kind} {name!r}: a name has at most 64 characters: letters, digits, dashes, periods and underscores,"
            " but not only periods, and it does not look like an app's id."
        )
    return name


def check_environment(name: str) -> str:
    """Return the name of the only environment. Raises an error if `name` is that of another one."""
    if name and not is_valid_environment_name(name, allow_periods=True):
        raise invalid(f"Environment {name!r}: a name has at most 64 letters, digits, dashes and underscores.")
    if name not in ("", ENVIRONMENT):
        raise not_found(f"There is no environment {name!r}: infra.modal_local has one, {ENVIRONMENT!r}.")
    return ENVIRONMENT
