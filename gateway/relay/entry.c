#include "relay/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "model/directory.h"
#include "policy/allowed.h"
#include "policy/member.h"
#include "policy/route.h"
#include "relay/clock_doubt.h"
#include "relay/epochs.h"
#include "relay/node.h"
#include "relay/vitals.h"
#include "relay/urgency.h"
#include "rpc/codec.h"
#include "store/auditlog.h"
#include "store/body.h"
#include "store/content.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/seen.h"
#include "store/vault.h"
#include "tlog/commit.h"

/* Tags of parties outlive any message: a class of their own. */
#define PARTY_RETENTION "R99"
/* What these rows usually take. */
#define RECORD_ROOM ((size_t)640)
#define KEY_ROW_ROOM ((size_t)384)

enum rc entry_commitment(const struct message *message, uint8_t out[HASH_SIZE])
{
    struct commit_part parts[MESSAGE_COMPARTMENTS_MAX + 1];

    if (message->header_blind.size != BLIND_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    parts[0].number = COMMIT_HEADER_PART;
    commit_part(message->header_blind.data, message->header_bytes, parts[0].digest);
    for (size_t i = 0; i < message->compartment_count; i++) {
        const struct compartment *compartment = &message->compartments[i];

        if (compartment->blind.size != BLIND_SIZE) {
            return RC_INVALID_ARGUMENT;
        }
        parts[i + 1].number = (uint16_t)compartment->part;
        commit_part(compartment->blind.data, compartment->content, parts[i + 1].digest);
    }
    return commit_message(parts, message->compartment_count + 1, out);
}

static void add_waiver(struct entry *entry, const char *what)
{
    size_t size = strlen(entry->waiver);

    snprintf(entry->waiver + size, sizeof entry->waiver - size, "%s%s", size == 0 ? "waived:" : ",",
             what);
}

/* Loud, and in the record: somebody reviews it within a day (an urgent message's waivers). */
static const char *waiver_of(struct entry *entry, const struct node *node)
{
    const struct header *header = &entry->message->header;
    const char *law = route_waiver(entry->directory, entry->route, entry->message,
                                   clock_local_day(clock_doubt_now_ms(node)));
    char id[ID_TEXT_SIZE];

    entry->waiver[0] = '\0';
    if (law != NULL) {
        add_waiver(entry, law);
    }
    if (header->urgency == URGENCY_URGENT && clock_doubt_is(node)) {
        add_waiver(entry, "clock.doubt");
    }
    if (header->break_glass[0] != '\0') {
        add_waiver(entry, "break-glass=");
        snprintf(entry->waiver + strlen(entry->waiver),
                 sizeof entry->waiver - strlen(entry->waiver), "%s", header->break_glass);
    }
    if (entry->waiver[0] != '\0') {
        id_format(&header->message_id, id);
        log_warn("message.waived", "msg=%s route=%s reason=%s review_within=24h", id,
                 entry->route->id, entry->waiver);
    }
    return entry->waiver;
}

static void fill_record(struct entry *entry, const struct node *node, struct record *record)
{
    const struct message *message = entry->message;
    const struct header *header = &message->header;

    record_init(record, entry->kind);
    record->message_id = header->message_id;
    record->exchange_id = header->exchange_id;
    record->parent_exchange_id = header->parent_exchange_id;
    record->from = header->from;
    record->to = header->to;
    record->hosted_by = node->self->code;
    record->actor = entry->actor;
    record->official = header->on_behalf_of;
    record->type = header->type;
    record->catalogue_code =
        header->type == MESSAGE_STATUS_REPORT ? header->action_code : header->catalogue_code;
    record->item = header->item;
    record->occurrence = header->occurrence;
    record->event = header->event;
    record->urgency = header->urgency;
    record->purpose = header->purpose;
    record->legal_basis = header->legal_basis;
    record->aviso = header->aviso_id;
    record->consent = header->consent;
    record->route = entry->route->id;
    record->reason = waiver_of(entry, node);
    record->fields_sent = message->fields;
    record->fields_withheld =
        field_set_minus(allowed_fields(entry->route, message), message->fields);
    record->sealed_types = message->sealed_types;
    record->message_commitment = BYTES(entry->commitment, HASH_SIZE);
    record->directory_sha256 = BYTES(entry->directory->sha256, HASH_SIZE);
    /* LGPDPPSO 3: between institutions a transfer; within one, or for its operator, a remisión. */
    record->transfer =
        strcmp(header->from, header->to) == 0 ? TRANSFER_REMISION : TRANSFER_TRANSFERENCIA;
    record->replayed_leaf = entry->replayed;
}

/* The local date in occurred_at is its first ten characters; a date holds no more than that. */
static void put_record(struct entry *entry, const struct node *node,
                       const struct content_persons *persons, struct buffer *out)
{
    struct record record;
    char day[11] = "";

    fill_record(entry, node, &record);
    if (entry->message->header.occurred_at[0] != '\0') {
        memcpy(day, entry->message->header.occurred_at, 10);
    }
    record.occurred_on = day;
    codec_record_write(&record, out);
    posting_make(&record, persons, &entry->posting);
}

static enum rc prepare_tag(struct entry *entry, const struct node *node, enum commit_role role,
                           enum tagkey_kind kind, struct bytes name, const struct shard *shard,
                           struct txn *txn)
{
    struct entry_tag *tag = &entry->tags[role - COMMIT_SUBJECT];
    enum rc rc;

    if (name.size == 0) {
        return RC_OK;
    }
    tag->is_used = true;
    tag->name = (struct tagkey_name){.member = entry->holder, .kind = kind, .name = name};
    rc = tagkey_cached(node->tagkeys, &tag->name, tag->key);
    if (rc == RC_NOT_FOUND) {
        rc = tagkey_find(txn, node->tagkeys, &tag->name, tag->key);
    }
    if (rc == RC_NOT_FOUND) {
        rc = tagkey_make(node->vault, shard, &tag->name, &tag->row, tag->key);
        memcpy(tag->made, tag->key, TAGKEY_SIZE);
        tag->shard = shard;
    } else if (rc == RC_OK && kind == TAGKEY_SUBJECT && /* a party's lasts for generations */
               tagkey_is_outlived(node->tagkeys, &tag->name, shard)) {
        tag->later = shard;
    }
    return rc;
}

static uint8_t *leaf_tag(struct leaf *leaf, enum commit_role role)
{
    switch (role) {
    case COMMIT_SUBJECT:
        return leaf->subject_tag;
    case COMMIT_SENDER:
        return leaf->sender_tag;
    case COMMIT_RECEIVER:
        return leaf->receiver_tag;
    default:
        return leaf->actor_tag;
    }
}

/* A tag of nobody looks like any other. */
static void set_tags(struct entry *entry)
{
    for (enum commit_role role = COMMIT_SUBJECT; role <= COMMIT_ACTOR; role++) {
        const struct entry_tag *tag = &entry->tags[role - COMMIT_SUBJECT];

        if (tag->is_used) {
            commit_tag(tag->key, entry->leaf.nonce, role, leaf_tag(&entry->leaf, role));
        } else {
            random_fill(leaf_tag(&entry->leaf, role), LEAF_TAG_SIZE);
        }
    }
}

static struct content_persons persons_of(const struct header *header, const struct id *local,
                                         size_t local_count)
{
    struct content_persons persons = {0};

    if (local_count > 0) {
        for (; persons.count < local_count && persons.count < MESSAGE_SUBJECTS_MAX;
             persons.count++) {
            persons.ids[persons.count] = local[persons.count];
        }
        return persons;
    }
    for (; persons.count < header->subject_count; persons.count++) {
        persons.ids[persons.count] = header->subjects[persons.count].pseudonym;
    }
    return persons;
}

/* The leaf has room for one person: the first. It is borrowed from the message until the write. */
static const struct id *first_person(const struct header *header, const struct id *local,
                                     size_t local_count)
{
    if (local_count > 0) {
        return &local[0];
    }
    return header->subject_count > 0 ? &header->subjects[0].pseudonym : NULL;
}

static enum rc prepare_tags(struct entry *entry, const struct node *node, const struct id *subject,
                            const struct shard *shard, int64_t now_ms)
{
    const struct header *header = &entry->message->header;
    struct bytes subject_name = {0};
    const struct shard *party_shard;
    OWN_READ(txn) = NULL;
    int32_t month;

    if (subject != NULL) {
        subject_name = BYTES(subject->bytes, ID_SIZE);
    }
    TRY(vault_month(PARTY_RETENTION, now_ms, &month));
    TRY(vault_shard(node->vault, entry->holder, PARTY_RETENTION, month, true, &party_shard));
    TRY(txn_read(node->db, &txn));
    TRY(prepare_tag(entry, node, COMMIT_SUBJECT, TAGKEY_SUBJECT, subject_name, shard, txn));
    TRY(prepare_tag(entry, node, COMMIT_SENDER, TAGKEY_PARTY, bytes_text(header->from), party_shard,
                    txn));
    TRY(prepare_tag(entry, node, COMMIT_RECEIVER, TAGKEY_PARTY, bytes_text(header->to), party_shard,
                    txn));
    return prepare_tag(entry, node, COMMIT_ACTOR, TAGKEY_PARTY, bytes_text(entry->actor),
                       party_shard, txn);
}

/* Entangles the logs: what the counterpart's node has shown us last stands in our leaf. */
static void set_seen(struct entry *entry, const struct node *node, int64_t now_ms)
{
    const struct header *header = &entry->message->header;
    const char *other = entry->kind == RECORD_SENT ? header->to : header->from;
    const struct node_entry *host =
        node_of_member(entry->directory, other, clock_local_day(now_ms));
    const struct epoch *epoch =
        host != NULL && !node_is(host, node->self) ? epochs_of(node->epochs, host) : NULL;

    if (epoch != NULL) {
        (void)seen_digest(node->seen, epoch->origin, entry->leaf.seen); /* zeros: nothing yet */
    }
}

enum rc entry_prepare(struct entry *entry, const struct node *node, const struct id *local,
                      size_t local_count)
{
    const struct content_persons persons = persons_of(&entry->message->header, local, local_count);
    int64_t now_ms = clock_now_ms();
    const struct shard *shard;
    int32_t month;

    TRY(vault_month(entry->route->retention, now_ms, &month));
    TRY(vault_shard(node->vault, entry->holder, entry->route->retention, month, true, &shard));
    entry->shard = shard;
    random_fill(entry->leaf.nonce, sizeof entry->leaf.nonce);
    random_fill(entry->record_blind, sizeof entry->record_blind);
    TRY(prepare_tags(entry, node, first_person(&entry->message->header, local, local_count), shard,
                     now_ms));
    set_tags(entry);
    entry->leaf.class = LEAF_RECORD;
    set_seen(entry, node, now_ms);
    commit_leaf(node->self->origin, entry->leaf.nonce, entry->commitment, entry->leaf.message);
    buffer_reserve(&entry->record, RECORD_ROOM);
    buffer_reserve(&entry->key_row, KEY_ROW_ROOM);
    put_record(entry, node, &persons, &entry->record);
    if (entry->record.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    commit_record(entry->record_blind, buffer_bytes(&entry->record), entry->leaf.record);
    return content_seal(node->vault, shard, entry->message, &persons, entry->leaf.nonce,
                        &entry->key_row, &entry->body_row);
}

/* Another write may have made a key meanwhile: the stored one wins, and the tag is made again. */
static enum rc put_tags(struct entry *entry, const struct node *node, struct txn *txn)
{
    bool is_changed = false;

    for (size_t i = 0; i < ENTRY_TAGS; i++) {
        struct entry_tag *tag = &entry->tags[i];
        bool is_added = false;

        buffer_clear(&tag->extended);
        if (tag->later != NULL) {
            TRY(tagkey_extend(txn, node->tagkeys, &tag->name, tag->later, &tag->extended));
        }
        if (tag->row.size == 0) {
            continue;
        }
        TRY(tagkey_add(txn, node->tagkeys, &tag->name, buffer_bytes(&tag->row), tag->key,
                       &is_added));
        tag->is_anothers = !is_added;
        is_changed = is_changed || !is_added;
    }
    if (is_changed) {
        set_tags(entry);
    }
    return RC_OK;
}

static void replace(struct buffer *old, struct buffer *made)
{
    buffer_release(old);
    *old = *made;
    *made = (struct buffer){0};
}

static enum rc renew_tag(struct entry_tag *tag, const struct node *node)
{
    OWN(buffer) row = {0};

    if (tag->later != NULL) {
        TRY(vault_successor(node->vault, tag->later, &tag->later));
    }
    if (tag->row.size > 0) {
        TRY(vault_successor(node->vault, tag->shard, &tag->shard));
        TRY(tagkey_rewrap(node->vault, &tag->name, buffer_bytes(&tag->row), tag->shard, &row));
        replace(&tag->row, &row);
    }
    return RC_OK;
}

/*
 * An erasure puts the rows of a shard under its next generation, and destroys the key: what was
 * sealed before and comes now must not be left behind.
 */
static enum rc renew(struct entry *entry, const struct node *node)
{
    OWN(buffer) row = {0};
    const struct shard *next = NULL;

    if (shard_is_in_force(entry->shard)) {
        return RC_OK;
    }
    TRY(vault_successor(node->vault, entry->shard, &next));
    TRY(content_rewrap(node->vault, buffer_bytes(&entry->key_row), entry->leaf.nonce, next, &row));
    replace(&entry->key_row, &row);
    entry->shard = next;
    for (size_t i = 0; i < ENTRY_TAGS; i++) {
        TRY(renew_tag(&entry->tags[i], node));
    }
    return RC_OK;
}

enum rc entry_put(struct entry *entry, const struct node *node, struct txn *txn)
{
    const struct header *header = &entry->message->header;
    struct journal_entry row = {0};

    if (renew(entry, node) != RC_OK) {
        return RC_UNAVAILABLE; /* destroyed meanwhile: sent again, it is sealed anew */
    }
    TRY(put_tags(entry, node, txn));
    TRY(auditlog_append(txn, &entry->leaf, buffer_bytes(&entry->record), entry->record_blind,
                        &entry->index));
    row.index = entry->index;
    memcpy(row.message, entry->commitment, HASH_SIZE);
    row.exchange_id = header->exchange_id;
    TRY(journal_add(txn, entry->kind == RECORD_SENT ? JOURNAL_SENT : JOURNAL_RECEIVED,
                    &header->message_id, header->from, &row));
    TRY(body_put(txn, entry->index, buffer_bytes(&entry->key_row), buffer_bytes(&entry->body_row)));
    return entry->waiver[0] != '\0' ? urgency_waived(node, txn, entry) : RC_OK;
}

enum rc entry_put_record(const struct node *node, struct txn *txn, const struct record *record,
                         uint64_t *index)
{
    OWN(buffer) bytes = {0};
    uint8_t blind[BLIND_SIZE];
    struct leaf leaf = {.class = LEAF_RECORD};

    (void)node;
    random_fill(leaf.nonce, sizeof leaf.nonce);
    random_fill(leaf.message, sizeof leaf.message); /* no message: looks like any other leaf */
    for (enum commit_role role = COMMIT_SUBJECT; role <= COMMIT_ACTOR; role++) {
        random_fill(leaf_tag(&leaf, role), LEAF_TAG_SIZE);
    }
    random_fill(blind, sizeof blind);
    codec_record_write(record, &bytes);
    if (bytes.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    commit_record(blind, buffer_bytes(&bytes), leaf.record);
    return auditlog_append(txn, &leaf, buffer_bytes(&bytes), blind, index);
}

enum rc entry_put_control(struct txn *txn, const struct record *record, uint64_t *index)
{
    static const uint8_t blind[BLIND_SIZE];
    struct leaf leaf = {.class = LEAF_CONTROL};
    OWN(buffer) bytes = {0};

    codec_record_write(record, &bytes);
    if (bytes.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    commit_record(blind, buffer_bytes(&bytes), leaf.record);
    return auditlog_append(txn, &leaf, buffer_bytes(&bytes), blind, index);
}

void entry_again(struct entry *entry)
{
    for (size_t i = 0; i < ENTRY_TAGS; i++) {
        struct entry_tag *tag = &entry->tags[i];

        if (tag->is_anothers) {
            memcpy(tag->key, tag->made, TAGKEY_SIZE);
            tag->is_anothers = false;
        }
    }
    set_tags(entry);
}

void entry_remember(const struct entry *entry, const struct node *node)
{
    postings_put(node->postings, &entry->posting, entry->index);
    meters_count(node->meters, entry->kind, entry->message->header.urgency);
    for (size_t i = 0; i < ENTRY_TAGS; i++) {
        const struct entry_tag *tag = &entry->tags[i];

        if (tag->extended.size > 0) {
            tagkey_remember(node->tagkeys, &tag->name, buffer_bytes(&tag->extended), tag->key);
        }
        if (tag->row.size > 0 && !tag->is_anothers) {
            tagkey_remember(node->tagkeys, &tag->name, buffer_bytes(&tag->row), tag->key);
        }
    }
}

void entry_release(struct entry *entry)
{
    buffer_release(&entry->record);
    buffer_release(&entry->key_row);
    buffer_release(&entry->body_row);
    for (size_t i = 0; i < ENTRY_TAGS; i++) {
        explicit_bzero(entry->tags[i].key, TAGKEY_SIZE);
        explicit_bzero(entry->tags[i].made, TAGKEY_SIZE);
        buffer_release(&entry->tags[i].row);
        buffer_release(&entry->tags[i].extended);
    }
}
