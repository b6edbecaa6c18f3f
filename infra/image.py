"""`python -m infra.image`: build the images of infra/Dockerfile and print their sizes. `make image` calls it."""

import argparse
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from infra.engine import (
    ROOT,
    SERVICES_IMAGE,
    STEPS_IMAGE,
    InfraError,
    check_engine,
    exit_on_infra_error,
    image_size,
    output,
)

TARGETS = {"steps": STEPS_IMAGE, "services": SERVICES_IMAGE}


def build_command(target: str, base: str, arch: str, secrets: dict[str, str]) -> list[str]:
    """Return the command that builds one target; `secrets` maps the Dockerfile's names to files."""
    options = [f"--secret=id={name},src={file}" for name, file in secrets.items()]
    options += [f"--build-arg=BASE_IMAGE={base}"] if base else []
    options += [f"--platform=linux/{arch}"] if arch else []
    return [
        *("docker", "build", "--file", "infra/Dockerfile", "--target", target, "--tag", TARGETS[target]),
        *options,
        ".",
    ]


def build(targets: Sequence[str], base: str = "", arch: str = "", ca: str = "", index: str = "") -> None:
    """Build the targets and print their sizes. `ca` and `index` are files that only the build sees.

    Raises InfraError if a file is missing, no engine answers, the engine has no BuildKit, or a build fails.
    """
    secrets = {name: file for name, file in (("ca", ca), ("uv", index)) if file}
    for name, file in secrets.items():
        if not Path(file).is_file():
            variable = {"ca": "CA", "uv": "UV_CONFIG"}[name]
            raise InfraError(f"{variable}: {file} is not a file.")
    check_engine()
    if not output(["docker", "buildx", "version"]):
        raise InfraError("docker buildx not found, and the Dockerfile needs it: https://docs.docker.com/go/buildx")
    for target in targets:
        command = build_command(target, base, arch, secrets)
        if subprocess.run(command, cwd=ROOT, env={**os.environ, "DOCKER_BUILDKIT": "1"}).returncode:
            raise InfraError(
                f"the target {target} was not built; the reason is above. Behind a company's proxy, see "
                "infra/README.md for BASE_IMAGE, CA and UV_CONFIG."
            )
    for target in targets:
        print(f"{TARGETS[target]:<28}{(image_size(TARGETS[target]) or 0) / 1e6:6.0f} MB")


def main() -> None:
    """Read the options and build."""
    parser = argparse.ArgumentParser(prog="make image", description=__doc__)
    parser.add_argument("--target", choices=[*TARGETS], action="append", help="only this one")
    parser.add_argument("--base", default="", help="another base image, with Python 3.11 to 3.13")
    parser.add_argument("--arch", default="", help="amd64 or arm64, if not this machine's")
    parser.add_argument("--ca", default="", help="a PEM file of certificates to trust while building")
    parser.add_argument("--index", default="", help="a uv.toml that names another package index")
    options = parser.parse_args()
    with exit_on_infra_error("image"):
        build(options.target or [*TARGETS], options.base, options.arch, options.ca, options.index)


if __name__ == "__main__":
    main()
