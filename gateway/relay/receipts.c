#include "relay/receipts.h"

#include <string.h>

#include "base/arena.h"
#include "crypto/digest.h"
#include "model/directory.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/cosigned.h"
#include "store/db.h"
#include "store/evidence.h"
#include "store/journal.h"
#include "tlog/tlog_proof.h"

static enum rc close_span(struct buffer *scratch, struct receipt_span *span)
{
    span->end = scratch->size;
    return scratch->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static void begin_span(struct buffer *scratch, enum receipt_level level,
                       const uint8_t leaf[LEAF_SIZE], struct receipt_span *span)
{
    span->level = level;
    span->leaf_at = scratch->size;
    buffer_put(scratch, leaf, LEAF_SIZE);
    span->proof_at = scratch->size;
}

enum rc receipts_fresh(const struct commit_point *point, enum receipt_level level, uint64_t index,
                       const uint8_t leaf[LEAF_SIZE], struct buffer *scratch,
                       struct receipt_span *span)
{
    begin_span(scratch, level, leaf, span);
    TRY(commit_point_receipt(point, index, scratch));
    return close_span(scratch, span);
}

enum rc receipts_stored(const struct node *node, struct auditlog_reader *reader, struct txn *txn,
                        enum receipt_level level, uint64_t index, struct buffer *scratch,
                        struct receipt_span *span)
{
    struct bytes leaf;

    TRY(auditlog_leaf(txn, index, &leaf));
    begin_span(scratch, level, leaf.data, span);
    TRY(auditlog_receipt(reader, txn, node->log_key, index, scratch));
    return close_span(scratch, span);
}

enum rc receipts_foreign(struct txn *txn, enum receipt_level level, uint64_t index,
                         struct buffer *scratch, struct receipt_span *span)
{
    uint8_t leaf[LEAF_SIZE] = {0};

    begin_span(scratch, level, leaf, span);
    TRY(evidence_get(txn, index, leaf, scratch));
    memcpy(scratch->data + span->leaf_at, leaf, LEAF_SIZE);
    return close_span(scratch, span);
}

enum rc receipts_witnessed(struct auditlog_reader *reader, struct txn *txn,
                           enum receipt_level level, uint64_t index, struct buffer *scratch,
                           struct receipt_span *span)
{
    struct cosigned cosigned;
    struct bytes leaf;
    struct proof path;

    TRY(cosigned_over(txn, index, &cosigned));
    TRY(auditlog_leaf(txn, index, &leaf));
    begin_span(scratch, level, leaf.data, span);
    TRY(auditlog_inclusion(reader, txn, index, cosigned.size, &path));
    tlog_proof_write(index, &path, (struct bytes){0}, cosigned.note, scratch);
    return close_span(scratch, span);
}

struct receipt receipt_of(const struct receipt_span *span, const struct buffer *scratch)
{
    return (struct receipt){
        .level = span->level,
        .leaf = BYTES(scratch->data + span->leaf_at, LEAF_SIZE),
        .tlog_proof = BYTES(scratch->data + span->proof_at, span->end - span->proof_at),
    };
}

/* ---- the method ---- */

/* R1 of a message between two members of this node is the second leaf of our own log. */
static enum rc add_other(const struct node *node, struct auditlog_reader *reader, struct txn *txn,
                         const struct id *id, const char *member, const struct journal_entry *sent,
                         struct buffer *scratch, struct receipt_span *span)
{
    struct journal_entry received;
    enum rc rc = receipts_foreign(txn, RECEIPT_RECEIVED, sent->index, scratch, span);

    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    scratch->size = span->leaf_at;
    TRY(journal_find(txn, JOURNAL_RECEIVED, id, member, &received));
    return receipts_stored(node, reader, txn, RECEIPT_RECEIVED, received.index, scratch, span);
}

static enum rc collect_both(const struct node *node, struct auditlog_reader *reader,
                            struct txn *txn, const struct id *id, const char *member,
                            const struct journal_entry *sent, struct buffer *scratch,
                            struct receipt_span spans[2], size_t *count)
{
    enum rc rc;

    TRY(receipts_stored(node, reader, txn, RECEIPT_HELD, sent->index, scratch, &spans[0]));
    rc = add_other(node, reader, txn, id, member, sent, scratch, &spans[1]);
    *count = rc == RC_OK ? 2 : 1;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Our own log's leaves only: the other node's quorum is asked of that node. */
static enum rc collect_witnessed(struct auditlog_reader *reader, struct txn *txn,
                                 const struct id *id, const char *member,
                                 const struct journal_entry *sent, struct buffer *scratch,
                                 struct receipt_span spans[2], size_t *count)
{
    struct journal_entry received;
    enum rc rc;

    TRY(receipts_witnessed(reader, txn, RECEIPT_HELD, sent->index, scratch, &spans[0]));
    *count = 1;
    rc = journal_find(txn, JOURNAL_RECEIVED, id, member, &received);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    TRY(receipts_witnessed(reader, txn, RECEIPT_RECEIVED, received.index, scratch, &spans[1]));
    *count = 2;
    return RC_OK;
}

/* RC_NOT_FOUND: no such message; RC_FAILED_PRECONDITION: no quorum over it yet. */
static enum rc collect(const struct node *node, const struct id *id, const char *member,
                       bool is_witnessed, struct buffer *scratch, struct buffer *response)
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;
    struct receipt_span spans[2];
    struct receipts receipts = {0};
    struct journal_entry sent;
    enum rc rc;

    if (reader == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(node->db, &txn));
    TRY(journal_find(txn, JOURNAL_SENT, id, member, &sent));
    if (is_witnessed) {
        rc = collect_witnessed(reader, txn, id, member, &sent, scratch, spans, &receipts.count);
        rc = rc == RC_NOT_FOUND ? RC_FAILED_PRECONDITION : rc;
    } else {
        rc = collect_both(node, reader, txn, id, member, &sent, scratch, spans, &receipts.count);
    }
    TRY(rc);
    receipts.message_commitment = BYTES(sent.message, DIGEST_SIZE);
    for (size_t i = 0; i < receipts.count; i++) {
        receipts.items[i] = receipt_of(&spans[i], scratch);
    }
    codec_receipts_write(&receipts, response);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc say_why(struct fault *fault, enum rc rc)
{
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, rc, "message.unknown", "message_id",
                      "No hay un mensaje suyo con ese identificador.");
    }
    if (rc == RC_FAILED_PRECONDITION) {
        return refuse(fault, RC_UNAVAILABLE, "receipt.unwitnessed", "message_id",
                      "Los testigos aún no alcanzan el quórum sobre ese mensaje; reintente en unos "
                      "segundos.");
    }
    return refuse(fault, RC_UNAVAILABLE, "node.unavailable", "message_id",
                  "El nodo no pudo leer su base; reintente.");
}

static void answer_call(struct node *node, struct call *call, bool is_witnessed)
{
    OWN(buffer) scratch = {0};
    OWN(buffer) response = {0};
    struct identity identity;
    struct fault fault = {0};
    struct id id;
    enum rc rc;

    rc = who_is_member(node, call_peer(call), &identity, &fault);
    if (rc == RC_OK) {
        rc = codec_id_request_read(call_request(call), &id, &fault);
    }
    if (rc == RC_OK) {
        rc = collect(node, &id, identity.member, is_witnessed, &scratch, &response);
        rc = rc != RC_OK ? say_why(&fault, rc) : rc;
    }
    if (rc != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    call_reply(call, buffer_bytes(&response));
}

void receipts_on_call(struct rpc_service *service, struct call *call)
{
    answer_call((struct node *)service, call, false);
}

void receipts_on_witnessed_call(struct rpc_service *service, struct call *call)
{
    answer_call((struct node *)service, call, true);
}
