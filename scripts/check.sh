#!/usr/bin/env bash
# The checks beyond the tests; `make check` runs them all and stops at the first that fails.
#
#   usage: scripts/check.sh [CHECK...]    checks: formatted, layers, headers, warnings, tidy, long,
#                                         threads, fuzz, sanitized (default: all, in this order)
#          scripts/check.sh format        rewrite the sources as clang-format would have them
#
# Environment:
#   CORD_FUZZ_SECONDS   how long each fuzz target runs (default: 30)
#
# Cheap ones come first. Warnings are errors in the builds made here: the everyday compiler's in build-strict, clang's in
# the sanitized ones.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'check: %s\n' "$*" >&2; }
sources() { find src include tests examples bench -name '*.c' -o -name '*.h' -o -name '*.cpp' | sort; }

format() { sources | xargs clang-format -i; }
formatted() { sources | xargs clang-format --dry-run -Werror; }
layers() { scripts/layers.sh; }
build_strict() { scripts/build.sh build-strict -DCMAKE_COMPILE_WARNING_AS_ERROR=ON; }
headers() { build_strict && cmake --build build-strict --target headers; }

warnings() { build_strict && cmake --build build-strict --target tests benchmarks; }

tidy() {
    # gcc's warnings are the matter of `warnings`; what clang calls unknown among its options is not an error here.
    find src tests -name '*.c' -o -name '*.cpp' | sort | xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 \
        clang-tidy -p build --quiet --extra-arg=-Wno-unknown-warning-option 2>&1 |
        { grep -v -e '^[0-9]* warnings\? generated' -e '^Suppressed' -e '^Use -header-filter' || true; }
}

# What `make test` leaves out: the label `long`.
long() { scripts/test.sh build -L long; }

# The library of llama.cpp stays as it is, built by the everyday compiler.
build_with() { # FOLDER SANITIZERS
    scripts/build.sh "$1" -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ "-DCORD_SANITIZE=$2" \
        -DCMAKE_COMPILE_WARNING_AS_ERROR=ON
}
build_sanitized() { build_with build-asan address,undefined; }

# The scheduler and the transport, with many threads at them.
threads() {
    build_with build-tsan thread
    scripts/test.sh build-tsan -R '^(long/)?model/(threads|device|transport|transport_streams|transport_many|share)$'
}

# What a target finds worth keeping stays in the build folder, so that the next run goes on from there; an input that
# breaks it is kept beside, and is run again by giving it to the target as its only argument. An input takes no time, so
# the timeout, which is by the clock, is long: a machine that stands still for a while is no hang.
fuzz() {
    build_sanitized
    local target name log dict
    for target in build-asan/fuzz/*; do
        name=${target##*/}
        log=build-asan/fuzz-$name.log
        mkdir -p "build-asan/fuzz-corpus/$name"
        dict=()
        if [ -e "tests/fuzz/$name.dict" ]; then dict=("-dict=tests/fuzz/$name.dict"); fi
        LSAN_OPTIONS=suppressions=tests/fuzz/leaks.supp:print_suppressions=0 \
            "$target" -max_total_time="${CORD_FUZZ_SECONDS:-30}" -timeout=120 -rss_limit_mb=1024 "${dict[@]}" \
            -artifact_prefix="build-asan/fuzz-$name-" "build-asan/fuzz-corpus/$name" "tests/fuzz/corpus/$name" \
            >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
        say "  $name: $(tail -n 1 "$log")"
    done
}

sanitized() {
    build_sanitized
    ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1} \
        UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} scripts/test.sh build-asan
}

start=$SECONDS
for name in "${@:-formatted layers headers warnings tidy long threads fuzz sanitized}"; do
    for check in $name; do
        case $check in
        format | formatted | layers | headers | warnings | tidy | long | threads | fuzz | sanitized) ;;
        *) say "no check $check" && exit 2 ;;
        esac
        say "$check"
        $check
    done
done
say "done in $((SECONDS - start)) s"
