/*
 * adapter_parts - what the files of the sdk share. Internal to it.
 *
 *     adapter.c        start, loop, stop; the two streams
 *     adapter_take.c   arrivals: custody, on_message, handled
 *     adapter_say.c    acts and reports composed
 *     adapter_open.c   what the agency begins; what its system refuses
 *     adapter_pay.c    what is owed goes out; receipts and refusals come back
 *
 * Everything but `arrivals` belongs to the thread of adapter_run.
 */
#ifndef SDK_ADAPTER_PARTS_H
#define SDK_ADAPTER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/inbox.h"
#include "client/attach.h"
#include "client/compose.h"
#include "client/spool.h"
#include "sdk/adapter.h"
#include "sdk/debts.h"
#include "sdk/idset.h"

struct actkey;
struct book;
struct cert;
struct disputes;
struct session;

#define ADAPTER_BATCH_MAX 128
#define ADAPTER_ARENA_MAX ((size_t)16 << 20)
#define ADAPTER_OUT_MAX 512 /* given to a stream without an answer */
#define ADAPTER_RETRY_MS 1000
#define ADAPTER_ASIDE_MAX 1000 /* files that one process keeps for a person */
#define ADAPTER_TICK_MS 1000

/* One for each urgency; its thread holds attach_run. */
struct adapter_stream {
    struct attach_user user; /* first */
    struct adapter *adapter;
    enum urgency urgency;
    struct attach *attach;
    pthread_t thread;
    bool is_running;
    struct debts debts;
    int64_t again_ms; /* monotonic: nothing goes out before */
};

enum arrival_kind { ARRIVAL_DELIVERY, ARRIVAL_RESULT, ARRIVAL_TASK };

/* From a stream's thread to the adapter's. */
struct adapter_arrival {
    struct inbox_item item; /* first */
    enum arrival_kind kind;
    struct adapter_stream *stream;
    struct id id;
    struct buffer bytes;    /* a Message, or a receipt file */
    struct buffer evidence; /* of a delivery, when they are kept: a receipt file */
    struct fault fault;     /* of a result */
    struct adapter_task *task;
    bool was_settled; /* the node was asked for it again: no custody is taken twice */
};
void adapter_arrival_free(struct adapter_arrival *arrival);

/* Said, not yet durable. */
struct adapter_draft {
    struct id id;
    struct id exchange_id;
    enum urgency urgency;
    struct buffer request;
};

struct adapter_drafts {
    struct adapter_draft *items;
    size_t count;
    size_t room;
    struct idset ids; /* of this batch */
};

struct adapter {
    struct adapter_config config;
    struct session *session;
    struct spool *spool;
    struct ledger *ledger;
    struct disputes *disputes;
    struct book *subjects; /* the agency's people, by member: random pseudonyms */
    struct inbox *arrivals;
    struct adapter_stream streams[2]; /* urgent, ordinary */
    struct idset said;                /* by seed: everything that has stood in the outbox */
    struct idset undealt;             /* in the inbox since a failed on_message */
    struct adapter_drafts drafts;
    struct cert *official_cert; /* NULL: signs nothing */
    struct actkey *official_key;
    char official[64];  /* roster id */
    int64_t last_id_ms; /* ids of ours ascend */
    int64_t again_ms;   /* monotonic: when the inbox is looked at again */
    int64_t tick_ms;    /* monotonic: when on_tick is called next */
    int64_t kept_ms;    /* monotonic: when answered messages are looked at again */
    struct id kept_from;
    int64_t active_ms; /* monotonic: when something happened */
    struct adapter_figures figures;
    atomic_bool is_stopping;
    atomic_uint_least64_t unreconciled; /* differences from the log that nobody healed */
};

/* adapter_take.c */
bool adapter_on_delivery(struct attach_user *user, const struct delivery *delivery,
                         const uint8_t commitment[HASH_SIZE]);
/* A batch: custody, callbacks, commit. What it answers RC_OK to is durable. */
MUST_CHECK enum rc adapter_take(struct adapter *adapter, struct adapter_arrival *const *batch,
                                size_t count);
/* The inbox of an earlier process, and what failed. */
MUST_CHECK enum rc adapter_take_undealt(struct adapter *adapter);

/* adapter_say.c */
/* Composed and drafted, unless its seed was said before; `said` is its id then and now. */
MUST_CHECK enum rc adapter_say(struct adapter *adapter, struct draft *draft,
                               const uint8_t seed[SPOOL_SEED_SIZE], struct id *said,
                               struct fault *fault);
MUST_CHECK enum rc adapter_say_custody(struct adapter *adapter, const struct message *message);
void adapter_drafts_cut(struct adapter_drafts *drafts, size_t count);
void adapter_drafts_release(struct adapter_drafts *drafts);
MUST_CHECK enum rc adapter_load_official(struct adapter *adapter, struct fault *fault);

/* adapter_pay.c */
void adapter_on_result(struct attach_user *user, const struct submit_result *result,
                       const uint8_t commitment[HASH_SIZE]);
/* The drafts become durable, and debts. */
MUST_CHECK enum rc adapter_owe(struct adapter *adapter);
/* Debts of an earlier process. */
MUST_CHECK enum rc adapter_owe_again(struct adapter *adapter);
MUST_CHECK enum rc adapter_settle(struct adapter *adapter, struct adapter_arrival *const *batch,
                                  size_t count);
/* What is owed goes to the streams, as far as they take it. */
MUST_CHECK enum rc adapter_pay(struct adapter *adapter);
/* Asks, now and then, whether the node still has what it answered (client/answered): what it lost
 * is owed again. */
void adapter_look_at_kept(struct adapter *adapter);
struct adapter_stream *adapter_stream_for(struct adapter *adapter, enum urgency urgency);

#endif
