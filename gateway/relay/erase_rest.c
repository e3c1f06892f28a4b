#include "relay/erase_rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "relay/erase_step.h"
#include "relay/facts.h"
#include "relay/holds.h"
#include "relay/node.h"
#include "store/auditlog.h"
#include "store/body.h"
#include "store/content.h"
#include "store/db.h"
#include "store/files.h"
#include "store/tagkey.h"
#include "tlog/leaf.h"

/* Of one write: about two milliseconds of unwrapping and wrapping. */
#define REWRAP_ROWS 256
#define ARENA_MAX ((size_t)4 << 20)

/* A walk over rows, a write at a time. */
struct walk {
    struct erase_step step; /* first */
    const struct id *order;
    const char *shard; /* erase_sweep: whose rows go */
    uint64_t at;       /* where the write at hand begins */
    uint64_t next;     /* and the one after it */
    bool is_over;
};

/* Runs the work over and over until it says that it is over. */
static enum rc walk_all(const struct node *node, const struct walk *plan)
{
    struct walk *walk = malloc(sizeof *walk);
    enum rc rc = walk == NULL ? RC_RESOURCE_EXHAUSTED : RC_OK;
    uint64_t at = 0;
    bool is_over = false;

    while (rc == RC_OK && !is_over) {
        *walk = *plan;
        walk->step.node = node;
        walk->step.write.bytes = REWRAP_ROWS * 512;
        walk->at = at;
        rc = erase_step_run(&walk->step);
        at = walk->next;
        is_over = walk->is_over;
    }
    free(walk);
    return rc;
}

/* ---- new keys for what stays ---- */

static enum rc nonce_of(struct txn *txn, uint64_t index, uint8_t nonce[LEAF_NONCE_SIZE])
{
    struct bytes bytes;
    struct leaf leaf;

    TRY(auditlog_leaf(txn, index, &bytes));
    TRY(leaf_decode(bytes, &leaf));
    memcpy(nonce, leaf.nonce, LEAF_NONCE_SIZE);
    return RC_OK;
}

/* True when the row was under a shard that is on its way out. */
static enum rc renew_keys(const struct node *node, struct txn *txn, uint64_t index,
                          struct bytes keys, bool *is_renewed)
{
    uint8_t nonce[LEAF_NONCE_SIZE];
    const struct shard *shard;
    const struct shard *next = NULL;
    OWN(buffer) moved = {0};
    struct bytes name;

    *is_renewed = false;
    TRY(content_shard_name(keys, &name));
    shard = vault_known(node->vault, name);
    if (shard == NULL || shard_is_in_force(shard) || shard_is_erased(shard)) {
        return RC_OK;
    }
    TRY(vault_successor(node->vault, shard, &next));
    TRY(nonce_of(txn, index, nonce));
    TRY(content_rewrap(node->vault, keys, nonce, next, &moved));
    *is_renewed = true;
    return body_rewrap(txn, index, buffer_bytes(&moved));
}

static enum rc rewrap_work(struct erase_step *base, struct txn *txn)
{
    struct walk *walk = (struct walk *)base;
    size_t renewed = 0;

    walk->next = walk->at;
    for (size_t looked = 0; looked < ERASE_LOOK && renewed < REWRAP_ROWS; looked++) {
        struct bytes keys;
        bool is_renewed = false;
        uint64_t index;
        enum rc rc = body_next(txn, walk->next, &index, &keys);

        if (rc == RC_NOT_FOUND) {
            walk->is_over = true;
            return RC_OK;
        }
        TRY(rc);
        TRY(renew_keys(base->node, txn, index, keys, &is_renewed));
        renewed += is_renewed;
        walk->next = index + 1;
    }
    return RC_OK;
}

static enum rc tags_work(struct erase_step *base, struct txn *txn)
{
    struct walk *walk = (struct walk *)base;
    enum rc rc;

    walk->next = walk->at;
    rc = tagkeys_renew(txn, base->node->tagkeys, REWRAP_ROWS, &walk->next);
    walk->is_over = rc == RC_NOT_FOUND;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc touched(const struct node *node, const struct id *order, char shard[VAULT_NAME_SIZE])
{
    char after[VAULT_NAME_SIZE];
    OWN_READ(txn) = NULL;

    memcpy(after, shard, sizeof after);
    TRY(txn_read(node->db, &txn));
    return orderbook_touched(txn, order, after, shard);
}

/* From here on nothing new comes under them. */
static enum rc begin_successors(const struct node *node, const struct id *order)
{
    char name[VAULT_NAME_SIZE] = "";
    enum rc rc;

    while ((rc = touched(node, order, name)) == RC_OK) {
        const struct shard *shard = vault_known(node->vault, bytes_text(name));
        const struct shard *next = NULL;

        if (shard != NULL && shard_is_in_force(shard)) {
            TRY(vault_next(node->vault, shard, &next));
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc rewrap_files(const struct node *node, const struct id *order)
{
    char name[VAULT_NAME_SIZE] = "";
    enum rc rc;

    while ((rc = touched(node, order, name)) == RC_OK) {
        const struct shard *shard = vault_known(node->vault, bytes_text(name));
        const struct shard *next = NULL;
        size_t count = 0;

        if (shard == NULL || shard_is_erased(shard)) {
            continue;
        }
        TRY(vault_successor(node->vault, shard, &next));
        TRY(files_rewrap(node->files, shard, next, &count));
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc erase_destroy(const struct node *node, const struct id *order)
{
    char name[VAULT_NAME_SIZE] = "";
    enum rc rc;

    while ((rc = touched(node, order, name)) == RC_OK) {
        const struct shard *shard = vault_known(node->vault, bytes_text(name));

        if (shard != NULL && (!shard_is_erased(shard) || shard_is_blocked(shard))) {
            TRY(vault_destroy(node->vault, bytes_text(name)));
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc erase_rewrap(const struct node *node, const struct id *order)
{
    const struct walk keys = {.step = {.work = rewrap_work}, .order = order};
    const struct walk tags = {.step = {.work = tags_work}, .order = order};

    TRY(begin_successors(node, order));
    TRY(walk_all(node, &keys)); /* its first write is behind all that were prepared before */
    TRY(walk_all(node, &tags));
    TRY(rewrap_files(node, order));
    tagkey_forget(node->tagkeys);
    return erase_destroy(node, order);
}

/* ---- what a hold covers ---- */

static enum rc count_one(struct txn *txn, const struct holds *holds, uint64_t index,
                         struct arena *arena, uint32_t *entries, uint32_t *held)
{
    struct facts facts;

    arena_reset(arena);
    TRY(facts_read(txn, index, arena, &facts));
    *entries += 1;
    *held += holds_cover(holds, &facts.record);
    return RC_OK;
}

/* In one snapshot at a time, some thousand rows long. */
static enum rc count_keys(const struct node *node, const struct order_row *row,
                          const struct holds *holds, struct arena *arena, uint64_t *from,
                          uint32_t *entries, uint32_t *held)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(node->db, &txn));
    for (size_t looked = 0; looked < ERASE_LOOK; looked++) {
        struct bytes keys;
        struct bytes name;
        uint64_t index;

        TRY(body_next(txn, *from, &index, &keys));
        TRY(content_shard_name(keys, &name));
        if (bytes_are_text(name, row->shard)) {
            TRY(count_one(txn, holds, index, arena, entries, held));
        }
        *from = index + 1;
    }
    return RC_OK;
}

static enum rc count_kept(const struct node *node, const struct order_row *row,
                          const struct holds *holds, struct arena *arena, uint32_t *entries,
                          uint32_t *held)
{
    OWN_READ(txn) = NULL;
    uint64_t from = 0;
    struct bytes keys;
    enum rc rc;

    TRY(txn_read(node->db, &txn));
    while ((rc = orderbook_kept(txn, &row->id, from, &from, &keys)) == RC_OK) {
        TRY(count_one(txn, holds, from, arena, entries, held));
        from++;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc count_all(const struct node *node, const struct order_row *row, struct holds *holds,
                         uint32_t *entries, uint32_t *held)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    uint64_t from = 0;
    enum rc rc = RC_OK;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    {
        OWN_READ(txn) = NULL;

        TRY(txn_read(node->db, &txn));
        TRY(holds_read(txn, row->member, holds));
    }
    *entries = *held = 0;
    while (rc == RC_OK) {
        rc = count_keys(node, row, holds, arena, &from, entries, held);
    }
    return rc == RC_NOT_FOUND ? count_kept(node, row, holds, arena, entries, held) : rc;
}

enum rc erase_count(const struct node *node, const struct order_row *row, uint32_t *entries,
                    uint32_t *held)
{
    struct holds *holds = malloc(sizeof *holds);
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (holds != NULL) {
        rc = count_all(node, row, holds, entries, held);
    }
    free(holds);
    return rc;
}

/* ---- rows of what was destroyed ---- */

static enum rc drop_message(struct erase_step *step, struct txn *txn, uint64_t index,
                            struct arena *arena)
{
    struct facts facts;

    arena_reset(arena);
    TRY(facts_read(txn, index, arena, &facts));
    TRY(body_delete(txn, index));
    TRY(erase_cancel_debts(step, txn, index));
    return facts.has_record ? erase_mark(txn, &facts.record) : RC_OK;
}

static enum rc sweep_rows(struct walk *walk, struct txn *txn, struct arena *arena)
{
    size_t dropped = 0;

    walk->next = walk->at;
    for (size_t looked = 0; looked < ERASE_LOOK && dropped < ERASE_BATCH; looked++) {
        struct bytes keys;
        struct bytes name;
        uint64_t index;
        enum rc rc = body_next(txn, walk->next, &index, &keys);

        if (rc == RC_NOT_FOUND) {
            walk->is_over = true;
            return RC_OK;
        }
        TRY(rc);
        TRY(content_shard_name(keys, &name));
        if (bytes_are_text(name, walk->shard)) {
            TRY(drop_message(&walk->step, txn, index, arena));
            dropped++;
        }
        walk->next = index + 1;
    }
    return RC_OK;
}

static enum rc sweep_work(struct erase_step *base, struct txn *txn)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);

    return arena != NULL ? sweep_rows((struct walk *)base, txn, arena) : RC_RESOURCE_EXHAUSTED;
}

static enum rc kept_work(struct erase_step *base, struct txn *txn)
{
    struct walk *walk = (struct walk *)base;

    for (size_t i = 0; i < REWRAP_ROWS; i++) {
        struct bytes keys;
        uint64_t index;
        enum rc rc = orderbook_kept(txn, walk->order, 0, &index, &keys);

        if (rc == RC_NOT_FOUND) {
            walk->is_over = true;
            return RC_OK;
        }
        TRY(rc);
        TRY(orderbook_drop(txn, walk->order, index));
    }
    return RC_OK;
}

enum rc erase_sweep(const struct node *node, const struct order_row *row)
{
    const struct walk rows = {.step = {.work = sweep_work}, .order = &row->id, .shard = row->shard};
    const struct walk kept = {.step = {.work = kept_work}, .order = &row->id};

    TRY(walk_all(node, &rows));
    TRY(walk_all(node, &kept));
    (void)files_sweep(node->files);
    tagkey_forget(node->tagkeys);
    return RC_OK;
}
