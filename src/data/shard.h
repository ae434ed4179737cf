/* shard.h - the part of a problem set that one of several processes works on. Which part a problem belongs to is a hash of
 * its id alone, so that adding, removing or reordering problems moves none of the others. It must not know who runs where. */
#ifndef CORD_SHARD_H
#define CORD_SHARD_H

#include "base/base.h"

/* Shard `number` of `count`, from 1; count 0: the whole set. */
struct shard {
    int number, count;
};

enum { SHARDS_MOST = 1000000 };

/* Reads "2/8". False where it is not two whole numbers I/N with 1 <= I <= N <= SHARDS_MOST. */
bool shard_parse(const char *text, struct shard *shard);

/* Does the problem of this id belong to the shard? The first 16 hexadecimal digits of the id's SHA-256, as a number, modulo
 * `count`, are `number` - 1. */
bool shard_has(struct shard shard, cord_text id);

/* A run folder of the shard's own: "{shard}" in `out` becomes "2-of-8", and where there is none, "-2-of-8" is put behind it,
 * unless "2-of-8" stands in it already, as where a shard's own folder is named to go on in it. In `arena`; NULL when there is no memory. For the whole set it is `out`. */
#define SHARD_PLACE "{shard}"
const char *shard_folder(struct shard shard, const char *out, struct arena *arena);

#endif
