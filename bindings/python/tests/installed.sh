#!/usr/bin/env bash
# Tests a built wheel as a user gets it: a fresh environment, from a folder without the package's sources.
#
#   bindings/python/tests/installed.sh PYTHON_VERSION FOLDER_WITH_THE_WHEEL
set -euo pipefail
version="$1" folder="$(cd "$2" && pwd)"
tests="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
python="python$version"
# Windows has one python.exe per version behind its launcher.
if ! command -v "$python" >/dev/null 2>&1; then python="py -$version"; fi
$python -m venv "$work/venv"
bin="$work/venv/bin"
if [ -d "$work/venv/Scripts" ]; then bin="$work/venv/Scripts"; fi
"$bin/python" -m pip install --quiet --disable-pip-version-check "$folder"/*.whl pytest scikit-learn networkx pandas matplotlib
cd "$work"
"$bin/python" -m pytest -q -p no:cacheprovider "$tests" --ignore="$tests/test_notebooks.py" --ignore="$tests/test_docs.py"
