/* retry.c - what may pass and how long to wait for it; and a server's words made fit for a message. See retry.h. */
#include "model/http/retry.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

bool status_may_pass(int status) {
    switch (status) {
    case 408: /* request timeout */
    case 409: /* conflict: a lock that somebody holds */
    case 425: /* too early */
    case 429: /* too many requests */ return true;
    case 501: /* not implemented */
    case 505: /* HTTP version not supported */ return false;
    default: return status >= 500; /* 520 to 524 are Cloudflare's, 529 Anthropic's */
    }
}

bool status_is_about_one(int status) {
    return status == 400 || status == 413 || status == 422; /* bad request, content too large, unprocessable */
}

bool status_is_about_key(int status) { return status == 401 || status == 403; } /* unauthorized, forbidden */

bool status_is_refusal(int status) { return status == 429 || status == 503 || status == 529; }

int64_t retry_pause(double backoff, double longest, int n, double after, uint64_t seed) {
    struct rng rng;
    rng_init(&rng, seed);
    double u = rng_uniform(&rng), pause = backoff;
    for (int i = 1; i < n && pause < longest; i++) pause *= 2;
    if (pause > longest) pause = longest;
    pause *= 0.5 + 0.5 * u;
    if (after >= 0 && pause < after) pause = after * (1 + 0.1 * u);
    if (pause > longest) pause = longest;
    return (int64_t)(pause * 1e6);
}

double retry_after(const char *value, const char *date, int64_t now) {
    char *end;
    while (*value == ' ' || *value == '\t') value++;
    if (*value >= '0' && *value <= '9') { /* a fraction is no standard, but servers send some */
        double seconds = (double)strtol(value, &end, 10), part = 0.1;
        for (end += *end == '.'; *end >= '0' && *end <= '9'; end++, part /= 10) seconds += part * (*end - '0');
        return *end == '\0' || *end == ' ' ? seconds : -1;
    }
    int64_t until = curl_getdate(value, NULL), from = date && *date ? curl_getdate(date, NULL) : -1;
    if (until < 0) return -1;
    if (from < 0) from = now;
    return until > from ? (double)(until - from) : 0;
}

void words_blot(char *data, size_t len, const char *key) {
    size_t n = key ? strlen(key) : 0;
    if (n == 0) return;
    for (char *at = data; (at = memmem(at, len - (size_t)(at - data), key, n)); at += n) memset(at, '*', n);
}

void words_append(char *out, size_t size, cord_text said, size_t most, const char *key) {
    const size_t begin = strlen(out);
    size_t len = begin, end = len + most < size - 4 ? len + most : size - 4; /* room for "…" and a NUL */
    /* Blotted before it is cut, since half a key is a key, too. */
    size_t copied = said.len < 64 * 1024 ? said.len : 64 * 1024;
    char *copy = malloc(copied + 1);
    if (!copy || copied == 0) {
        free(copy);
        return;
    }
    memcpy(copy, said.data, copied);
    words_blot(copy, copied, key);
    bool blank = true;
    for (size_t at = 0; at < copied;) {
        cord_text piece = {copy + at, 0};
        uint32_t c = utf8_next((cord_text){copy, copied}, &at);
        piece.len = (size_t)(copy + at - piece.data);
        if (c == ' ' || c == 0xFFFD || utf8_is_obeyed(c)) {
            if (blank) continue;
            piece = TEXT(" ");
        }
        blank = piece.data[0] == ' ';
        if (len + piece.len > end) {
            memcpy(out + len, "…", strlen("…"));
            len += strlen("…");
            break;
        }
        memcpy(out + len, piece.data, piece.len);
        len += piece.len;
    }
    while (len > begin && out[len - 1] == ' ') len--;
    out[len] = '\0';
    free(copy);
}
