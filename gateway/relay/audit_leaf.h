/*
 * audit_leaf - the leaves of reading: a session's begin and end, a key given, an audit closed.
 *
 * Texts are copied: a leaf may outlive the stream that wanted it. The caller gives `done` and the
 * object back to itself; what nobody waits for frees itself.
 */
#ifndef RELAY_AUDIT_LEAF_H
#define RELAY_AUDIT_LEAF_H

#include "crypto/digest.h"
#include "model/directory.h"
#include "model/record.h"
#include "store/writer.h"

struct node;

/* Zeroed, then filled by the caller; one leaf at a time. */
struct audit_leaf {
    struct write write; /* first: the writer's */
    const struct node *node;
    void (*done)(struct audit_leaf *leaf); /* on the writer's thread: hand it over */
    enum record_kind kind;
    char reader[160];
    char member[CODE_SIZE];
    char approver[160]; /* "": none */
    uint8_t commitment[DIGEST_SIZE];
    bool has_query;
    uint8_t query[DIGEST_SIZE];
    char purpose[MESSAGE_CODE_MAX + 1]; /* "" until it is opened */
    uint8_t blind[BLIND_SIZE];
    uint64_t first_index;
    uint32_t count;
    uint64_t index; /* of the leaf, when write.rc is RC_OK */
};

void audit_leaf_reader(struct audit_leaf *leaf, const struct identity *reader);
/* The leaf is the writer's until done. RC_RESOURCE_EXHAUSTED: it stays the caller's. */
MUST_CHECK enum rc audit_leaf_submit(struct audit_leaf *leaf);
/* A copy that frees itself; failure is a line of the operator's log. */
void audit_leaf_send(const struct audit_leaf *leaf);

#endif
