#!/usr/bin/env bash
# Sees to the system packages that building cord needs: says what is missing and installs it.
#
#   usage: scripts/packages.sh [GROUP...]     groups: build (default), check, bench, pip, venv, npm
#
# As root it installs by itself, otherwise with sudo where that works; where neither does, or the system is not a Debian,
# it prints what to do and exits 1. With nothing missing it is silent, and takes some hundredths of a second.
set -euo pipefail
export LC_ALL=C

# Each entry: Debian's package, then how to tell that what cord needs of it is here: a command, pc:MODULE (pkg-config
# knows the library, so its headers are here too), header:FILE|FILE (the compiler finds one of them), clang:OPTION (clang
# links a program with it), py:MODULE (python3 finds it) or a path. Asking for the thing instead of the package lets a cmake
# or a SQLite of one's own count, and works on systems other than Debian.
# shellcheck disable=SC2034 # the groups are read by name
{
build="
gcc              cc
g++              c++
make             make
cmake            cmake
ninja-build      ninja
pkg-config       pkg-config
git              git
curl             curl
ca-certificates  /etc/ssl/certs
libsqlite3-dev   pc:sqlite3
libjansson-dev   pc:jansson
libfyaml-dev     pc:libfyaml
libflint-dev     header:flint/flint.h
libflint-arb-dev header:arb.h|flint/arb.h
libssl-dev       pc:libcrypto
libcurl4-openssl-dev pc:libcurl
zlib1g-dev       pc:zlib
libcmocka-dev    pc:cmocka
"
check="
clang            clang
clang-format     clang-format
clang-tidy       clang-tidy
libclang-rt-dev  clang:-fsanitize=address
groff-base       groff
zsh              zsh
fish             fish
nghttp2-server   nghttpd
"
bench="
python3  python3
"
pip="
python3-pip  pip3
"
venv="
python3       python3
python3-venv  py:ensurepip
"
npm="
npm  npm
"
}

say() { printf 'packages: %s\n' "$*" >&2; }

here() {
    case $1 in
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    header:*)
        local any=${1#header:}
        cc -E -o /dev/null -x c - 2>/dev/null <<<"#if !(__has_include(<${any//|/>) || __has_include(<}>))
#error
#endif" ;;
    clang:*) clang "${1#clang:}" -o /dev/null -x c - 2>/dev/null <<<"int main(void) { return 0; }" ;;
    py:*) python3 -c "import ${1#py:}" 2>/dev/null ;;
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

missing=()
for group in "${@:-build}"; do
    case $group in build | check | bench | pip | venv | npm) ;; *) say "no group $group; there are build, check, bench, pip, venv and npm" && exit 2 ;; esac
    while read -r package sign; do
        if [ -n "$package" ] && ! here "$sign"; then missing+=("$package"); fi
    done <<<"${!group}"
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if ! command -v apt-get >/dev/null; then
    say "missing (by Debian's names; install what your system calls them): ${missing[*]}"
    exit 1
fi

as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    # A password may be asked for only where somebody can type it.
    if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || { [ -t 0 ] && [ -t 2 ] && sudo -v; }; }; then
        say "missing: ${missing[*]}. Run as root:"
        say "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
fi

say "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1; }
listed() { local package; for package in "${missing[@]}"; do apt-cache show "$package" >/dev/null 2>&1 || return 1; done; }
install() { apt install -y --no-install-recommends "${missing[@]}"; }
# A bare container has no package lists, and old lists name files that are gone.
if ! listed || ! install; then
    say "fetching the package lists first"
    if ! apt update || ! install; then
        tail -n 20 "$log" >&2
        say "apt-get failed; by hand, as root:"
        say "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
fi
