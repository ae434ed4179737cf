#!/usr/bin/env bash
# Fetches DuckDB's library into the cache, verified. cord loads it at run time to read Parquet, CSV, JSON arrays and what is
# compressed, and to write Parquet; it does without it where there is only JSONL.
#
#   usage: scripts/duckdb.sh            fetch what is missing; print the path of the library
#          scripts/duckdb.sh --where    print the path, whether or not it is there
#
# Only the path goes to stdout. The library comes through npm, whose package for node carries the plain C library; it has
# its final name only after its hash was checked. Where it cannot be had, the exit status is 1, with the reason.
#
# Environment:
#   CORD_CACHE     root of the cache (default: $XDG_CACHE_HOME/cord or ~/.cache/cord)
set -euo pipefail
export LC_ALL=C

version=1.5.6
package=@duckdb/node-bindings-linux-x64@1.5.6-r.1
sha256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633 # of libduckdb.so

here=$(cd "$(dirname "$0")" && pwd)
folder=${CORD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cord}/duckdb-$version
library=$folder/libduckdb.so

say() { printf 'duckdb: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

case ${1:-} in
'') ;;
--where) printf '%s\n' "$library" && exit ;;
*) die "unknown argument $1; the head of this file says what there is" ;;
esac

# (It is moved into place only when it is whole and right.)
if [ -e "$library" ]; then printf '%s\n' "$library" && exit; fi
case $(uname -sm) in
'Linux x86_64') ;;
*) die "no library is pinned for $(uname -sm). Put DuckDB $version's libduckdb.so at $library, or name it in CORD_DUCKDB" ;;
esac
if ! command -v npm >/dev/null; then
    "$here/packages.sh" npm || die "npm is not installed, through which the library comes"
fi

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9
if [ -e "$library" ]; then printf '%s\n' "$library" && exit; fi # another process has fetched it meanwhile
tmp=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

say "npm package $package, 24 MB, licence MIT"
start=$SECONDS
why=$(cd "$tmp" && npm pack --ignore-scripts --loglevel=error --fetch-retries=1 --fetch-timeout=60000 "$package" 2>&1) ||
    die "npm pack failed: $({ grep -vE '^ *$|^npm (ERR!|error) (code|errno|syscall|type)' || true; } <<<"$why" | head -n 1)"
tar -C "$tmp" -xzf "$tmp"/*.tgz package/libduckdb.so package/LICENSE || die "the package holds no library"
[ "$(sha256sum <"$tmp/package/libduckdb.so" | cut -d' ' -f1)" = $sha256 ] ||
    die "the library is not the pinned one (hash differs); thrown away"
mv "$tmp/package/LICENSE" "$folder/LICENSE"
mv "$tmp/package/libduckdb.so" "$library"
say "done in $((SECONDS - start)) s"
printf '%s\n' "$library"
