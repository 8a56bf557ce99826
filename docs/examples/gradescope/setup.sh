#!/usr/bin/env bash
# Prepares the image of the autograder, once: kata-grade with a Python of its own.
set -euo pipefail

apt-get update
apt-get install -y --no-install-recommends ca-certificates curl
curl -LsSf https://astral.sh/uv/install.sh | env UV_INSTALL_DIR=/usr/local/bin UV_NO_MODIFY_PATH=1 sh

# Not in the home of who installs it: submissions run as another user, who cannot look in there.
export UV_PYTHON_INSTALL_DIR=/opt/python
/usr/local/bin/uv venv --python 3.12 /opt/otelkata
# Where no index has it: "Install" in docs/index.md.
/usr/local/bin/uv pip install --python /opt/otelkata/bin/python 'otelkata[grade]'
