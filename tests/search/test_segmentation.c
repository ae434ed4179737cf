/* test_segmentation.c - searches whose steps no marker divides: what models are sent is what was written and nothing else, and
 * a search that is stopped anywhere ends the same. */
#include "script.h"

/* A text of its own for each seed, with ends of steps of both kinds in it, now and then cut, or closed. */
static void talk(struct world *w, const struct asked *asked, struct said *said) {
    unsigned id = (unsigned)(seed_text(seed_mix(w->script, asked->seed), asked->reasoning) >> 40);
    bool lines = w->styles[0].segmentation == SEGMENTATION_LINE_BREAK;
    const char *blank = asked->reasoning.len ? "" : "\n"; /* models may begin with one */
    if (asked->answer)
        say(said, STEP_TURN, "%u}", 40 + id % 4);
    else
        switch (id % 10) {
        case 0: say(said, STEP_CLOSED, " Done%u.\n", id); break;
        case 1: say(said, STEP_CLOSED, "\n"); break;
        case 2: say(said, STEP_CUT, "%sCut%u off \n", blank, id); break;
        case 3: say(said, STEP_TURN, " Over%u. Alternatively, there is more.", id); break;
        case 4: say(said, STEP_CLOSED, "Line%u. \n \nMore.\nWait, no. Let me check.", id); break;
        case 5: say(said, STEP_CUT, " Wait%u. The waiter waits. Wait", id); break;
        default:
            say(said, lines ? STEP_NEXT : STEP_CUT, "%sPlain%u.%s", blank, id, lines ? "" : "\n\nWait, rest");
            break;
        }
}

static double judge(struct world *w, cord_text reasoning) { return -(double)(seed_text(w->script, reasoning) % 8) / 8; }

static struct world *talking(enum segmentation how, uint64_t script) {
    struct world *w = world_new(3, 3);
    world_segment(w, how);
    w->script = script;
    w->reply = talk;
    w->score = judge;
    w->settings.think_tokens = 60;
    return w;
}

static void put_steps(struct buf *out, const struct step *step) {
    if (!step) return;
    put_steps(out, step->previous);
    buf_add(out, step->text);
}

/* Counts, so that nothing is tested on nothing. */
struct seen {
    int next, cut, closed, turn, parents, blank_ends, line_ends;
};

static void check_candidate(const struct world *w, const struct round *before, const struct candidate *c,
                            struct seen *seen) {
    cord_text parent = before ? before->beam[c->parent].reasoning : TEXT("");
    seen->parents += c->finishes_parent;
    if (c->drop != DROP_NONE || c->finishes_parent) return;
    assert_int_equal(c->reasoning.len, parent.len + c->step.len);
    assert_true(text_starts(c->reasoning, parent) && text_ends(c->reasoning, c->step));
    assert_true(text_find(c->step, TEXT("###")) < 0);
    bool lines = w->styles[0].segmentation == SEGMENTATION_LINE_BREAK;
    seen->next += c->end == STEP_NEXT;
    seen->cut += c->end == STEP_CUT;
    seen->closed += c->end == STEP_CLOSED;
    seen->turn += c->end == STEP_TURN;
    seen->blank_ends += c->end == STEP_NEXT && text_ends(c->step, TEXT(" \n"));
    if (lines) {
        assert_true(text_find(c->step, TEXT("More")) < 0);
        if (c->end == STEP_NEXT) assert_true(text_ends(c->step, TEXT("\n")));
        return;
    }
    assert_true(text_find(c->step, TEXT("Wait, ")) < 0 && text_find(c->step, TEXT("Alternatively")) < 0);
    assert_true(c->end != STEP_CLOSED ||
                text_find(c->step, TEXT("Line")) < 0); /* what was behind is gone, its end too */
    seen->line_ends += text_ends(c->step, TEXT(".\n\n"));
}

/* A trajectory is its steps, and who is asked to go on sees it just as it stood, with nothing behind it. */
static void check_beam(const struct world *w, const struct round *round) {
    for (int i = 0; i < round->n_beam; i++) {
        const struct trajectory *t = &round->beam[i];
        struct buf all;
        buf_init(&all, "test", 1 << 16);
        put_steps(&all, t->last);
        assert_true(text_equal(buf_text(&all), t->reasoning)); /* the steps are the text */
        buf_clear(&all);
        buf_addf(&all, "<0>What is 6 x 7?</0><think>\n%.*s\nask 1", (int)t->reasoning.len, t->reasoning.data);
        if (t->finish == GROWING && round->number < w->n_rounds) assert_non_null(strstr(w->log.data, all.data));
        buf_release(&all);
    }
}

static void the_text_goes_on_as_it_was_written(void **state) {
    (void)state;
    for (int how = SEGMENTATION_LINE_BREAK; how <= SEGMENTATION_PREFIX; how++) {
        struct seen seen = {0};
        for (uint64_t script = 0; script < 40; script++) {
            struct world *w = talking((enum segmentation)how, script);
            world_succeeds(w);
            for (int r = 0; r < w->n_rounds; r++) {
                const struct round *round = &w->rounds[r];
                for (int i = 0; i < round->n_candidates; i++)
                    check_candidate(w, r ? round - 1 : NULL, &round->candidates[i], &seen);
                check_beam(w, round);
            }
            for (int i = 0; i < w->n_finished; i++) {
                cord_text reasoning = w->finished[i].trajectory.reasoning;
                assert_true(reasoning.len && text_equal(reasoning, text_trim_end(reasoning)));
            }
            world_free(w);
        }
        assert_true(seen.next > 100 && seen.cut > 20 && seen.closed > 20 && seen.parents > 20);
        assert_true(how == SEGMENTATION_LINE_BREAK ? seen.blank_ends > 0 && seen.turn > 20 : seen.line_ends > 50);
    }
}

static void stopped_anywhere_it_ends_the_same(void **state) {
    (void)state;
    for (int i = 0; i < 12; i++) {
        enum segmentation how = i % 2 ? SEGMENTATION_LINE_BREAK : SEGMENTATION_PREFIX;
        struct world *whole = talking(how, (uint64_t)i);
        world_succeeds(whole);
        for (int call = 1; call <= whole->calls; call++) {
            struct world *first = talking(how, (uint64_t)i), *second = talking(how, (uint64_t)i);
            first->cancel_call = call;
            assert_int_equal(world_run(first), CORD_CANCELLED);
            second->search.state = (struct search_state){.started = first->n_started > 0, .log_s0 = first->log_s0};
            second->search.state.round = first->n_rounds;
            if (first->n_rounds) {
                second->search.state.beam = first->rounds[first->n_rounds - 1].beam;
                second->search.state.n_beam = first->rounds[first->n_rounds - 1].n_beam;
            }
            world_succeeds(second);
            assert_string_equal(second->log.data, whole->log.data + first->told);
            world_free(second);
            world_free(first);
        }
        world_free(whole);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_goes_on_as_it_was_written),
        cmocka_unit_test(stopped_anywhere_it_ends_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
