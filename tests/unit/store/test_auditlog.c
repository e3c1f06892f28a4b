#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/dbkey.h"
#include "store/logrow.h"
#include "tlog/merkle.h"
#include "unit/store/logstore.h"

/* Commits of odd sizes: rows are continued, begun and filled in all the ways there are. */
static const unsigned commits[] = {1, 2, 5, 7, 1, 16, 33, 15, 200, 1, 230, 3};
#define COMMITS (sizeof commits / sizeof commits[0])
#define LEAVES 514

static int make(void **state)
{
    static struct logstore store;
    uint64_t number = 0;

    logstore_make(&store);
    logstore_open(&store);
    for (size_t i = 0; i < COMMITS; i++) {
        grow(&store, number, commits[i]);
        number += commits[i];
    }
    *state = &store;
    return number == LEAVES ? 0 : -1;
}

static int clean(void **state)
{
    logstore_remove(*state);
    return 0;
}

static void hashes_of(struct txn *txn, uint8_t hashes[LEAVES][DIGEST_SIZE])
{
    for (uint64_t i = 0; i < LEAVES; i++) {
        struct bytes leaf;

        assert_int_equal(auditlog_leaf(txn, i, &leaf), RC_OK);
        merkle_leaf(leaf, hashes[i]);
    }
}

/* RFC 9162 §2.1.1 by the letter. */
static void naive_root(const uint8_t (*hashes)[DIGEST_SIZE], size_t count, uint8_t out[DIGEST_SIZE])
{
    uint8_t left[DIGEST_SIZE];
    uint8_t right[DIGEST_SIZE];
    size_t split = 1;

    if (count == 0) {
        merkle_empty(out);
        return;
    }
    if (count == 1) {
        memcpy(out, hashes[0], DIGEST_SIZE);
        return;
    }
    while (split * 2 < count) {
        split *= 2;
    }
    naive_root(hashes, split, left);
    naive_root(hashes + split, count - split, right);
    merkle_node(left, right, out);
}

static void leaves_and_records_are_those_that_were_appended(void **state)
{
    struct logstore *store = *state;
    OWN_READ(txn) = NULL;
    struct bytes bytes;
    struct bytes blind;
    struct bytes record;
    uint64_t size;
    uint64_t time_s = 0;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(auditlog_size(txn, &size), RC_OK);
    assert_int_equal(size, LEAVES);
    for (uint64_t i = 0; i < LEAVES; i++) {
        struct leaf leaf;
        char text[32];

        assert_int_equal(auditlog_leaf(txn, i, &bytes), RC_OK);
        assert_int_equal(leaf_decode(bytes, &leaf), RC_OK);
        assert_int_equal(leaf.index, i);
        assert_int_equal(get_u64(leaf.message), i);
        assert_true(leaf.time_s >= time_s);
        time_s = leaf.time_s;
        assert_int_equal(auditlog_record(txn, i, &blind, &record), RC_OK);
        assert_int_equal(blind.size, COMMIT_BLIND_SIZE);
        assert_int_equal(blind.data[0], 0x42);
        snprintf(text, sizeof text, "record %llu", (unsigned long long)i);
        assert_true(bytes_are_text(record, text));
    }
    assert_true(time_s > 1700000000);
    assert_int_equal(auditlog_leaf(txn, LEAVES, &bytes), RC_NOT_FOUND);
    assert_int_equal(auditlog_record(txn, LEAVES, &blind, &record), RC_NOT_FOUND);
}

static enum rc append_bare(struct deed *deed, struct txn *txn)
{
    struct leaf leaf;

    leaf_of(1, &leaf);
    leaf.class = LEAF_CONTROL;
    memset(leaf.message, 0, sizeof leaf.message);
    return auditlog_append(txn, &leaf, (struct bytes){0}, NULL, &deed->index);
}

static void a_leaf_may_have_no_record(void **state)
{
    struct logstore *store = *state;
    OWN_READ(txn) = NULL;
    struct bytes bytes;
    struct bytes blind;

    assert_int_equal(run(store, append_bare, 1), RC_OK);
    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(auditlog_leaf(txn, LEAVES, &bytes), RC_OK);
    assert_int_equal(auditlog_record(txn, LEAVES, &blind, &bytes), RC_NOT_FOUND);
}

static void every_leaf_is_proven_in_every_size(void **state)
{
    struct logstore *store = *state;
    static uint8_t hashes[LEAVES][DIGEST_SIZE];
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    hashes_of(txn, hashes);
    for (uint64_t size = 1; size <= LEAVES; size += size < 70 ? 1 : 37) {
        uint8_t root[DIGEST_SIZE];
        uint8_t expected[DIGEST_SIZE];

        naive_root((const uint8_t(*)[DIGEST_SIZE])hashes, size, expected);
        assert_int_equal(auditlog_root(reader, txn, size, root), RC_OK);
        assert_memory_equal(root, expected, DIGEST_SIZE);
        for (uint64_t index = 0; index < size; index++) {
            struct proof proof;

            assert_int_equal(auditlog_inclusion(reader, txn, index, size, &proof), RC_OK);
            assert_int_equal(proof_check_inclusion(hashes[index], index, size, &proof, root),
                             RC_OK);
            root[index % DIGEST_SIZE] ^= 1;
            assert_int_equal(proof_check_inclusion(hashes[index], index, size, &proof, root),
                             RC_DATA_LOSS);
            root[index % DIGEST_SIZE] ^= 1;
        }
    }
}

static void every_size_is_proven_to_extend_those_before(void **state)
{
    struct logstore *store = *state;
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    for (uint64_t new_size = 0; new_size <= LEAVES; new_size += new_size < 40 ? 1 : 79) {
        uint8_t new_root[DIGEST_SIZE];

        assert_int_equal(auditlog_root(reader, txn, new_size, new_root), RC_OK);
        for (uint64_t old_size = 0; old_size <= new_size; old_size += old_size < 20 ? 1 : 7) {
            uint8_t old_root[DIGEST_SIZE];
            struct proof proof;

            assert_int_equal(auditlog_root(reader, txn, old_size, old_root), RC_OK);
            assert_int_equal(auditlog_consistency(reader, txn, old_size, new_size, &proof), RC_OK);
            assert_int_equal(
                proof_check_consistency(old_size, old_root, new_size, new_root, &proof), RC_OK);
        }
    }
}

static void what_is_not_in_the_log_is_not_proven(void **state)
{
    struct logstore *store = *state;
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;
    OWN(buffer) text = {0};
    struct proof proof;
    uint8_t root[DIGEST_SIZE];
    const struct {
        uint64_t index;
        uint64_t size;
    } wrong[] = {{LEAVES, LEAVES}, {5, 5},          {0, 0},
                 {0, LEAVES + 1},  {0, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}};

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(auditlog_inclusion(reader, txn, wrong[i].index, wrong[i].size, &proof),
                         RC_OUT_OF_RANGE);
    }
    assert_int_equal(auditlog_consistency(reader, txn, 3, LEAVES + 1, &proof), RC_OUT_OF_RANGE);
    assert_int_equal(auditlog_consistency(reader, txn, 4, 3, &proof), RC_OUT_OF_RANGE);
    assert_int_equal(auditlog_root(reader, txn, LEAVES + 1, root), RC_OUT_OF_RANGE);
    assert_int_equal(auditlog_receipt(reader, txn, store->keyring, LEAVES, &text), RC_NOT_FOUND);
    assert_int_equal(auditlog_receipt(reader, txn, store->keyring, UINT64_MAX, &text),
                     RC_NOT_FOUND);
}

static void only_commits_have_checkpoints(void **state)
{
    struct logstore *store = *state;
    OWN_READ(txn) = NULL;
    uint64_t size = 0;
    uint64_t next = 0;
    size_t commit = 0;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    for (uint64_t at = 0; at <= LEAVES + 1; at++) {
        OWN(buffer) note = {0};
        bool is_commit = commit < COMMITS && at == next + commits[commit];
        enum rc rc = auditlog_checkpoint(txn, store->keyring, at, &note);

        assert_int_equal(rc, is_commit ? RC_OK : RC_NOT_FOUND);
        if (is_commit) {
            struct checkpoint checkpoint;

            assert_int_equal(checkpoint_open(buffer_bytes(&note), &store->vkey, NULL, &checkpoint),
                             RC_OK);
            assert_int_equal(checkpoint.size, at);
            for (uint64_t i = next; i < at; i++) {
                assert_int_equal(auditlog_commit_size(txn, i, &size), RC_OK);
                assert_int_equal(size, at);
            }
            next += commits[commit++];
        }
    }
    assert_int_equal(auditlog_commit_size(txn, LEAVES, &size), RC_NOT_FOUND);
}

static void receipts_verify_and_never_change(void **state)
{
    struct logstore *store = *state;
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    static struct buffer first[LEAVES];

    for (int round = 0; round < 3; round++) {
        OWN_READ(txn) = NULL;

        assert_int_equal(txn_read(store->db, &txn), RC_OK);
        for (uint64_t i = 0; i < LEAVES; i++) {
            OWN(buffer) text = {0};
            struct bytes leaf;
            struct checkpoint checkpoint;
            uint64_t index;

            assert_int_equal(auditlog_leaf(txn, i, &leaf), RC_OK);
            assert_int_equal(auditlog_receipt(reader, txn, store->keyring, i, &text), RC_OK);
            assert_int_equal(tlog_proof_verify(buffer_bytes(&text), leaf, &store->vkey, &index,
                                               &checkpoint, NULL),
                             RC_OK);
            assert_int_equal(index, i);
            if (round == 0) {
                buffer_put_bytes(&first[i], buffer_bytes(&text));
            }
            assert_true(bytes_equal(buffer_bytes(&text), buffer_bytes(&first[i])));
        }
        txn_end(txn);
        txn = NULL;
        grow(store, 1000, 5); /* after the first round the last note is stored, too */
        if (round == 1) {
            logstore_close(store);
            logstore_open(store);
        }
    }
    for (uint64_t i = 0; i < LEAVES; i++) {
        buffer_release(&first[i]);
    }
}

/* The memo holds partial rows of the smaller tree. */
static void a_reader_outlives_growth(void **state)
{
    struct logstore *store = *state;
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();

    for (uint64_t round = 0; round < 40; round++) {
        OWN_READ(txn) = NULL;
        uint64_t size;

        assert_int_equal(txn_read(store->db, &txn), RC_OK);
        assert_int_equal(auditlog_size(txn, &size), RC_OK);
        for (uint64_t index = size - 20; index < size; index++) {
            uint8_t root[DIGEST_SIZE];
            uint8_t hash[DIGEST_SIZE];
            struct bytes leaf;
            struct proof proof;

            assert_int_equal(auditlog_leaf(txn, index, &leaf), RC_OK);
            merkle_leaf(leaf, hash);
            assert_int_equal(auditlog_root(reader, txn, size, root), RC_OK);
            assert_int_equal(auditlog_inclusion(reader, txn, index, size, &proof), RC_OK);
            assert_int_equal(proof_check_inclusion(hash, index, size, &proof, root), RC_OK);
        }
        txn_end(txn);
        txn = NULL;
        grow(store, 2000 + round, 1 + round % 5);
    }
}

static void put_row(struct logstore *store, uint64_t size, struct bytes row)
{
    struct txn *txn;
    struct dbkey key;

    dbkey_u64(&key, size);
    dbkey_put_u8(&key, LOGROW_LOG);
    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    assert_int_equal(row.size > 0 ? table_put(txn, TABLE_COMMIT, dbkey_bytes(&key), row)
                                  : table_delete(txn, TABLE_COMMIT, dbkey_bytes(&key)),
                     RC_OK);
    assert_int_equal(txn_commit(txn), RC_OK);
}

static enum rc prove(struct logstore *store, uint64_t index)
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(read) = NULL;
    struct proof proof;

    assert_int_equal(txn_read(store->db, &read), RC_OK);
    return auditlog_inclusion(reader, read, index, LEAVES, &proof);
}

/* The commit of size 32 brought the leaves 16 to 31. */
static void a_missing_or_short_row_is_data_loss(void **state)
{
    struct logstore *store = *state;
    OWN(buffer) copy = {0};
    struct dbkey key;
    struct bytes row;
    struct bytes found;
    size_t size;

    {
        OWN_READ(read) = NULL;

        dbkey_u64(&key, 32);
        dbkey_put_u8(&key, LOGROW_LOG);
        assert_int_equal(txn_read(store->db, &read), RC_OK);
        assert_int_equal(table_get(read, TABLE_COMMIT, dbkey_bytes(&key), &row), RC_OK);
        buffer_put_bytes(&copy, row);
    }
    put_row(store, 32, (struct bytes){0});
    assert_int_equal(prove(store, 17), RC_DATA_LOSS);
    assert_int_equal(prove(store, 40), RC_DATA_LOSS); /* nodes above them are gone, too */
    /* Whatever is cut off: nothing is read past the end. */
    for (size = 1; size < copy.size; size += size < 400 ? 1 : 97) {
        OWN_READ(read) = NULL;

        put_row(store, 32, BYTES(copy.data, size));
        assert_int_equal(txn_read(store->db, &read), RC_OK);
        (void)!auditlog_record(read, 31, &row, &found);
        assert_true(size > 4 + DIGEST_SIZE + 16 * (LEAF_SIZE + DIGEST_SIZE) ||
                    auditlog_leaf(read, 31, &found) == RC_DATA_LOSS);
    }
    for (size_t at = 0; at < 4; at++) { /* another count */
        copy.data[at] ^= 0x40;
        put_row(store, 32, buffer_bytes(&copy));
        assert_int_equal(prove(store, 17), RC_DATA_LOSS);
        copy.data[at] ^= 0x40;
    }
    put_row(store, 32, buffer_bytes(&copy));
    assert_int_equal(prove(store, 17), RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leaves_and_records_are_those_that_were_appended),
        TEST(a_leaf_may_have_no_record),
        TEST(every_leaf_is_proven_in_every_size),
        TEST(every_size_is_proven_to_extend_those_before),
        TEST(what_is_not_in_the_log_is_not_proven),
        TEST(only_commits_have_checkpoints),
        TEST(receipts_verify_and_never_change),
        TEST(a_reader_outlives_growth),
        TEST(a_missing_or_short_row_is_data_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
