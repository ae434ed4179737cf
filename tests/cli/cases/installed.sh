# Sourced by cases about what `make install` leaves: installs into ./prefix what lies in the binary's build folder, and
# builds the example there in both ways that others will.

build=$(dirname "$(realpath "$(command -v cord)")")
setting() { sed -n "s/^$1:[^=]*=//p" "$build/CMakeCache.txt"; }

loudly() { "$@" >log 2>&1 || { cat log; exit 1; }; }

loudly cmake --install "$build" --prefix "$PWD/prefix"
libraries=$(dirname "$(find prefix -name libcord.so)")
cc=$(setting CMAKE_C_COMPILER)
sanitize=$(setting CORD_SANITIZE)
flags="-std=c17 -O1 -Wall -Wextra -Wpedantic -Wshadow -Werror ${sanitize:+-fsanitize=$sanitize}"
# The library has C++ inside, of which clang brings no sanitizer's part to a C program unasked; gcc has it all in one.
links=
case $sanitize:$("$cc" --version) in
[!:]*clang*) links="-fsanitize-link-c++-runtime -lstdc++" ;;
esac

build_by_pkg_config() { # PREFIX PROGRAM
    local pc
    pc=$(cd "$1" && pwd)/${libraries#prefix/}/pkgconfig
    # shellcheck disable=SC2046,SC2086  # words
    loudly "$cc" $flags $links "$1/share/doc/cord/examples/score.c" -o "$2" \
        $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs cord)
}

build_by_cmake() { # PREFIX FOLDER: the program is FOLDER/score
    loudly cmake -S "$1/share/doc/cord/examples" -B "$2" -G Ninja "-DCMAKE_PREFIX_PATH=$(realpath "$1")" \
        "-DCMAKE_C_COMPILER=$cc" "-DCMAKE_C_FLAGS=$flags" "-DCMAKE_EXE_LINKER_FLAGS=$links"
    loudly cmake --build "$2"
}
