/* dataset.h - what `cord export` and `cord stats` share: opening runs for reading, and the tokenizer and the chat template
 * that a user named. It must not know rows. */
#ifndef CORD_CMD_DATASET_H
#define CORD_CMD_DATASET_H

#include "cmd/cmd.h"
#include "export/export.h"

struct runs {
    struct export_source *sources;
    int n;
    struct arena arena;
};

cord_status runs_open(struct runs *runs, const char *const *folders, int n, cord_error *err);
void runs_close(struct runs *runs); /* zeroed is fine */

/* A tokenizer and a template; each may be absent. */
struct reader {
    cord_engine *engine;
    cord_model *tokenizer;
    struct turn turn;
    cord_text added_bos; /* export_options.added_bos, of the tokenizer, or else of the model whose template is taken */
    struct arena arena;
};

/* `tokenizer` is a model of the manifest or a GGUF file; `tmpl` a known format, a file with Jinja, or such a model, whose
 * template is taken. NULL: none. A template's special tokens are the tokenizer's, where the template itself brings none. */
cord_status reader_open(struct reader *reader, const char *tokenizer, const char *tmpl, cord_error *err);
void reader_close(struct reader *reader); /* zeroed is fine */
/* export_options.count_tokens, with a reader as its context. */
cord_status reader_count(void *reader, cord_text text, int *tokens, cord_error *err);
/* export_options.count_plain. */
cord_status reader_count_plain(void *reader, cord_text text, int *tokens, cord_error *err);

#endif
