#include "store/leaf_clock.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "tlog/policy.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool is_near(int64_t a_s, int64_t b_s)
{
    return a_s - b_s <= LEAF_CLOCK_AGREE_S && b_s - a_s <= LEAF_CLOCK_AGREE_S;
}

static bool is_agreed(const struct leaf_clock_facts *facts)
{
    return facts->is_confirmed || (facts->heard_s != 0 && is_near(facts->heard_s, facts->wall_s));
}

/* A minute's doubt about a jump costs a minute; a leaf in the future stays there for ever. */
void leaf_clock_judge(const struct leaf_clock_facts *facts, struct leaf_clock_verdict *verdict)
{
    int64_t elapsed_s = facts->monotonic_s - facts->adopted_monotonic_s;
    int64_t expected_s = facts->adopted_wall_s + elapsed_s;
    int64_t due_s = larger(expected_s, facts->last_leaf_s);
    int64_t behind_s = facts->last_leaf_s - facts->wall_s;
    int64_t ahead_s = facts->wall_s - expected_s;

    *verdict = (struct leaf_clock_verdict){.leaf_s = facts->wall_s, .now_s = facts->wall_s};
    if (behind_s > 0) {
        verdict->state = behind_s > LEAF_CLOCK_BEHIND_S ? LEAF_CLOCK_BEHIND : LEAF_CLOCK_CLAMPED;
        verdict->leaf_s = facts->last_leaf_s;
        verdict->now_s = due_s;
        verdict->apart_s = behind_s;
    } else if (is_agreed(facts)) {
        verdict->is_adopted = true;
    } else if (ahead_s > LEAF_CLOCK_JUMP_S) {
        verdict->state = LEAF_CLOCK_JUMPED;
        verdict->leaf_s = due_s;
        verdict->now_s = due_s;
        verdict->apart_s = ahead_s;
    } else {
        verdict->is_adopted = elapsed_s >= LEAF_CLOCK_RENEW_S;
    }
}

static void say(struct leaf_clock *clock, const struct leaf_clock_verdict *verdict)
{
    long long apart_s = (long long)verdict->apart_s;

    if (verdict->state == clock->said) {
        return;
    }
    switch (verdict->state) {
    case LEAF_CLOCK_FINE:
        log_info("clock.fine", "the wall clock is believed again");
        break;
    case LEAF_CLOCK_CLAMPED:
        log_warn("clock.behind", "by_s=%lld leaves keep the last time", apart_s);
        break;
    case LEAF_CLOCK_BEHIND:
        log_error("clock.behind",
                  "by_s=%lld leaves keep the last time, ordinary messages wait remedy=set this "
                  "machine's clock; if it is right now, wait until it has passed the last leaf's",
                  apart_s);
        break;
    case LEAF_CLOCK_JUMPED:
        log_error("clock.jumped",
                  "ahead_s=%lld not adopted, ordinary messages wait remedy=set this machine's "
                  "clock; if it is right now, two peers' times confirm it, or send SIGUSR2",
                  apart_s);
        break;
    }
    clock->said = verdict->state;
}

/* Under the lock. */
static void look(struct leaf_clock *clock, struct leaf_clock_facts *facts,
                 struct leaf_clock_verdict *verdict)
{
    facts->wall_s = clock_now_ms() / 1000;
    facts->monotonic_s = clock_monotonic_ms() / 1000;
    facts->last_leaf_s = clock->last_leaf_s;
    facts->adopted_wall_s = clock->adopted_wall_s;
    facts->adopted_monotonic_s = clock->adopted_monotonic_s;
    leaf_clock_judge(facts, verdict);
    if (verdict->is_adopted) {
        clock->adopted_wall_s = facts->wall_s;
        clock->adopted_monotonic_s = facts->monotonic_s;
    }
    say(clock, verdict);
}

static void look_with(struct leaf_clock *clock, struct leaf_clock_facts facts)
{
    struct leaf_clock_verdict verdict;

    pthread_mutex_lock(&clock->lock);
    look(clock, &facts, &verdict);
    pthread_mutex_unlock(&clock->lock);
}

void leaf_clock_begin(struct leaf_clock *clock, int64_t last_leaf_s, int64_t witnessed_s)
{
    int64_t wall_s = clock_now_ms() / 1000;
    int64_t known_s = larger(last_leaf_s, witnessed_s);
    bool is_held = witnessed_s != 0 || wall_s < known_s;

    pthread_mutex_init(&clock->lock, NULL);
    clock->last_leaf_s = last_leaf_s;
    clock->adopted_wall_s = is_held ? known_s : wall_s;
    clock->adopted_monotonic_s = clock_monotonic_ms() / 1000;
    clock->said = LEAF_CLOCK_FINE;
    clock->agreed_by[0] = '\0';
    look_with(clock, (struct leaf_clock_facts){0});
}

void leaf_clock_end(struct leaf_clock *clock)
{
    pthread_mutex_destroy(&clock->lock);
}

void leaf_clock_look(struct leaf_clock *clock, struct leaf_clock_verdict *verdict)
{
    struct leaf_clock_facts facts = {0};

    pthread_mutex_lock(&clock->lock);
    look(clock, &facts, verdict);
    pthread_mutex_unlock(&clock->lock);
}

void leaf_clock_used(struct leaf_clock *clock, int64_t leaf_s)
{
    pthread_mutex_lock(&clock->lock);
    clock->last_leaf_s = larger(clock->last_leaf_s, leaf_s);
    pthread_mutex_unlock(&clock->lock);
}

/* Another institution agreed a moment ago with this same clock: it was not set in between. */
static bool is_second(const struct leaf_clock *clock, const char *name, int64_t wall_s,
                      int64_t monotonic_s)
{
    int64_t since_s = monotonic_s - clock->agreed_monotonic_s;

    return clock->agreed_by[0] != '\0' && !policy_is_same_house(clock->agreed_by, name) &&
           since_s <= LEAF_CLOCK_TWO_S && is_near(clock->agreed_wall_s + since_s, wall_s);
}

void leaf_clock_hear(struct leaf_clock *clock, const char *name, int64_t heard_s)
{
    struct leaf_clock_facts facts = {0};
    int64_t monotonic_s = clock_monotonic_ms() / 1000;
    int64_t wall_s = clock_now_ms() / 1000;
    struct leaf_clock_verdict verdict;

    pthread_mutex_lock(&clock->lock);
    if (is_near(heard_s, wall_s)) {
        facts.heard_s = is_second(clock, name, wall_s, monotonic_s) ? heard_s : 0;
        snprintf(clock->agreed_by, sizeof clock->agreed_by, "%s", name);
        clock->agreed_wall_s = wall_s;
        clock->agreed_monotonic_s = monotonic_s;
    }
    look(clock, &facts, &verdict);
    pthread_mutex_unlock(&clock->lock);
}

void leaf_clock_confirm(struct leaf_clock *clock)
{
    log_warn("clock.confirmed", "by=operator");
    look_with(clock, (struct leaf_clock_facts){.is_confirmed = true});
}
