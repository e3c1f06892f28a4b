#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>

#include "base/clock.h"
#include "store/logrow.h"
#include "store/pruning.h"
#include "tlog/control.h"
#include "unit/store/logstore.h"

#define LEAVES 600

/* A write that appends a record leaf, or a retention leaf for this minimum, or sweeps. */
struct step {
    struct write write; /* first */
    uint64_t minimum;
    uint64_t leaf;
    bool is_sweep;
    bool is_over;
    atomic_bool is_done;
};

static enum rc append(struct step *step, struct txn *txn)
{
    static const uint8_t zeros[COMMIT_BLIND_SIZE];
    const struct control_retention retention = {.minimum = step->minimum};
    struct leaf leaf = {.class = step->minimum > 0 ? LEAF_CONTROL : LEAF_RECORD};
    OWN(buffer) record = {0};

    if (step->minimum > 0) {
        control_retention_write(&retention, &record);
    } else {
        buffer_put(&record, "an audit record", 15);
    }
    commit_record(zeros, buffer_bytes(&record), leaf.record);
    TRY(auditlog_append(txn, &leaf, buffer_bytes(&record), zeros, &step->leaf));
    return step->minimum > 0 ? pruning_begin(txn, step->minimum, step->leaf) : RC_OK;
}

static enum rc apply(struct write *write, struct txn *txn)
{
    struct step *step = (struct step *)write;

    return step->is_sweep ? pruning_sweep(txn, &step->is_over) : append(step, txn);
}

static void done(struct write *write)
{
    commit_point_release(write->point);
    atomic_store(&((struct step *)write)->is_done, true);
}

static const struct write_ops ops = {.name = "test", .apply = apply, .done = done};

static enum rc run_step(struct logstore *store, struct step *step)
{
    step->write.ops = &ops;
    step->write.leaves = step->is_sweep ? 0 : 1;
    step->write.bytes = 1024;
    assert_int_equal(writer_submit(store->writer, &step->write), RC_OK);
    while (!atomic_load(&step->is_done)) {
        clock_sleep_ms(1);
    }
    return step->write.rc;
}

static void fill(struct logstore *store)
{
    static struct step steps[LEAVES];

    memset(steps, 0, sizeof steps);
    for (size_t i = 0; i < LEAVES; i++) {
        steps[i].write = (struct write){.ops = &ops, .leaves = 1, .bytes = 1024};
        assert_int_equal(writer_submit(store->writer, &steps[i].write), RC_OK);
    }
    for (size_t i = 0; i < LEAVES; i++) {
        while (!atomic_load(&steps[i].is_done)) {
            clock_sleep_ms(1);
        }
        assert_int_equal(steps[i].write.rc, RC_OK);
    }
}

static bool has_record(struct txn *txn, uint64_t index)
{
    struct bytes blind;
    struct bytes record;
    enum rc rc = auditlog_record(txn, index, &blind, &record);

    assert_true(rc == RC_OK || rc == RC_NOT_FOUND);
    return rc == RC_OK;
}

static void receipt(struct logstore *store, struct txn *txn, uint64_t index, struct buffer *text)
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();

    assert_int_equal(auditlog_receipt(reader, txn, store->keyring, index, text), RC_OK);
}

static void records_go_and_receipts_stay(void **state)
{
    struct step retention = {.minimum = 512};
    struct step sweep = {.is_sweep = true};
    struct logstore store;
    struct pruning pruning;
    OWN(buffer) before = {0};
    OWN(buffer) after = {0};
    OWN(buffer) proof = {0};

    (void)state;
    logstore_make(&store);
    logstore_open(&store);
    fill(&store);
    {
        OWN_READ(txn) = NULL;

        assert_int_equal(txn_read(store.db, &txn), RC_OK);
        receipt(&store, txn, 7, &before);
        assert_true(has_record(txn, 7));
        assert_int_equal(pruning_proven(txn, &pruning), RC_OK);
        assert_int_equal(pruning.minimum, 0);
    }
    assert_int_equal(run_step(&store, &retention), RC_OK);
    while (!sweep.is_over) {
        atomic_store(&sweep.is_done, false);
        assert_int_equal(run_step(&store, &sweep), RC_OK);
    }
    {
        OWN_READ(txn) = NULL;

        assert_int_equal(txn_read(store.db, &txn), RC_OK);
        for (uint64_t index = 0; index < LEAVES; index++) {
            assert_int_equal(has_record(txn, index), index >= 512);
        }
        assert_true(has_record(txn, retention.leaf));
        receipt(&store, txn, 7, &after);
        assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
        assert_int_equal(pruning_proven(txn, &pruning), RC_OK);
        assert_int_equal(pruning.minimum, 512);
        assert_int_equal(pruning.swept, 512);
    }
    logstore_close(&store);
    logstore_remove(&store);
}

static void it_never_goes_back(void **state)
{
    struct logstore store;
    struct txn *txn = NULL;

    (void)state;
    logstore_make(&store);
    logstore_open(&store);
    fill(&store);
    assert_int_equal(txn_write(store.db, &txn), RC_OK);
    assert_int_equal(pruning_begin(txn, 512, 599), RC_OK);
    assert_int_equal(pruning_begin(txn, 256, 599), RC_FAILED_PRECONDITION);
    assert_int_equal(pruning_begin(txn, 512, 599), RC_FAILED_PRECONDITION);
    txn_abort(txn);
    logstore_close(&store);
    logstore_remove(&store);
}

static void a_fact_that_no_leaf_says_is_damage(void **state)
{
    uint8_t row[24] = {0};
    struct logstore store;
    struct pruning pruning;
    struct txn *write = NULL;

    (void)state;
    logstore_make(&store);
    logstore_open(&store);
    fill(&store);
    put_u64(row, 512);
    put_u64(row + 8, 599); /* a record leaf */
    assert_int_equal(txn_write(store.db, &write), RC_OK);
    assert_int_equal(table_put(write, TABLE_FORMAT, bytes_text("pruning"), BYTES_OF(row)), RC_OK);
    assert_int_equal(txn_commit(write), RC_OK);
    {
        OWN_READ(txn) = NULL;

        assert_int_equal(txn_read(store.db, &txn), RC_OK);
        assert_int_equal(pruning_get(txn, &pruning), RC_OK);
        assert_int_equal(pruning_proven(txn, &pruning), RC_DATA_LOSS);
    }
    logstore_close(&store);
    logstore_remove(&store);
}

/* What a follower is given of a commit that it holds. */
static void only_records_may_be_lost(void **state)
{
    struct logstore store;
    struct logrow row;
    struct logrow other;
    OWN(buffer) copy = {0};

    (void)state;
    logstore_make(&store);
    logstore_open(&store);
    fill(&store);
    {
        OWN_READ(txn) = NULL;
        uint8_t key[9] = {0};
        size_t size;

        assert_int_equal(txn_read(store.db, &txn), RC_OK);
        assert_int_equal(logrow_of_leaf(txn, 3, &row), RC_OK);
        size = (size_t)(row.records.data + row.records.size - (row.root - 4));
        put_u64(key, row.size);
        buffer_put(&copy, row.root - 4, size);
        assert_int_equal(logrow_read(BYTES_OF(key), buffer_bytes(&copy), &other), RC_OK);
        assert_true(logrow_is_pruned(&row, &other));
        copy.data[size - 1] ^= 1; /* a record changed, not lost */
        assert_false(logrow_is_pruned(&row, &other));
        copy.data[size - 1] ^= 1;
        copy.data[4 + DIGEST_SIZE + 2 + row.note_before.size + 30] ^= 1; /* a leaf changed */
        assert_false(logrow_is_pruned(&row, &other));
    }
    logstore_close(&store);
    logstore_remove(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_go_and_receipts_stay),
        cmocka_unit_test(it_never_goes_back),
        cmocka_unit_test(a_fact_that_no_leaf_says_is_damage),
        cmocka_unit_test(only_records_may_be_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
