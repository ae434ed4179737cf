/* retry.h - what may pass and how long to wait for it; and a server's words made fit for a message. Pure functions. */
#ifndef CORD_MODEL_HTTP_RETRY_H
#define CORD_MODEL_HTTP_RETRY_H

#include "base/base.h"

/* Whether the same request may get another answer than this status later. */
bool status_may_pass(int status);
/* Whether it is about this request and says nothing of others. */
bool status_is_about_one(int status);
/* Whether it is the key that is refused. */
bool status_is_about_key(int status);
/* Whether it says that the server has too much to do. */
bool status_is_refusal(int status);

/* Microseconds to wait after the nth failure (1, 2, …): `backoff` seconds doubled n - 1 times, of which between half and
 * all, as `seed` has it, so that those who failed together do not come back together. `after` (a server's Retry-After, in
 * seconds, or -1) is waited for, and up to a tenth longer. Never more than `longest` seconds. */
int64_t retry_pause(double backoff, double longest, int n, double after, uint64_t seed);

/* Seconds that a Retry-After header asks for: a number, or a date, which is compared with the reply's own Date header (the
 * two clocks may differ), or with `now` (since 1970) where there is none. -1 for what is neither. */
double retry_after(const char *value, const char *date, int64_t now);

/* Appends to `out` (a string of `size` bytes) what the server said, as one line: control characters, line ends and what is
 * not UTF-8 become blanks, several blanks one; at most `most` bytes and then "…". `key`, if not NULL, is not in it. */
void words_append(char *out, size_t size, cord_text said, size_t most, const char *key);
/* Overwrites each occurrence of `key` by asterisks. NULL and "" do nothing. */
void words_blot(char *data, size_t len, const char *key);

#endif
