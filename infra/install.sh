#!/bin/sh
# Installs packages into /opt/venv while an image is built: sh install.sh -r FILE. The build secrets are in the Dockerfile.
set -eu
if [ -f /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi
if [ -f /run/secrets/uv ]; then export UV_CONFIG_FILE=/run/secrets/uv; fi
exec /installer/bin/uv pip install --quiet --python /opt/venv/bin/python --link-mode copy --compile-bytecode \
    --require-hashes --build-constraints /build/build.txt "$@"
