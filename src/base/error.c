/* error.c - statuses and errors: the one way in which cord says that something went wrong. */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>

const char *cord_status_name(cord_status status) {
    static const char *const names[] = {
        [CORD_OK] = "ok",
        [CORD_CANCELLED] = "cancelled",
        [CORD_NO_MEMORY] = "out of memory",
        [CORD_BAD_USAGE] = "wrong usage",
        [CORD_BAD_RECIPE] = "bad recipe",
        [CORD_BAD_INPUT] = "bad input",
        [CORD_BAD_MODEL] = "bad model",
        [CORD_REFUSED] = "refused",
        [CORD_TOO_LONG] = "too long",
        [CORD_IO_ERROR] = "input/output error",
        [CORD_BUSY] = "busy",
        [CORD_CHANGED] = "changed",
        [CORD_INTERNAL] = "internal error",
    };
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown status";
}

const char *cord_version(void) { return CORD_VERSION; }

/* A character that was cut at the end goes; other bytes that are no UTF-8, of a file's name perhaps, become '?'. */
static void make_utf8(char *s) {
    for (char *bad = s; *(bad += utf8_valid_prefix(text_of(bad)));) *bad = utf8_incomplete(text_of(bad)) ? '\0' : '?';
}

void error_fill(cord_error *err, cord_status code, const char *format, ...) {
    if (!err) return;
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    make_utf8(err->message);
}

void error_where(cord_error *err, const char *format, ...) {
    if (!err || err->where[0]) return;
    va_list args;
    va_start(args, format);
    vsnprintf(err->where, sizeof err->where, format, args);
    va_end(args);
    make_utf8(err->where);
}

cord_status error_models_own(const cord_error *request, cord_error *err) {
    if (request->code == CORD_OK || is_requests_own(request->code)) return CORD_OK;
    if (err) *err = *request;
    return request->code;
}

cord_status error_errno(cord_error *err, const char *what, const char *path) {
    int code = errno;
    const char *advice = "";
    if (code == ENOSPC || code == EDQUOT) advice = "; make room on this disk and run again, nothing done is lost";
    if (code == EACCES || code == EPERM || code == EROFS) advice = "; change its permissions, or choose another place";
    if (code == ENOMEM) return error_memory(err);
    return error_set(err, CORD_IO_ERROR, "cannot %s %s: %s%s", what, path, strerror(code), advice);
}
