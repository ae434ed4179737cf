#!/usr/bin/env bash
# Brings one build folder up to date: packages, llama.cpp, CMake where something changed, Ninja.
#
#   usage: scripts/build.sh FOLDER [CMAKE-OPTION...]
#
# With nothing to do it ends in a fraction of a second: the checks before the build are cheap, and CMake runs only when its
# options differ from those of the last time (Ninja itself runs it when a CMake file or the set of sources has changed).
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
shift
scripts/packages.sh
case " $* " in
*" -DCORD_LOCAL=OFF "*) llama=$(scripts/llama.sh --jinja) ;;
*) llama=$(scripts/llama.sh) ;;
esac

options=(-G Ninja "-DCORD_LLAMA=$llama" "$@")
if [ ! -e "$folder/build.ninja" ] || [ "$(cat "$folder/options" 2>/dev/null)" != "${options[*]}" ]; then
    mkdir -p "$folder"
    rm -f "$folder/options"
    if ! cmake -S . -B "$folder" "${options[@]}" >"$folder/configure.log" 2>&1; then
        cat "$folder/configure.log" >&2
        exit 1
    fi
    printf '%s\n' "${options[*]}" >"$folder/options"
fi
cmake --build "$folder"
