#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/body.h"
#include "store/dbkey.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/timer.h"
#include "store/tree.h"
#include "tlog/merkle.h"
#include "unit/store/logstore.h"

static int make(void **state)
{
    static struct logstore store;

    logstore_make(&store);
    logstore_open(&store);
    *state = &store;
    return 0;
}

static int clean(void **state)
{
    logstore_remove(*state);
    return 0;
}

static uint64_t size_of(struct logstore *store)
{
    OWN_READ(txn) = NULL;
    uint64_t size = 0;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(auditlog_size(txn, &size), RC_OK);
    return size;
}

static void verify(struct logstore *store, const struct commit_point *point, uint64_t index)
{
    OWN_READ(txn) = NULL;
    OWN(buffer) text = {0};
    struct bytes leaf;
    struct checkpoint checkpoint;
    uint64_t found;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(auditlog_leaf(txn, index, &leaf), RC_OK);
    assert_int_equal(commit_point_receipt(point, index, &text), RC_OK);
    assert_int_equal(
        tlog_proof_verify(buffer_bytes(&text), leaf, &store->vkey, &found, &checkpoint, NULL),
        RC_OK);
    assert_int_equal(found, index);
    assert_int_equal(checkpoint.size, commit_point_size(point));
}

static void an_empty_log_has_a_signed_checkpoint(void **state)
{
    struct logstore *store = *state;
    struct commit_point *point = writer_latest(store->writer);
    struct checkpoint checkpoint;
    struct proof proof;

    assert_int_equal(commit_point_size(point), 0);
    assert_int_equal(checkpoint_open(commit_point_note(point), &store->vkey, NULL, &checkpoint),
                     RC_OK);
    assert_int_equal(checkpoint.size, 0);
    assert_int_equal(commit_point_proof(point, 0, &proof), RC_OUT_OF_RANGE);
    commit_point_release(point);
}

#define THREADS 4
#define EACH 300

static void *submit_many(void *argument)
{
    struct logstore *store = argument;

    for (uint64_t i = 0; i < EACH; i++) {
        struct deed deed;

        deed_init(&deed, append_leaves, 1 + i % 3);
        deed.number = i;
        assert_int_equal(writer_submit(store->writer, &deed.write), RC_OK);
        assert_int_equal(deed_wait(&deed), RC_OK);
        verify(store, deed.write.point, deed.index);
        commit_point_release(deed.write.point);
    }
    return NULL;
}

static void every_answer_verifies(void **state)
{
    struct logstore *store = *state;
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, store), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(size_of(store), THREADS * EACH * 2);
}

/* --- holding the writer thread back, so that a batch gathers --- */

struct gate {
    struct deed deed; /* first */
    pthread_mutex_t shut;
};

static enum rc pass_gate(struct deed *deed, struct txn *txn)
{
    struct gate *gate = (struct gate *)deed;

    (void)txn;
    pthread_mutex_lock(&gate->shut);
    pthread_mutex_unlock(&gate->shut);
    return RC_OK;
}

static void shut(struct logstore *store, struct gate *gate)
{
    memset(gate, 0, sizeof *gate);
    deed_init(&gate->deed, pass_gate, 0);
    pthread_mutex_init(&gate->shut, NULL);
    pthread_mutex_lock(&gate->shut);
    assert_int_equal(writer_submit(store->writer, &gate->deed.write), RC_OK);
    while (writer_waiting(store->writer) > 0) {
        usleep(100);
    }
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_unlock(&gate->shut);
    assert_int_equal(deed_wait(&gate->deed), RC_OK);
    commit_point_release(gate->deed.write.point);
}

static enum rc refuse_it(struct deed *deed, struct txn *txn)
{
    (void)deed;
    (void)txn;
    return RC_PERMISSION_DENIED;
}

static void what_waits_is_one_commit_and_a_refusal_in_it_leaves_no_trace(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed deeds[10];

    shut(store, &gate);
    for (int i = 0; i < 10; i++) {
        deed_init(&deeds[i], i == 4 ? refuse_it : append_leaves, i == 4 ? 0 : 2);
        assert_int_equal(writer_submit(store->writer, &deeds[i].write), RC_OK);
    }
    open_gate(&gate);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(deed_wait(&deeds[i]), i == 4 ? RC_PERMISSION_DENIED : RC_OK);
        assert_int_equal(commit_point_size(deeds[i].write.point), 18);
        assert_ptr_equal(deeds[i].write.point, deeds[0].write.point);
        commit_point_release(deeds[i].write.point);
    }
    assert_int_equal(size_of(store), 18);
}

static void a_batch_is_cut_by_its_leaves(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed deeds[9];

    shut(store, &gate);
    for (int i = 0; i < 9; i++) {
        deed_init(&deeds[i], append_leaves, WRITE_LEAVES_MAX);
        assert_int_equal(writer_submit(store->writer, &deeds[i].write), RC_OK);
    }
    open_gate(&gate);
    for (int i = 0; i < 9; i++) {
        uint64_t commits = i / 4 == 2 ? 9 : (uint64_t)(i / 4 + 1) * 4;

        assert_int_equal(deed_wait(&deeds[i]), RC_OK);
        assert_int_equal(commit_point_size(deeds[i].write.point), commits * WRITE_LEAVES_MAX);
        verify(store, deeds[i].write.point, deeds[i].index);
    }
    /* Points stay good however many commits came after. */
    for (int i = 0; i < 9; i++) {
        verify(store, deeds[i].write.point, deeds[i].index - 1);
        commit_point_release(deeds[i].write.point);
    }
}

static void a_batch_is_cut_by_its_bytes(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed deeds[3];

    shut(store, &gate);
    for (int i = 0; i < 3; i++) {
        deed_init(&deeds[i], append_leaves, 1);
        deeds[i].write.bytes = WRITE_BYTES_MAX;
        assert_int_equal(writer_submit(store->writer, &deeds[i].write), RC_OK);
    }
    open_gate(&gate);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(deed_wait(&deeds[i]), RC_OK);
        assert_int_equal(commit_point_size(deeds[i].write.point), i < 2 ? 2 : 3);
        commit_point_release(deeds[i].write.point);
    }
}

static enum rc put_only(struct deed *deed, struct txn *txn)
{
    struct outbox_entry debt = {.index = deed->number};

    return outbox_add(txn, "node:cdmx/ssc", URGENCY_URGENT, &debt);
}

static void a_commit_without_leaves_signs_nothing_new(void **state)
{
    struct logstore *store = *state;
    struct commit_point *before;
    struct deed deed;

    grow(store, 0, 3);
    before = writer_latest(store->writer);
    deed_init(&deed, put_only, 0);
    assert_int_equal(writer_submit(store->writer, &deed.write), RC_OK);
    assert_int_equal(deed_wait(&deed), RC_OK);
    assert_ptr_equal(deed.write.point, before);
    commit_point_release(deed.write.point);
    commit_point_release(before);
}

static void a_full_queue_and_a_stopped_writer_take_nothing(void **state)
{
    struct logstore *store = *state;
    struct writer_options options = {.db = store->db, .keyring = store->keyring, .queue_max = 2};
    struct gate gate;
    struct deed deeds[3];

    writer_free(store->writer);
    assert_int_equal(writer_new(&options, &store->writer), RC_OK);
    shut(store, &gate);
    for (int i = 0; i < 3; i++) {
        deed_init(&deeds[i], append_leaves, 1);
        assert_int_equal(writer_submit(store->writer, &deeds[i].write),
                         i < 2 ? RC_OK : RC_RESOURCE_EXHAUSTED);
    }
    open_gate(&gate);
    writer_stop(store->writer);
    for (int i = 0; i < 2; i++) { /* what it took, it did */
        assert_int_equal(deed_wait(&deeds[i]), RC_OK);
        commit_point_release(deeds[i].write.point);
    }
    assert_int_equal(writer_submit(store->writer, &deeds[2].write), RC_UNAVAILABLE);
    assert_int_equal(size_of(store), 2);
}

/* --- faults --- */

/* All that a message puts. */
static enum rc put_message(struct deed *deed, struct txn *txn)
{
    struct id id = {{(uint8_t)deed->number}};
    struct journal_entry entry = {.exchange_id = id};
    struct outbox_entry debt = {0};
    uint64_t sequence;

    if (journal_find(txn, JOURNAL_SENT, &id, "cdmx/ssc", &entry) != RC_NOT_FOUND) {
        return RC_ALREADY_EXISTS;
    }
    TRY(append_leaves(deed, txn));
    entry.index = deed->index;
    debt.index = deed->index;
    TRY(body_put(txn, deed->index, bytes_text("keys"), bytes_text("body")));
    TRY(journal_add(txn, JOURNAL_SENT, &id, "cdmx/ssc", &entry));
    TRY(outbox_add(txn, "node:cdmx/ssc", URGENCY_ORDINARY, &debt));
    return timer_add(txn, 1000, bytes_text("ring"), &sequence);
}

static const enum table message_tables[] = {
    TABLE_COMMIT, TABLE_CHECKPOINT, TABLE_MESSAGE, TABLE_KEY, TABLE_DEBT, TABLE_TIMER, TABLE_FORMAT,
};
#define MESSAGE_TABLES (sizeof message_tables / sizeof message_tables[0])

static void count_rows(struct logstore *store, uint64_t counts[MESSAGE_TABLES])
{
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    for (size_t i = 0; i < MESSAGE_TABLES; i++) {
        assert_int_equal(table_count(txn, message_tables[i], &counts[i]), RC_OK);
    }
}

static enum rc send_message(struct logstore *store, uint64_t number)
{
    struct deed deed;

    deed_init(&deed, put_message, 1);
    deed.number = number;
    return deed_run(store, &deed);
}

static void a_failing_nth_put_leaves_no_trace(void **state)
{
    struct logstore *store = *state;
    uint64_t before[MESSAGE_TABLES];
    uint64_t after[MESSAGE_TABLES];
    unsigned failures = 0;

    for (uint64_t nth = 1;; nth++) {
        struct commit_point *latest = writer_latest(store->writer);
        struct commit_point *now;
        enum rc rc;

        count_rows(store, before);
        db_fail_put(store->db, nth);
        rc = send_message(store, 1);
        db_fail_put(store->db, 0);
        if (rc == RC_OK) {
            commit_point_release(latest);
            break;
        }
        failures++;
        assert_int_equal(rc, RC_UNAVAILABLE);
        count_rows(store, after);
        assert_memory_equal(before, after, sizeof before);
        now = writer_latest(store->writer);
        assert_ptr_equal(now, latest);
        commit_point_release(now);
        commit_point_release(latest);
        assert_int_equal(send_message(store, 2 + nth), RC_OK); /* and the writer goes on */
    }
    assert_true(failures >= 8);
    assert_int_equal(size_of(store), failures + 1);
    logstore_close(store);
    logstore_open(store); /* the log agrees with itself */
}

static void a_failed_batch_fails_for_each_of_its_writes(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed deeds[4];

    assert_int_equal(send_message(store, 9), RC_OK);
    shut(store, &gate);
    for (int i = 0; i < 4; i++) {
        deed_init(&deeds[i], put_message, 1);
        deeds[i].number = i == 3 ? 9 : (unsigned)i; /* the last is refused: id seen before */
        assert_int_equal(writer_submit(store->writer, &deeds[i].write), RC_OK);
    }
    db_fail_put(store->db, 15);
    open_gate(&gate);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(deed_wait(&deeds[i]), RC_UNAVAILABLE);
        assert_int_equal(commit_point_size(deeds[i].write.point), 1);
        commit_point_release(deeds[i].write.point);
    }
    assert_int_equal(size_of(store), 1);
}

static void a_full_map_loses_nothing_that_was_answered(void **state)
{
    struct logstore *store = *state;
    struct db_options options = logstore_options(store);
    char path[80];
    uint64_t answered = 0;
    enum rc rc;

    logstore_close(store);
    snprintf(path, sizeof path, "%s/small", store->path);
    options.path = path;
    options.map_size = 1 << 20;
    assert_int_equal(db_open(&options, &store->db), RC_OK);
    assert_int_equal(logstore_open_writer(store), RC_OK);
    do {
        struct deed deed;

        deed_init(&deed, append_leaves, 50);
        deed.number = answered;
        rc = deed_run(store, &deed);
        answered += rc == RC_OK ? 50 : 0;
    } while (rc == RC_OK);
    assert_int_equal(rc, RC_UNAVAILABLE);
    assert_true(answered >= 500);
    logstore_close(store);
    options.map_size = 4 << 20; /* the operator's remedy */
    assert_int_equal(db_open(&options, &store->db), RC_OK);
    assert_int_equal(logstore_open_writer(store), RC_OK);
    assert_int_equal(size_of(store), answered);
    grow(store, answered, 50);
}

/* --- a write that fails halfway --- */

static enum rc refuse_after_a_put(struct deed *deed, struct txn *txn)
{
    TRY(append_leaves(deed, txn));
    TRY(put_only(deed, txn));
    return RC_PERMISSION_DENIED;
}

static void forget(struct write *write)
{
    ((struct deed *)write)->index = UINT64_MAX;
}

static const struct write_ops repeatable_ops = {
    .name = "deed", .apply = deed_apply, .again = forget, .done = deed_done};

#define BATCH 9

/* Every third write of one batch fails halfway; the others can be applied again, or not. */
static void run_bad_batch(struct logstore *store, struct deed deeds[BATCH],
                          const struct write_ops *ops)
{
    struct gate gate;

    shut(store, &gate);
    for (int i = 0; i < BATCH; i++) {
        deed_init(&deeds[i], i % 3 == 1 ? refuse_after_a_put : append_leaves, 2);
        deeds[i].number = (uint64_t)i * 2;
        deeds[i].write.ops = ops;
        assert_int_equal(writer_submit(store->writer, &deeds[i].write), RC_OK);
    }
    open_gate(&gate);
}

static void a_write_that_fails_halfway_takes_nobody_along(void **state)
{
    struct logstore *store = *state;
    struct deed deeds[BATCH];
    uint64_t index = 0;

    run_bad_batch(store, deeds, &repeatable_ops);
    for (int i = 0; i < BATCH; i++) {
        enum rc rc = deed_wait(&deeds[i]);

        assert_int_equal(rc, i % 3 == 1 ? RC_UNAVAILABLE : RC_OK);
        if (rc == RC_OK) {
            index += 2;
            assert_int_equal(deeds[i].index, index - 1);
            verify(store, deeds[i].write.point, deeds[i].index);
        }
        commit_point_release(deeds[i].write.point);
    }
    assert_int_equal(size_of(store), index);
    logstore_close(store);
    logstore_open(store); /* the log agrees with itself */
}

static void what_can_not_be_applied_again_is_answered_unavailable(void **state)
{
    struct logstore *store = *state;
    struct deed deeds[BATCH];

    run_bad_batch(store, deeds, &deed_ops);
    for (int i = 0; i < BATCH; i++) {
        assert_int_equal(deed_wait(&deeds[i]), RC_UNAVAILABLE);
        commit_point_release(deeds[i].write.point);
    }
    assert_int_equal(size_of(store), 0);
    grow(store, 0, 1); /* and the writer goes on */
}

static void a_put_that_the_store_refuses_once_costs_one_write(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed deeds[4];
    unsigned refused = 0;

    shut(store, &gate);
    for (int i = 0; i < 4; i++) {
        deed_init(&deeds[i], put_message, 1);
        deeds[i].number = (unsigned)i;
        deeds[i].write.ops = &repeatable_ops;
        assert_int_equal(writer_submit(store->writer, &deeds[i].write), RC_OK);
    }
    db_fail_put(store->db, 12);
    open_gate(&gate);
    for (int i = 0; i < 4; i++) {
        refused += deed_wait(&deeds[i]) == RC_UNAVAILABLE;
        commit_point_release(deeds[i].write.point);
    }
    assert_int_equal(refused, 1);
    assert_int_equal(size_of(store), 3);
}

/* --- urgent and ordinary --- */

static void reopen(struct logstore *store, size_t queue_max, size_t batch_max)
{
    struct writer_options options = {
        .db = store->db, .keyring = store->keyring, .queue_max = queue_max, .batch_max = batch_max};

    writer_free(store->writer);
    assert_int_equal(writer_new(&options, &store->writer), RC_OK);
}

static enum rc submit_one(struct logstore *store, struct deed *deed, bool is_urgent, size_t bytes)
{
    deed_init(deed, append_leaves, 1);
    deed->write.is_urgent = is_urgent;
    deed->write.bytes = bytes;
    return writer_submit(store->writer, &deed->write);
}

static void urgent_writes_are_first_and_find_room(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed ordinary[9];
    struct deed urgent[3];

    reopen(store, 8, 4);
    shut(store, &gate);
    for (int i = 0; i < 9; i++) {
        assert_int_equal(submit_one(store, &ordinary[i], false, 0),
                         i < 8 ? RC_OK : RC_RESOURCE_EXHAUSTED);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(submit_one(store, &urgent[i], true, 0),
                         i < 2 ? RC_OK : RC_RESOURCE_EXHAUSTED);
    }
    open_gate(&gate);
    for (uint64_t i = 0; i < 2; i++) {
        assert_int_equal(deed_wait(&urgent[i]), RC_OK);
        assert_int_equal(urgent[i].index, i);
        commit_point_release(urgent[i].write.point);
    }
    for (uint64_t i = 0; i < 8; i++) {
        assert_int_equal(deed_wait(&ordinary[i]), RC_OK);
        assert_int_equal(ordinary[i].index, i + 2);
        commit_point_release(ordinary[i].write.point);
    }
}

static void ordinary_writes_keep_a_share_of_each_batch(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed ordinary;
    struct deed urgent[16];

    reopen(store, 64, 8);
    shut(store, &gate);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(submit_one(store, &urgent[i], true, 0), RC_OK);
    }
    assert_int_equal(submit_one(store, &ordinary, false, 0), RC_OK);
    open_gate(&gate);
    assert_int_equal(deed_wait(&ordinary), RC_OK);
    assert_int_equal(ordinary.index, 7); /* the last of the first batch */
    commit_point_release(ordinary.write.point);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(deed_wait(&urgent[i]), RC_OK);
        commit_point_release(urgent[i].write.point);
    }
}

#define BIG WRITE_BYTES_MAX

static void the_queue_is_bounded_by_bytes(void **state)
{
    struct logstore *store = *state;
    struct gate gate;
    struct deed deeds[WRITER_QUEUE_BYTES_MAX / BIG];
    struct deed more;
    struct deed urgent;
    size_t count = sizeof deeds / sizeof deeds[0];

    shut(store, &gate);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(submit_one(store, &deeds[i], false, BIG), RC_OK);
    }
    assert_int_equal(submit_one(store, &more, false, 1), RC_RESOURCE_EXHAUSTED);
    assert_int_equal(submit_one(store, &urgent, true, BIG), RC_OK);
    open_gate(&gate);
    assert_int_equal(deed_wait(&urgent), RC_OK);
    assert_int_equal(urgent.index, 0);
    commit_point_release(urgent.write.point);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(deed_wait(&deeds[i]), RC_OK);
        commit_point_release(deeds[i].write.point);
    }
}

/* --- bugs, which end the process --- */

static enum rc append_too_many(struct deed *deed, struct txn *txn)
{
    deed->count++;
    return append_leaves(deed, txn);
}

static void it_dies(struct logstore *store, enum rc (*what)(struct deed *, struct txn *))
{
    int status;
    pid_t child;

    logstore_close(store);
    child = fork();
    if (child == 0) {
        logstore_open(store);
        close(STDERR_FILENO);
        (void)!run(store, what, 1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    logstore_open(store);
    assert_int_equal(size_of(store), 0);
}

static void more_leaves_than_declared_is_a_bug(void **state)
{
    it_dies(*state, append_too_many);
}

/* --- crashes --- */

struct submitter {
    struct logstore *store;
    uint64_t number;
    int file;
    pthread_t thread;
};

/* Submits for ever and appends each receipt to the file, as a node tells its clients. */
static void *answer_for_ever(void *argument)
{
    struct submitter *submitter = argument;

    for (uint64_t number = submitter->number;; number++) {
        OWN(buffer) text = {0};
        OWN(buffer) line = {0};
        struct deed deed;

        deed_init(&deed, append_leaves, 1 + number % 7);
        deed.number = number;
        if (writer_submit(submitter->store->writer, &deed.write) != RC_OK ||
            deed_wait(&deed) != RC_OK ||
            commit_point_receipt(deed.write.point, deed.index, &text) != RC_OK) {
            _exit(1);
        }
        commit_point_release(deed.write.point);
        buffer_put_u64(&line, deed.index);
        buffer_put_u64(&line, number + number % 7);
        buffer_put_chunk(&line, buffer_bytes(&text));
        if (write(submitter->file, line.data, line.size) != (ssize_t)line.size) {
            _exit(1);
        }
    }
    return NULL;
}

static void answer_until_killed(struct logstore *store, const int files[THREADS])
{
    static struct submitter submitters[THREADS];

    logstore_open(store);
    for (uint64_t i = 0; i < THREADS; i++) {
        submitters[i] = (struct submitter){.store = store, .number = i << 32, .file = files[i]};
        pthread_create(&submitters[i].thread, NULL, answer_for_ever, &submitters[i]);
    }
    pause();
}

/* Drops a last line that the kill cut short, which was never said. */
static void read_answers(int file, struct buffer *answers)
{
    struct reader reader = {0};
    char part[65536];
    ssize_t got;
    size_t whole = 0;

    while ((got = pread(file, part, sizeof part, (off_t)answers->size)) > 0) {
        buffer_put(answers, part, (size_t)got);
    }
    assert_false(answers->is_failed);
    reader.rest = buffer_bytes(answers);
    while (!reader.is_failed) {
        whole = answers->size - reader.rest.size;
        reader_take(&reader, 16);
        reader_chunk(&reader);
    }
    answers->size = whole;
    assert_int_equal(ftruncate(file, (off_t)whole), 0);
}

/* Each answered receipt is there, verifies, and is made again byte for byte. */
static unsigned check_answers(struct logstore *store, const struct buffer *answers)
{
    struct reader reader = {.rest = buffer_bytes(answers)};
    OWN_PTR(auditlog_reader) proofs = auditlog_reader_new();
    OWN_READ(txn) = NULL;
    unsigned count = 0;

    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    for (;;) {
        uint64_t index = reader_u64(&reader);
        uint64_t number = reader_u64(&reader);
        struct bytes text = reader_chunk(&reader);
        OWN(buffer) again = {0};
        struct checkpoint checkpoint;
        struct bytes leaf;
        uint64_t found;

        if (reader.is_failed) {
            return count;
        }
        assert_int_equal(auditlog_leaf(txn, index, &leaf), RC_OK);
        assert_int_equal(get_u64(leaf.data + 24), number);
        assert_int_equal(tlog_proof_verify(text, leaf, &store->vkey, &found, &checkpoint, NULL),
                         RC_OK);
        assert_int_equal(auditlog_receipt(proofs, txn, store->keyring, index, &again), RC_OK);
        assert_true(bytes_equal(buffer_bytes(&again), text));
        count++;
    }
}

static off_t answered_bytes(const int files[THREADS])
{
    off_t size = 0;

    for (int i = 0; i < THREADS; i++) {
        struct stat facts;

        assert_int_equal(fstat(files[i], &facts), 0);
        size += facts.st_size;
    }
    return size;
}

/* Not before it answered once, however busy the machine is; then at any moment. */
static void kill_one_process(struct logstore *store, const int files[THREADS], unsigned after_us)
{
    off_t before = answered_bytes(files);
    int status;
    pid_t child = fork();

    if (child == 0) {
        answer_until_killed(store, files);
    }
    for (int i = 0; i < 10000 && answered_bytes(files) == before; i++) {
        usleep(1000);
    }
    usleep(after_us);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static void a_killed_process_loses_nothing_that_it_answered(void **state)
{
    struct logstore *store = *state;
    struct buffer answers[THREADS] = {0};
    int files[THREADS];
    unsigned count = 0;

    logstore_close(store);
    for (int i = 0; i < THREADS; i++) {
        char path[80];

        snprintf(path, sizeof path, "%s/answers-%d", store->path, i);
        files[i] = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        assert_true(files[i] >= 0);
    }
    for (unsigned round = 0; round < 12; round++) {
        kill_one_process(store, files, round * 7001);
        logstore_open(store);
        count = 0;
        for (int i = 0; i < THREADS; i++) {
            read_answers(files[i], &answers[i]);
            count += check_answers(store, &answers[i]);
        }
        logstore_close(store);
    }
    assert_true(count >= 12);
    for (int i = 0; i < THREADS; i++) {
        buffer_release(&answers[i]);
        close(files[i]);
    }
    logstore_open(store);
}

/* Between commit and answer: the leaves are durable, their note was never stored. */
static void the_next_start_signs_what_is_durable_and_unsigned(void **state)
{
    struct logstore *store = *state;
    struct commit_point *point;
    struct bytes expected;
    char note[1024];
    int ends[2];
    int status;
    ssize_t got;
    pid_t child;

    logstore_close(store);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        logstore_open(store);
        grow(store, 0, 5);
        grow(store, 5, 3);
        point = writer_latest(store->writer);
        expected = commit_point_note(point);
        _exit(write(ends[1], expected.data, expected.size) == (ssize_t)expected.size ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    got = read(ends[0], note, sizeof note);
    close(ends[0]);
    close(ends[1]);
    logstore_open(store);
    point = writer_latest(store->writer);
    assert_int_equal(commit_point_size(point), 8);
    assert_true(bytes_equal(commit_point_note(point), BYTES(note, got)));
    commit_point_release(point);
}

static void an_orderly_stop_stores_the_last_note(void **state)
{
    struct logstore *store = *state;
    OWN_READ(txn) = NULL;
    struct tree_commit commit;

    grow(store, 0, 5);
    writer_stop(store->writer);
    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(tree_commit_last(txn, &commit), RC_OK);
    assert_int_equal(commit.size, 5);
    assert_true(commit.note.size > 0);
}

/* --- a log that contradicts itself is not written to --- */

static void flip(struct logstore *store, enum table table, struct bytes key, size_t place)
{
    OWN(buffer) copy = {0};
    struct txn *txn;
    struct bytes value;

    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    assert_int_equal(table_get(txn, table, key, &value), RC_OK);
    buffer_put_bytes(&copy, value);
    assert_true(place < copy.size);
    copy.data[place] ^= 1;
    assert_int_equal(table_put(txn, table, key, buffer_bytes(&copy)), RC_OK);
    assert_int_equal(txn_commit(txn), RC_OK);
}

/* Of a note of this log with a size of two digits. */
static size_t note_size(struct logstore *store)
{
    OWN(buffer) note = {0};
    struct checkpoint checkpoint = {.origin = ORIGIN, .size = 10};

    assert_int_equal(checkpoint_sign(&checkpoint, store->keyring, &note), RC_OK);
    return note.size;
}

static void a_changed_byte_is_found_at_start(void **state)
{
    struct logstore *store = *state;
    const uint8_t size_key[9] = {0, 0, 0, 0, 0, 0, 0, 21, LOGROW_LOG};
    const uint8_t note_key[8] = {0, 0, 0, 0, 0, 0, 0, 21};
    const size_t leaves = 4 + 32 + 2 + note_size(store);
    const size_t nodes = leaves + 11 * (size_t)LEAF_SIZE;
    const struct {
        enum table table;
        struct bytes key;
        size_t place;
        const char *what;
    } cases[] = {
        {TABLE_COMMIT, BYTES_OF(size_key), 3, "the commit's count"},
        {TABLE_COMMIT, BYTES_OF(size_key), 4, "the commit's root"},
        {TABLE_COMMIT, BYTES_OF(size_key), 37, "the size of the note before"},
        {TABLE_COMMIT, BYTES_OF(size_key), leaves + 30, "a leaf's commitment"},
        {TABLE_COMMIT, BYTES_OF(size_key), nodes - LEAF_SIZE, "the last leaf's magic"},
        {TABLE_COMMIT, BYTES_OF(size_key), nodes - LEAF_SIZE + 23, "the last leaf's index"},
        {TABLE_COMMIT, BYTES_OF(size_key), nodes - 1, "the last leaf's last byte"},
        {TABLE_COMMIT, BYTES_OF(size_key), nodes, "a leaf's hash"},
        {TABLE_COMMIT, BYTES_OF(size_key), nodes + 10 * 32, "the last leaf's hash"},
        {TABLE_COMMIT, BYTES_OF(size_key), nodes + (11 + 5 + 2) * 32, "a node at the edge"},
        {TABLE_COMMIT, BYTES_OF(size_key), nodes + (11 + 5 + 3 + 1) * 32, "the widest node"},
        {TABLE_CHECKPOINT, BYTES_OF(note_key), sizeof ORIGIN, "the note's text"},
        {TABLE_CHECKPOINT, BYTES_OF(note_key), 120, "the note's signature"},
    };

    grow(store, 0, 10);
    grow(store, 10, 11);
    writer_free(store->writer);
    store->writer = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum rc rc;

        flip(store, cases[i].table, cases[i].key, cases[i].place);
        rc = logstore_open_writer(store);
        if (rc != RC_DATA_LOSS) {
            print_error("%s: %s\n", cases[i].what, rc_name(rc));
        }
        assert_int_equal(rc, RC_DATA_LOSS);
        flip(store, cases[i].table, cases[i].key, cases[i].place);
    }
    assert_int_equal(logstore_open_writer(store), RC_OK);
}

static void rows_that_are_gone_are_found_at_start(void **state)
{
    struct logstore *store = *state;
    const uint8_t before_key[9] = {0, 0, 0, 0, 0, 0, 0, 10, LOGROW_LOG};
    const uint8_t size_key[9] = {0, 0, 0, 0, 0, 0, 0, 21, LOGROW_LOG};
    const struct {
        enum table table;
        struct bytes key;
    } cases[] = {
        {TABLE_COMMIT, BYTES_OF(before_key)},
        {TABLE_COMMIT, BYTES_OF(size_key)},
    };

    grow(store, 0, 10);
    grow(store, 10, 11);
    writer_free(store->writer);
    store->writer = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN(buffer) copy = {0};
        struct txn *txn;
        struct bytes value;

        assert_int_equal(txn_write(store->db, &txn), RC_OK);
        assert_int_equal(table_get(txn, cases[i].table, cases[i].key, &value), RC_OK);
        buffer_put_bytes(&copy, value);
        assert_int_equal(table_delete(txn, cases[i].table, cases[i].key), RC_OK);
        assert_int_equal(txn_commit(txn), RC_OK);
        assert_int_equal(logstore_open_writer(store), RC_DATA_LOSS);
        assert_int_equal(txn_write(store->db, &txn), RC_OK);
        assert_int_equal(table_put(txn, cases[i].table, cases[i].key, buffer_bytes(&copy)), RC_OK);
        assert_int_equal(txn_commit(txn), RC_OK);
    }
    assert_int_equal(logstore_open_writer(store), RC_OK);
}

static void another_key_does_not_go_on_with_the_log(void **state)
{
    struct logstore *store = *state;
    OWN_PTR(keyring) other = test_key(8);
    struct writer_options options = {.db = store->db, .keyring = other};
    struct writer *writer;

    grow(store, 0, 4);
    writer_free(store->writer);
    store->writer = NULL;
    assert_int_equal(writer_new(&options, &writer), RC_FAILED_PRECONDITION);
}

static uint64_t time_of(struct logstore *store, uint64_t index)
{
    OWN_READ(read) = NULL;
    struct bytes value;
    struct leaf leaf;

    assert_int_equal(txn_read(store->db, &read), RC_OK);
    assert_int_equal(auditlog_leaf(read, index, &value), RC_OK);
    assert_int_equal(leaf_decode(value, &leaf), RC_OK);
    return leaf.time_s;
}

/* A tree of one leaf: its hash is the only node and the root. */
static void date_the_only_leaf(struct logstore *store, uint64_t time_s)
{
    const uint8_t size_key[9] = {0, 0, 0, 0, 0, 0, 0, 1, LOGROW_LOG};
    const uint8_t note_key[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    const size_t leaf = 4 + DIGEST_SIZE + 2;
    OWN(buffer) row = {0};
    struct txn *txn;
    struct bytes value;

    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    assert_int_equal(table_get(txn, TABLE_COMMIT, BYTES_OF(size_key), &value), RC_OK);
    buffer_put_bytes(&row, value);
    put_u64(row.data + leaf + 8, time_s);
    merkle_leaf(BYTES(row.data + leaf, LEAF_SIZE), row.data + leaf + LEAF_SIZE);
    memcpy(row.data + 4, row.data + leaf + LEAF_SIZE, DIGEST_SIZE);
    assert_int_equal(table_put(txn, TABLE_COMMIT, BYTES_OF(size_key), buffer_bytes(&row)), RC_OK);
    assert_int_equal(table_delete(txn, TABLE_CHECKPOINT, BYTES_OF(note_key)), RC_OK);
    assert_int_equal(txn_commit(txn), RC_OK);
}

static void leaf_times_never_go_backward(void **state)
{
    struct logstore *store = *state;
    const uint64_t future = 4102444800; /* 2100 */

    grow(store, 0, 1);
    writer_free(store->writer);
    store->writer = NULL;
    date_the_only_leaf(store, future);
    assert_int_equal(logstore_open_writer(store), RC_OK);
    grow(store, 1, 1);
    grow(store, 2, 1);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(time_of(store, i), future);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_log_has_a_signed_checkpoint),
        TEST(every_answer_verifies),
        TEST(what_waits_is_one_commit_and_a_refusal_in_it_leaves_no_trace),
        TEST(a_batch_is_cut_by_its_leaves),
        TEST(a_batch_is_cut_by_its_bytes),
        TEST(a_commit_without_leaves_signs_nothing_new),
        TEST(a_full_queue_and_a_stopped_writer_take_nothing),
        TEST(a_failing_nth_put_leaves_no_trace),
        TEST(a_failed_batch_fails_for_each_of_its_writes),
        TEST(a_full_map_loses_nothing_that_was_answered),
        TEST(a_write_that_fails_halfway_takes_nobody_along),
        TEST(what_can_not_be_applied_again_is_answered_unavailable),
        TEST(a_put_that_the_store_refuses_once_costs_one_write),
        TEST(urgent_writes_are_first_and_find_room),
        TEST(ordinary_writes_keep_a_share_of_each_batch),
        TEST(the_queue_is_bounded_by_bytes),
        TEST(more_leaves_than_declared_is_a_bug),
        TEST(a_killed_process_loses_nothing_that_it_answered),
        TEST(the_next_start_signs_what_is_durable_and_unsigned),
        TEST(an_orderly_stop_stores_the_last_note),
        TEST(a_changed_byte_is_found_at_start),
        TEST(rows_that_are_gone_are_found_at_start),
        TEST(another_key_does_not_go_on_with_the_log),
        TEST(leaf_times_never_go_backward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
