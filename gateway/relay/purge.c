#include "relay/purge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/entry.h"
#include "relay/eraser.h"
#include "relay/node.h"
#include "store/orderbook.h"

struct purge {
    struct order_row row;
    struct buffer target;
    bool is_ordered; /* in the transaction at hand, then for good */
};

static void fill_row(const struct entry *entry, struct order_row *row)
{
    const struct header *header = &entry->message->header;
    uint8_t random[10];

    random_fill(random, sizeof random);
    row->given_at_ms = row->due_at_ms = clock_now_ms();
    row->id = id_v7(row->given_at_ms, random);
    row->kind = ORDER_ERASE;
    row->phase = ORDER_BLOCKING;
    snprintf(row->member, sizeof row->member, "%s", entry->holder);
    snprintf(row->basis, sizeof row->basis, "%s", header->legal_basis);
    snprintf(row->reason, sizeof row->reason, "%s", event_name(header->event));
    snprintf(row->actor, sizeof row->actor, "%s", entry->actor);
    memcpy(row->digest, entry->commitment, HASH_SIZE);
}

static enum rc wrap_target(const struct node *node, const struct id *exchange_id,
                           struct purge *purge)
{
    const struct order_target target = {.exchange_id = *exchange_id};
    struct order_row *row = &purge->row;
    const struct shard *blocked = NULL;
    struct vault *view = NULL;
    enum rc rc = vault_with_blocked(node->vault, bytes_text(row->shard), &view, &blocked);

    if (rc == RC_OK) {
        rc = order_target_wrap(view, blocked, &row->id, &target, &purge->target);
    }
    vault_free(view);
    return rc == RC_OK && purge->target.is_failed ? RC_RESOURCE_EXHAUSTED : rc;
}

enum rc purge_prepare(const struct node *node, const struct entry *entry, struct purge **out)
{
    struct purge *purge = calloc(1, sizeof *purge);
    const struct shard *made = NULL;
    int32_t month;
    enum rc rc;

    if (purge == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    fill_row(entry, &purge->row);
    rc = vault_month("R1", purge->row.given_at_ms, &month);
    rc = rc == RC_OK ? vault_escrow(node->vault, purge->row.member, month - 100, &made) : rc;
    if (rc == RC_OK) {
        snprintf(purge->row.shard, sizeof purge->row.shard, "%s", shard_name(made));
        rc = wrap_target(node, &entry->message->header.exchange_id, purge);
    }
    if (rc != RC_OK) {
        purge_free(purge, node);
        return rc;
    }
    *out = purge;
    return RC_OK;
}

enum rc purge_put(struct purge *purge, struct txn *txn, uint64_t until)
{
    if (purge == NULL) {
        return RC_OK;
    }
    purge->row.until = until;
    purge->row.target = buffer_bytes(&purge->target);
    purge->is_ordered = true;
    return orderbook_put(txn, &purge->row);
}

void purge_again(struct purge *purge)
{
    if (purge != NULL) {
        purge->is_ordered = false;
    }
}

void purge_committed(struct purge *purge, const struct node *node)
{
    char id[ID_TEXT_SIZE];

    if (purge != NULL && purge->is_ordered) {
        id_format(&purge->row.id, id);
        log_info("purge.ordered", "order=%s member=%s reason=%s", id, purge->row.member,
                 purge->row.reason);
        eraser_poke(node->eraser);
    }
}

void purge_free(struct purge *purge, const struct node *node)
{
    if (purge == NULL) {
        return;
    }
    if (!purge->is_ordered && purge->row.shard[0] != '\0' &&
        vault_destroy(node->vault, bytes_text(purge->row.shard)) != RC_OK) {
        log_warn("purge.shard", "shard=%s is empty and stays", purge->row.shard);
    }
    buffer_release(&purge->target);
    free(purge);
}
