/* ledger.h - what a run asks of servers: each whole reply as soon as it arrives, kept until the round that it is for is in
 * the journal; and what was spent, against the recipe's budget. It implements cord_ledger (cord.h) and must not know models,
 * HTTP, or what a reply says.
 *
 * Replies are handed over by the thread that does all HTTP, so they are written by a thread of the ledger's own: all that came
 * while it wrote the last ones is its next transaction. What is to be sent waits for such a one, too, so that no request leaves
 * of which the journal does not know. Nobody may ask a server while he holds the journal's lock. */
#ifndef CORD_LEDGER_H
#define CORD_LEDGER_H

#include "store/journal.h"

struct ledger;

/* Most that may be spent on problems, over all processes that worked on the run. 0: no bound. The few tokens by which a start
 * checks its models are counted, and not refused. */
struct budget {
    int64_t tokens;   /* of prompts (the cached ones too) and written ones */
    int64_t requests; /* proposals and scores, not tokenising */
    double money;     /* in the unit of the prices */
};

/* What a model of the run costs: money for a million tokens. */
struct price {
    const char *model; /* its name; borrowed until ledger_close */
    double prompt, cached, written;
};

/* What was spent since the run began. */
struct spending {
    int64_t requests; /* answered */
    int64_t prompt_tokens, cached_tokens, new_tokens;
    int64_t lost; /* sent, and no answer came (or this process was killed before): may have been paid for. Budgets count
                    * these with their whole prompt and all the tokens that they might have got */
    double money; /* with the lost ones */
    int64_t known; /* replies that were found in the journal instead of asked for, in this process */
};

/* What models have spent that `prices` does not name, by their former names, counts as requests and tokens, and not as money.
 * `prices`: of every model of the run that a server has, even where all are 0. The journal is the caller's, who holds its lock
 * (journal_lock) while he uses it, from now on. */
cord_status ledger_open(struct journal *journal, const struct budget *budget, const struct price *prices, int n,
                        struct ledger **ledger, cord_error *err);
/* Writes what has come, and frees the ledger: no engine may use it any more. NULL does nothing. */
cord_status ledger_close(struct ledger *ledger, cord_error *err);

/* For the engine's options; lives as long as the ledger. */
cord_ledger ledger_calls(struct ledger *ledger);

/* Writes all that has come so far. The caller holds the journal's lock, so that what he writes next, such as the round that
 * makes these replies superfluous, comes behind them. */
cord_status ledger_write(struct ledger *ledger, cord_error *err);

/* Of all models. May be called by any thread. */
struct spending ledger_spending(struct ledger *ledger);
/* Why no more may be spent ("budget.requests: ..."); NULL: more may be. Borrowed until ledger_close. */
const char *ledger_exhausted(struct ledger *ledger);

/* What a run has spent, by its journal alone: no ledger is open on it. Without prices there is no money. */
cord_status ledger_read(struct journal *journal, struct spending *spending, cord_error *err);

#endif
