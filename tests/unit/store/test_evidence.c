#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/evidence.h"
#include "unit/store/logstore.h"

/* The other node's log is a store of its own; its proofs become our evidence. */
struct world {
    struct logstore own;
    struct logstore other;
    struct txn *txn;
};

static int make(void **state)
{
    static struct world world;

    logstore_make(&world.own);
    logstore_make(&world.other);
    logstore_open(&world.other);
    grow(&world.other, 0, 20);
    grow(&world.other, 20, 13);
    *state = &world;
    return logstore_open_db(&world.own) == RC_OK && txn_write(world.own.db, &world.txn) == RC_OK
               ? 0
               : -1;
}

static int clean(void **state)
{
    struct world *world = *state;

    txn_abort(world->txn);
    logstore_remove(&world->own);
    logstore_remove(&world->other);
    return 0;
}

/* What a peer sends about one of its leaves. */
struct offer {
    uint8_t leaf[LEAF_SIZE];
    struct proof path;
    struct checkpoint checkpoint;
    struct buffer note;
    struct evidence evidence;
};

static void offer_of(struct world *world, uint64_t index, struct offer *offer)
{
    struct commit_point *point = writer_latest(world->other.writer);
    OWN_READ(txn) = NULL;
    struct bytes leaf;

    memset(offer, 0, sizeof *offer);
    assert_int_equal(txn_read(world->other.db, &txn), RC_OK);
    assert_int_equal(auditlog_leaf(txn, index, &leaf), RC_OK);
    memcpy(offer->leaf, leaf.data, LEAF_SIZE);
    assert_int_equal(commit_point_proof(point, index, &offer->path), RC_OK);
    buffer_put_bytes(&offer->note, commit_point_note(point));
    commit_point_release(point);
    assert_int_equal(
        checkpoint_open(buffer_bytes(&offer->note), &world->other.vkey, NULL, &offer->checkpoint),
        RC_OK);
    offer->evidence = (struct evidence){.leaf = BYTES_OF(offer->leaf),
                                        .path = &offer->path,
                                        .checkpoint = &offer->checkpoint,
                                        .note = buffer_bytes(&offer->note)};
}

static void it_comes_back_as_a_receipt_that_verifies(void **state)
{
    struct world *world = *state;
    uint64_t notes;

    for (uint64_t i = 20; i < 33; i++) {
        OWN(buffer) text = {0};
        struct offer offer;
        struct checkpoint checkpoint;
        uint8_t leaf[LEAF_SIZE];
        uint64_t index;

        offer_of(world, i, &offer);
        assert_int_equal(evidence_put(world->txn, 100 - i, &offer.evidence), RC_OK);
        assert_int_equal(evidence_get(world->txn, 100 - i, leaf, &text), RC_OK);
        assert_memory_equal(leaf, offer.leaf, LEAF_SIZE);
        assert_int_equal(tlog_proof_verify(buffer_bytes(&text), BYTES_OF(leaf), &world->other.vkey,
                                           &index, &checkpoint, NULL),
                         RC_OK);
        assert_int_equal(index, i);
        buffer_release(&offer.note);
    }
    assert_int_equal(table_count(world->txn, TABLE_NOTE, &notes), RC_OK);
    assert_int_equal(notes, 1);
}

static void the_first_evidence_stays(void **state)
{
    struct world *world = *state;
    OWN(buffer) text = {0};
    struct offer first;
    struct offer second;
    uint8_t leaf[LEAF_SIZE];

    offer_of(world, 21, &first);
    offer_of(world, 22, &second);
    assert_int_equal(evidence_get(world->txn, 1, leaf, &text), RC_NOT_FOUND);
    assert_int_equal(evidence_put(world->txn, 1, &first.evidence), RC_OK);
    assert_int_equal(evidence_put(world->txn, 1, &second.evidence), RC_ALREADY_EXISTS);
    assert_int_equal(evidence_get(world->txn, 1, leaf, &text), RC_OK);
    assert_memory_equal(leaf, first.leaf, LEAF_SIZE);
    buffer_release(&first.note);
    buffer_release(&second.note);
}

struct put_deed {
    struct deed deed; /* first */
    struct offer *offers;
    size_t count;
};

static enum rc put_offers(struct deed *deed, struct txn *txn)
{
    struct put_deed *put = (struct put_deed *)deed;

    for (size_t i = 0; i < put->count; i++) {
        struct evidence first = put->offers[i].evidence;

        TRY(evidence_put(txn, 50 - i, &first));
        assert_int_equal(evidence_put(txn, 50 - i, &put->offers[0].evidence), RC_ALREADY_EXISTS);
    }
    return RC_OK;
}

static void the_proofs_of_a_batch_are_one_row(void **state)
{
    struct world *world = *state;
    struct put_deed deed = {.count = 13};
    struct offer offers[13];
    uint64_t rows;

    txn_abort(world->txn);
    assert_int_equal(logstore_open_writer(&world->own), RC_OK);
    for (size_t i = 0; i < deed.count; i++) {
        offer_of(world, 20 + i, &offers[i]);
    }
    deed.offers = offers;
    deed_init(&deed.deed, put_offers, 0);
    assert_int_equal(deed_run(&world->own, &deed.deed), RC_OK);
    writer_free(world->own.writer);
    world->own.writer = NULL;
    assert_int_equal(txn_write(world->own.db, &world->txn), RC_OK);
    assert_int_equal(table_count(world->txn, TABLE_PROOF, &rows), RC_OK);
    assert_int_equal(rows, 1);
    for (size_t i = 0; i < deed.count; i++) {
        OWN(buffer) text = {0};
        uint8_t leaf[LEAF_SIZE];
        uint64_t index;
        struct checkpoint checkpoint;

        assert_int_equal(evidence_get(world->txn, 50 - i, leaf, &text), RC_OK);
        assert_memory_equal(leaf, offers[i].leaf, LEAF_SIZE);
        assert_int_equal(tlog_proof_verify(buffer_bytes(&text), BYTES_OF(leaf), &world->other.vkey,
                                           &index, &checkpoint, NULL),
                         RC_OK);
        buffer_release(&offers[i].note);
    }
}

static void two_roots_for_one_size_are_a_fork(void **state)
{
    struct world *world = *state;
    struct offer offer;

    offer_of(world, 21, &offer);
    assert_int_equal(evidence_check(world->txn, &offer.checkpoint), RC_OK);
    assert_int_equal(evidence_put(world->txn, 1, &offer.evidence), RC_OK);
    assert_int_equal(evidence_check(world->txn, &offer.checkpoint), RC_OK);
    offer.checkpoint.root[0] ^= 1;
    assert_int_equal(evidence_check(world->txn, &offer.checkpoint), RC_DATA_LOSS);
    assert_int_equal(evidence_put(world->txn, 2, &offer.evidence), RC_DATA_LOSS);
    assert_int_equal(txn_state(world->txn), RC_OK);
    buffer_release(&offer.note);
}

static void what_is_out_of_bounds_is_refused(void **state)
{
    struct world *world = *state;
    struct offer offer;
    struct evidence bad;

    offer_of(world, 21, &offer);
    bad = offer.evidence;
    bad.leaf.size--;
    assert_int_equal(evidence_put(world->txn, 1, &bad), RC_INVALID_ARGUMENT);
    bad = offer.evidence;
    bad.note.size = 0;
    assert_int_equal(evidence_put(world->txn, 1, &bad), RC_INVALID_ARGUMENT);
    bad.note.size = CHECKPOINT_SIZE_MAX + 1;
    assert_int_equal(evidence_put(world->txn, 1, &bad), RC_INVALID_ARGUMENT);
    bad = offer.evidence;
    offer.checkpoint.size = 21; /* the leaf would lie outside */
    assert_int_equal(evidence_put(world->txn, 1, &bad), RC_INVALID_ARGUMENT);
    offer.checkpoint.size = 33;
    offer.path.count = 64;
    assert_int_equal(evidence_put(world->txn, 1, &bad), RC_INVALID_ARGUMENT);
    assert_int_equal(txn_puts(world->txn), 0);
    buffer_release(&offer.note);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_comes_back_as_a_receipt_that_verifies), TEST(the_first_evidence_stays),
        TEST(the_proofs_of_a_batch_are_one_row),        TEST(two_roots_for_one_size_are_a_fork),
        TEST(what_is_out_of_bounds_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
