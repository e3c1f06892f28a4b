#include "store/pruning.h"

#include <assert.h>

#include "store/auditlog.h"
#include "store/logrow.h"
#include "store/table.h"
#include "tlog/control.h"

/* Of one write. */
#define SWEEP_COMMITS 64
#define SWEEP_BYTES ((size_t)4 << 20)
#define ROW_SIZE 24

static const char name[] = "pruning";

enum rc pruning_get(struct txn *txn, struct pruning *pruning)
{
    struct reader reader = {0};
    enum rc rc = table_get(txn, TABLE_FORMAT, bytes_text(name), &reader.rest);

    *pruning = (struct pruning){0};
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    pruning->minimum = reader_u64(&reader);
    pruning->leaf = reader_u64(&reader);
    pruning->swept = reader_u64(&reader);
    return reader_is_done(&reader) && pruning->swept <= pruning->minimum
               ? RC_OK
               : failed(RC_DATA_LOSS, "log.pruning", "cause=damaged");
}

static enum rc put(struct txn *txn, const struct pruning *pruning)
{
    uint8_t row[ROW_SIZE];

    put_u64(row, pruning->minimum);
    put_u64(row + 8, pruning->leaf);
    put_u64(row + 16, pruning->swept);
    return table_put(txn, TABLE_FORMAT, bytes_text(name), BYTES_OF(row));
}

enum rc pruning_proven(struct txn *txn, struct pruning *pruning)
{
    struct control_retention said;
    struct bytes record;
    struct logrow row;
    struct leaf leaf;
    enum rc rc;

    TRY(pruning_get(txn, pruning));
    if (pruning->minimum == 0) {
        return RC_OK;
    }
    rc = logrow_of_leaf(txn, pruning->leaf, &row);
    if (rc == RC_OK) {
        rc = logrow_record(&row, pruning->leaf, &record);
    }
    if (rc == RC_OK) {
        rc = leaf_decode(BYTES(logrow_leaf(&row, pruning->leaf), LEAF_SIZE), &leaf);
    }
    return rc == RC_OK && control_retention_read(&leaf, record, &said) == RC_OK &&
                   said.minimum == pruning->minimum
               ? RC_OK
               : failed(RC_DATA_LOSS, "log.pruning",
                        "minimum=%llu leaf=%llu cause=that leaf does not say so",
                        (unsigned long long)pruning->minimum, (unsigned long long)pruning->leaf);
}

enum rc pruning_begin(struct txn *txn, uint64_t minimum, uint64_t leaf)
{
    struct pruning pruning;

    TRY(pruning_get(txn, &pruning));
    if (minimum <= pruning.minimum) {
        return RC_FAILED_PRECONDITION;
    }
    assert(minimum <= leaf);
    pruning.minimum = minimum;
    pruning.leaf = leaf;
    return put(txn, &pruning);
}

enum rc pruning_sweep(struct txn *txn, bool *is_over)
{
    struct pruning pruning;
    size_t written = 0;

    TRY(pruning_get(txn, &pruning));
    for (size_t i = 0;
         i < SWEEP_COMMITS && written < SWEEP_BYTES && pruning.swept < pruning.minimum; i++) {
        struct logrow row;
        uint64_t size;

        TRY(logrow_of_leaf(txn, pruning.swept, &row));
        size = row.size;
        TRY(logrow_prune(txn, &row, pruning.minimum, &written));
        pruning.swept = size < pruning.minimum ? size : pruning.minimum;
    }
    *is_over = pruning.swept == pruning.minimum;
    return put(txn, &pruning);
}
