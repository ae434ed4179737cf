/* choices.h - questions of multiple choice: {"A": "…"} has labels as keys, {"label": […], "text": […]} has two lists, a plain
 * list has none. The choices go behind the question, and the gold is a label with its text. Private to src/data. */
#ifndef CORD_CHOICES_H
#define CORD_CHOICES_H

#include "data/layouts.h"

/* As a layout's `fits_named` and `read`. An answer that the user names and that is none of the choices is an answer of its own. */
bool choices_fit(const struct json_row *row, const struct layout_options *options);
cord_status choices_read(const struct json_row *row, const struct layout_options *options, struct arena *arena,
                         struct layout_texts *texts, cord_error *err);

#endif
