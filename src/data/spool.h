/* spool.h - bytes that are put away one after another and read back by where they were put: up to SPOOL_IN_MEMORY of them in
 * memory, with more, all in a file without a name. It must not know what they mean. */
#ifndef CORD_SPOOL_H
#define CORD_SPOOL_H

#include "base/base.h"

enum { SPOOL_IN_MEMORY = 1 << 20 };

struct spool {
    int file;        /* -1: there is none yet */
    int64_t written; /* bytes that are in the file */
    struct buf rest; /* what stands behind them */
};

void spool_init(struct spool *spool);
void spool_release(struct spool *spool); /* of one that is all zeros, too */
/* Where the next bytes will stand. */
int64_t spool_end(const struct spool *spool);
cord_status spool_add(struct spool *spool, const void *bytes, size_t len, cord_error *err);
/* What was put there by one or several spool_add, or a part of it. Several threads may read while nobody adds or changes. */
cord_status spool_read(const struct spool *spool, int64_t at, void *bytes, size_t len, cord_error *err);
/* Puts other bytes in the place of such that are there. */
cord_status spool_change(struct spool *spool, int64_t at, const void *bytes, size_t len, cord_error *err);

#endif
