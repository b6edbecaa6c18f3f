#!/bin/sh
# Installs requirements.lock and this project into $VENV. Called by `make setup`; safe to run again at any time.
# An environment that exists already (conda's, for example) is used as it is, and nothing in it is removed.
set -eu
cd "$(dirname "$0")/.."
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0  # into $VENV, whatever pip's configuration says

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

# uv's progress without a second and third line for every package; keeps uv's exit status.
progress() {
    { "$@" 2>&1 && echo "status 0" || echo "status $?"; } | while IFS= read -r line; do
        case $line in
            "status "*) exit "${line#status }" ;;
            " + "* | " - "* | " ~ "* | *" Downloaded "* | *" Building "* | *" Built "*) ;;
            *) printf '    %s\n' "$line" ;;
        esac
    done
}

python=$VENV/bin/python
if [ -e "$python" ] || [ -L "$python" ]; then
    PYTHON="$python" sh infra/find-python.sh >/dev/null 2>&1 || fail \
        "the Python of $VENV ($("$python" --version 2>&1 || true)) does not run or has an unsupported version." \
        "Remove that environment (make distclean removes .venv), then run make setup again."
else
    base=$(sh infra/find-python.sh)
    say "making $VENV with $("$base" --version) ($base)"
    if "$base" -c 'import ensurepip' 2>/dev/null; then
        "$base" -m venv "$VENV"
    elif command -v uv >/dev/null; then
        uv venv --quiet --allow-existing --python "$base" "$VENV"
    else
        fail "$base cannot make environments: its venv module is incomplete." \
             "Debian, Ubuntu:  sudo apt install python3-venv" \
             "Or name another Python:  make setup PYTHON=/path/to/python3.12"
    fi
fi

if command -v uv >/dev/null; then
    uv=uv
else
    uv=$VENV/bin/uv
    if [ ! -x "$uv" ]; then
        say "fetching the installer (uv) from PyPI"
        "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
        "$python" -m pip install --quiet --disable-pip-version-check uv
    fi
fi

# The build constraint makes the one source package build with the locked setuptools.
say "installing about $(grep -c '^[a-z].*==' requirements.lock) packages (one minute, plus the download of about 500 MB)"
progress "$uv" pip install --python "$python" --compile-bytecode --require-hashes \
    --build-constraints requirements.lock -r requirements.lock
"$uv" pip install --quiet --python "$python" --no-deps --no-build-isolation -e .
say "ready: $("$python" --version) in $VENV"
