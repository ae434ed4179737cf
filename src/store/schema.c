/* schema.c - the journal's tables, and how a file is recognised as a journal of this version. The comments inside the
 * SQL are kept in the file, for people who open it with the sqlite3 shell. It must not know who reads or writes. */
#include "store/database.h"

#include <stdio.h>

/* "cord" in ASCII: what file(1) and schema_check see in the header. Raise the version with every change of a table; what an
 * older one lacks is added to it (below), or it is no LEAST_VERSION any more. */
enum { APPLICATION = 0x636f7264, VERSION = 5, LEAST_VERSION = 4 };

static const char tables[] =
    "CREATE TABLE run (\n"
    "  key TEXT PRIMARY KEY, value TEXT NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE teacher (\n"
    "  number INTEGER PRIMARY KEY, name TEXT NOT NULL\n"
    ") STRICT;\n"

    "CREATE TABLE problem (\n"
    "  key INTEGER PRIMARY KEY,\n"
    "  number INTEGER NOT NULL,          -- in input order, from 0\n"
    "  line INTEGER NOT NULL,            -- of the input file, from 1\n"
    "  id TEXT NOT NULL, question TEXT NOT NULL,\n"
    "  target TEXT NOT NULL,             -- what is scored\n"
    "  gold TEXT NOT NULL,               -- what the answer is graded against\n"
    "  row TEXT NOT NULL,                -- the input line as it stands\n"
    "  bad INTEGER NOT NULL,             -- 1: a row that cannot be used\n"
    "  status INTEGER NOT NULL,          -- 0 open, 1 done, 2 failed\n"
    "  reason TEXT,                      -- of a failure\n"
    "  started INTEGER NOT NULL DEFAULT 0,\n"
    "  log_s0 REAL,                      -- log S with empty reasoning\n"
    "  contrast TEXT                     -- what search.criterion: contrast compares with; empty or NULL: nothing\n"
    ") STRICT;\n"
    "CREATE UNIQUE INDEX problem_id ON problem (id) WHERE NOT bad;\n"
    "CREATE INDEX problem_bad ON problem (line) WHERE bad;\n"

    "CREATE TABLE spoken (               -- how each participant was spoken to\n"
    "  problem INTEGER NOT NULL REFERENCES problem,\n"
    "  teacher INTEGER NOT NULL,         -- -1: the meta-prover\n"
    "  marker TEXT NOT NULL, between_steps TEXT NOT NULL, think_close TEXT NOT NULL, answer_open TEXT NOT NULL,\n"
    "  score_open TEXT NOT NULL, score_close TEXT NOT NULL,\n"
    "  guess_prompt_tokens INTEGER,      -- what it was asked for before round 1 (search.criterion: contrast)\n"
    "  guess_cached_tokens INTEGER, guess_new_tokens INTEGER, guess_us INTEGER,\n"
    "  PRIMARY KEY (problem, teacher)\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE spoken_span (          -- the prompt, up to where reasoning is appended\n"
    "  problem INTEGER NOT NULL, teacher INTEGER NOT NULL, position INTEGER NOT NULL,\n"
    "  trusted INTEGER NOT NULL,         -- 1: may become special tokens\n"
    "  text TEXT NOT NULL,\n"
    "  PRIMARY KEY (problem, teacher, position),\n"
    "  FOREIGN KEY (problem, teacher) REFERENCES spoken\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE reply (                -- of servers, whole, until the round that they are for is written\n"
    "  problem INTEGER NOT NULL REFERENCES problem,\n"
    "  key TEXT NOT NULL,                -- SHA-256 of the request\n"
    "  reply TEXT NOT NULL,\n"
    "  PRIMARY KEY (problem, key)\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE spending (             -- what each model's servers were asked for\n"
    "  model TEXT PRIMARY KEY,\n"
    "  requests INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,\n"
    "  new_tokens INTEGER NOT NULL,      -- answered\n"
    "  lost INTEGER NOT NULL, lost_prompt INTEGER NOT NULL, lost_new INTEGER NOT NULL, -- without any answer\n"
    "  open INTEGER NOT NULL, open_prompt INTEGER NOT NULL, open_new INTEGER NOT NULL  -- on their way\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE round (\n"
    "  problem INTEGER NOT NULL REFERENCES problem, number INTEGER NOT NULL, note TEXT,\n"
    "  PRIMARY KEY (problem, number)\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE candidate (\n"
    "  problem INTEGER NOT NULL, round INTEGER NOT NULL, number INTEGER NOT NULL,\n"
    "  parent INTEGER NOT NULL,          -- slot in the beam of the round before, -1: none, it begins anew\n"
    "  teacher INTEGER NOT NULL, sample INTEGER NOT NULL,\n"
    "  run INTEGER NOT NULL,             -- which of search.runs, from 0\n"
    "  seed INTEGER NOT NULL,\n"
    "  step TEXT NOT NULL,               -- what was written, up to the step's end\n"
    "  ending INTEGER NOT NULL,          -- 0 the step's end, 1 cut, 2 </think>, 3 end of turn\n"
    "  dropped INTEGER NOT NULL,         -- 0 no, 1 empty, 2 duplicate, 3 degenerate, 4 failed\n"
    "  drop_why TEXT, finishes_parent INTEGER NOT NULL,\n"
    "  added TEXT,                       -- what it adds to its parent's reasoning, marker included\n"
    "  log_score REAL, rank INTEGER NOT NULL,\n"
    "  slot INTEGER NOT NULL,            -- in the beam of this round, -1: not kept\n"
    "  tie INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,\n"
    "  prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, new_tokens INTEGER NOT NULL,\n"
    "  score_prompt_tokens INTEGER NOT NULL, score_cached_tokens INTEGER NOT NULL,\n"
    "  propose_us INTEGER NOT NULL, score_us INTEGER NOT NULL,\n"
    "  rollout TEXT,                     -- of mcts: what was written behind the step; log_score is then of both\n"
    "  parts TEXT,                       -- of several steps: \"from to category\" of each in `added`, a line each\n"
    "  judged_tokens INTEGER,            -- what a judge wrote to score it; NULL: in score_prompt_tokens (schema 4)\n"
    "  judge_us INTEGER,\n"
    "  PRIMARY KEY (problem, round, number),\n"
    "  FOREIGN KEY (problem, round) REFERENCES round\n"
    ") STRICT;\n"

    "CREATE TABLE beam (                 -- after a round's selection, best first; of mcts, the nodes of the trees\n"
    "  problem INTEGER NOT NULL, round INTEGER NOT NULL, slot INTEGER NOT NULL,\n"
    "  origin INTEGER NOT NULL,          -- slot in the beam of the round before, -1: none\n"
    "  candidate INTEGER NOT NULL,       -- of this round, -1: none, carried over\n"
    "  finish INTEGER NOT NULL,          -- 0 growing, 1 </think>, 2 end of turn, 3 budget, 4 exhausted\n"
    "  author INTEGER NOT NULL, log_score REAL, tokens INTEGER NOT NULL,\n"
    "  bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, -- of the reasoning\n"
    "  reasoning TEXT,                   -- NULL: its candidate's, or else its parent's\n"
    "  run INTEGER NOT NULL,             -- which of search.runs, from 0\n"
    "  above INTEGER NOT NULL,           -- of mcts: its parent, counted among its run's places; -1: the root\n"
    "  visits INTEGER NOT NULL, value REAL NOT NULL, -- of mcts: simulations through it, the sum of their rewards\n"
    "  tried INTEGER NOT NULL,           -- of mcts: bit k: teacher k was asked to go on from here\n"
    "  reply TEXT,                       -- what it came with behind its thinking; NULL: nothing\n"
    "  PRIMARY KEY (problem, round, slot),\n"
    "  FOREIGN KEY (problem, round) REFERENCES round\n"
    ") STRICT, WITHOUT ROWID;\n"

    "CREATE TABLE answer (\n"
    "  problem INTEGER NOT NULL, number INTEGER NOT NULL, -- 0 is the best\n"
    "  round INTEGER NOT NULL, slot INTEGER NOT NULL,     -- its trajectory's place in the beam\n"
    "  finish INTEGER NOT NULL, author INTEGER NOT NULL, log_score REAL, tokens INTEGER NOT NULL,\n"
    "  reasoning TEXT,                   -- NULL: as in the beam\n"
    "  reply TEXT NOT NULL, answer TEXT NOT NULL,\n"
    "  grade INTEGER NOT NULL,           -- 0 correct, 1 wrong, 2 no answer, 3 undecided\n"
    "  why TEXT, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, new_tokens INTEGER NOT NULL,\n"
    "  us INTEGER NOT NULL,\n"
    "  log_pp REAL,                      -- predictive perplexity by measures.scorer\n"
    "  log_held_out REAL,                -- and by measures.held_out\n"
    "  PRIMARY KEY (problem, number),\n"
    "  FOREIGN KEY (problem, round, slot) REFERENCES beam\n"
    ") STRICT, WITHOUT ROWID;\n";

/* What schema 4 lacks: who writes adds it at the end of its tables, who reads puts views before them. */
static const char added[] = "ALTER TABLE candidate ADD COLUMN judged_tokens INTEGER;"
                            "ALTER TABLE candidate ADD COLUMN judge_us INTEGER;"
                            "ALTER TABLE spoken ADD COLUMN guess_prompt_tokens INTEGER;"
                            "ALTER TABLE spoken ADD COLUMN guess_cached_tokens INTEGER;"
                            "ALTER TABLE spoken ADD COLUMN guess_new_tokens INTEGER;"
                            "ALTER TABLE spoken ADD COLUMN guess_us INTEGER;";
static const char seen[] = "CREATE TEMP VIEW candidate AS SELECT *, NULL AS judged_tokens, NULL AS judge_us"
                           " FROM main.candidate;"
                           "CREATE TEMP VIEW spoken AS SELECT *, NULL AS guess_prompt_tokens,"
                           " NULL AS guess_cached_tokens, NULL AS guess_new_tokens, NULL AS guess_us FROM main.spoken;";

/* Runs a script that makes the file a journal of this version. */
static cord_status make_ours(struct journal *j, const char *what, const char *script, cord_error *err) {
    CORD_TRY(transaction_begin(j, err));
    cord_status status = query_script(j, err, what, script);
    char pragmas[100];
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION, VERSION);
    if (status == CORD_OK) status = query_script(j, err, what, pragmas);
    return transaction_end(j, status, err);
}

cord_status schema_check(struct journal *j, bool make, cord_error *err) {
    int64_t application, version, objects;
    CORD_TRY(query_int64(j, err, &application, 0, "PRAGMA application_id", ""));
    CORD_TRY(query_int64(j, err, &version, 0, "PRAGMA user_version", ""));
    CORD_TRY(query_int64(j, err, &objects, 0, "SELECT count(*) FROM sqlite_schema", ""));
    if (application == APPLICATION && version == VERSION) return CORD_OK;
    if (application == APPLICATION && version >= LEAST_VERSION && version < VERSION)
        return make ? make_ours(j, "bring the journal up to date", added, err)
                    : query_script(j, err, "read an older journal", seen);
    if (!application && !version && !objects) {
        if (make) return make_ours(j, "make the journal", tables, err);
        error_where(err, "%s", j->path);
        return error_set(err, CORD_BAD_INPUT, "the journal is still empty: nothing has been run here yet");
    }
    error_where(err, "%s", j->path);
    if (application != APPLICATION)
        return error_set(err, CORD_IO_ERROR, "this database was not made by cord; choose another folder for the run");
    return error_set(err, CORD_IO_ERROR,
                     "this journal has schema %lld, and this cord (%s) knows schemas %d to %d; use the "
                     "cord that made it, or another folder",
                     (long long)version, cord_version(), LEAST_VERSION, VERSION);
}
