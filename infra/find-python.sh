#!/bin/sh
# Prints the first Python that really runs (a pyenv shim may exist and fail) and that pyproject.toml accepts.
# $PYTHON, when set, is the only candidate. With --any, an unsuitable Python is better than none.
set -eu
cd "$(dirname "$0")/.."

range=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)".*/\1 \2/p' pyproject.toml)
low=${range% *} high=${range#* }

mode=${1:-}
if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.12 python3.13 python3.11 python3 python; fi

found="" any=""
for candidate in "$@"; do
    version=$("$candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
    if "$candidate" -c "import sys; sys.exit(not (3, $low) <= sys.version_info[:2] < (3, $high))"; then
        command -v "$candidate"
        exit 0
    fi
    found="$found $candidate ($version)"
    case $version in 2.* | 3.[0-6].*) ;; *) any=${any:-$candidate} ;; esac  # the doctor itself needs 3.7
done

if [ "$mode" = --any ] && [ -n "$any" ]; then
    command -v "$any"
    exit 0
fi

cat >&2 <<MESSAGE
This project needs Python 3.$low to 3.$((high - 1)). Found${PYTHON:+ with PYTHON=$PYTHON}:${found:- none that runs}.
Install one of them (3.12 is the best choice):
    macOS            brew install python@3.12
    Debian, Ubuntu   sudo apt install python3 python3-venv
    conda            conda env create -f environment.yml
or name one that is not on your PATH:  make setup PYTHON=/path/to/python3.12
MESSAGE
exit 1
