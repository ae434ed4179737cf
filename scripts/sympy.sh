#!/usr/bin/env bash
# Prints the Python that has SymPy, for the bench of the grader. It is a virtual environment of its own in the cache, made
# the first time with exactly these versions; the system's Python stays as it is.
#
#   usage: scripts/sympy.sh
#
# Environment:
#   CORD_CACHE     root of the cache (default: $XDG_CACHE_HOME/cord or ~/.cache/cord)
set -euo pipefail
cd "$(dirname "$0")/.."

# 4.11 of the parser's run time is the only one that SymPy 1.13 takes.
versions=(sympy==1.13.3 mpmath==1.3.0 antlr4-python3-runtime==4.11.0)
folder=${CORD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cord}/sympy-1.13.3

if [ ! -e "$folder/ready" ]; then
    scripts/packages.sh venv
    printf 'sympy: making %s\n' "$folder" >&2
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir --no-deps --only-binary :all: \
        "${versions[@]}" >&2
    touch "$folder/ready"
fi
printf '%s\n' "$folder/bin/python"
