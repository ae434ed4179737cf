# Sourced by cases and by scripts/proof.sh, which kill runs of small.sh's r.yaml and look at what is left.

# Kills a run with SIGKILL at random moments (the same ones for the same seed), goes on with it each time, and begins a new one
# where it is done, until KILLS of them have hit; the last run is brought to its end. Each must give REFERENCE, byte for byte.
# The moments lie less than MILLISECONDS after each start; a run that comes to its end has the exit STATUS (0). Says how many runs
# it took.
kill_often() { # KILLS MILLISECONDS SEED REFERENCE [STATUS]
    local kills=$1 span=$2 reference=$4 whole=${5:-0} hits=0 runs=1 pid delay status
    RANDOM=$3
    while :; do
        cord run r.yaml --set "run.out=killed$runs" >/dev/null 2>&1 &
        pid=$!
        if [ "$hits" -lt "$kills" ]; then
            delay=$((RANDOM * span / 32768))
            sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
            kill -9 $pid 2>/dev/null || true # it may have ended
        fi
        status=0
        { wait $pid; } 2>/dev/null || status=$?
        case $status in
        137) hits=$((hits + 1)) && continue ;;
        "$whole") ;;
        *) echo "run $runs ended with $status" && return 1 ;;
        esac
        cmp "$reference" "killed$runs/trajectories.jsonl" || return 1
        [ "$hits" -lt "$kills" ] || break
        runs=$((runs + 1))
    done
    echo "killed $hits times in $runs runs: all equal"
}

# What a command computes for, in milliseconds: the clock would count what others do on a busy machine.
milliseconds_of() { # COMMAND...
    local TIMEFORMAT=%U seconds
    seconds=$({ time "$@" >/dev/null 2>&1; } 2>&1)
    echo $((10#${seconds/./}))
}
