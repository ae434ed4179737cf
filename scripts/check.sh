#!/usr/bin/env bash
# The checks beyond the tests; `make check` runs them all and stops at the first that fails.
#
#   usage: scripts/check.sh [CHECK...]    checks: formatted, layers, headers, tidy, sanitized (default: all, in this order)
#          scripts/check.sh format        rewrite the sources as clang-format would have them
#
# Cheap ones come first. The sanitized build is made with clang, everyday's with gcc: so both compilers' warnings count.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'check: %s\n' "$*" >&2; }
sources() { find src include tests examples -name '*.c' -o -name '*.h' -o -name '*.cpp' | sort; }

format() { sources | xargs clang-format -i; }
formatted() { sources | xargs clang-format --dry-run -Werror; }
layers() { scripts/layers.sh; }
headers() { cmake --build build --target headers; }

tidy() {
    # gcc's warnings are the build's matter; what clang calls unknown among its options is not an error here.
    find src tests -name '*.c' -o -name '*.cpp' | sort | xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 \
        clang-tidy -p build --quiet --extra-arg=-Wno-unknown-warning-option 2>&1 |
        { grep -v -e '^[0-9]* warnings\? generated' -e '^Suppressed' -e '^Use -header-filter' || true; }
}

sanitized() {
    # The library of llama.cpp stays as it is, built by the everyday compiler.
    scripts/build.sh build-asan -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
        -DCORD_SANITIZE=address,undefined
    ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1} \
        UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} scripts/test.sh build-asan
}

start=$SECONDS
for name in "${@:-formatted layers headers tidy sanitized}"; do
    for check in $name; do
        case $check in
        format | formatted | layers | headers | tidy | sanitized) ;;
        *) say "no check $check" && exit 2 ;;
        esac
        say "$check"
        $check
    done
done
say "done in $((SECONDS - start)) s"
