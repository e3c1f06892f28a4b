#include "relay/held.h"

#include <string.h>

#include "base/arena.h"
#include "relay/node.h"
#include "rpc/codec.h"
#include "store/approval.h"
#include "store/auditlog.h"
#include "store/body.h"
#include "store/content.h"

/* The parts as they were stored make the Message again; decoding it fills the rest. */
static enum rc wrap(const struct message *parts, struct arena *arena, struct held *held)
{
    OWN(buffer) bytes = {0};

    codec_message_write(parts, &bytes);
    if (bytes.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    held->bytes = arena_copy(arena, buffer_bytes(&bytes));
    if (held->bytes.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return codec_message_read(held->bytes, arena, &held->message, NULL);
}

/* The approval of a second official came later, and travels with the signatures of the first. */
static enum rc add_approval(struct txn *txn, uint64_t index, struct message *parts)
{
    struct approval approval;
    enum rc rc = approval_get(txn, index, &approval);

    if (rc != RC_OK || approval.outcome != APPROVAL_GIVEN) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (parts->signature_count == MESSAGE_SIGNATURES_MAX) {
        return failed(RC_DATA_LOSS, "approval.row", "cause=no room for its signature");
    }
    parts->signatures[parts->signature_count++] = approval.signature;
    return RC_OK;
}

enum rc held_load(const struct node *node, struct txn *txn, uint64_t index, struct arena *arena,
                  struct held *held)
{
    struct message *parts = arena_alloc(arena, sizeof *parts);
    struct bytes leaf;
    struct bytes key_row;
    struct bytes body_row;

    if (parts == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    held->index = index;
    TRY(auditlog_leaf(txn, index, &leaf));
    memcpy(held->leaf_bytes, leaf.data, LEAF_SIZE);
    TRY(leaf_decode(BYTES_OF(held->leaf_bytes), &held->leaf));
    TRY(body_get(txn, index, &key_row, &body_row));
    TRY(content_open(node->vault, key_row, body_row, held->leaf.nonce, arena, parts, NULL));
    TRY(add_approval(txn, index, parts));
    return wrap(parts, arena, held);
}
