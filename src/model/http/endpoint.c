/* endpoint.c - which replica a request goes to, and when. It must not know what is on the wire.
 *
 * A group has an order of preference among the replicas, by rendezvous hashing, so that its prefixes are cached in one
 * place, and a replica that comes or goes moves no other's groups. Each replica has a queue. One with nothing to do takes
 * from the queue of another that is full.
 */
#include "model/http/parts.h"
#include "model/http/retry.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    START = 16,       /* requests at once to a server that is not known yet */
    MISSES = 3,       /* without an answer, in a row: the replica is left out */
    PROBE_PAUSE = 30, /* seconds between two probes, at most */
    CAUTION = 16,     /* windows of replies before one request more is tried, at most */
    RECENTLY = 120,   /* seconds: limits are so many a minute, and who has served within them will again */
};

void queue_push(struct queue *queue, struct job *job, bool front) {
    job->next = front ? queue->first : NULL;
    if (!queue->first) {
        queue->first = queue->last = job;
    } else if (front) {
        queue->first = job;
    } else {
        queue->last->next = job;
        queue->last = job;
    }
}

struct job *queue_pop(struct queue *queue) {
    struct job *job = queue->first;
    if (!job) return NULL;
    queue->first = job->next;
    if (!queue->first) queue->last = NULL;
    job->next = NULL;
    return job;
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

/* One base URL, checked. */
static cord_status read_url(cord_text text, char **url, cord_error *err) {
    char *copy = strndup(text.data, text.len), *scheme = NULL;
    CURLU *parsed = curl_url();
    if (!copy || !parsed) {
        free(copy);
        curl_url_cleanup(parsed);
        return error_memory(err);
    }
    cord_status status = CORD_OK;
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, copy, CURLU_DISALLOW_USER);
    if (code == CURLUE_USER_NOT_ALLOWED || strchr(copy, '@'))
        status =
            error_set(err, CORD_BAD_INPUT, "a server's URL holds a user's name or a password; servers get keys only");
    else if (code != CURLUE_OK || curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        status = error_set(err, CORD_BAD_INPUT, "\"%.200s\" is no URL (%s); one looks like http://localhost:8000", copy,
                           curl_url_strerror(code));
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        status = error_set(err, CORD_BAD_INPUT, "\"%.200s\" is neither an http nor an https URL", copy);
    else if (strpbrk(copy, "?#"))
        status =
            error_set(err, CORD_BAD_INPUT, "\"%.200s\" has a query or a fragment, which a base URL cannot have", copy);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    if (status == CORD_OK)
        *url = copy;
    else
        free(copy);
    return status;
}

cord_text endpoint_next_url(cord_text *urls) {
    *urls = text_trim(*urls);
    size_t n = 0;
    while (n < urls->len && (unsigned char)urls->data[n] > ' ') n++;
    cord_text word = text_slice(*urls, 0, n);
    *urls = text_slice(*urls, n, urls->len);
    while (word.len > 0 && word.data[word.len - 1] == '/') word.len--;
    return word;
}

static cord_status add_replicas(struct endpoint *endpoint, const char *urls, cord_error *err) {
    cord_text rest = text_of(urls);
    for (cord_text word; (word = endpoint_next_url(&rest)).len > 0;) {
        struct replica *grown = realloc(endpoint->replicas, (size_t)(endpoint->n + 1) * sizeof *grown);
        if (!grown) return error_memory(err);
        endpoint->replicas = grown;
        struct replica *replica = &grown[endpoint->n];
        double limit = endpoint->most, start = START < limit ? START : limit;
        *replica = (struct replica){
            .endpoint = endpoint, .allowed = start, .threshold = limit, .ceiling = limit, .caution = 1};
        replica->bit = UINT64_C(1) << endpoint->n % 64;
        CORD_TRY(read_url(word, &replica->url, err));
        replica->hash = seed_text(0, text_of(replica->url));
        endpoint->n++;
    }
    if (endpoint->n == 0) return error_set(err, CORD_BAD_INPUT, "a server needs a URL, such as http://localhost:8000");
    return CORD_OK;
}

static bool add_header(struct endpoint *endpoint, const char *line) {
    struct curl_slist *longer = curl_slist_append(endpoint->headers, line);
    if (longer) endpoint->headers = longer;
    return longer != NULL;
}

static cord_status add_headers(struct endpoint *endpoint, const char *key, cord_error *err) {
    /* A POST of more than a MiB would otherwise wait for a "100 Continue". */
    bool fine = add_header(endpoint, "Content-Type: application/json") && add_header(endpoint, "Expect:");
    if (fine && key && *key) {
        for (const char *c = key; *c; c++)
            if ((unsigned char)*c < 0x21 || (unsigned char)*c > 0x7E)
                return error_set(err, CORD_BAD_INPUT,
                                 "the key holds a blank, a line end or something else that no key has");
        struct buf line;
        buf_init(&line, "a key", 64 * 1024);
        buf_addf(&line, "Authorization: Bearer %s", key);
        cord_status status = buf_check(&line, err);
        fine = status == CORD_OK && add_header(endpoint, line.data) && (endpoint->key = strdup(key));
        buf_release(&line);
        if (status != CORD_OK) return status;
    }
    return fine ? CORD_OK : error_memory(err);
}

cord_status endpoint_new(const struct transport_limits *limits, const char *urls, const char *key, int most,
                         struct endpoint **endpoint, cord_error *err) {
    struct endpoint *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return error_memory(err);
    fresh->limits = limits;
    fresh->most = most > 0 ? most : limits->in_flight;
    cord_status status = add_replicas(fresh, urls, err);
    if (status == CORD_OK) status = add_headers(fresh, key, err);
    if (status != CORD_OK) {
        endpoint_free(fresh);
        return status;
    }
    *endpoint = fresh;
    return CORD_OK;
}

void endpoint_free(struct endpoint *endpoint) {
    for (int i = 0; i < endpoint->n; i++) free(endpoint->replicas[i].url);
    free(endpoint->replicas);
    free(endpoint->key);
    curl_slist_free_all(endpoint->headers);
    free(endpoint);
}

/* ---- choosing ------------------------------------------------------------------------------------------------ */

/* Whether it may get a first job to see whether it is back. */
static bool wants_probe(const struct replica *replica, int64_t now) {
    return replica->left_out && !replica->probing && !replica->waiting.first && replica->probe_at <= now;
}

/* The replica that the group prefers among those that seem well; among all, where none does. */
static struct replica *choose(struct endpoint *endpoint, const struct job *job, int64_t now) {
    struct replica *best = NULL;
    int best_rank = 0;
    uint64_t best_weight = 0;
    for (int i = 0; i < endpoint->n; i++) {
        struct replica *replica = &endpoint->replicas[i];
        bool well = !replica->left_out || wants_probe(replica, now);
        int rank = !well ? 1 : job->avoid & replica->bit ? 2 : 3;
        uint64_t weight = seed_mix(replica->hash, job->call->group);
        if (rank > best_rank || (rank == best_rank && weight > best_weight))
            best = replica, best_rank = rank, best_weight = weight;
    }
    return best;
}

void endpoint_enqueue(struct endpoint *endpoint, struct job *job, bool front, int64_t now) {
    job->state = JOB_QUEUED;
    job->replica = choose(endpoint, job, now);
    queue_push(&job->replica->waiting, job, front);
}

/* Replicas have come or gone: those that wait for one that is left out choose anew. */
static void rehome(struct endpoint *endpoint, int64_t now) {
    struct queue homeless = {0};
    for (int i = 0; i < endpoint->n; i++)
        if (endpoint->replicas[i].left_out)
            for (struct job *job; (job = queue_pop(&endpoint->replicas[i].waiting));) queue_push(&homeless, job, false);
    for (struct job *job; (job = queue_pop(&homeless));) endpoint_enqueue(endpoint, job, false, now);
}

/* How many more it may have now. */
static int room(const struct replica *replica, int64_t now) {
    if (replica->left_out) return !replica->probing && replica->probe_at <= now;
    return replica->quiet_until > now ? 0 : (int)replica->allowed - replica->in_flight;
}

/* A job that waits for another replica, which is full, while this one has little to do. (Not one that was here to no
 * avail: a replica that refuses all that it gets always has little to do.) */
static struct job *steal(struct endpoint *endpoint, const struct replica *thief, int64_t now) {
    if (!thief->left_out && thief->in_flight >= thief->allowed / 2) return NULL;
    for (int i = 0; i < endpoint->n; i++) {
        struct replica *other = &endpoint->replicas[i];
        if (other == thief || room(other, now) > 0) continue;
        const struct job *first = other->waiting.first;
        if (first && !(first->avoid & thief->bit)) return queue_pop(&other->waiting);
    }
    return NULL;
}

struct job *endpoint_next(struct endpoint *endpoint, int64_t now) {
    for (int i = 0; i < endpoint->n; i++) {
        struct replica *replica = &endpoint->replicas[i];
        if (room(replica, now) <= 0) continue;
        struct job *job = queue_pop(&replica->waiting);
        if (!job) job = steal(endpoint, replica, now);
        if (!job) continue;
        job->replica = replica;
        job->state = JOB_ACTIVE;
        replica->in_flight++;
        replica->full = replica->in_flight >= (int)replica->allowed;
        job->probe = replica->left_out;
        if (job->probe) replica->probing = true;
        return job;
    }
    return NULL;
}

int64_t endpoint_due(const struct endpoint *endpoint, int64_t now) {
    int64_t due = INT64_MAX;
    bool waiting = false;
    for (int i = 0; i < endpoint->n; i++) waiting |= endpoint->replicas[i].waiting.first != NULL;
    for (int i = 0; waiting && i < endpoint->n; i++) {
        const struct replica *replica = &endpoint->replicas[i];
        int64_t at = replica->left_out ? replica->probe_at : replica->quiet_until;
        if (at > now && at < due) due = at;
    }
    return due;
}

/* ---- learning ------------------------------------------------------------------------------------------------ */

static void leave_out(struct replica *replica, int64_t now) {
    const struct transport_limits *limits = replica->endpoint->limits;
    double longest = limits->longest < PROBE_PAUSE ? limits->longest : PROBE_PAUSE;
    replica->left_out = true;
    replica->probing = false;
    replica->probes++;
    uint64_t seed = seed_mix(replica->hash, (uint64_t)replica->probes);
    replica->probe_at = now + retry_pause(limits->backoff, longest, replica->probes, -1, seed);
}

static bool any_well(const struct endpoint *endpoint) {
    for (int i = 0; i < endpoint->n; i++)
        if (!endpoint->replicas[i].left_out) return true;
    return false;
}

/* Nobody answered a probe, and there is no other replica: one try of all that wait for it. */
static void charge_waiting(struct replica *replica, struct queue *jobs_lost) {
    struct queue kept = {0};
    for (struct job *job; (job = queue_pop(&replica->waiting));) {
        job->spent += QUARTERS;
        queue_push(job->spent >= job->most ? jobs_lost : &kept, job, false);
    }
    replica->waiting = kept;
}

/* No answer whatsoever. */
static void learn_miss(struct endpoint *endpoint, struct job *job, int64_t now, struct queue *jobs_lost) {
    struct replica *replica = job->replica;
    replica->misses++;
    snprintf(replica->problem, sizeof replica->problem, "%.199s", job->problem);
    if (replica->left_out ? !job->probe : replica->misses < MISSES) return; /* (it was on its way when that happened) */
    leave_out(replica, now);
    if (any_well(endpoint)) {
        if (job->probe) job->spent -= QUARTERS; /* it was sent to see, not to succeed */
        rehome(endpoint, now);
    } else if (job->probe) {
        charge_waiting(replica, jobs_lost);
    }
}

static void learn_answer(struct endpoint *endpoint, struct replica *replica, int64_t now) {
    replica->misses = 0;
    replica->probes = 0;
    replica->probing = false;
    if (!replica->left_out) return;
    replica->left_out = false;
    rehome(endpoint, now);
}

static void learn_success(struct replica *replica, int64_t now) {
    replica->served = now;
    replica->progressed = true;
    replica->refusals = 0;
    if (!replica->full) return; /* it was not tried whether it takes that many */
    const double limit = replica->endpoint->most;
    replica->allowed += replica->allowed < replica->threshold ? 1 : 1 / (replica->allowed * replica->caution);
    if (replica->allowed > limit) replica->allowed = limit;
    if (replica->allowed < replica->ceiling + 1) return;
    replica->ceiling = replica->allowed; /* more than was refused once */
    replica->caution = 1;
}

/* A server that `serves`, and yet refuses a request that is alone there, takes so many a minute, and would say the same to all
 * that wait: so it is the replica that pauses, longer each time, and not each job for itself. */
static void learn_refusal(struct replica *replica, const struct job *job, bool serves, int64_t now) {
    const struct transport_limits *limits = replica->endpoint->limits;
    bool rate = serves && !replica->in_flight;
    double longest = job->call->most_tries && SOON < limits->longest ? SOON : limits->longest;
    replica->refusals += rate;
    if (rate || job->pause > 0) {
        uint64_t seed = seed_mix(job->seed, (uint64_t)replica->refusals);
        int64_t until = now + retry_pause(rate ? limits->backoff : 0, longest, replica->refusals, job->pause, seed);
        if (until > replica->quiet_until) replica->quiet_until = until;
    }
    if (job->started <= replica->halved) return; /* sent before: it says nothing new */
    if (replica->progressed) {                   /* else it was halved to no avail: too much it was before that */
        int refused = (int)replica->allowed;
        replica->ceiling = refused;
        replica->threshold = refused - (refused > 8 ? refused / 8 : 1);
        if (replica->caution < CAUTION) replica->caution *= 2;
    }
    replica->progressed = false;
    replica->halved = now;
    replica->allowed = replica->allowed / 2 < 1 ? 1 : replica->allowed / 2;
}

/* The job failed there, and tries the others first. Once it has failed wherever anybody is, all but the last are worth
 * another try. */
static void shun(const struct endpoint *endpoint, struct job *job) {
    bool others = false;
    job->avoid |= job->replica->bit;
    for (int i = 0; i < endpoint->n; i++)
        others |= !endpoint->replicas[i].left_out && !(job->avoid & endpoint->replicas[i].bit);
    if (!others) job->avoid = job->replica->bit;
}

void endpoint_learn(struct endpoint *endpoint, struct job *job, int64_t now, struct queue *jobs_lost) {
    struct replica *replica = job->replica;
    replica->in_flight--;
    bool refused = job->outcome == OUTCOME_PASSING && job->answered && status_is_refusal(job->call->status);
    /* others, meanwhile, or not long ago: where so many a minute are taken, the rest of it is refused to all */
    bool serves = refused && (replica->served > (job->failures ? job->back : job->begun) ||
                              (replica->served && now - replica->served < (int64_t)RECENTLY * 1000000));
    if (job->outcome == OUTCOME_PASSING) {
        job->spent += serves ? 1 : QUARTERS;
        job->failures++;
    }
    if (job->answered) learn_answer(endpoint, replica, now);
    if (job->outcome == OUTCOME_GOOD)
        learn_success(replica, now);
    else if (refused)
        learn_refusal(replica, job, serves, now);
    else if (!job->answered && job->outcome == OUTCOME_PASSING)
        learn_miss(endpoint, job, now, jobs_lost);
    else if (!job->answered && job->probe)
        replica->probing = false;
    if (serves)
        job->avoid &= ~replica->bit;
    else
        shun(endpoint, job);
    job->back = now;
}

void endpoint_clear(struct endpoint *endpoint) {
    for (int i = 0; i < endpoint->n; i++) endpoint->replicas[i].waiting = (struct queue){0};
}

void endpoint_drop(struct job *job) {
    job->replica->in_flight--;
    if (job->probe) job->replica->probing = false;
}
