/* gold.h - takes the gold out of the field it stands in. It must not know rows or sets. */
#ifndef CORD_GOLD_H
#define CORD_GOLD_H

#include "data/layouts.h"

struct gold {
    cord_text text;  /* a part of the field */
    const char *how; /* "the whole field", "behind ####", …; static */
};

/* `name` is the field's, for errors and for ANSWER_AUTO. */
cord_status gold_find(cord_text field, const char *name, enum answer_format format, struct gold *gold, cord_error *err);
/* GSM8K writes its sums a second time for a calculator, <<48/2=24>>: the text without them, in the arena. */
cord_status gold_without_calculator(cord_text text, struct arena *arena, cord_text *clean, cord_error *err);

#endif
