#include "relay/audit_leaf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/node.h"

static enum rc apply(struct write *write, struct txn *txn)
{
    struct audit_leaf *leaf = (struct audit_leaf *)write;
    const struct node *node = leaf->node;
    uint8_t directory[HASH_SIZE];
    struct record record;

    inforce_digest(node->inforce, directory);
    record_init(&record, leaf->kind);
    record.hosted_by = node->self->code;
    record.actor = leaf->reader;
    record.from = node->self->code;
    record.to = leaf->member;
    record.approver = leaf->approver;
    record.purpose = leaf->purpose;
    record.purpose_commitment = BYTES_OF(leaf->commitment);
    if (leaf->purpose[0] != '\0') {
        record.purpose_blind = BYTES_OF(leaf->blind);
    }
    if (leaf->has_query) {
        record.query_sha256 = BYTES_OF(leaf->query);
    }
    record.first_index = leaf->first_index;
    record.count = leaf->count;
    record.directory_sha256 = BYTES_OF(directory);
    return entry_put_record(node, txn, &record, &leaf->index);
}

/* It keeps nothing of the first time. */
static void forget(struct write *write)
{
    (void)write;
}

static void done(struct write *write)
{
    struct audit_leaf *leaf = (struct audit_leaf *)write;

    commit_point_release(write->point);
    write->point = NULL;
    leaf->done(leaf);
}

static const struct write_ops ops = {
    .name = "reading", .apply = apply, .again = forget, .done = done};

void audit_leaf_reader(struct audit_leaf *leaf, const struct identity *reader)
{
    snprintf(leaf->reader, sizeof leaf->reader, "%s", reader->uri);
    snprintf(leaf->member, sizeof leaf->member, "%s", reader->member);
}

enum rc audit_leaf_submit(struct audit_leaf *leaf)
{
    leaf->write = (struct write){.ops = &ops, .leaves = 1, .bytes = 1024};
    return writer_submit(leaf->node->writer, &leaf->write);
}

static void say_lost(const struct audit_leaf *leaf, enum rc rc)
{
    log_warn("audit.unlogged", "kind=%s identity=%s count=%u rc=%s", record_kind_name(leaf->kind),
             leaf->reader, leaf->count, rc_name(rc));
}

static void sent(struct audit_leaf *leaf)
{
    if (leaf->write.rc != RC_OK) {
        say_lost(leaf, leaf->write.rc);
    }
    free(leaf);
}

void audit_leaf_send(const struct audit_leaf *leaf)
{
    struct audit_leaf *copy = malloc(sizeof *copy);
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (copy != NULL) {
        *copy = *leaf;
        copy->done = sent;
        rc = audit_leaf_submit(copy);
    }
    if (rc != RC_OK) {
        say_lost(leaf, rc);
        free(copy);
    }
}
