#include "relay/delivery.h"

#include "base/own.h"
#include "relay/held.h"
#include "relay/node.h"
#include "relay/receipts.h"
#include "rpc/codec_service.h"
#include "store/journal.h"
#include "store/outbox.h"

/* A sender that is hosted here has its evidence in our own log, any other came with a parcel. */
static enum rc put_senders(const struct node *node, struct auditlog_reader *reader, struct txn *txn,
                           const struct held *held, struct buffer *scratch,
                           struct receipt_span *span)
{
    const struct header *header = &held->message.header;
    size_t before = scratch->size;
    struct journal_entry sent;
    enum rc rc = receipts_foreign(txn, RECEIPT_HELD, held->index, scratch, span);

    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    scratch->size = before;
    TRY(journal_find(txn, JOURNAL_SENT, &header->message_id, header->from, &sent));
    return receipts_stored(node, reader, txn, RECEIPT_HELD, sent.index, scratch, span);
}

enum rc delivery_write(const struct node *node, struct auditlog_reader *reader, struct txn *txn,
                       const struct outbox_entry *debt, bool is_redelivered, struct arena *arena,
                       struct held *held, struct buffer *bytes)
{
    struct attach_response response = {.kind = ANSWER_DELIVERY};
    struct receipt_span own;
    struct receipt_span senders;
    OWN(buffer) scratch = {0};

    TRY(held_load(node, txn, debt->index, arena, held));
    TRY(receipts_stored(node, reader, txn, RECEIPT_RECEIVED, debt->index, &scratch, &own));
    TRY(put_senders(node, reader, txn, held, &scratch, &senders));
    response.delivery.message = &held->message;
    response.delivery.receipt = receipt_of(&own, &scratch);
    response.delivery.sender_receipt = receipt_of(&senders, &scratch);
    response.delivery.is_redelivered = is_redelivered;
    response.delivery.was_settled = (debt->flags & OUTBOX_SETTLED) != 0;
    codec_attach_response_write(&response, bytes);
    return bytes->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}
