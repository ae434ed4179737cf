/* ledger.c - see ledger.h. Locks: the journal's is taken before the ledger's own, and nothing is written without it. */
#include "store/ledger.h"

#include "store/database.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Tokens and requests of one kind. */
struct sum {
    int64_t requests, prompt, written;
};

static void sum_add(struct sum *sum, int64_t times, int64_t prompt, int64_t written) {
    sum->requests += times;
    sum->prompt += times * prompt;
    sum->written += times * written;
}

/* What one model has cost, a row of the table `spending`. */
struct account {
    struct price price;
    struct sum answered, lost; /* `lost` as if each had been answered at full length */
    struct sum open;           /* begun and not ended; of a process that was killed they are lost */
    int64_t cached;            /* of answered.prompt */
    bool changed;              /* since it was written */
};

/* A reply that is to be written. */
struct entry {
    struct entry *next;
    int64_t problem;
    char key[65];
    size_t len;
    char reply[];
};

struct ledger {
    struct journal *journal;
    struct budget budget;
    struct account *accounts;
    int n_accounts;
    char (*known)[65]; /* keys of the replies that were there at the start, sorted */
    int n_known;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t arrived, ended, written;
    pthread_t writer;
    int64_t n_begun, n_written; /* calls of begin: all, and those of which the journal knows */
    bool closing;
    struct entry *first, *last;
    int64_t found;
    char exhausted[300];
    cord_error error; /* of the first write that failed: from then on nothing may be asked */
};

/* ---- counting ------------------------------------------------------------------------------------------------ */

static struct account *account_of(struct ledger *l, const char *model) {
    for (int i = 0; i < l->n_accounts; i++)
        if (!strcmp(l->accounts[i].price.model, model)) return &l->accounts[i];
    return &l->accounts[0];
}

static double money_of(const struct account *a, const struct sum *sum, int64_t cached) {
    const struct price *p = &a->price;
    return ((double)(sum->prompt - cached) * p->prompt + (double)cached * p->cached +
            (double)sum->written * p->written) /
           1e6;
}

/* What is spent for good, and (`with_open`) what may come to it. */
static struct spending spent(const struct ledger *l, bool with_open) {
    struct spending s = {.known = l->found};
    for (int i = 0; i < l->n_accounts; i++) {
        const struct account *a = &l->accounts[i];
        s.requests += a->answered.requests + (with_open ? a->open.requests : 0);
        s.prompt_tokens += a->answered.prompt + (with_open ? a->open.prompt : 0);
        s.new_tokens += a->answered.written + (with_open ? a->open.written : 0);
        s.cached_tokens += a->cached;
        s.lost += a->lost.requests;
        s.money += money_of(a, &a->answered, a->cached) + money_of(a, &a->lost, 0);
        if (with_open) s.money += money_of(a, &a->open, 0);
    }
    return s;
}

static int64_t lost_tokens(const struct ledger *l) {
    int64_t tokens = 0;
    for (int i = 0; i < l->n_accounts; i++) tokens += l->accounts[i].lost.prompt + l->accounts[i].lost.written;
    return tokens;
}

static bool anything_open(const struct ledger *l) {
    for (int i = 0; i < l->n_accounts; i++)
        if (l->accounts[i].open.requests) return true;
    return false;
}

/* The first bound that what is spent goes beyond, with all that is open, in words; false: none. `alone`: of tokens and money, of
 * which an open request may cost less, that one's alone. */
static bool is_beyond(struct ledger *l, const cord_request *alone, char words[300]) {
    const struct budget *b = &l->budget;
    struct spending s = spent(l, true), now = spent(l, false);
    if (alone) {
        const struct sum own = {1, alone->prompt_tokens, alone->new_tokens};
        s.prompt_tokens = now.prompt_tokens + own.prompt;
        s.new_tokens = now.new_tokens + own.written;
        s.money = now.money + money_of(account_of(l, alone->model), &own, 0);
    }
    int64_t requests = s.requests + s.lost, tokens = s.prompt_tokens + s.new_tokens + lost_tokens(l);
    int64_t tokens_now = now.prompt_tokens + now.new_tokens + lost_tokens(l);
    if (b->requests && requests > b->requests)
        snprintf(words, 300, "budget.requests is %lld: %lld are spent, and what comes next needs %lld",
                 (long long)b->requests, (long long)now.requests + now.lost,
                 (long long)requests - now.requests - now.lost);
    else if (b->tokens && tokens > b->tokens)
        snprintf(words, 300, "budget.tokens is %lld: %lld are spent, and what comes next may need %lld",
                 (long long)b->tokens, (long long)tokens_now, (long long)(tokens - tokens_now));
    else if (b->money > 0 && s.money > b->money)
        snprintf(words, 300, "budget.money is %g: %.4f is spent, and what comes next may need %.4f", b->money,
                 now.money, s.money - now.money);
    else
        return false;
    return true;
}

struct spending ledger_spending(struct ledger *l) {
    pthread_mutex_lock(&l->mutex);
    struct spending s = spent(l, false);
    pthread_mutex_unlock(&l->mutex);
    return s;
}

const char *ledger_exhausted(struct ledger *l) {
    pthread_mutex_lock(&l->mutex);
    const char *why = l->exhausted[0] ? l->exhausted : NULL;
    pthread_mutex_unlock(&l->mutex);
    return why;
}

/* ---- what the engine calls ----------------------------------------------------------------------------------- */

static void open_requests(struct ledger *l, const cord_request *requests, int n, int64_t times) {
    for (int i = 0; i < n; i++) {
        struct account *account = account_of(l, requests[i].model);
        sum_add(&account->open, times, requests[i].prompt_tokens, requests[i].new_tokens);
        account->changed = true;
    }
}

/* Until the journal knows that they are open: a process that is killed later has lost them. */
static cord_status wait_for_journal(struct ledger *l, cord_error *err) {
    int64_t own = ++l->n_begun;
    pthread_cond_signal(&l->arrived);
    while (l->n_written < own && l->error.code == CORD_OK) pthread_cond_wait(&l->written, &l->mutex);
    if (l->n_written >= own) return CORD_OK;
    if (err) *err = l->error;
    return l->error.code;
}

/* Where the budget has no room, waits for what is open: most of it costs less than it might have. What belongs to no problem
 * (a look at a server before the start) is counted and never refused. */
static cord_status begin(void *ctx, const cord_request *requests, int n, cord_error *err) {
    struct ledger *l = ctx;
    char words[300];
    cord_status status = CORD_OK;
    pthread_mutex_lock(&l->mutex);
    for (bool waits = true; waits;) {
        waits = false;
        if (l->error.code != CORD_OK) {
            if (err) *err = l->error;
            status = l->error.code;
        } else if (l->exhausted[0] && requests[0].group) {
            status = error_set(err, CORD_CANCELLED, "%s", l->exhausted);
        } else {
            bool others = anything_open(l);
            open_requests(l, requests, n, 1);
            if (requests[0].group == 0 || !is_beyond(l, NULL, words)) break;
            open_requests(l, requests, n, -1);
            waits = true;
            if (others)
                pthread_cond_wait(&l->ended, &l->mutex);
            else
                memcpy(l->exhausted, words, sizeof words);
        }
    }
    if (status == CORD_OK && (status = wait_for_journal(l, err)) != CORD_OK) open_requests(l, requests, n, -1);
    pthread_mutex_unlock(&l->mutex);
    return status;
}

/* It is on its way no more. Under the lock. */
static struct account *close_request(struct ledger *l, const cord_request *request, int lost) {
    struct account *account = account_of(l, request->model);
    open_requests(l, request, 1, -1);
    sum_add(&account->lost, lost, request->prompt_tokens, request->new_tokens);
    pthread_cond_broadcast(&l->ended);
    pthread_cond_signal(&l->arrived);
    return account;
}

static void keep(void *ctx, const cord_request *request, cord_text reply, const cord_cost *cost, int lost) {
    struct ledger *l = ctx;
    struct entry *entry = request->group ? malloc(sizeof *entry + reply.len) : NULL;
    if (entry) {
        *entry = (struct entry){.problem = (int64_t)request->group, .len = reply.len};
        memcpy(entry->key, request->key, sizeof entry->key);
        memcpy(entry->reply, reply.data, reply.len);
    }
    pthread_mutex_lock(&l->mutex);
    struct account *account = close_request(l, request, lost);
    sum_add(&account->answered, 1, cost->prompt_tokens, cost->new_tokens);
    account->cached += cost->cached_tokens;
    if (entry) *(l->last ? &l->last->next : &l->first) = entry, l->last = entry;
    if (request->group && !entry && l->error.code == CORD_OK) (void)error_memory(&l->error);
    pthread_mutex_unlock(&l->mutex);
}

static void drop(void *ctx, const cord_request *request, int lost) {
    struct ledger *l = ctx;
    pthread_mutex_lock(&l->mutex);
    (void)close_request(l, request, lost);
    pthread_mutex_unlock(&l->mutex);
}

/* It is told at once, since it is the transport's thread that asks, and cannot wait as `begin` does until others that are open
 * have come to cost less tokens than they might: so those do not count here. A bound of tokens or money may be passed by what was
 * lost, and no more, where they all cost as much as they might. */
static bool again(void *ctx, const cord_request *request, int lost) {
    struct ledger *l = ctx;
    char words[300];
    pthread_mutex_lock(&l->mutex);
    struct account *account = account_of(l, request->model);
    sum_add(&account->lost, lost, request->prompt_tokens, request->new_tokens);
    account->changed = true;
    bool good = !request->group || (!l->exhausted[0] && l->error.code == CORD_OK && !is_beyond(l, request, words));
    if (!good && !l->exhausted[0] && l->error.code == CORD_OK) memcpy(l->exhausted, words, sizeof words);
    pthread_cond_signal(&l->arrived);
    pthread_mutex_unlock(&l->mutex);
    return good;
}

static int by_key(const void *a, const void *b) { return memcmp(a, b, 65); }

/* Only what an earlier process left can be known: this one asks for nothing twice. */
static bool find(void *ctx, const cord_request *request, char **reply, size_t *len) {
    struct ledger *l = ctx;
    if (!request->group) return false; /* a look before the start belongs to no problem, and nothing of it is kept */
    if (!l->n_known || !bsearch(request->key, l->known, (size_t)l->n_known, sizeof *l->known, by_key)) return false;
    struct arena arena;
    struct rows r;
    arena_init(&arena);
    journal_lock(l->journal);
    rows_open(&r, l->journal, &arena, NULL, "SELECT reply FROM reply WHERE problem = ?1 AND key = ?2", "ls",
              (int64_t)request->group, request->key);
    cord_text text = rows_next(&r) ? row_text(&r) : (cord_text){0};
    bool good = rows_end(&r) == CORD_OK && text.data != NULL;
    journal_unlock(l->journal);
    *reply = good ? malloc(text.len + 1) : NULL;
    *len = text.len;
    if (*reply) memcpy(*reply, text.data, text.len);
    arena_release(&arena);
    pthread_mutex_lock(&l->mutex);
    l->found += *reply != NULL;
    pthread_mutex_unlock(&l->mutex);
    return *reply != NULL;
}

cord_ledger ledger_calls(struct ledger *l) { return (cord_ledger){l, find, begin, keep, drop, again}; }

/* ---- writing ------------------------------------------------------------------------------------------------- */

static cord_status put_account(struct journal *j, const struct account *a, cord_error *err) {
    return query_run(j, err, "INSERT OR REPLACE INTO spending VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                     "slllllllll"
                     "l",
                     a->price.model, a->answered.requests, a->answered.prompt, a->cached, a->answered.written,
                     a->lost.requests, a->lost.prompt, a->lost.written, a->open.requests, a->open.prompt,
                     a->open.written);
}

static cord_status put_entry(struct journal *j, const struct entry *e, cord_error *err) {
    return query_run(j, err, "INSERT OR REPLACE INTO reply VALUES (?1, ?2, ?3)", "lst", e->problem, e->key,
                     (cord_text){e->reply, e->len});
}

/* What there is to write, taken out under the lock. */
static struct entry *take(struct ledger *l, struct account *changed, int *n, int64_t *n_begun) {
    struct entry *first = l->first;
    *n_begun = l->n_begun;
    l->first = l->last = NULL;
    *n = 0;
    for (int i = 0; i < l->n_accounts; i++) {
        if (l->accounts[i].changed) changed[(*n)++] = l->accounts[i];
        l->accounts[i].changed = false;
    }
    return first;
}

cord_status ledger_write(struct ledger *l, cord_error *err) {
    struct account *changed = calloc((size_t)l->n_accounts, sizeof *changed);
    if (!changed) return error_memory(err);
    int n;
    int64_t n_begun;
    pthread_mutex_lock(&l->mutex);
    struct entry *first = take(l, changed, &n, &n_begun);
    pthread_mutex_unlock(&l->mutex);
    cord_error why = {0};
    cord_status status = first || n ? transaction_begin(l->journal, &why) : CORD_OK;
    if ((first || n) && status == CORD_OK) {
        for (struct entry *e = first; e && status == CORD_OK; e = e->next) status = put_entry(l->journal, e, &why);
        for (int i = 0; i < n && status == CORD_OK; i++) status = put_account(l->journal, &changed[i], &why);
        status = transaction_end(l->journal, status, &why);
    }
    for (struct entry *e = first, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    free(changed);
    if (status != CORD_OK && err) *err = why;
    pthread_mutex_lock(&l->mutex);
    if (status == CORD_OK && n_begun > l->n_written) l->n_written = n_begun;
    if (status != CORD_OK && l->error.code == CORD_OK) l->error = why;
    pthread_cond_broadcast(&l->written);
    pthread_mutex_unlock(&l->mutex);
    return status;
}

static bool has_work(const struct ledger *l) {
    for (int i = 0; i < l->n_accounts; i++)
        if (l->accounts[i].changed) return true;
    return l->first != NULL;
}

static void *write_on(void *arg) {
    struct ledger *l = arg;
    for (;;) {
        pthread_mutex_lock(&l->mutex);
        while (!has_work(l) && !l->closing) pthread_cond_wait(&l->arrived, &l->mutex);
        bool over = !has_work(l);
        pthread_mutex_unlock(&l->mutex);
        if (over) return NULL;
        journal_lock(l->journal);
        (void)ledger_write(l, NULL); /* a failure is remembered, and told to who asks next */
        journal_unlock(l->journal);
    }
}

/* ---- opening and closing ------------------------------------------------------------------------------------- */

/* A row of the table, added to the account that it is of. */
static void read_account(struct rows *r, struct account *a) {
    a->answered.requests += row_int64(r), a->answered.prompt += row_int64(r);
    a->cached += row_int64(r), a->answered.written += row_int64(r);
    a->lost.requests += row_int64(r), a->lost.prompt += row_int64(r), a->lost.written += row_int64(r);
    a->open.requests += row_int64(r), a->open.prompt += row_int64(r), a->open.written += row_int64(r);
}

/* What a model spent that the recipe does not name any more is spent all the same: the last account has that of all of them,
 * which have no price, and is never written. */
static cord_status read_accounts(struct ledger *l, cord_error *err) {
    struct rows r;
    struct arena arena;
    arena_init(&arena);
    rows_open(&r, l->journal, &arena, err,
              "SELECT model, requests, prompt_tokens, cached_tokens, new_tokens, lost, lost_prompt, lost_new, open,"
              " open_prompt, open_new FROM spending",
              "");
    while (rows_next(&r)) {
        const char *model = row_string(&r);
        int i = 0;
        while (i < l->n_accounts - 1 && (!model || strcmp(l->accounts[i].price.model, model) != 0)) i++;
        read_account(&r, &l->accounts[i]);
    }
    cord_status status = rows_end(&r);
    arena_release(&arena);
    return status;
}

/* What was open when a process was killed got no answer. */
static void lose_open(struct account *a) {
    a->lost.requests += a->open.requests;
    a->lost.prompt += a->open.prompt;
    a->lost.written += a->open.written;
    a->changed = a->open.requests > 0;
    a->open = (struct sum){0};
}

static cord_status read_known(struct ledger *l, cord_error *err) {
    int64_t n;
    struct rows r;
    struct arena arena;
    CORD_TRY(query_int64(l->journal, err, &n, 0, "SELECT count(*) FROM reply", ""));
    if (!(l->known = calloc((size_t)n + 1, sizeof *l->known))) return error_memory(err);
    arena_init(&arena);
    rows_open(&r, l->journal, &arena, err, "SELECT key FROM reply ORDER BY key", "");
    while (l->n_known < n && rows_next(&r)) {
        const char *key = row_string(&r);
        if (key && strlen(key) == 64) memcpy(l->known[l->n_known++], key, 65);
    }
    cord_status status = rows_end(&r);
    arena_release(&arena);
    return status;
}

static void ledger_free(struct ledger *l) {
    pthread_cond_destroy(&l->arrived);
    pthread_cond_destroy(&l->ended);
    pthread_cond_destroy(&l->written);
    pthread_mutex_destroy(&l->mutex);
    free(l->accounts);
    free(l->known);
    free(l);
}

cord_status ledger_open(struct journal *journal, const struct budget *budget, const struct price *prices, int n,
                        struct ledger **ledger, cord_error *err) {
    struct ledger *l = calloc(1, sizeof *l);
    if (!l) return error_memory(err);
    l->journal = journal;
    l->budget = *budget;
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->arrived, NULL);
    pthread_cond_init(&l->ended, NULL);
    pthread_cond_init(&l->written, NULL);
    l->accounts = calloc((size_t)n + 1, sizeof *l->accounts);
    cord_status status = l->accounts ? CORD_OK : error_memory(err);
    for (int i = 0; status == CORD_OK && i < n; i++) l->accounts[i].price = prices[i];
    if (status == CORD_OK) {
        l->accounts[n].price.model = "";
        l->n_accounts = n + 1;
        status = read_accounts(l, err);
        for (int i = 0; i < l->n_accounts; i++) lose_open(&l->accounts[i]);
        l->accounts[n].changed = false;
    }
    if (status == CORD_OK) status = read_known(l, err);
    if (status == CORD_OK && pthread_create(&l->writer, NULL, write_on, l) != 0)
        status = error_set(err, CORD_NO_MEMORY, "cannot start a thread");
    if (status == CORD_OK)
        *ledger = l;
    else
        ledger_free(l);
    return status;
}

cord_status ledger_close(struct ledger *l, cord_error *err) {
    if (!l) return CORD_OK;
    pthread_mutex_lock(&l->mutex);
    l->closing = true;
    pthread_cond_signal(&l->arrived);
    pthread_mutex_unlock(&l->mutex);
    pthread_join(l->writer, NULL);
    cord_status status = l->error.code;
    if (status != CORD_OK && err) *err = l->error;
    ledger_free(l);
    return status;
}

cord_status ledger_read(struct journal *j, struct spending *s, cord_error *err) {
    struct rows r;
    *s = (struct spending){0};
    rows_open(
        &r, j, NULL, err,
        "SELECT total(requests), total(prompt_tokens), total(cached_tokens), total(new_tokens), total(lost + open)"
        " FROM spending",
        "");
    if (rows_next(&r)) {
        s->requests = (int64_t)row_real(&r), s->prompt_tokens = (int64_t)row_real(&r);
        s->cached_tokens = (int64_t)row_real(&r), s->new_tokens = (int64_t)row_real(&r);
        s->lost = (int64_t)row_real(&r);
    }
    return rows_end(&r);
}
