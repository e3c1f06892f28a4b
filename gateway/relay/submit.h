/*
 * submit - from the member's call to the commit.
 *
 *     queue thread: submit_begin --writer--> writer thread: check, put --> job->on_settled
 *     (hands over) --> queue thread: submit_result
 *
 * The same for a unary call, a SubmitStream and an attached system: they differ only in where
 * on_settled hands the job over to. A job is made in an arena of its own (or its call's).
 */
#ifndef RELAY_SUBMIT_H
#define RELAY_SUBMIT_H

#include "model/receipt.h"
#include "relay/budget.h"
#include "relay/desk.h"
#include "relay/entry.h"
#include "relay/receipts.h"
#include "rpc/stream.h"
#include "store/exchange.h"
#include "store/writer.h"

struct arrival;
struct call;
struct edition;
struct identity;
struct lodged;
struct submission;
struct will;

/* What a receipt takes, about: leaf, path and checkpoint as text. */
#define SUBMIT_RECEIPT_ROOM ((size_t)1280)

struct submit_job {
    struct write write;      /* first: the writer's */
    struct stream_item item; /* for whoever it is handed over to */
    struct node *node;
    struct arena *arena;
    const struct identity *sender; /* the arena's */
    struct edition *edition;       /* by which it is judged; left by submit_release */
    struct submission *submission;
    struct fault fault;   /* rc not RC_OK: refused or failed */
    struct fault told;    /* what this sender alone is answered instead (relay/wills), or RC_OK */
    struct will *pending; /* an impeded person's, to be kept with this message; or NULL */
    struct entry sent;
    struct purge *purge;     /* by which this act erases what the sender holds, or NULL */
    struct arrival *arrival; /* when the recipient is hosted here too; else NULL */
    struct recent *recent;   /* to be forwarded from memory; may be NULL */
    bool is_local;
    bool awaits;     /* a second official's approval: it is held, and goes nowhere */
    bool is_refused; /* before the writer saw it */
    bool is_refusal_logged;
    bool is_duplicate;
    bool is_erased; /* a duplicate whose content is gone */
    uint64_t index; /* of the sent leaf, whether new or the first one's */
    char recipient_node[CODE_SIZE];
    bool is_custody;         /* an act of custody, */
    uint64_t settled_index;  /* of the leaf that it answers, */
    bool is_custody_settled; /* which paid the debt of its delivery, there: */
    char settled_destination[DESK_DESTINATION_SIZE];
    /* Writer thread, once, when the commit stands or the job failed; must only hand over. */
    void (*on_settled)(struct submit_job *job);
    struct stream *stream; /* what on_settled needs, one of both */
    struct call *call;
    struct lodged *lodged;   /* the attached stream's (desk) */
    struct budget_hold hold; /* the call's */
    size_t weight;           /* in its stream's budget */
};

/* Copies the sender. NULL when the arena is full. */
struct submit_job *submit_new(struct node *node, struct arena *arena,
                              const struct identity *sender);

/*
 * Queue thread. Decodes `request` (a SubmitRequest; must live as long as the job's arena), checks
 * everything that needs no write, and hands the job to the writer: RC_OK means that on_settled
 * will come. Otherwise the job is the caller's again, with its fault.
 */
MUST_CHECK enum rc submit_begin(struct submit_job *job, struct bytes request);
/* The same for a submission that was decoded already. */
MUST_CHECK enum rc submit_begin_decoded(struct submit_job *job, struct submission *submission);

/*
 * Queue thread, after on_settled: the receipt or the fault. The receipt's bytes are appended to
 * scratch, which may grow: results are bound to it when all of them stand there.
 */
void submit_result(struct submit_job *job, struct buffer *scratch, struct submit_result *result,
                   struct receipt_span *span);
void submit_result_bind(const struct buffer *scratch, const struct receipt_span *span,
                        struct submit_result *result);
void submit_release(struct submit_job *job);

/* The rpc method. */
void submit_on_call(struct rpc_service *service, struct call *call);

#endif
