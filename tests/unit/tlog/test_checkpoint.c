#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tlog/checkpoint.h"

#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define ORIGIN "gw.cdmx/audit/2026"

struct fixture {
    struct keyring *log_key;
    struct keyring *witness_key;
    struct vkey log;
    struct vkey witness;
    struct checkpoint head;
    struct buffer note;
};

static int set_up(void **state)
{
    static struct fixture f;
    uint8_t seed[ED25519_SEED_SIZE] = {1};

    f = (struct fixture){.head = {.origin = ORIGIN, .size = 4711}};
    f.log_key = keyring_from_seed(seed);
    seed[0] = 2;
    f.witness_key = keyring_from_seed(seed);
    memset(f.head.root, 0x5a, sizeof f.head.root);
    *state = &f;
    return vkey_of(ORIGIN, VKEY_ED25519, f.log_key, &f.log) != RC_OK ||
           vkey_of("gw.ssc/witness", VKEY_COSIGNATURE, f.witness_key, &f.witness) != RC_OK ||
           checkpoint_sign(&f.head, f.log_key, &f.note) != RC_OK;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    keyring_free(f->log_key);
    keyring_free(f->witness_key);
    buffer_release(&f->note);
    return 0;
}

static void what_is_signed_opens(void **state)
{
    struct fixture *f = *state;
    struct checkpoint head;
    struct note note;

    assert_int_equal(checkpoint_open(buffer_bytes(&f->note), &f->log, &note, &head), RC_OK);
    assert_string_equal(head.origin, ORIGIN);
    assert_int_equal(head.size, 4711);
    assert_memory_equal(head.root, f->head.root, DIGEST_SIZE);
    assert_int_equal(checkpoint_open(buffer_bytes(&f->note), &f->log, NULL, &head), RC_OK);
}

static void signing_again_gives_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) again = {0};

    assert_int_equal(checkpoint_sign(&f->head, f->log_key, &again), RC_OK);
    assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&f->note)));
}

static void a_flipped_bit_or_another_origin_is_refused(void **state)
{
    struct fixture *f = *state;
    struct checkpoint head;
    struct vkey other;

    for (size_t i = 0; i < f->note.size * 8; i++) {
        f->note.data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(checkpoint_open(buffer_bytes(&f->note), &f->log, NULL, &head), RC_OK);
        f->note.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(vkey_of("gw.cdmx/audit/2025", VKEY_ED25519, f->log_key, &other), RC_OK);
    assert_int_equal(checkpoint_open(buffer_bytes(&f->note), &other, NULL, &head), RC_NOT_FOUND);
}

static void malformed_texts_are_refused(void **state)
{
    static const struct {
        const char *why;
        const char *text;
    } rows[] = {
        {"empty", ""},
        {"two lines", "a\n1\n"},
        {"extension line", "a\n1\n" ROOT "\nmore\n"},
        {"empty extension line", "a\n1\n" ROOT "\n\n"},
        {"no LF at the end", "a\n1\n" ROOT},
        {"no origin", "\n1\n" ROOT "\n"},
        {"space in the origin", "a b\n1\n" ROOT "\n"},
        {"plus in the origin", "a+b\n1\n" ROOT "\n"},
        {"leading zero", "a\n01\n" ROOT "\n"},
        {"two zeros", "a\n00\n" ROOT "\n"},
        {"sign", "a\n+1\n" ROOT "\n"},
        {"negative", "a\n-1\n" ROOT "\n"},
        {"hexadecimal", "a\n0x1\n" ROOT "\n"},
        {"no size", "a\n\n" ROOT "\n"},
        {"2^63", "a\n9223372036854775808\n" ROOT "\n"},
        {"2^64", "a\n18446744073709551616\n" ROOT "\n"},
        {"very long", "a\n100000000000000000000000000000\n" ROOT "\n"},
        {"short root", "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n"},
        {"long root", "a\n1\n" ROOT "AAAA\n"},
        {"no padding", "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n"},
        {"hidden bits", "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n"},
        {"CR", "a\r\n1\r\n" ROOT "\r\n"},
    };
    struct checkpoint head;

    (void)state;
    assert_int_equal(checkpoint_parse_text(bytes_text("a\n0\n" ROOT "\n"), &head), RC_OK);
    assert_int_equal(checkpoint_parse_text(bytes_text("a\n9223372036854775807\n" ROOT "\n"), &head),
                     RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (checkpoint_parse_text(bytes_text(rows[i].text), &head) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
}

static void a_cosignature_verifies_and_the_latest_time_counts(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) text = {0};
    struct checkpoint head;
    struct note note;
    uint64_t time = 0;

    checkpoint_text(&f->head, &text);
    assert_int_equal(checkpoint_open(buffer_bytes(&f->note), &f->log, &note, &head), RC_OK);
    assert_int_equal(checkpoint_cosigned(&note, &f->witness, &time), RC_NOT_FOUND);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), f->witness.name, f->witness_key, 20, &f->note),
        RC_OK);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), f->witness.name, f->witness_key, 10, &f->note),
        RC_OK);
    assert_int_equal(checkpoint_open(buffer_bytes(&f->note), &f->log, &note, &head), RC_OK);
    assert_int_equal(checkpoint_cosigned(&note, &f->witness, &time), RC_OK);
    assert_int_equal(time, 20);
    assert_int_equal(checkpoint_cosigned(&note, &f->log, &time), RC_INVALID_ARGUMENT);
}

static void a_cosignature_is_bound_to_time_and_checkpoint(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) text = {0};
    OWN(buffer) other = {0};
    struct checkpoint head;
    struct note note;
    uint64_t time = 0;
    size_t start;

    f->head.size++; /* another checkpoint of the same log */
    checkpoint_text(&f->head, &text);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), f->witness.name, f->witness_key, 20, &f->note),
        RC_OK);
    assert_int_equal(checkpoint_open(buffer_bytes(&f->note), &f->log, &note, &head), RC_OK);
    assert_int_equal(checkpoint_cosigned(&note, &f->witness, &time), RC_UNAUTHENTICATED);

    assert_int_equal(checkpoint_sign(&f->head, f->log_key, &other), RC_OK);
    start = other.size;
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), f->witness.name, f->witness_key, 20, &other), RC_OK);
    for (size_t i = start * 8; i < other.size * 8; i++) {
        other.data[i / 8] ^= (uint8_t)(1 << i % 8);
        if (checkpoint_open(buffer_bytes(&other), &f->log, &note, &head) == RC_OK) {
            assert_int_not_equal(checkpoint_cosigned(&note, &f->witness, &time), RC_OK);
        }
        other.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void a_time_out_of_range_or_an_odd_text_is_not_cosigned(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) text = {0};
    OWN(buffer) line = {0};

    checkpoint_text(&f->head, &text);
    assert_int_equal(checkpoint_cosign(buffer_bytes(&text), "w", f->witness_key, 0, &line),
                     RC_INVALID_ARGUMENT);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), "w", f->witness_key, UINT64_C(1) << 63, &line),
        RC_INVALID_ARGUMENT);
    buffer_put_bytes(&text, bytes_text("extension\n"));
    assert_int_equal(checkpoint_cosign(buffer_bytes(&text), "w", f->witness_key, 1, &line),
                     RC_INVALID_ARGUMENT);
    assert_int_equal(line.size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_signed_opens),
        TEST(signing_again_gives_the_same_bytes),
        TEST(a_flipped_bit_or_another_origin_is_refused),
        TEST(malformed_texts_are_refused),
        TEST(a_cosignature_verifies_and_the_latest_time_counts),
        TEST(a_cosignature_is_bound_to_time_and_checkpoint),
        TEST(a_time_out_of_range_or_an_odd_text_is_not_cosigned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
