#!/usr/bin/env bash
# Builds the tests of a build folder, runs them and counts them.
#
#   usage: scripts/test.sh FOLDER [CTEST-OPTION...]
#
# The last line counts single tests, not programs, and counts what was skipped:  N passed, N failed, N skipped
# It is read off what the programs print: cmocka's lines, or such a line of the test's own (the command-line tests'). A
# program with neither counts as one test; one that died, or failed without naming a test, as one failed.
set -euo pipefail

folder=$1
shift
cmake --build "$folder" --target tests
case " $* " in
*' -LE long '*)
    left=$(ctest --test-dir "$folder" -N -L long | sed -n 's/^ *Test *#[0-9]*: *//p' | tr '\n' ' ')
    echo "left to scripts/check.sh long, and not counted: ${left:-nothing}"
    ;;
esac
status=0
ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(getconf _NPROCESSORS_ONLN)" "$@" 2>&1 |
    tee "$folder/tests.log" || status=$?

awk '
    function program_ends() {
        if (!inside) return
        if (own)               { passed += own_passed; failed += own_failed; skipped += own_skipped; bad = own_failed }
        else if (p + f + s)    { passed += p; failed += f; skipped += s; bad = f }
        else if (name in skips) { skipped++ }
        else if (state == "p") { passed++ }
        if (state == "f" && !bad) failed++
        inside = 0
    }
    # What ctest prints says which programs were skipped, its log does not.
    NR == FNR                      { if (/Test +#[0-9]+: .*\*\*\*Skipped/) { sub(/.*Test +#[0-9]+: /, ""); skips[$1] = 1 } next }
    /^[0-9]+\/[0-9]+ Testing: /     { program_ends(); inside = 1; p = f = s = own = bad = 0; state = "f"; name = $3 }
    /^\[       OK \] /             { p++ }
    /^\[  FAILED  \] .*[^:]$/      { if (!summary) f++ }
    /^\[  SKIPPED \] .*[^:]$/      { if (!summary) s++ }
    /^\[==========\] Running /     { summary = 0 }
    /^\[==========\] .* run\.$/    { summary = 1 } # what follows names the failed tests a second time
    /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ { own = 1; own_passed = $1; own_failed = $3; own_skipped = $5 + 0 }
    /^Test Passed\.$/              { state = "p" }
    /^Test time =/                 { summary = 0 }
    END { program_ends(); printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }
' "$folder/tests.log" "$folder/Testing/Temporary/LastTest.log"
exit $status
