/* attempt.c - one request on the wire, and what came of it. It must not know replicas' health or when to try again. */
#include "model/http/parts.h"
#include "model/http/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ERROR_BODY = 64 * 1024, /* most that is kept of what a server says with an error */
    WORDS = 250,            /* most of that in a message */
    MALFORMED = 5,          /* replies of one request that the caller could not use: it is no accident */
};

/* ---- what curl tells while it runs ----------------------------------------------------------------------------- */

/* A request goes out now. */
static int on_request(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port) {
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    struct job *job = arg;
    job->sent++;
    job->last = clock_us();
    return CURL_PREREQFUNC_OK;
}

/* Copies the value of a header line into a string. */
static void keep_header(cord_text line, const char *name, char *value, size_t size) {
    size_t n = strlen(name);
    if (line.len <= n || line.data[n] != ':' || strncasecmp(line.data, name, n) != 0) return;
    cord_text kept = text_trim(text_slice(line, n + 1, line.len));
    if (kept.len >= size) return;
    memcpy(value, kept.data, kept.len);
    value[kept.len] = '\0';
}

static size_t on_header(char *data, size_t size, size_t n, void *arg) {
    struct job *job = arg;
    cord_text line = {data, size * n};
    if (text_starts(line, TEXT("HTTP/"))) job->after[0] = job->date[0] = '\0'; /* an interim reply came before */
    keep_header(line, "retry-after", job->after, sizeof job->after);
    keep_header(line, "date", job->date, sizeof job->date);
    return size * n;
}

static int status_of(const struct job *job) {
    long status = 0;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool is_event_stream(const struct job *job) {
    const char *type = NULL;
    curl_easy_getinfo(job->easy, CURLINFO_CONTENT_TYPE, &type);
    return type && strncasecmp(type, "text/event-stream", strlen("text/event-stream")) == 0;
}

/* One event of a stream. False: no more is wanted, or there is no room. */
static bool on_event(void *arg, cord_text data) {
    struct job *job = arg;
    struct http_call *call = job->call;
    job->last = clock_us();
    job->told = true;
    if (call->done) return true;
    if (text_equal(text_trim(data), TEXT("[DONE]"))) {
        call->done = true;
        return true;
    }
    buf_add(&call->reply, data);
    buf_addc(&call->reply, '\n');
    if (call->reply.status != CORD_OK) return false;
    if (!call->event || call->event(call->ctx, call)) return true;
    job->cut = CUT_ENOUGH;
    return false;
}

static enum cut cut_of(cord_status status) { return status == CORD_NO_MEMORY ? CUT_MEMORY : CUT_LARGE; }

/* Why the reading of events ended. */
static void events_end(struct job *job) {
    if (job->cut != CUT_NOT) return;
    cord_status bad = job->call->reply.status;
    if (bad == CORD_OK) bad = job->sse.line.status;
    job->cut = cut_of(bad != CORD_OK ? bad : job->sse.data.status);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg) {
    struct job *job = arg;
    struct http_call *call = job->call;
    cord_text bytes = {data, size * n};
    int status = status_of(job);
    if (!job->body_began) job->events = call->stream && status / 100 == 2 && is_event_stream(job);
    job->body_began = true;
    if (!job->events) { /* of a stream events count: a server that hangs may well keep its connection alive by comments */
        job->last = clock_us();
        job->told = true;
    }
    job->received += bytes.len;
    if (status / 100 != 2) { /* the beginning of what it says is enough */
        size_t space = ERROR_BODY - call->reply.len;
        buf_add(&call->reply, text_slice(bytes, 0, bytes.len < space ? bytes.len : space));
        return bytes.len;
    }
    if (job->received > call->reply.limit) {
        job->cut = CUT_LARGE;
    } else if (job->events) {
        if (!sse_feed(&job->sse, bytes, on_event, job)) events_end(job);
    } else {
        buf_add(&call->reply, bytes);
        if (call->reply.status != CORD_OK) job->cut = cut_of(call->reply.status);
    }
    return job->cut == CUT_NOT ? bytes.len : 0;
}

/* A child of this process, such as a verifier, must not hold the connection open. */
static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)arg, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

/* Many requests in one connection crashed libcurl 7.88, or stood still for ever; 8.23 carried all of them. */
bool transport_offers_http2(void) {
    enum { SINCE = 0x080A00 };
    return curl_version_info(CURLVERSION_NOW)->version_num >= SINCE;
}

/* What is the same for all requests. */
static void set_manners(CURL *easy, const struct transport_limits *limits) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* not to wait for a name server when stopped */
#endif
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* none of the environment: the key is for the hosts of the URL alone */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     (long)(transport_offers_http2() ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (limits->authorities) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, limits->authorities);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L); /* replies take minutes, and routers forget */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(limits->connect * 1000) + 1);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "cord/" CORD_VERSION);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    /* Bytes behind a whole reply (one that is sent twice) would answer the next request of the connection. curl 7.88 sees them
     * only where it reads them together with the reply's head, and ends the connection then: room for both. */
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16384L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
                     16384L); /* of each request, while it waits, too; the default is 64 KiB */
}

static bool set_request(CURL *easy, struct job *job) {
    const struct http_call *call = job->call;
    const struct endpoint *endpoint = call->endpoint;
    struct buf url;
    buf_init(&url, "a URL", 64 * 1024);
    buf_addf(&url, "%s%s", job->replica->url, call->path);
    bool fine = url.status == CORD_OK && curl_easy_setopt(easy, CURLOPT_URL, url.data) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HTTPHEADER, endpoint->headers) == CURLE_OK;
    buf_release(&url);
    if (call->body.len) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.data);
    }
    curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->detail);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, job);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, job);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
    return fine;
}

/* Leaves nothing of an attempt before. */
static void clean(struct wire *wire, struct job *job) {
    buf_clear(&job->call->reply);
    job->call->done = false;
    job->call->status = 0;
    job->call->error = (cord_error){0};
    job->sent = 0;
    job->body_began = job->events = job->told = false;
    job->cut = CUT_NOT;
    job->received = 0;
    job->after[0] = job->date[0] = job->detail[0] = job->problem[0] = '\0';
    job->answered = false;
    job->pause = -1;
    job->started = job->last = clock_us();
    sse_init(&job->sse, wire->limits->reply);
}

bool attempt_start(struct wire *wire, struct job *job) {
    clean(wire, job);
    CURL *easy = wire_take_handle(wire);
    if (!easy) return false;
    set_manners(easy, wire->limits);
    if (!set_request(easy, job) || !(job->strand = wire_add(wire, easy))) {
        curl_easy_cleanup(easy);
        return false;
    }
    job->easy = easy;
    return true;
}

/* Seconds from the request to what the reply begins with. */
static double patience(const struct transport_limits *limits, const struct job *job) {
    return limits->first_byte + (job->events ? 0 : job->call->more_time);
}

bool attempt_is_late(const struct transport_limits *limits, struct job *job, int64_t now) {
    double waited = (double)(now - job->last) / 1e6;
    if (!job->sent) { /* curl sees to this itself, unless the request waits for another's in its queue */
        if (waited > limits->connect + 1) job->cut = CUT_NO_CONNECTION;
    } else if (!job->told) {
        if (waited > patience(limits, job)) job->cut = CUT_NO_BYTE;
    } else if (waited > limits->idle) {
        job->cut = CUT_IDLE;
    }
    return job->cut != CUT_NOT;
}

/* ---- what came of it --------------------------------------------------------------------------------------------- */

void attempt_cancel(struct wire *wire, struct job *job) {
    wire_remove(job->strand, job->easy);
    wire_give_handle(wire, job->easy);
    job->easy = NULL;
    sse_release(&job->sse);
}

static void judge(struct job *job, enum outcome outcome, cord_status code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void judge(struct job *job, enum outcome outcome, cord_status code, const char *format, ...) {
    job->outcome = outcome;
    job->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(job->problem, sizeof job->problem, format, args);
    va_end(args);
}

static void judge_cut(struct job *job, const struct transport_limits *limits) {
    switch (job->cut) {
    case CUT_LARGE:
        judge(job, OUTCOME_FINAL, CORD_BAD_INPUT, "the reply is larger than its limit of %zu bytes", limits->reply);
        break;
    case CUT_MEMORY: judge(job, OUTCOME_FINAL, CORD_NO_MEMORY, "out of memory for the reply"); break;
    case CUT_NO_CONNECTION:
        judge(job, OUTCOME_PASSING, CORD_IO_ERROR, "no connection within %g s", limits->connect);
        break;
    case CUT_NO_BYTE:
        judge(job, OUTCOME_PASSING, CORD_IO_ERROR, "connected, but no reply within %g s", patience(limits, job));
        break;
    default: judge(job, OUTCOME_PASSING, CORD_IO_ERROR, "the reply stood still for %g s", limits->idle); break;
    }
}

/* Errors of curl's that stay the same when the request is made again. */
static bool is_lasting(CURLcode code) {
    switch (code) {
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_URL_MALFORMAT:
    case CURLE_FAILED_INIT:
    case CURLE_NOT_BUILT_IN: return true;
    default: return false;
    }
}

static void judge_failure(struct job *job, CURLcode code) {
    const char *detail = job->detail[0] ? job->detail : curl_easy_strerror(code);
    if (code == CURLE_OUT_OF_MEMORY)
        judge(job, OUTCOME_FINAL, CORD_NO_MEMORY, "out of memory");
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        judge(job, OUTCOME_FINAL, CORD_BAD_MODEL,
              "its certificate is not trusted: %s; where an authority of your own signed it, name that in "
              "servers.authorities",
              detail);
    else if (is_lasting(code))
        judge(job, OUTCOME_FINAL, CORD_BAD_MODEL, "%s", detail);
    else if (job->body_began)
        judge(job, OUTCOME_PASSING, CORD_IO_ERROR, "the reply was cut short: %s", detail);
    else
        judge(job, OUTCOME_PASSING, CORD_IO_ERROR, "%s", detail);
}

/* What people can do about a status. */
static const char *advice(int status) {
    switch (status) {
    case 401: return " (the key is missing or wrong)";
    case 403: return " (the key does not allow this)";
    case 404: return " (there is no such path, or no such model)";
    case 405: return " (this path is not for such requests)";
    case 413: return " (the request is too large)";
    case 429: return " (too many requests: try later, or raise the server's limits)";
    case 503:
    case 529: return " (it is busy, or not ready yet: try later)";
    default: return "";
    }
}

/* How long the server asks to wait, for a message; and how long that will be. */
static void judge_pause(struct job *job, char *asked, size_t size) {
    if (job->after[0]) job->pause = retry_after(job->after, job->date, (int64_t)time(NULL));
    if (job->pause > 0) snprintf(asked, size, " and asks to wait %.10g s", job->pause);
    if (job->call->most_tries && job->pause > SOON) job->pause = SOON;
}

static void judge_redirect(struct job *job, int status) {
    char *target = NULL, *host = NULL;
    curl_easy_getinfo(job->easy, CURLINFO_REDIRECT_URL, &target);
    CURLU *parsed = target ? curl_url() : NULL;
    if (parsed && curl_url_set(parsed, CURLUPART_URL, target, 0) == CURLUE_OK)
        curl_url_get(parsed, CURLUPART_HOST, &host, 0);
    judge(job, OUTCOME_FINAL, CORD_BAD_MODEL,
          "it answers %d, a redirect to %.200s, which is not followed: give the URL that it leads to", status,
          host ? host : "nowhere");
    curl_free(host);
    curl_url_cleanup(parsed);
}

static void judge_status(struct job *job, int status) {
    struct http_call *call = job->call;
    const char *key = call->endpoint->key;
    char asked[64] = "";
    judge_pause(job, asked, sizeof asked);
    if (status / 100 == 3) {
        judge_redirect(job, status);
    } else {
        bool passes = status_may_pass(status);
        cord_status code = passes                        ? CORD_IO_ERROR
                           : status_is_about_one(status) ? CORD_BAD_INPUT
                           : status_is_about_key(status) ? CORD_REFUSED
                                                         : CORD_BAD_MODEL;
        judge(job, passes ? OUTCOME_PASSING : OUTCOME_FINAL, code, "it answers %d%s%s%s", status, asked, advice(status),
              call->reply.len ? ": " : "");
        words_append(job->problem, sizeof job->problem, buf_text(&call->reply), WORDS, key);
    }
    words_blot(call->reply.data, call->reply.len, key);
}

/* The reply is there, as far as HTTP can tell. */
static void judge_reply(struct job *job) {
    struct http_call *call = job->call;
    job->outcome = OUTCOME_GOOD;
    job->code = CORD_OK;
    if (job->sent > 1) call->lost += job->sent - 1; /* curl's own before this one: who takes the reply books them */
    if (!call->arrived || call->arrived(call->ctx, call)) return;
    cord_status code = call->error.code;
    const char *words = call->error.message;
    int most = call->most_bad ? call->most_bad : MALFORMED;
    bool lasts = code != CORD_OK && code != CORD_IO_ERROR, at_once = lasts || (!code && ++job->malformed == most);
    judge(job, at_once ? OUTCOME_FINAL : OUTCOME_PASSING,
          lasts     ? code
          : at_once ? CORD_BAD_INPUT
                    : CORD_IO_ERROR,
          "%s%s",
          words[0] ? ""
          : code   ? "it answers 200, but with an error: "
                   : "the reply is malformed: ",
          words);
    if (!words[0]) words_append(job->problem, sizeof job->problem, buf_text(&call->reply), WORDS, call->endpoint->key);
}

void attempt_end(struct wire *wire, struct job *job, CURLcode code) {
    struct http_call *call = job->call;
    int status = call->status = status_of(job);
    job->answered = status > 0;
    if (status / 100 == 2 && job->events && job->cut == CUT_NOT && code == CURLE_OK &&
        !sse_end(&job->sse, on_event, job))
        events_end(job);
    int booked = call->lost;
    bool enough = job->cut == CUT_ENOUGH || (call->done && job->cut != CUT_LARGE && job->cut != CUT_MEMORY);
    if (status >= 300 && job->cut == CUT_NOT)
        judge_status(job, status); /* even where its words were cut short */
    else if (enough || (code == CURLE_OK && job->cut == CUT_NOT))
        judge_reply(job);
    else if (job->cut != CUT_NOT)
        judge_cut(job, wire->limits);
    else
        judge_failure(job, code);
    call->tries += job->sent;
    /* Whether the last of them was answered by what can be used, or by a refusal: all else may have to be paid for. */
    bool told = job->outcome == OUTCOME_GOOD || (status >= 300 && job->cut == CUT_NOT);
    job->lost = job->sent - (told && job->sent > 0);
    call->lost = booked + job->lost;
    words_blot(job->problem, strlen(job->problem), call->endpoint->key);
    attempt_cancel(wire, job);
}
