/* packed.h - files that are compressed: which way, whether they are whole, and gzip as an ordinary stream. It must not know
 * what stands in them. */
#ifndef CORD_PACKED_H
#define CORD_PACKED_H

#include "base/base.h"

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

extern const char *const packing_names[]; /* as DuckDB calls them */

/* By its first bytes. */
enum packing packing_of(cord_text beginning);

/* Reads the file through and refuses one that is cut off or damaged: gzip by its checksums, zstd by the lengths of its
 * blocks. (DuckDB takes what there is of either and says nothing, so half a set would pass for a whole one.) */
cord_status packed_check(const char *path, enum packing packing, cord_error *err);

/* What a gzip file holds, as a FILE * that the caller closes. */
cord_status packed_open_gzip(const char *path, void **file, cord_error *err);

#endif
