/* random.c - seeds as hashes, one generator, and SHA-256. Nothing here has a state of its own. */
#include "base/base.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

/* ---- seeds and randomness ------------------------------------------------------------------------------------ */

/* SplitMix64's finaliser (Steele, Lea, Flood 2014). */
static uint64_t mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t seed_mix(uint64_t seed, uint64_t value) { return mix64(mix64(seed + UINT64_C(0x9E3779B97F4A7C15)) + value); }

uint64_t seed_text(uint64_t seed, cord_text value) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (size_t i = 0; i < value.len; i++) hash = (hash ^ (unsigned char)value.data[i]) * UINT64_C(0x100000001B3);
    return seed_mix(seed, hash);
}

void rng_init(struct rng *rng, uint64_t seed) {
    for (int i = 0; i < 4; i++) rng->s[i] = mix64(seed += UINT64_C(0x9E3779B97F4A7C15));
}

static uint64_t rotate(uint64_t x, int k) { return x << k | x >> (64 - k); }

uint64_t rng_next(struct rng *rng) {
    uint64_t *s = rng->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double rng_uniform(struct rng *rng) { return (double)(rng_next(rng) >> 11) * 0x1p-53; }

/* ---- SHA-256 ------------------------------------------------------------------------------------------------- */

static void to_hex(const unsigned char digest[32], char hex[65]) {
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

void sha256_text(cord_text t, char hex[65]) {
    unsigned char digest[32] = {0};
    EVP_Digest(t.data ? t.data : "", t.len, digest, NULL, EVP_sha256(), NULL);
    to_hex(digest, hex);
}

static cord_status add_file(EVP_MD_CTX *ctx, const char *path, cord_error *err) {
    FILE *file = fopen(path, "rb");
    if (!file) return error_errno(err, "open", path);
    static const size_t piece = 1 << 16;
    unsigned char buffer[1 << 16];
    size_t n;
    while ((n = fread(buffer, 1, piece, file)) > 0) EVP_DigestUpdate(ctx, buffer, n);
    cord_status status = ferror(file) ? error_errno(err, "read", path) : CORD_OK;
    fclose(file);
    return status;
}

cord_status sha256_buf(struct buf *buf, int digits, struct arena *arena, const char **hex, cord_error *err) {
    char all[65];
    cord_status status = buf_check(buf, err);
    if (status == CORD_OK) sha256_text(buf_text(buf), all);
    buf_release(buf);
    CORD_TRY(status);
    *hex = arena_text(arena, (cord_text){all, (size_t)digits}).data;
    return *hex ? CORD_OK : error_memory(err);
}

cord_status sha256_file(const char *path, char hex[65], cord_error *err) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
        EVP_MD_CTX_free(ctx);
        return error_memory(err);
    }
    unsigned char digest[32];
    char part[4096];
    cord_status status = add_file(ctx, path, err);
    for (int i = 1; status == CORD_OK && file_part(path, i, part, sizeof part); i++) status = add_file(ctx, part, err);
    EVP_DigestFinal_ex(ctx, digest, NULL);
    to_hex(digest, hex);
    EVP_MD_CTX_free(ctx);
    return status;
}
