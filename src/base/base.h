/* base.h - the vocabulary of the whole program below language models: errors, texts, arenas, capped buffers, seeded
 * randomness, hashes, the clock. It must not know what a model, a prompt or a journal is.
 *
 * Words used everywhere:
 *   X_init / X_release   a value that the caller owns; release leaves it as init made it
 *   X_open / X_close     a handle that holds a resource (weights, a file, a journal)
 *   X_new / X_free       an object on the heap
 */
#ifndef CORD_BASE_H
#define CORD_BASE_H

#include "cord.h"

#include <stdarg.h>
#include <string.h>

/* ---- errors -------------------------------------------------------------------------------------------------- */

/* Returns early with the status of a failed call. */
#define CORD_TRY(call)                                  \
    do {                                                \
        cord_status try_status_ = (call);               \
        if (try_status_ != CORD_OK) return try_status_; \
    } while (0)

/* Whether a request to a model failed for what was asked (it does not fit, or is not understood). */
static inline bool is_requests_own(cord_status status) { return status == CORD_BAD_INPUT || status == CORD_TOO_LONG; }

/* Fills `err` (which may be NULL) and gives `code`, so that `return error_set(err, CORD_BAD_INPUT, "…")` reads as one
 * thing. `where` is kept if it was set before: inner layers know the place best. (A macro, so that the compiler sees that
 * what comes out of a failure is never CORD_OK.) */
#define error_set(err, code, ...) (error_fill(err, code, __VA_ARGS__), (code))
void error_fill(cord_error *err, cord_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sets the place an error is about, unless an inner layer has set it already. */
void error_where(cord_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A request's error where it failed for all else: what is wrong with its model or the way there (a server that stays away, a
 * key that has expired), or with this machine. Then others fail, too, and a search that went on with fewer candidates, or
 * without a verdict, would make what nobody wants. It ends, and can be taken up where it was. Otherwise CORD_OK. */
cord_status error_models_own(const cord_error *request, cord_error *err);

/* CORD_NO_MEMORY with its standard sentence. */
#define error_memory(err) error_set(err, CORD_NO_MEMORY, "out of memory")

/* CORD_IO_ERROR: "cannot WHAT PATH: strerror(errno)" and, for a full disk or a missing permission, what to do. */
cord_status error_errno(cord_error *err, const char *what, const char *path);

/* ---- texts --------------------------------------------------------------------------------------------------- */

#define TEXT(literal) ((cord_text){"" literal, sizeof(literal) - 1})

static inline cord_text text_of(const char *s) { return (cord_text){s, s ? strlen(s) : 0}; }
static inline cord_text text_slice(cord_text t, size_t from, size_t to) {
    /* t.data may be NULL, to which nothing may be added. */
    return (cord_text){from ? t.data + from : t.data, to - from};
}

/* Of A to Z alone, whatever locale a program that uses the library has set. */
static inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool text_equal(cord_text a, cord_text b);
bool text_equal_any_case(cord_text a, cord_text b); /* A to Z alone */
bool text_starts(cord_text t, cord_text prefix);
bool text_ends(cord_text t, cord_text suffix);
/* Offset of the first / last occurrence of `what` in `t`, or -1. An empty `what` is never found. */
ptrdiff_t text_find(cord_text t, cord_text what);
ptrdiff_t text_rfind(cord_text t, cord_text what);
/* Without the blanks (space, tab, CR, LF, FF, VT) at the end / at both ends. */
cord_text text_trim_end(cord_text t);
cord_text text_trim(cord_text t);
/* Takes the next line off `rest`, without its newline; false where nothing is left. */
bool text_next_line(cord_text *rest, cord_text *line);
/* The place of `word` in a list that ends with NULL, or -1. */
int text_place(cord_text word, const char *const *list);

/* Length of the longest prefix that holds whole, valid UTF-8 characters only: t.len where all of it is valid. */
size_t utf8_valid_prefix(cord_text t);
/* True where `tail` could be the beginning of one more character (so more bytes may complete it). */
bool utf8_incomplete(cord_text tail);
/* A copy of what a model wrote: each NUL, and each byte of what is no character, becomes U+FFFD; an unfinished character at the
 * end is left out. Ends with a NUL that *len does not count; freed by free(); NULL when there is no memory. */
char *utf8_mend(cord_text bytes, size_t *len);
/* Columns that a terminal needs for one character; 0 for combining ones, 2 for wide ones. */
int utf8_width(uint32_t codepoint);
/* Whether a terminal obeys a character instead of showing it: control characters of both kinds (ESC, CSI), line and paragraph
 * separators, and those that turn the direction of what follows. */
bool utf8_is_obeyed(uint32_t codepoint);
/* Puts a '?' in place of each of them, and of each byte that is part of no character. */
void utf8_make_printable(char *s);
/* Decodes the character at t.data[*at] and moves *at behind it; U+FFFD for an invalid byte. *at must be < t.len. */
uint32_t utf8_next(cord_text t, size_t *at);

/* Edit distance (insert, delete, replace, swap of neighbours), for "did you mean". Words of up to 63 bytes; of longer ones 63. */
int text_distance(const char *a, const char *b);
/* The nearest of `words` (n strings) to `word`, or NULL when none is near enough to be worth suggesting,
 * or `word` has more than 63 bytes. */
const char *text_nearest(const char *word, const char *const *words, size_t n);

/* ---- arenas -------------------------------------------------------------------------------------------------- */

/* Memory that is freed all at once: a problem's texts, a recipe's strings. Not thread-safe. */
struct arena {
    struct arena_block *block;
};

void arena_init(struct arena *arena);
void arena_release(struct arena *arena);
/* `size` zeroed bytes, aligned for any type; NULL when there is no memory. Live until arena_release. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy of `t`, followed by a NUL that is not counted. data == NULL when there is no memory. */
cord_text arena_text(struct arena *arena, cord_text t);
/* An array in the arena with room for one more behind its n elements of `size` bytes: itself, or a copy twice as large. NULL
 * when there is no memory. */
void *arena_room(struct arena *arena, void *array, int n, int *room, size_t size);
/* printf into the arena; NULL when there is no memory. */
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- capped buffers ------------------------------------------------------------------------------------------ */

/* A growing string of bytes with a named cap. Appending never fails on the spot: after the first failure the buffer
 * stays as it is and every further append does nothing; buf_check tells, once, at the end. `data` is always
 * NUL-terminated (and never NULL) while status is CORD_OK. */
struct buf {
    char *data;
    size_t len, cap, limit;
    const char *name; /* what the buffer is for, told when the cap is reached. Static. */
    cord_status status;
};

void buf_init(struct buf *buf, const char *name, size_t limit);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf); /* empties it and forgets a failure; keeps the memory */
void buf_add(struct buf *buf, cord_text t);
void buf_addc(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_truncate(struct buf *buf, size_t len);
cord_status buf_check(const struct buf *buf, cord_error *err);
/* Moves what it holds, where nothing failed, into the arena; releases it in any case. */
cord_status buf_take(struct buf *buf, struct arena *arena, cord_text *text, cord_error *err);
static inline cord_text buf_text(const struct buf *buf) { return (cord_text){buf->data, buf->len}; }

/* ---- seeds, randomness, hashes ------------------------------------------------------------------------------- */

/* Seeds are hashes, so that no result depends on scheduling. Start with the run's seed, then mix in what the seed is
 * for: seed = seed_text(run_seed, problem_id); seed = seed_mix(seed, round); … (SplitMix64's finaliser; FNV-1a.) */
uint64_t seed_mix(uint64_t seed, uint64_t value);
uint64_t seed_text(uint64_t seed, cord_text value);

/* xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64. */
struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
double rng_uniform(struct rng *rng); /* in [0, 1), 53 bits */

/* SHA-256 as 64 lower-case hex digits and a NUL. */
void sha256_text(cord_text t, char hex[65]);
/* Of a buffer that is whole: its first `digits`, in the arena. Releases the buffer, whatever happens. */
cord_status sha256_buf(struct buf *buf, int digits, struct arena *arena, const char **hex, cord_error *err);
/* Of a file, and of all parts behind it where it is a model's first (file_part). */
cord_status sha256_file(const char *path, char hex[65], cord_error *err);

/* ---- clock and files ----------------------------------------------------------------------------------------- */

int64_t clock_us(void); /* monotonic, microseconds from an arbitrary start */

/* A file for what is too much for memory, without a name, in /var/tmp or else /tmp; it is gone when it is closed. */
cord_status file_scratch(int *fd, cord_error *err);
/* All of `len` bytes at a place of such a file; several threads may read at once. */
cord_status file_read_at(int fd, int64_t at, void *bytes, size_t len, cord_error *err);
cord_status file_write_at(int fd, int64_t at, const void *bytes, size_t len, cord_error *err);
/* Reads a whole file, at most `limit` bytes; `name` says what kind of file it is, for errors. */
cord_status file_read(const char *path, const char *name, size_t limit, struct buf *out, cord_error *err);
/* Gives a draft the permissions of the file whose place it will take, if there is one. */
void file_keep_mode(const char *draft, const char *path);
/* Writes `content` to PATH.tmp, flushes it to disk, and renames it to PATH: readers see the old or the new file, whole,
 * with the old one's permissions. */
cord_status file_write_atomic(const char *path, cord_text content, cord_error *err);
/* A path without the slashes behind it, and the last part of one: "first" of "runs/first/". Of "/" both are all of it. */
cord_text path_trim(cord_text path);
cord_text path_name(cord_text path);
/* Of a model that lies in several files, NAME-00001-of-00003.gguf and so on, the first is named: the path of the i-th behind
 * it. False where there is none, as behind all other files. */
bool file_part(const char *path, int i, char *part, size_t size);
/* A new name lasts through a power cut only once the folder it lies in is on the disk; this flushes the folder of PATH. File
 * systems that cannot are none the worse. */
void file_sync_folder(const char *path);

#endif
