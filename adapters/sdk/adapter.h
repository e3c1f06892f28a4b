/*
 * adapter - what every agency's adapter shares: takes messages into custody, says acts and reports,
 * and goes on after any crash without loss and without saying anything twice.
 *
 * The agency fills in on_message. For each message that arrives, in order:
 *
 *     verified (both receipts) -> stored in the spool's inbox -> on_message -> custody (R2) and
 *     what it said are stored in the outbox -> written down as handled -> they go out, many at a
 *     time, and what wants no custody is acknowledged -> receipts are kept
 *
 * Every arrow is durable before the next, in batches, so after a crash the same step is done again
 * with the same outcome: what is said has an id derived from the spool's secret and from what it
 * answers (exchange, message, item, event, occurrence). Saying the same again is no new message;
 * on_message may therefore be called again for a message after a crash, and must say the same.
 *
 * A refusal that time may cure (node away, busy; identity suspended for now) is tried again; one
 * that it may not is parked in the spool with its reason, and logged ("act.parked"), for a person.
 *
 * Threads: adapter_run holds one thread, on which all callbacks run and from which (callbacks
 * included) everything else here is called, except adapter_post, adapter_call and adapter_stop: any
 * other thread.
 */
#ifndef SDK_ADAPTER_H
#define SDK_ADAPTER_H

#include "base/own.h"
#include "model/message.h"
#include "sdk/ledger.h"

struct adapter;
struct arena;
struct draft;
struct draft_compartment;
struct profile;

struct adapter_user {
    /*
     * A message that stands in our inbox, decoded; borrowed until it returns. RC_OK: dealt with;
     * only then custody (R2) is said, so return it when the agency's own system has it
     * (sdk/handover). Anything else: it stays in the inbox and comes again after a second; what
     * was said meanwhile is dropped. RC_FAILED_PRECONDITION: it waits for something else (not
     * logged as a fault).
     */
    enum rc (*on_message)(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message);
    /* About once a second, on the adapter's thread; may say things. Or NULL. */
    void (*on_tick)(struct adapter_user *user, struct adapter *adapter);
    /* What became of something said: fault->rc RC_OK and a verified receipt, or parked. Or NULL. */
    void (*on_answer)(struct adapter_user *user, struct adapter *adapter,
                      const struct id *message_id, const struct fault *fault);
};

struct adapter_config {
    const struct profile *profile; /* borrowed; spool and, to sign, official_* are needed */
    struct adapter_user *user;
    uint32_t window;     /* deliveries in flight per stream; 0: 256 */
    bool keeps_receipts; /* of what comes: adapter_receipts */
    int64_t idle_ms;     /* adapter_run returns when nothing is owed and nothing came; -1: never */
};

/* First thing in main after tlsconf: SIGTERM and SIGINT then end adapter_run in good order. */
void adapter_block_signals(void);

/* Opens the spool (its own folder "adapter" in the profile's) and connects. */
MUST_CHECK enum rc adapter_new(const struct adapter_config *config, struct adapter **adapter,
                               struct fault *fault);
void adapter_free(struct adapter *adapter);
OWN_PTR_DEFINE(adapter)

/*
 * Until SIGTERM, SIGINT, adapter_stop or idleness: RC_OK. A disk that cannot be written ends it
 * with RC_UNAVAILABLE: nothing is answered that is not durable.
 */
MUST_CHECK enum rc adapter_run(struct adapter *adapter);
void adapter_stop(struct adapter *adapter);

/* ---- saying something ---- */

/* A step in the life of an item. Signed by the profile's official where the step has to be. */
struct adapter_act {
    /* What it answers: a message as it came (or an opening, by adapter_exchange). */
    const struct header *to;
    uint32_t item; /* 0: all */
    enum event event;
    const char *reason;      /* NULL: none */
    const char *competent;   /* NULL: none */
    const char *occurred_at; /* RFC 3339 with offset; NULL: now */
    struct bytes evidence_sha256;
    /* What the route lists in reply-fields; of the request's subjects. */
    const struct draft_compartment *compartments;
    size_t compartment_count;
};

struct adapter_report {
    const struct header *to; /* the opening message */
    uint32_t item;
    uint32_t occurrence;     /* 1, 2, 3 ... without gaps */
    const char *action_code; /* of the item; stands in the header's catalogue_code, too */
    const char *occurred_at; /* NULL: now */
    struct bytes evidence_sha256;
    const struct draft_compartment *compartments; /* as in an act */
    size_t compartment_count;
};

/*
 * Durable with this callback's batch. RC_OK also when it was said before; after a dispute of the
 * other side the same event is said anew (sdk/disputes), and a pause or its end is another one when
 * its instant is. Custody (R2) is said by the sdk itself. RC_FAILED_PRECONDITION
 * "adapter.no_official": it has to be signed and the profile names no official.
 */
MUST_CHECK enum rc adapter_act(struct adapter *adapter, const struct adapter_act *act,
                               struct fault *fault);
MUST_CHECK enum rc adapter_report(struct adapter *adapter, const struct adapter_report *report,
                                  struct fault *fault);

/*
 * The agency's system refuses it for good: the item fails (coded reason, as "formato-no-aceptado"),
 * so that the sender, who stays responsible, hears of it; a copy stays in the spool's "rejected"
 * beside a .why for a person. Acts and reports are only kept. From on_message, which then returns
 * what this returns.
 */
MUST_CHECK enum rc adapter_reject(struct adapter *adapter, const struct message *message,
                                  const char *reason, const struct fault *why);

/*
 * What the agency's system said and cannot be taken: a status of an exchange that is not its own,
 * say. Kept in the spool's "aside" beside a .why for a person, the same again once; the caller has
 * logged it and told the agency where it can. At most 1,000 by one process.
 */
void adapter_set_aside(struct adapter *adapter, struct bytes said, const struct fault *why);

/*
 * A message that opens an exchange, begun by the agency: `foreign` is its own name of it (1 to 96
 * bytes, no control characters), and it is said once for ever, however often this is called. The
 * draft comes without ids, sender and instants, which are filled in; it may have signers.
 * `exchange_id` is that of the first time.
 */
MUST_CHECK enum rc adapter_open(struct adapter *adapter, const char *foreign, struct draft *draft,
                                struct id *exchange_id, struct fault *fault);
/*
 * The pseudonym of one of the agency's people towards one member, random and kept; `local` is the
 * one that only our own node sees (draft.local_subjects). `foreign` as above.
 */
MUST_CHECK enum rc adapter_pseudonym(struct adapter *adapter, const char *foreign,
                                     const char *member, struct id *pseudonym, struct id *local);

/* ---- looking back ---- */

/*
 * The header of the message that opened an exchange, if it came through this adapter and the
 * exchange is not forgotten: for acts and reports long after. RC_NOT_FOUND.
 */
MUST_CHECK enum rc adapter_exchange(struct adapter *adapter, const struct id *exchange_id,
                                    struct arena *arena, struct message *opening);
/* No act or report will be said in it any more. */
void adapter_forget(struct adapter *adapter, const struct id *exchange_id);

/* Deals with it now, if it still waits in the inbox. For tasks; failures are logged. */
void adapter_again(struct adapter *adapter, const struct id *message_id);

/* It stands in the inbox, not dealt with yet: nothing may be said of it before its custody. */
bool adapter_is_waiting(const struct adapter *adapter, const struct id *message_id);

/* The spool's folder: books and other small things of the agency stand there. */
const char *adapter_folder(const struct adapter *adapter);

/*
 * Appends both receipts of a message that came, as a receipt file; only with keeps_receipts, and
 * until they are dropped. RC_NOT_FOUND.
 */
MUST_CHECK enum rc adapter_receipts(struct adapter *adapter, const struct id *message_id,
                                    struct buffer *into);
void adapter_drop_receipts(struct adapter *adapter, const struct id *message_id);

/* What was handled, since the spool exists. */
const struct ledger_counts *adapter_counts(const struct adapter *adapter);

struct adapter_figures {
    uint64_t said;         /* acts and reports that have their receipt, by this process */
    uint64_t parked;       /* refused for good, by this process */
    uint64_t repeated;     /* deliveries that were known already */
    size_t owed;           /* no receipt yet */
    size_t undealt;        /* in the inbox: it waits, or on_message failed */
    uint64_t rejected;     /* by the agency's system, by this process */
    uint64_t aside;        /* what it said and could not be taken, by this process */
    uint64_t unreconciled; /* what differs from the node's log and could not be healed */
};
struct adapter_figures adapter_figures(const struct adapter *adapter);

/* ---- from other threads ---- */

struct adapter_task {
    /* On the adapter's thread; may say things. The task is the caller's, who may free it here. */
    void (*run)(struct adapter_task *task, struct adapter *adapter);
};
/* RC_RESOURCE_EXHAUSTED when too much waits, RC_UNAVAILABLE when it is stopping. */
MUST_CHECK enum rc adapter_post(struct adapter *adapter, struct adapter_task *task);

struct adapter_call {
    /* On the adapter's thread; may say things. */
    enum rc (*run)(struct adapter_call *call, struct adapter *adapter);
};
/*
 * Runs it and waits until what it said is durable; what `run` returned. RC_UNAVAILABLE when the
 * adapter stops first: then it may have run or not. Never from the adapter's own thread.
 */
MUST_CHECK enum rc adapter_call(struct adapter *adapter, struct adapter_call *call);

#endif
