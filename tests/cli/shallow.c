/* shallow.c - writes a model with its last layers left out, for the command-line tests (model/shallow.h).
 *
 *   usage: shallow FROM.gguf TO.gguf LAYERS */
#include "model/shallow.h"

#include <stdlib.h>

int main(int argc, char **argv) {
    int layers = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (layers < 1) {
        fputs("usage: shallow FROM.gguf TO.gguf LAYERS\n", stderr);
        return 2;
    }
    return !shallow_write(argv[1], argv[2], layers);
}
