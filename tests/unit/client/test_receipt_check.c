#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "unit/client/small_log.h"

static const uint8_t commitment[HASH_SIZE] = {1, 2, 3};

static void a_receipt_verifies_without_the_node(void **state)
{
    OWN(small_log) log;
    struct receipt_facts facts;
    struct fault fault = {0};
    struct receipt receipt;

    (void)state;
    small_log_make(&log, commitment);
    receipt = small_log_receipt(&log);
    assert_int_equal(receipt_check(commitment, &receipt, &log.vkey, 1, &facts, &fault), RC_OK);
    assert_string_equal(facts.origin, SMALL_LOG_ORIGIN);
    assert_int_equal(facts.index, SMALL_LOG_INDEX);
    assert_int_equal(facts.tree_size, 4);
    assert_int_equal(facts.time_ms, (int64_t)1795467167 * 1000);
}

static void no_flipped_bit_goes_unseen(void **state)
{
    OWN(small_log) log;

    (void)state;
    small_log_make(&log, commitment);
    for (size_t i = 0; i < LEAF_SIZE + log.proof.size; i++) {
        uint8_t *byte = i < LEAF_SIZE ? &log.leaf[i] : &log.proof.data[i - LEAF_SIZE];
        struct receipt receipt;
        struct fault fault = {0};

        *byte ^= 0x04;
        receipt = small_log_receipt(&log);
        if (receipt_check(commitment, &receipt, &log.vkey, 1, NULL, &fault) != RC_DATA_LOSS) {
            print_error("byte %zu\n", i);
            fail();
        }
        assert_memory_equal(fault.reason, "receipt.", 8);
        assert_true(fault.remedy[0] != '\0');
        *byte ^= 0x04;
    }
}

static void another_message_is_named_as_such(void **state)
{
    uint8_t other[HASH_SIZE] = {1, 2, 4};
    OWN(small_log) log;
    struct fault fault = {0};
    struct receipt receipt;

    (void)state;
    small_log_make(&log, commitment);
    receipt = small_log_receipt(&log);
    assert_int_equal(receipt_check(other, &receipt, &log.vkey, 1, NULL, &fault), RC_DATA_LOSS);
    assert_string_equal(fault.reason, "receipt.other_message");
}

static void each_failing_check_has_its_name(void **state)
{
    OWN(small_log) log;
    OWN(small_log) moved;
    struct vkey stranger;
    uint8_t seed[ED25519_SEED_SIZE] = {8};
    OWN_PTR(keyring) keyring = keyring_from_seed(seed);
    struct receipt receipt;
    struct fault fault = {0};

    (void)state;
    small_log_make(&log, commitment);
    receipt = small_log_receipt(&log);
    assert_int_equal(receipt_check(commitment, &receipt, &log.vkey, 0, NULL, &fault), RC_DATA_LOSS);
    assert_string_equal(fault.reason, "receipt.unknown_log");

    /* Another key under the same name: a log that was swapped. */
    assert_int_equal(vkey_of(SMALL_LOG_ORIGIN, VKEY_ED25519, keyring, &stranger), RC_OK);
    fault = (struct fault){0};
    assert_int_equal(receipt_check(commitment, &receipt, &stranger, 1, NULL, &fault), RC_DATA_LOSS);
    assert_string_equal(fault.reason, "receipt.signature");

    fault = (struct fault){0};
    receipt.leaf.size = LEAF_SIZE - 1;
    assert_int_equal(receipt_check(commitment, &receipt, &log.vkey, 1, NULL, &fault), RC_DATA_LOSS);
    assert_string_equal(fault.reason, "receipt.leaf");

    fault = (struct fault){0};
    small_log_make_at(&moved, commitment, SMALL_LOG_INDEX + 1);
    receipt = small_log_receipt(&moved);
    assert_int_equal(receipt_check(commitment, &receipt, &moved.vkey, 1, NULL, &fault),
                     RC_DATA_LOSS);
    assert_string_equal(fault.reason, "receipt.index");

    fault = (struct fault){0};
    receipt.tlog_proof = bytes_text("c2sp.org/tlog-proof@v2\n");
    assert_int_equal(receipt_check(commitment, &receipt, &moved.vkey, 1, NULL, &fault),
                     RC_DATA_LOSS);
    assert_string_equal(fault.reason, "receipt.malformed");
}

static void an_unmade_receipt_is_refused(void **state)
{
    struct receipt receipt = {0};
    struct fault fault = {0};

    (void)state;
    assert_int_equal(receipt_check(commitment, &receipt, NULL, 0, NULL, &fault), RC_DATA_LOSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_verifies_without_the_node),
        cmocka_unit_test(no_flipped_bit_goes_unseen),
        cmocka_unit_test(another_message_is_named_as_such),
        cmocka_unit_test(each_failing_check_has_its_name),
        cmocka_unit_test(an_unmade_receipt_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
