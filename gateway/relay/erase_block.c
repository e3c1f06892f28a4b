#include "relay/erase_block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/erase_step.h"
#include "relay/facts.h"
#include "relay/held.h"
#include "relay/node.h"
#include "store/auditlog.h"
#include "store/body.h"
#include "store/db.h"
#include "store/files.h"
#include "store/tagkey.h"

#define ARENA_MAX ((size_t)16 << 20)
/* Messages of one step, each opened on the way. */
#define MOVES_MAX 16
#define SUBJECT_NONE UINT32_MAX

/* A message that the order covers, and what becomes of its keys. */
struct move {
    uint64_t index;
    struct id message_id;
    enum record_kind kind;
    char from[CODE_SIZE];
    bool is_whole;
    uint8_t was[DIGEST_SIZE]; /* of the key row that this was made from */
    char shard[VAULT_NAME_SIZE];
    struct buffer keys;
    struct buffer kept; /* the keys as they were, when not the whole message goes */
    struct id attachments[MESSAGE_ATTACHMENTS_MAX];
    size_t attachment_count;
};

struct block_step {
    struct erase_step step; /* first */
    struct erasing *erasing;
    struct move moves[MOVES_MAX];
    size_t count;
    struct id files[(MOVES_MAX + 1) * MESSAGE_ATTACHMENTS_MAX];
    size_t file_count;
    uint64_t cursor;
    bool is_last;
};

/* ---- what the order is about ---- */

static bool is_one_of(const struct id *ids, size_t count, const struct id *id)
{
    for (size_t i = 0; i < count; i++) {
        if (id_equal(&ids[i], id)) {
            return true;
        }
    }
    return false;
}

/* Which of the message's persons; SUBJECT_NONE: not about them. *is_only: about nobody else. */
static uint32_t subject_of(const struct order_target *target, const struct content_persons *persons,
                           bool *is_only)
{
    uint32_t found = SUBJECT_NONE;

    *is_only = true;
    for (size_t i = 0; i < persons->count; i++) {
        if (is_one_of(target->subjects, target->subject_count, &persons->ids[i])) {
            found = found == SUBJECT_NONE ? (uint32_t)i : found;
        } else if (!id_is_zero(&persons->ids[i])) {
            *is_only = false;
        }
    }
    return found;
}

enum cover { COVER_NOTHING, COVER_PART, COVER_SUBJECT, COVER_ALL };

static enum cover cover_of(const struct order_target *target, const struct facts *facts,
                           uint32_t *subject)
{
    bool is_only;

    if (!id_is_zero(&target->message_id)) {
        return !id_equal(&target->message_id, &facts->record.message_id) ? COVER_NOTHING
               : target->part == 0                                       ? COVER_ALL
                                                                         : COVER_PART;
    }
    if (!id_is_zero(&target->exchange_id)) {
        return id_equal(&target->exchange_id, &facts->record.exchange_id) ? COVER_ALL
                                                                          : COVER_NOTHING;
    }
    *subject = subject_of(target, &facts->persons, &is_only);
    return *subject == SUBJECT_NONE ? COVER_NOTHING : is_only ? COVER_ALL : COVER_SUBJECT;
}

/* ---- the new keys ---- */

static bool is_attachments(const struct move *move, uint32_t part)
{
    return move->is_whole || part % 256 == COMPARTMENT_ATTACHMENTS;
}

/* Those that a clear compartment names. */
static enum rc list_attachments(const struct erasing *erasing, struct txn *txn, struct arena *arena,
                                struct move *move)
{
    struct held *held = arena_alloc(arena, sizeof *held);
    enum rc rc;

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = held_load(erasing->node, txn, move->index, arena, held);
    if (rc == RC_INVALID_ARGUMENT || rc == RC_DATA_LOSS) {
        log_warn("erasure.unread", "leaf=%llu its attachments are not known",
                 (unsigned long long)move->index);
        return RC_OK;
    }
    TRY(rc);
    for (size_t i = 0; i < held->message.attachment_count && i < MESSAGE_ATTACHMENTS_MAX; i++) {
        move->attachments[move->attachment_count++] = held->message.attachments[i].id;
    }
    return RC_OK;
}

/* All parts about the persons that the order names go, one person after the other. */
static enum rc erase_subjects(const struct erasing *erasing, const struct facts *facts,
                              struct bytes keys, struct bytes body, const struct shard *shard,
                              struct buffer *out)
{
    const struct content_persons *persons = &facts->persons;

    buffer_put_bytes(out, keys);
    for (unsigned i = 0; i < persons->count; i++) {
        OWN(buffer) next = {0};
        struct buffer before = *out;

        if (!is_one_of(erasing->target.subjects, erasing->target.subject_count, &persons->ids[i])) {
            continue;
        }
        TRY(content_erase_subject(erasing->node->vault, buffer_bytes(out), body, facts->leaf.nonce,
                                  i, shard, &next));
        *out = next;
        next = before;
    }
    return out->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc new_keys(const struct erasing *erasing, const struct facts *facts, enum cover cover,
                        struct bytes keys, struct bytes body, const struct shard *shard,
                        struct move *move)
{
    const uint8_t *nonce = facts->leaf.nonce;

    if (cover == COVER_ALL) {
        return content_rewrap(erasing->view, keys, nonce, erasing->blocked, &move->keys);
    }
    TRY(content_rewrap(erasing->view, keys, nonce, erasing->blocked, &move->kept));
    return cover == COVER_PART
               ? content_erase_part(erasing->node->vault, keys, body, nonce,
                                    (uint16_t)erasing->target.part, shard, &move->keys)
               : erase_subjects(erasing, facts, keys, body, shard, &move->keys);
}

static void move_release(struct move *move)
{
    buffer_release(&move->keys);
    buffer_release(&move->kept);
}

/* RC_NOT_FOUND: the order is not about it. */
static enum rc look_at(const struct erasing *erasing, struct txn *txn, uint64_t index,
                       struct arena *arena, struct move *move)
{
    const struct node *node = erasing->node;
    const struct shard *shard = NULL;
    struct bytes name;
    struct bytes keys;
    struct bytes body;
    struct facts facts;
    enum cover cover;
    uint32_t subject = SUBJECT_NONE;
    enum rc rc;

    TRY(body_get(txn, index, &keys, &body));
    TRY(content_shard_name(keys, &name));
    shard = vault_known(node->vault, name);
    if (shard == NULL || shard_is_erased(shard) || !shard_is_of(shard, erasing->row.member)) {
        return RC_NOT_FOUND;
    }
    TRY(facts_read(txn, index, arena, &facts));
    TRY(facts_read_persons(node, txn, &facts));
    cover = cover_of(&erasing->target, &facts, &subject);
    if (cover == COVER_NOTHING) {
        return RC_NOT_FOUND;
    }
    *move = (struct move){.index = index,
                          .message_id = facts.record.message_id,
                          .kind = facts.record.kind,
                          .is_whole = cover == COVER_ALL};
    snprintf(move->from, sizeof move->from, "%s", facts.record.from);
    snprintf(move->shard, sizeof move->shard, "%s", shard_name(shard));
    digest_of(&keys, 1, move->was);
    rc = new_keys(erasing, &facts, cover, keys, body, shard, move);
    if (rc == RC_OK && is_attachments(move, erasing->target.part)) {
        rc = list_attachments(erasing, txn, arena, move);
    }
    if (rc != RC_OK) {
        move_release(move);
    }
    return rc == RC_INVALID_ARGUMENT ? RC_NOT_FOUND : rc; /* it has no such part */
}

static enum rc find(struct block_step *step, struct arena *arena)
{
    const struct erasing *erasing = step->erasing;
    OWN_READ(txn) = NULL;

    TRY(txn_read(erasing->node->db, &txn));
    for (size_t looked = 0; looked < ERASE_LOOK && step->count < MOVES_MAX; looked++) {
        struct bytes keys;
        uint64_t index;
        enum rc rc = body_next(txn, step->cursor, &index, &keys);

        if (rc == RC_NOT_FOUND || (rc == RC_OK && index >= erasing->row.until)) {
            step->is_last = true;
            return RC_OK;
        }
        TRY(rc);
        arena_reset(arena);
        rc = look_at(erasing, txn, index, arena, &step->moves[step->count]);
        step->count += rc == RC_OK;
        if (rc != RC_OK && rc != RC_NOT_FOUND) {
            return rc;
        }
        step->cursor = index + 1;
    }
    return RC_OK;
}

/* ---- attachments ---- */

static void list_files(struct block_step *step)
{
    const struct order_target *target = &step->erasing->target;

    for (size_t i = 0; i < step->count; i++) {
        for (size_t k = 0; k < step->moves[i].attachment_count; k++) {
            step->files[step->file_count++] = step->moves[i].attachments[k];
        }
    }
    for (size_t i = 0; step->erasing->row.cursor == 0 && i < target->attachment_count; i++) {
        step->files[step->file_count++] = target->attachments[i];
    }
}

static struct file_name file_at(const struct block_step *step, size_t i)
{
    return (struct file_name){.holder = step->erasing->row.member, .id = step->files[i]};
}

static enum rc touch_files(struct erase_step *base, struct txn *txn)
{
    struct block_step *step = (struct block_step *)base;
    char shard[VAULT_NAME_SIZE];

    for (size_t i = 0; i < step->file_count; i++) {
        const struct file_name name = file_at(step, i);

        files_shard(step->erasing->node->files, &name, shard);
        if (shard[0] != '\0') {
            TRY(orderbook_touch(txn, &step->erasing->row.id, bytes_text(shard)));
        }
    }
    return RC_OK;
}

/* That the shard's key must go is durable before the file's key leaves it. */
static enum rc block_files(struct block_step *step)
{
    const struct erasing *erasing = step->erasing;
    struct erase_step *touch;
    enum rc rc;

    list_files(step);
    if (step->file_count == 0) {
        return RC_OK;
    }
    touch = &step->step;
    touch->node = erasing->node;
    touch->work = touch_files;
    touch->write.bytes = step->file_count * 256;
    TRY(erase_step_run(touch));
    memset(touch, 0, sizeof *touch);
    for (size_t i = 0; i < step->file_count; i++) {
        const struct file_name name = file_at(step, i);

        rc = files_block(erasing->node->files, &name, erasing->view, erasing->blocked);
        if (rc != RC_NOT_FOUND) {
            TRY(rc);
        }
    }
    return RC_OK;
}

/* ---- on the writer ---- */

static enum rc check_move(struct txn *txn, const struct move *move)
{
    uint8_t now[DIGEST_SIZE];
    struct bytes keys;
    struct bytes body;

    TRY(body_get(txn, move->index, &keys, &body));
    digest_of(&keys, 1, now);
    return digest_equal(now, move->was) ? RC_OK : RC_ABORTED;
}

static enum rc put_move(struct block_step *step, struct txn *txn, const struct move *move)
{
    const struct id *id = &step->erasing->row.id;
    const struct record record = {
        .kind = move->kind, .message_id = move->message_id, .from = move->from};

    TRY(body_rewrap(txn, move->index, buffer_bytes(&move->keys)));
    TRY(orderbook_touch(txn, id, bytes_text(move->shard)));
    if (move->kept.size > 0) {
        TRY(orderbook_keep(txn, id, move->index, buffer_bytes(&move->kept)));
    }
    TRY(erase_cancel_debts(&step->step, txn, move->index));
    return move->is_whole ? erase_mark(txn, &record) : RC_OK;
}

/* The keys of the persons' tags go with the last step. */
static enum rc block_tags(struct block_step *step, struct txn *txn)
{
    const struct erasing *erasing = step->erasing;
    char shard[VAULT_NAME_SIZE];

    for (size_t i = 0; i < erasing->target.subject_count; i++) {
        const struct tagkey_name name = {
            .member = erasing->row.member,
            .kind = TAGKEY_SUBJECT,
            .name = BYTES_OF(erasing->target.subjects[i].bytes),
        };
        enum rc rc = tagkey_block(txn, erasing->node->tagkeys, &name, erasing->view,
                                  erasing->blocked, shard);

        if (rc == RC_OK) {
            TRY(orderbook_touch(txn, &erasing->row.id, bytes_text(shard)));
        } else if (rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    return RC_OK;
}

static enum rc work(struct erase_step *base, struct txn *txn)
{
    struct block_step *step = (struct block_step *)base;
    struct order_row row;

    for (size_t i = 0; i < step->count; i++) {
        TRY(check_move(txn, &step->moves[i]));
    }
    TRY(orderbook_get(txn, &step->erasing->row.id, &row));
    row.cursor = step->is_last ? 0 : step->cursor;
    row.entries += (uint32_t)step->count;
    if (step->is_last) {
        row.phase = ORDER_REWRAPPING;
    }
    TRY(orderbook_put(txn, &row));
    for (size_t i = 0; i < step->count; i++) {
        TRY(put_move(step, txn, &step->moves[i]));
    }
    return step->is_last ? block_tags(step, txn) : RC_OK;
}

static enum rc run(struct block_step *step, bool *is_over)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    step->cursor = step->erasing->row.cursor;
    TRY(find(step, arena));
    TRY(block_files(step));
    step->step.node = step->erasing->node;
    step->step.work = work;
    step->step.write.bytes = (step->count + 1) * 4096;
    TRY(erase_step_run(&step->step));
    *is_over = step->is_last;
    step->erasing->row.cursor = step->cursor;
    return RC_OK;
}

enum rc erase_block_step(struct erasing *erasing, bool *is_over)
{
    struct block_step *step = calloc(1, sizeof *step);
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    *is_over = false;
    if (step != NULL) {
        step->erasing = erasing;
        rc = run(step, is_over);
        for (size_t i = 0; i < step->count; i++) {
            move_release(&step->moves[i]);
        }
    }
    free(step);
    return rc;
}
