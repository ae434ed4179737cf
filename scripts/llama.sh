#!/usr/bin/env bash
# Gets, verifies and builds llama.cpp once, and prints the folder it is in.
#
#   usage: scripts/llama.sh [--tools|--jinja]             print the prefix, building it first where need be
#          scripts/llama.sh [--tools|--jinja] --where     print where the prefix is or would be; build nothing
#
# Only the prefix goes to stdout; everything said to people goes to stderr.
#
# The prefix lies outside the build folder, in the cache, so that `make clean` does not cost the minutes that
# llama.cpp takes to compile. The library's layout:
#
#   include/            llama.h, ggml*.h, gguf.h; ggml-backend-impl.h, which ggml does not install: what a device of ggml is
#   include-jinja/      jinja/*.h, json.h, unicode.h: llama.cpp's template engine, which its C API lacks
#   lib/                libllama.a, libggml*.a, libllamajinja.a, and CMake's package files
#   share/templates/    real chat templates, for tests
#   share/licenses/     the licences of what was compiled
#   share/source        version and hash of the source it was built from
#
# With --tools it is another prefix: what cord is measured against, built from the same source with the same options.
#
#   bin/                llama-server, llama-batched-bench
#   share/              licenses/ and source, as above
#
# With --jinja it is the template engine alone, which takes seconds: what a cord without llama.cpp (CORD_LOCAL=OFF) needs.
#
#   include-jinja/, lib/libllamajinja.a, share/     as above
#
# Environment:
#   CORD_CACHE          root of the cache (default: $XDG_CACHE_HOME/cord or ~/.cache/cord)
#   CORD_LLAMA_CMAKE    more CMake options, as -DGGML_CUDA=ON; each set of options has a build of its own
#   CORD_LLAMA_PREFIX   use this prefix, laid out as above, and build nothing (with --tools it needs bin/, too). For
#                       packagers. A copy of llama.cpp that merely is installed on the system is never picked up unasked,
#                       even at the right version: no distribution ships the template engine, and headers and library
#                       must be of one build.
#   CC, CXX, CFLAGS, CXXFLAGS   as usual, but CC and CXX are one word each; all are part of the build's key. (A launcher such
#                       as ccache: CORD_LLAMA_CMAKE="-DCMAKE_C_COMPILER_LAUNCHER=ccache ...".)
set -euo pipefail
export LC_ALL=C

version=0.5.0
repository=https://github.com/ggml-org/llama.cpp
npm_package=node-llama-cpp@3.22.1
npm_sha256=a0d9dd80eacd2ab1cfe71aee57ac8a806487fd70b3d2a38fbec637752d9e5c5f
layout=2 # raise when the prefix's layout changes, so that older builds are not taken for it

here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-cc} CXX=${CXX:-c++}

say() { printf 'llama: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
hash_of() { sha256sum | cut -d' ' -f1; }

what=library build_it=yes
for argument; do
    case $argument in
    --tools) what=tools ;;
    --jinja) what=jinja ;;
    --where) build_it=no ;;
    *) die "unknown argument $argument; the head of this file says what there is" ;;
    esac
done

# What is compiled or installed, and nothing else of llama.cpp's tree: the hash covers every file under these paths,
# names and contents, so that it does not matter where the source came from.
if [ $what != tools ]; then
    paths="CMakeLists.txt LICENSE licenses cmake include src ggml vendor common/jinja common/json.cpp common/json.h
           common/unicode.cpp common/unicode.h models/templates"
    source_sha256=9b040df47d544ff053e39f365d0a98eac562ca76d8e8877089bd45f0f9489790
    targets=all
    needed="include/llama.h include/ggml-backend-impl.h include-jinja/jinja/runtime.h lib/libllama.a lib/libllamajinja.a"
    cost="about 4 minutes on two cores"
else
    paths="CMakeLists.txt LICENSE licenses cmake include src ggml vendor common tools scripts/ui-assets.cmake"
    source_sha256=efd8ce2a6ebe7552222b6a36966d761319c5d5f6b90f899981c87187323f5ff9
    targets="llama-server llama-batched-bench"
    needed="bin/llama-server bin/llama-batched-bench"
    cost="about 6 minutes on two cores"
fi
if [ $what = jinja ]; then # of the same source
    targets=
    needed="include-jinja/jinja/runtime.h lib/libllamajinja.a"
    cost="some seconds"
fi

# ---------------------------------------------------------------------------------------------------- the prefix's name

if [ -n "${CORD_LLAMA_PREFIX:-}" ]; then
    pc=$CORD_LLAMA_PREFIX/lib/pkgconfig/llama.pc
    for file in $needed; do
        [ -e "$CORD_LLAMA_PREFIX/$file" ] || die "CORD_LLAMA_PREFIX has no $file; scripts/llama.sh describes the layout"
    done
    [ $what = jinja ] || grep -qx "Version: $version" "$pc" 2>/dev/null || die "CORD_LLAMA_PREFIX is not version $version (see $pc)"
    printf '%s\n' "$CORD_LLAMA_PREFIX"
    exit
fi

root=${CORD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cord}/llama

# OpenMP's threads spin and fight with ours when two models take turns; ggml's own pool does not.
options="-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_INCLUDEDIR=include -DCMAKE_INSTALL_BINDIR=bin
    -DLLAMA_BUILD_IS_DEV=OFF -DLLAMA_BUILD_NUMBER=0 -DLLAMA_BUILD_COMMIT=v$version
    -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF
    -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF
    -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF ${CORD_LLAMA_CMAKE:-}"
# Where an option comes twice, CMake takes the later.
if [ $what = tools ]; then
    options="$options -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=ON -DLLAMA_OPENSSL=OFF"
fi

{ command -v "$CC" && command -v "$CXX"; } >/dev/null ||
    die "no compiler $CC or $CXX; run scripts/packages.sh, or correct CC and CXX, which are one word each"

# GCC up to 12.3 (Debian 12 has 12.2) tells its optimiser of 8 of the 64 bytes that ldtilecfg reads and sttilecfg writes (GCC's
# bug 114098): on CPUs with AMX, ggml's kernels then configure their tiles with what happens to be there, and crash. Such a
# compiler is given both instructions by this header, in front of every C++ file.
tiles=
wrong_tiles() {
    "$CXX" -march=native -dM -E -x c++ - </dev/null 2>/dev/null | grep __AMX_TILE__ >/dev/null &&
        "$CXX" -march=native -E -x c++ - <<<'#include <immintrin.h>' 2>/dev/null |
        grep 'ldtilecfg.*const void \*\*) *__config' >/dev/null
}
if wrong_tiles; then
    tiles='#include <immintrin.h>
#define _tile_loadconfig(config) __asm__ volatile("ldtilecfg %0" : : "m"(*(const char (*)[64])(config)))
#define _tile_storeconfig(config) __asm__ volatile("sttilecfg %0" : "=m"(*(char (*)[64])(config)))'
fi

# The predefined macros name the compiler, its version, and the CPU features that -march=native turns on. They are what
# decides the machine code; /proc/cpuinfo would also name flags that change with the kernel.
machine() {
    "$CXX" -march=native -dM -E -x c++ - </dev/null 2>/dev/null || { "$CXX" -dM -E -x c++ - </dev/null; cat /proc/cpuinfo; }
    "$CC" --version | head -n 1
    uname -sm
}
# shellcheck disable=SC2086 # the options' line breaks are not part of their meaning
key=$version-$({ echo $layout $source_sha256 $options "${CFLAGS:-}" / "${CXXFLAGS:-}$tiles"; machine; } | hash_of | cut -c1-16)
if [ $what != library ]; then key=$what-$key; fi
prefix=$root/$key

ready() { [ -e "$prefix/share/source" ]; }
if ready || [ $build_it = no ]; then printf '%s\n' "$prefix"; exit; fi

# ------------------------------------------------------------------------------------------------------------ the source

source=$root/source-$what # kept until the build is done, so that one that was cut off goes on where it stopped
build=$root/build-$key

listed() { # FOLDER: do the listed paths hold exactly the pinned files?
    # shellcheck disable=SC2086
    [ "$(cd "$1" && find $paths -type f -print0 | sort -z | xargs -0 sha256sum | hash_of)" = $source_sha256 ] &&
        [ -z "$(cd "$1" && find $paths ! -type f ! -type d)" ]
}

accept() { # CLONE: verify it, and take only what was verified
    listed "$1" 2>/dev/null || { say "  its files are not those of v$version (hash differs)"; return 1; }
    # shellcheck disable=SC2086
    rm -rf "$source" && mkdir "$source" && tar -C "$1" -cf - $paths | tar -C "$source" -xf -
}

from_repository() {
    say "source: $repository at v$version"
    command -v git >/dev/null || { say "  git is not installed"; return 1; }
    # git knows no timeout for connecting, curl does
    local why
    why=$(curl -sSfL --connect-timeout 10 --max-time 20 -o /dev/null \
        "$repository/info/refs?service=git-upload-pack" 2>&1) || { say "  ${why:-curl is not installed}"; return 1; }
    why=$(GIT_TERMINAL_PROMPT=0 timeout 900 git -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=20 -c core.autocrlf=false \
        -c advice.detachedHead=false clone -q --depth 1 --branch "v$version" "$repository" "$tmp/git" 2>&1) ||
        { say "  $(printf '%s' "$why" | tail -n 1)"; return 1; }
    accept "$tmp/git"
}

npm_reason() { { grep -vE '^ *$|^npm (ERR!|error) (code|errno|syscall|type)' || true; } | head -n 1; }

from_npm() {
    say "source: npm package $npm_package"
    if ! command -v npm >/dev/null; then
        "$here/packages.sh" npm || { say "  npm is not installed"; return 1; }
    fi
    local why
    why=$(cd "$tmp" && npm pack --ignore-scripts --loglevel=error --fetch-retries=1 --fetch-timeout=60000 "$npm_package" 2>&1) ||
        { say "  npm pack failed: $(npm_reason <<<"$why")"; return 1; }
    local package
    package=$(find "$tmp" -maxdepth 1 -name '*.tgz')
    [ "$(hash_of <"$package")" = $npm_sha256 ] || { say "  the package is not the pinned one (hash differs)"; return 1; }
    tar -C "$tmp" -xzf "$package" package/llama/gitRelease.bundle || return 1
    git -c core.autocrlf=false -c advice.detachedHead=false clone -q "$tmp/package/llama/gitRelease.bundle" "$tmp/npm" 2>/dev/null ||
        { say "  the bundle inside cannot be cloned"; return 1; }
    accept "$tmp/npm"
}

# ------------------------------------------------------------------------------------------------------------- the build

quietly() { # COMMAND...: show what it printed only where it fails
    "$@" >>"$build/log" 2>&1 || { tail -n 30 "$build/log" >&2; die "failed: $1 $2 ...; all of it is in $build/log"; }
}

# Without the prefix map, messages of failed assertions would carry the builder's own folders.
map="-ffile-prefix-map=$source=llama.cpp"

configure_and_build() {
    # shellcheck disable=SC2086
    quietly cmake -S "$source" -B "$build" -G Ninja -Wno-dev -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" \
        -DCMAKE_C_FLAGS="${CFLAGS:-} $map" -DCMAKE_CXX_FLAGS="${CXXFLAGS:-} $map" -DCMAKE_INSTALL_PREFIX="$prefix" \
        $options
    # shellcheck disable=SC2086
    if [ -t 2 ]; then # ninja's one line of progress
        cmake --build "$build" --target $targets >&2 || die "the build failed; scripts/llama.sh goes on where it stopped"
    else
        quietly cmake --build "$build" --target $targets
    fi
}

compile() { # never called in a condition: there, bash would go on after a command that failed
    mkdir -p "$build"
    : >"$build/log"
    if [ -n "$tiles" ]; then
        printf '%s\n' "$tiles" >"$build/tiles.h"
        CXXFLAGS="${CXXFLAGS:-} -include $build/tiles.h"
    fi
    if [ -n "$targets" ]; then configure_and_build; fi

    # Installed beside its place and renamed: a prefix that exists is whole.
    local new=$tmp/prefix
    mkdir -p "$new/share/licenses"
    install_$what "$new"
    cp "$source/LICENSE" "$new/share/licenses/llama.cpp"
    cp "$source"/licenses/* "$new/share/licenses/"
    printf 'llama.cpp %s, source SHA-256 %s\n' $version $source_sha256 >"$new/share/source"
    mv "$new" "$prefix"
}

# The template engine belongs to llama.cpp's `common` library, which drags in HTTP and much else: these files alone make a
# library that needs nothing but ggml-base, and of that one function.
install_jinja() { # PREFIX
    mkdir -p "$build/jinja" "$1/lib" "$1/include-jinja/jinja" "$1/share/templates"
    # shellcheck disable=SC2016
    (cd "$source/common" && printf '%s\n' jinja/*.cpp json.cpp unicode.cpp) |
        xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c \
            '"$0" $1 -std=c++17 -O2 -DNDEBUG -fPIC -I"$2/common" -I"$2/vendor" -I"$2/ggml/include" -c "$2/common/$4" \
             -o "$3/jinja/$(basename "$4" .cpp).o"' \
            "$CXX" "${CXXFLAGS:-} $map" "$source" "$build" {} >&2
    if [ $what = jinja ]; then # there is no ggml-base: what a failed assertion calls
        "$CC" ${CFLAGS:-} -O2 -fPIC -x c -c - -o "$build/jinja/abort.o" >&2 <<'END'
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void ggml_abort(const char *file, int line, const char *format, ...);

void ggml_abort(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    abort();
}
END
    fi
    ar rcs "$1/lib/libllamajinja.a" "$build"/jinja/*.o
    cp "$source"/common/jinja/*.h "$1/include-jinja/jinja/"
    cp "$source/common/json.h" "$source/common/unicode.h" "$1/include-jinja/"
    cp "$source"/models/templates/*.jinja "$1/share/templates/"
}

install_library() { # PREFIX
    quietly cmake --install "$build" --prefix "$1"
    rm -rf "${1:?}/bin"
    cp "$source/ggml/src/ggml-backend-impl.h" "$1/include/"
    install_jinja "$1"
}

install_tools() { # PREFIX
    mkdir -p "$1/bin"
    install -s -t "$1/bin" "$build/bin/llama-server" "$build/bin/llama-batched-bench"
}

mkdir -p "$root"
exec 9>"$root/lock"
if ! flock -n 9; then
    say "another build is under way in $root; waiting for it"
    flock 9
fi
if ready; then printf '%s\n' "$prefix"; exit; fi # the other build made it

start=$SECONDS
rm -rf "$root"/tmp.* # left behind by a killed run: under the lock nobody else's
tmp=$(mktemp -d "$root/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

if ! { [ -d "$source" ] && listed "$source" 2>/dev/null; }; then
    from_repository || from_npm || die "no source of llama.cpp $version could be had; the lines above say why.
llama: Without a network, put a build made elsewhere (the same kind of machine) in $prefix"
    say "source verified ($((SECONDS - start)) s)"
fi
case $what in jinja) name="template engine" ;; *) name=$what ;; esac
say "compiling the $name, once: $cost"
compile
rm -rf "$source" "$build"
say "built in $((SECONDS - start)) s: $prefix"
printf '%s\n' "$prefix"
