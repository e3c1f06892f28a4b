#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/checkpoint.h"
#include "tlog/policy.h"

#define ORIGIN "gw.cdmx/audit/2026"
#define WITNESSES 6
#define NOW 1795467167

/* Six witnesses; the first is of the log's own institution. */
static const char *const houses[WITNESSES] = {"gw.cdmx", "gw.ssc",   "gw.mpi",
                                              "gw.fgj",  "gw.segob", "gw.sedesa"};

struct fixture {
    struct keyring *log_key;
    struct keyring *keys[WITNESSES];
    char log[VKEY_TEXT_SIZE];
    char witnesses[WITNESSES][VKEY_TEXT_SIZE];
    struct buffer text;
    struct buffer note;
    struct note parsed;
    struct policy policy;
    struct policy_verdict verdict;
    struct policy_rules rules;
};

static void name_of(unsigned i, char out[64])
{
    snprintf(out, 64, "%s/witness", houses[i]);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    uint8_t seed[ED25519_SEED_SIZE] = {100};
    struct vkey vkey;
    char name[64];

    f->log_key = keyring_from_seed(seed);
    assert_int_equal(vkey_of(ORIGIN, VKEY_ED25519, f->log_key, &vkey), RC_OK);
    vkey_format(&vkey, f->log);
    for (unsigned i = 0; i < WITNESSES; i++) {
        seed[0] = (uint8_t)(i + 1);
        f->keys[i] = keyring_from_seed(seed);
        name_of(i, name);
        assert_int_equal(vkey_of(name, VKEY_COSIGNATURE, f->keys[i], &vkey), RC_OK);
        vkey_format(&vkey, f->witnesses[i]);
    }
    f->rules = (struct policy_rules){.now_s = NOW, .ahead_max_s = 60};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    keyring_free(f->log_key);
    for (unsigned i = 0; i < WITNESSES; i++) {
        keyring_free(f->keys[i]);
    }
    buffer_release(&f->text);
    buffer_release(&f->note);
    free(f);
    return 0;
}

/* $L is the log's key, $0 to $5 those of the witnesses. */
static struct bytes expand(struct fixture *f, const char *pattern)
{
    buffer_clear(&f->text);
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at != '$') {
            buffer_put_u8(&f->text, (uint8_t)*at);
        } else if (*++at == 'L') {
            buffer_put_bytes(&f->text, bytes_text(f->log));
        } else {
            buffer_put_bytes(&f->text, bytes_text(f->witnesses[*at - '0']));
        }
    }
    return buffer_bytes(&f->text);
}

static void parse(struct fixture *f, const char *pattern)
{
    struct policy_flaw flaw;

    if (policy_parse(expand(f, pattern), &f->policy, &flaw) != RC_OK) {
        fail_msg("%s: line %zu: %s", pattern, flaw.line, flaw.reason);
    }
}

/* A note of the log with cosignatures by these witnesses ("124"), all at that time. */
static void cosigned_at(struct fixture *f, const char *by, uint64_t time_s)
{
    struct checkpoint head = {.origin = ORIGIN, .size = 7};
    OWN(buffer) text = {0};
    char name[64];

    buffer_clear(&f->note);
    checkpoint_text(&head, &text);
    assert_int_equal(checkpoint_sign(&head, f->log_key, &f->note), RC_OK);
    for (; *by != '\0'; by++) {
        unsigned i = (unsigned)(*by - '0');

        name_of(i, name);
        assert_int_equal(checkpoint_cosign(buffer_bytes(&text), name, f->keys[i], time_s, &f->note),
                         RC_OK);
    }
    assert_int_equal(note_parse(buffer_bytes(&f->note), &f->parsed), RC_OK);
}

static bool is_met_by(struct fixture *f, const char *by)
{
    cosigned_at(f, by, NOW - 10);
    policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
    return f->verdict.is_met;
}

#define SIX                                                                                        \
    "log $L\nwitness a $0\nwitness b $1\nwitness c $2\nwitness d $3\nwitness e $4\nwitness f $5\n"

static void a_policy_is_written_as_it_is_read(void **state)
{
    struct fixture *f = *state;
    struct policy *again = calloc(1, sizeof *again);
    OWN(buffer) written = {0};
    OWN(buffer) twice = {0};

    parse(f, "# demonstration\n\n \t log   $L https://gw.cdmx/\n"
             "witness a $0\nwitness b $1 \thttps://w.example/ \nwitness c $2\n"
             "group inner any b c\ngroup outer all inner a\n  quorum outer\n# end\n");
    assert_int_equal(f->policy.log_count, 1);
    assert_string_equal(f->policy.logs[0].url, "https://gw.cdmx/");
    assert_string_equal(f->policy.witnesses[1].url, "https://w.example/");
    assert_int_equal(f->policy.groups[0].least, 1);
    assert_int_equal(f->policy.groups[1].least, 2);
    policy_write(&f->policy, &written);
    assert_int_equal(policy_parse(buffer_bytes(&written), again, NULL), RC_OK);
    policy_write(again, &twice);
    assert_true(bytes_equal(buffer_bytes(&written), buffer_bytes(&twice)));
    assert_non_null(policy_log_of(again, bytes_text(ORIGIN)));
    assert_null(policy_log_of(again, bytes_text("gw.ssc/audit/2026")));
    free(again);
}

static void what_is_no_policy_is_refused(void **state)
{
    static const struct {
        const char *why;
        const char *text;
        size_t line;
    } rows[] = {
        {"empty", "", 0},
        {"no quorum", "log $L\n", 0},
        {"two quorums", "quorum none\nquorum none\n", 2},
        {"quorum without a name", "quorum\n", 1},
        {"quorum of two", "witness b $1\nwitness c $2\nquorum b c\n", 3},
        {"quorum of an unknown name", "quorum x\n", 1},
        {"quorum before its definition", "quorum b\nwitness b $1\n", 1},
        {"an unknown word", "log $L\nwitnes b $1\nquorum none\n", 2},
        {"capitals", "Quorum none\n", 1},
        {"the last line does not end", "quorum none", 1},
        {"CR", "quorum none\r\n", 0},
        {"a control character in a comment", "# \x01\nquorum none\n", 0},
        {"DEL", "# \x7f\nquorum none\n", 0},
        {"a log without a key", "log\nquorum none\n", 1},
        {"a log with a witness's key", "log $1\nquorum none\n", 1},
        {"a witness with a log's key", "witness b $L\nquorum b\n", 1},
        {"a witness without a key", "witness b\nquorum b\n", 1},
        {"a witness without a name", "witness $1\nquorum none\n", 1},
        {"a witness named none", "witness none $1\nquorum none\n", 1},
        {"three words after the key", "log $L a b\nquorum none\n", 1},
        {"a key that is not its id's", "log gw.x/audit+00000000+AQ==\nquorum none\n", 1},
        {"the same log twice", "log $L\nlog $L\nquorum none\n", 2},
        {"the same witness under two names", "witness b $1\nwitness c $1\nquorum b\n", 2},
        {"a name twice", "witness b $1\nwitness b $2\nquorum b\n", 2},
        {"a group with a witness's name", "witness b $1\ngroup b any b\nquorum b\n", 2},
        {"a group named none", "witness b $1\ngroup none any b\nquorum none\n", 2},
        {"a group of nobody", "group g any\nquorum g\n", 1},
        {"a group without a number", "witness b $1\ngroup g\nquorum b\n", 2},
        {"a member before its definition", "group g any b\nwitness b $1\nquorum g\n", 1},
        {"a group within itself", "group g any g\nquorum g\n", 1},
        {"the member none", "group g any none\nquorum g\n", 1},
        {"a member listed twice", "witness b $1\ngroup g any b b\nquorum g\n", 2},
        {"a member of two groups", "witness b $1\ngroup g any b\ngroup h any b\nquorum g\n", 3},
        {"zero of one", "witness b $1\ngroup g 0 b\nquorum g\n", 2},
        {"two of one", "witness b $1\ngroup g 2 b\nquorum g\n", 2},
        {"a leading zero", "witness b $1\ngroup g 01 b\nquorum g\n", 2},
        {"a negative number", "witness b $1\ngroup g -1 b\nquorum g\n", 2},
        {"the number 2^64", "witness b $1\ngroup g 18446744073709551617 b\nquorum g\n", 2},
        {"'some'", "witness b $1\ngroup g some b\nquorum g\n", 2},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct policy_flaw flaw;

        if (policy_parse(expand(f, rows[i].text), &f->policy, &flaw) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
        if (flaw.line != rows[i].line || flaw.reason == NULL) {
            fail_msg("%s: said to be in line %zu", rows[i].why, flaw.line);
        }
    }
}

static void as_many_as_the_bounds_say_and_no_more(void **state)
{
    struct fixture *f = *state;

    for (unsigned more = 0; more < 2; more++) {
        buffer_clear(&f->text);
        for (unsigned i = 0; i < POLICY_WITNESSES_MAX + more; i++) {
            uint8_t seed[ED25519_SEED_SIZE] = {(uint8_t)i, 9};
            OWN_PTR(keyring) key = keyring_from_seed(seed);
            char text[VKEY_TEXT_SIZE];
            struct vkey vkey;

            assert_int_equal(vkey_of("w", VKEY_COSIGNATURE, key, &vkey), RC_OK);
            vkey_format(&vkey, text);
            buffer_print(&f->text, "witness w%u %s\n", i, text);
        }
        for (unsigned i = 0; i < POLICY_GROUPS_MAX; i++) {
            buffer_print(&f->text, "group g%u all w%u\n", i, i);
        }
        buffer_put_bytes(&f->text, bytes_text("quorum g0\n"));
        assert_int_equal(policy_parse(buffer_bytes(&f->text), &f->policy, NULL),
                         more == 0 ? RC_OK : RC_INVALID_ARGUMENT);
    }
    assert_true(POLICY_LOGS_MAX >= 32 && POLICY_WITNESSES_MAX >= 32 && POLICY_GROUPS_MAX >= 32);
}

static void k_of_n_foreign_witnesses_make_the_quorum(void **state)
{
    struct fixture *f = *state;

    parse(f, SIX "group g 4 b c d e f\nquorum g\n");
    assert_false(is_met_by(f, ""));
    assert_false(is_met_by(f, "123"));
    assert_true(is_met_by(f, "1234"));
    assert_int_equal(f->verdict.counted, 4);
    assert_int_equal(f->verdict.foreign, 5);
    assert_true(is_met_by(f, "12345"));
    assert_false(is_met_by(f, "1112")); /* thrice the same is one */
    parse(f, SIX "group g any b c\ngroup h all g d\nquorum h\n");
    assert_false(is_met_by(f, "12"));
    assert_true(is_met_by(f, "23"));
    parse(f, SIX "quorum c\n");
    assert_false(is_met_by(f, "13"));
    assert_true(is_met_by(f, "2"));
    parse(f, SIX "quorum none\n");
    assert_true(is_met_by(f, ""));
    assert_false(f->verdict.is_required);
}

static void an_own_witness_never_counts(void **state)
{
    struct fixture *f = *state;
    const char *const by_name[] = {"f"};
    const char *const by_key[] = {"gw.sedesa/witness"};

    parse(f, SIX "group g 4 a b c d e f\nquorum g\n");
    assert_false(is_met_by(f, "0123"));
    assert_int_equal(f->verdict.states[0], POLICY_OWN);
    assert_int_equal(f->verdict.counted, 3);
    assert_true(is_met_by(f, "1235"));
    f->rules.own = by_name;
    f->rules.own_count = 1;
    assert_false(is_met_by(f, "1235"));
    f->rules.own = by_key;
    assert_false(is_met_by(f, "1235"));
    assert_int_equal(f->verdict.foreign, 4);
}

static void a_cosignature_counts_while_it_is_fresh(void **state)
{
    struct fixture *f = *state;

    parse(f, SIX "quorum b\n");
    f->rules.age_max_s = 100;
    cosigned_at(f, "1", NOW - 100);
    policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
    assert_true(f->verdict.is_met);
    cosigned_at(f, "1", NOW - 101);
    policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
    assert_int_equal(f->verdict.states[1], POLICY_STALE);
    assert_false(f->verdict.is_met);
    cosigned_at(f, "1", NOW + 60);
    policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
    assert_true(f->verdict.is_met);
    cosigned_at(f, "1", NOW + 61);
    policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
    assert_int_equal(f->verdict.states[1], POLICY_AHEAD);
    assert_false(f->verdict.is_met);
    f->rules.now_s = 0;
    policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
    assert_true(f->verdict.is_met);
}

/* Each bit of the cosignature's line: either the note no longer parses or nothing counts. */
static void a_flipped_bit_in_a_cosignature_meets_nothing(void **state)
{
    struct fixture *f = *state;
    size_t start;

    parse(f, SIX "quorum b\n");
    cosigned_at(f, "", NOW);
    start = f->note.size;
    cosigned_at(f, "1", NOW);
    for (size_t i = start * 8; i < f->note.size * 8; i++) {
        f->note.data[i / 8] ^= (uint8_t)(1 << i % 8);
        if (note_parse(buffer_bytes(&f->note), &f->parsed) == RC_OK) {
            policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
            assert_false(f->verdict.is_met);
        }
        f->note.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void a_bad_line_of_a_known_witness_spoils_the_note(void **state)
{
    struct fixture *f = *state;
    struct checkpoint other = {.origin = ORIGIN, .size = 8};
    OWN(buffer) text = {0};

    parse(f, SIX "quorum b\n");
    cosigned_at(f, "1", NOW);
    checkpoint_text(&other, &text);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), "gw.mpi/witness", f->keys[2], NOW, &f->note), RC_OK);
    assert_int_equal(note_parse(buffer_bytes(&f->note), &f->parsed), RC_OK);
    policy_judge(&f->policy, &f->parsed, &f->rules, &f->verdict);
    assert_int_equal(f->verdict.states[1], POLICY_COUNTED);
    assert_int_equal(f->verdict.states[2], POLICY_BAD);
    assert_true(f->verdict.is_spoiled);
    assert_false(f->verdict.is_met);
}

static void the_least_quorum_is_more_than_two_thirds(void **state)
{
    static const size_t least[] = {0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7};

    (void)state;
    for (size_t n = 0; n < sizeof least / sizeof least[0]; n++) {
        assert_int_equal(policy_least(n), least[n]);
    }
    assert_true(policy_is_same_house("gw.ssc/witness", "gw.ssc/audit/2026"));
    assert_false(policy_is_same_house("gw.ssc/witness", "gw.ss/audit/2026"));
    assert_false(policy_is_same_house("gw.ssc.x/witness", "gw.ssc/audit/2026"));
    assert_false(policy_is_same_house("/witness", "/audit"));
}

static void a_quorum_that_liars_could_fill_twice_is_told(void **state)
{
    struct fixture *f = *state;

    parse(f, SIX "group g 4 a b c d e f\nquorum g\n");
    assert_true(policy_is_safe(&f->policy, ORIGIN));
    assert_false(policy_is_safe(&f->policy, "gw.other/audit")); /* six foreign: 5 */
    parse(f, SIX "group g 3 a b c d e f\nquorum g\n");
    assert_false(policy_is_safe(&f->policy, ORIGIN));
    parse(f, SIX "group g any b c\ngroup h all g d\nquorum h\n");
    assert_true(policy_is_safe(&f->policy, ORIGIN));
    parse(f, SIX "quorum none\n");
    assert_true(policy_is_safe(&f->policy, ORIGIN));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_policy_is_written_as_it_is_read),
        TEST(what_is_no_policy_is_refused),
        TEST(as_many_as_the_bounds_say_and_no_more),
        TEST(k_of_n_foreign_witnesses_make_the_quorum),
        TEST(an_own_witness_never_counts),
        TEST(a_cosignature_counts_while_it_is_fresh),
        TEST(a_flipped_bit_in_a_cosignature_meets_nothing),
        TEST(a_bad_line_of_a_known_witness_spoils_the_note),
        TEST(a_quorum_that_liars_could_fill_twice_is_told),
        TEST(the_least_quorum_is_more_than_two_thirds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
