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
#include "store/db.h"
#include "store/evidence.h"
#include "store/journal.h"

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

static enum rc collect(const struct node *node, const struct id *id, const char *member,
                       struct buffer *scratch, struct buffer *response)
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
    TRY(receipts_stored(node, reader, txn, RECEIPT_HELD, sent.index, scratch, &spans[0]));
    receipts.count = 1;
    rc = add_other(node, reader, txn, id, member, &sent, scratch, &spans[1]);
    if (rc == RC_OK) {
        receipts.count = 2;
    } else if (rc != RC_NOT_FOUND) {
        return rc;
    }
    receipts.message_commitment = BYTES(sent.message, DIGEST_SIZE);
    for (size_t i = 0; i < receipts.count; i++) {
        receipts.items[i] = receipt_of(&spans[i], scratch);
    }
    codec_receipts_write(&receipts, response);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

void receipts_on_call(struct rpc_service *service, struct call *call)
{
    struct node *node = (struct node *)service;
    OWN(buffer) scratch = {0};
    OWN(buffer) response = {0};
    struct identity identity;
    struct fault fault = {0};
    struct id id;
    enum rc rc;

    if (who_is_member(node, call_peer(call), &identity, &fault) != RC_OK ||
        codec_id_request_read(call_request(call), &id, &fault) != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    rc = collect(node, &id, identity.member, &scratch, &response);
    if (rc != RC_OK) {
        refuse(&fault, rc == RC_NOT_FOUND ? rc : RC_UNAVAILABLE,
               rc == RC_NOT_FOUND ? "message.unknown" : "node.unavailable", "message_id", "%s",
               rc == RC_NOT_FOUND ? "No hay un mensaje suyo con ese identificador."
                                  : "El nodo no pudo leer su base; reintente.");
        call_refuse(call, &fault);
        return;
    }
    call_reply(call, buffer_bytes(&response));
}
