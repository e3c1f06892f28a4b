/*
 * What a reader of leaves can guess, and what an operator can hide from one who has a key: attacks
 * 25 and 17 of tests/ATTACKS.md.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "tlog/commit.h"

#define ORIGIN "gw.cdmx/audit/2026"
#define LEAVES 2000
#define PERSONS 20

/* All that a record of few values can say. */
static const char *const answers[] = {"riesgo=alto", "riesgo=medio", "riesgo=bajo", "riesgo=nulo"};
#define ANSWERS (sizeof answers / sizeof answers[0])

static void message_of(const uint8_t blind[COMMIT_BLIND_SIZE], const char *text,
                       uint8_t out[DIGEST_SIZE])
{
    struct commit_part part = {.number = COMMIT_HEADER_PART};

    commit_part(blind, bytes_text(text), part.digest);
    assert_int_equal(commit_message(&part, 1, out), RC_OK);
}

/* What the leaf would hold if that were the record. */
static void guess(const struct leaf *leaf, const uint8_t blind[COMMIT_BLIND_SIZE], const char *text,
                  uint8_t out[DIGEST_SIZE])
{
    uint8_t message[DIGEST_SIZE];

    message_of(blind, text, message);
    commit_leaf(ORIGIN, leaf->nonce, message, out);
}

/* Of these blinds and answers, which pair gives the leaf's C; -1: none. */
static int confirmed(const struct leaf *leaf, uint8_t (*blinds)[COMMIT_BLIND_SIZE], size_t count)
{
    for (size_t b = 0; b < count; b++) {
        for (size_t a = 0; a < ANSWERS; a++) {
            uint8_t c[DIGEST_SIZE];

            guess(leaf, blinds[b], answers[a], c);
            if (digest_equal(c, leaf->message)) {
                return (int)a;
            }
        }
    }
    return -1;
}

/* Blinds that a guesser would try without the key: none at all, and what the leaf itself shows. */
static void what_the_leaf_shows(const struct leaf *leaf, uint8_t blinds[5][COMMIT_BLIND_SIZE])
{
    const struct bytes nonce = BYTES_OF(leaf->nonce);

    memset(blinds, 0, (size_t)5 * COMMIT_BLIND_SIZE);
    memcpy(blinds[1], leaf->nonce, sizeof leaf->nonce);
    digest_of(&nonce, 1, blinds[2]);
    memcpy(blinds[3], leaf->message, COMMIT_BLIND_SIZE);
    memcpy(blinds[4], leaf->record, COMMIT_BLIND_SIZE);
}

static void a_guess_is_not_confirmed_without_the_opening_and_is_with_it(void **state)
{
    uint8_t shown[5][COMMIT_BLIND_SIZE];

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        struct leaf leaf = {.class = LEAF_RECORD};
        uint8_t blind[1][COMMIT_BLIND_SIZE];

        random_fill(leaf.nonce, sizeof leaf.nonce);
        random_fill(leaf.record, sizeof leaf.record);
        random_fill(blind[0], COMMIT_BLIND_SIZE);
        guess(&leaf, blind[0], answers[i % ANSWERS], leaf.message);
        what_the_leaf_shows(&leaf, shown);
        assert_int_equal(confirmed(&leaf, shown, 5), -1);
        assert_int_equal(confirmed(&leaf, blind, 1), i % ANSWERS); /* the control */
    }
}

/* The control is what the blind is there against: a commitment without one is guessed at once. */
static void without_a_blind_every_guess_is_confirmed(void **state)
{
    uint8_t none[1][COMMIT_BLIND_SIZE] = {{0}};

    (void)state;
    for (size_t i = 0; i < ANSWERS; i++) {
        struct leaf leaf = {.class = LEAF_RECORD};

        random_fill(leaf.nonce, sizeof leaf.nonce);
        guess(&leaf, none[0], answers[i], leaf.message);
        assert_int_equal(confirmed(&leaf, none, 1), i);
    }
}

/* ---- tags ---- */

struct tagged {
    uint8_t nonce[LEAF_NONCE_SIZE];
    uint8_t tag[LEAF_TAG_SIZE];
    size_t person;
};

struct tags {
    uint8_t keys[PERSONS][COMMIT_KEY_SIZE];
    struct tagged leaves[LEAVES];
};

static int set_up(void **state)
{
    struct tags *tags = calloc(1, sizeof *tags);

    assert_non_null(tags);
    random_fill(tags->keys, sizeof tags->keys);
    for (size_t i = 0; i < LEAVES; i++) {
        struct tagged *leaf = &tags->leaves[i];

        leaf->person = i * i % PERSONS;
        random_fill(leaf->nonce, sizeof leaf->nonce);
        commit_tag(tags->keys[leaf->person], leaf->nonce, COMMIT_SUBJECT, leaf->tag);
    }
    *state = tags;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static unsigned common_bits(const uint8_t *a, const uint8_t *b)
{
    unsigned bits = 0;

    for (size_t i = 0; i < LEAF_TAG_SIZE; i++) {
        bits += 8 - (unsigned)__builtin_popcount((unsigned)(a[i] ^ b[i]));
    }
    return bits;
}

/*
 * Pairs of leaves of one person look like pairs of two: none is equal, and their tags have half of
 * their bits in common, whoever it is (64 of 128; a mean over thousands of pairs within half a
 * bit).
 */
static void two_leaves_of_one_person_do_not_look_alike(void **state)
{
    const struct tags *tags = *state;
    uint64_t bits[2] = {0};
    uint64_t pairs[2] = {0};

    for (size_t i = 0; i < LEAVES; i++) {
        for (size_t j = i + 1; j < i + 200 && j < LEAVES; j++) {
            const struct tagged *a = &tags->leaves[i];
            const struct tagged *b = &tags->leaves[j];
            size_t is_same = a->person == b->person;

            assert_memory_not_equal(a->tag, b->tag, LEAF_TAG_SIZE);
            bits[is_same] += common_bits(a->tag, b->tag);
            pairs[is_same]++;
        }
    }
    for (size_t k = 0; k < 2; k++) {
        assert_true(pairs[k] > 1000);
        assert_true(bits[k] > pairs[k] * 63 + pairs[k] / 2);
        assert_true(bits[k] < pairs[k] * 64 + pairs[k] / 2);
    }
}

/* Leaves of this person by her key, out of those that are shown. */
static size_t rescan(const struct tags *tags, const uint8_t key[COMMIT_KEY_SIZE], bool *is_found)
{
    size_t count = 0;

    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t tag[LEAF_TAG_SIZE];

        commit_tag(key, tags->leaves[i].nonce, COMMIT_SUBJECT, tag);
        is_found[i] = memcmp(tag, tags->leaves[i].tag, LEAF_TAG_SIZE) == 0;
        count += is_found[i];
    }
    return count;
}

/*
 * An operator answers "all leaves about this person" and leaves one out: each that it shows is
 * proven, so nothing in the answer says so; who has her key looks at all leaves and finds it.
 */
static void what_a_filtered_answer_hides_is_found_by_the_rescan(void **state)
{
    const struct tags *tags = *state;
    static bool is_found[LEAVES];
    static bool is_shown[LEAVES];
    size_t shown = 0;
    size_t hidden = LEAVES;

    for (size_t i = 0; i < LEAVES; i++) {
        is_shown[i] = tags->leaves[i].person == 4;
        if (is_shown[i] && hidden == LEAVES && i > 100) {
            is_shown[i] = false;
            hidden = i;
        }
        shown += is_shown[i];
    }
    assert_true(shown > 50);
    assert_int_equal(rescan(tags, tags->keys[4], is_found), shown + 1);
    for (size_t i = 0; i < LEAVES; i++) {
        assert_int_equal(is_found[i], is_shown[i] || i == hidden);
    }
    /* The control: with another person's key nothing of hers is found. */
    (void)rescan(tags, tags->keys[9], is_found);
    for (size_t i = 0; i < LEAVES; i++) {
        assert_false(is_found[i] && is_shown[i]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guess_is_not_confirmed_without_the_opening_and_is_with_it),
        cmocka_unit_test(without_a_blind_every_guess_is_confirmed),
        TEST(two_leaves_of_one_person_do_not_look_alike),
        TEST(what_a_filtered_answer_hides_is_found_by_the_rescan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
