#include "relay/vitals.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/cert.h"
#include "relay/clock_doubt.h"
#include "relay/desk.h"
#include "relay/forward.h"
#include "relay/gather.h"
#include "relay/indexer.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/refusals.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/db.h"
#include "store/outbox.h"
#include "store/writer.h"
#include "tlog/leaf.h"

#define DAY_S 86400
#define SCAN_STEP 256

static const struct {
    enum urgency urgency;
    const char *word;
} urgencies[] = {{URGENCY_URGENT, "urgent"}, {URGENCY_ORDINARY, "ordinary"}};

#define URGENCIES (sizeof urgencies / sizeof urgencies[0])

static const char *urgency_word(enum urgency urgency)
{
    return urgencies[urgency == URGENCY_URGENT ? 0 : 1].word;
}

void meters_count(struct meters *meters, enum record_kind kind, enum urgency urgency)
{
    atomic_ullong *counters = kind == RECORD_SENT ? meters->sent : meters->received;

    atomic_fetch_add_explicit(&counters[urgency], 1, memory_order_relaxed);
}

/* ---- the log and its index ---- */

static int64_t leaf_time(struct txn *txn, uint64_t index)
{
    struct bytes bytes;
    struct leaf leaf;

    return auditlog_leaf(txn, index, &bytes) == RC_OK && leaf_decode(bytes, &leaf) == RC_OK
               ? (int64_t)leaf.time_s
               : 0;
}

static void look_at_log(const struct node *node, struct txn *txn, struct condition *condition)
{
    struct indexer_status status;
    uint64_t size = 0;

    if (auditlog_size(txn, &size) != RC_OK) {
        return;
    }
    indexer_status(node->indexer, &status);
    condition_add(condition, METRIC_LOG_LEAVES, NULL, NULL, (int64_t)size);
    if (size > 0) {
        condition_add(condition, METRIC_LOG_LAST, NULL, NULL, leaf_time(txn, size - 1));
    }
    condition_add(condition, METRIC_INDEX_LEAVES, NULL, NULL, (int64_t)status.up_to);
}

static void look_at_messages(const struct node *node, struct condition *condition)
{
    struct meters *meters = node->meters;

    for (size_t i = 0; i < URGENCIES; i++) {
        condition_add(condition, METRIC_MESSAGES, "sent", urgencies[i].word,
                      (int64_t)atomic_load(&meters->sent[urgencies[i].urgency]));
    }
    for (size_t i = 0; i < URGENCIES; i++) {
        condition_add(condition, METRIC_MESSAGES, "received", urgencies[i].word,
                      (int64_t)atomic_load(&meters->received[urgencies[i].urgency]));
    }
    condition_add(condition, METRIC_REFUSALS, NULL, NULL, (int64_t)refusals_total(node->refusals));
    condition_add(condition, METRIC_WRITER_WAITING, NULL, NULL,
                  (int64_t)writer_waiting(node->writer));
}

/* ---- queues ---- */

struct queue {
    char destination[OUTBOX_DESTINATION_MAX + 1];
    enum urgency urgency;
    uint64_t waiting;
    uint64_t oldest; /* index of its leaf */
};

/* False: nothing waits there, or it cannot be read. */
static bool count_queue(struct txn *txn, struct queue *queue)
{
    struct outbox_entry entries[SCAN_STEP];
    uint64_t after = OUTBOX_START;
    size_t count = SCAN_STEP;

    queue->waiting = 0;
    while (count == SCAN_STEP && queue->waiting < VITALS_QUEUE_COUNTED) {
        if (outbox_scan(txn, queue->destination, queue->urgency, after, entries, SCAN_STEP,
                        &count) != RC_OK ||
            count == 0) {
            break;
        }
        if (queue->waiting == 0) {
            queue->oldest = entries[0].index;
        }
        queue->waiting += count;
        after = entries[count - 1].index;
    }
    return queue->waiting > 0;
}

/* Once for the counts and once for the ages: samples of one metric stand together. */
static void look_at_queues(struct txn *txn, enum metric metric, struct condition *condition)
{
    char after[OUTBOX_DESTINATION_MAX + 1] = "";
    int64_t now_s = clock_now_ms() / 1000;
    struct queue queue;

    while (outbox_next_destination(txn, after, queue.destination) == RC_OK) {
        for (size_t i = 0; i < URGENCIES; i++) {
            queue.urgency = urgencies[i].urgency;
            if (!count_queue(txn, &queue)) {
                continue;
            }
            condition_add(condition, metric, queue.destination, urgencies[i].word,
                          metric == METRIC_QUEUE ? (int64_t)queue.waiting
                                                 : now_s - leaf_time(txn, queue.oldest));
        }
        memcpy(after, queue.destination, sizeof after);
    }
}

/* ---- peers, systems, witnesses ---- */

static void say_link(void *to, const char *peer, enum urgency urgency, bool is_up,
                     unsigned failures)
{
    (void)failures;
    condition_add(to, METRIC_LINK_UP, peer, urgency_word(urgency), is_up);
}

static void say_failures(void *to, const char *peer, enum urgency urgency, bool is_up,
                         unsigned failures)
{
    (void)is_up;
    condition_add(to, METRIC_LINK_FAILURES, peer, urgency_word(urgency), failures);
}

static void say_seats(void *to, const char *member, enum urgency urgency, unsigned seats)
{
    condition_add(to, METRIC_ATTACHED, member, urgency_word(urgency), seats);
}

static void look_at_witnesses(const struct node *node, struct condition *condition)
{
    struct gather_state state;

    if (node->gather != NULL) {
        gather_look(node->gather, &state);
        condition_add(condition, METRIC_WITNESSES, NULL, NULL, state.foreign);
        condition_add(condition, METRIC_WITNESSES_COUNTED, NULL, NULL, state.counted);
        condition_add(condition, METRIC_WITNESSED_LEAVES, NULL, NULL,
                      (int64_t)state.witnessed_size);
        condition_add(condition, METRIC_WITNESS_LAG, NULL, NULL, state.lag_s);
        condition_add(condition, METRIC_WITNESS_STATE, NULL, NULL, state.lag);
    }
    condition_add(condition, METRIC_CLOCK_STATE, NULL, NULL, clock_doubt_state(node));
}

/* ---- what ends, and what fills up ---- */

static void look_at_certificate(const struct node *node, struct condition *condition)
{
    OWN_PTR(cert) cert = NULL;

    if (cert_load(node->certificate_file, &cert, NULL) == RC_OK) {
        condition_add(condition, METRIC_CERTIFICATE_ENDS, "tls", NULL,
                      cert_not_after_ms(cert) / 1000);
    }
}

/* The first instant of the day after the last one in force, as UTC has it. */
static void look_at_directory(const struct node *node, struct condition *condition)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct directory *directory = edition->directory;

    for (size_t i = 0; i < directory->text_count; i++) {
        const struct directory_text *text = &directory->texts[i];

        condition_add(condition, METRIC_DIRECTORY_ENDS, text->subject, NULL,
                      ((int64_t)text->in_force.to_day + 1) * DAY_S);
    }
    for (size_t i = 0; i < directory->text_count; i++) {
        condition_add(condition, METRIC_DIRECTORY_VERSION, directory->texts[i].subject, NULL,
                      (int64_t)directory->texts[i].version);
    }
}

static void look_at_disk(struct condition *condition, const char *name, const char *folder)
{
    struct statvfs disk;

    if (folder != NULL && statvfs(folder, &disk) == 0) {
        condition_add(condition, METRIC_DISK_FREE, name, NULL,
                      (int64_t)((uint64_t)disk.f_bavail * disk.f_frsize));
    }
}

static int64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (file != NULL) {
        if (fscanf(file, "%*s %ld", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(file);
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

void vitals_look(const struct node *node, struct condition *condition)
{
    const struct meters *meters = node->meters;
    OWN_READ(txn) = NULL;
    bool is_read = txn_read(node->db, &txn) == RC_OK;

    condition_add(condition, METRIC_NODE, node->self->code, node->self->origin, 1);
    condition_add(condition, METRIC_STARTED, NULL, NULL, meters->started_s);
    if (is_read) {
        look_at_log(node, txn, condition);
    }
    look_at_messages(node, condition);
    if (is_read) {
        look_at_queues(txn, METRIC_QUEUE, condition);
        look_at_queues(txn, METRIC_QUEUE_OLDEST, condition);
    }
    links_look(node->links, say_link, condition);
    links_look(node->links, say_failures, condition);
    desk_look(node->desk, say_seats, condition);
    look_at_witnesses(node, condition);
    look_at_certificate(node, condition);
    look_at_directory(node, condition);
    look_at_disk(condition, "data", meters->data);
    look_at_disk(condition, "vault", meters->vault);
    condition_add(condition, METRIC_DISK_FLOOR, NULL, NULL, (int64_t)meters->disk_floor);
    condition_add(condition, METRIC_MEMORY, NULL, NULL, resident_bytes());
}
