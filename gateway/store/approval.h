/*
 * approval - messages that wait for a second official of their sender, and what was decided.
 *
 *     approval   u8 0 waiting, 1 decided | u64 index of the message's leaf  ->  the row
 *
 * A row is born in the transaction that takes the message, and stays: of an approved one it holds
 * the signature that travels with the message (relay/held adds it to what the body gives back).
 * Inside a transaction; those that put are the writer's. Instants are UTC milliseconds.
 */
#ifndef STORE_APPROVAL_H
#define STORE_APPROVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"
#include "model/directory.h"
#include "model/id.h"
#include "model/message.h"

struct txn;

enum approval_outcome { APPROVAL_WAITING, APPROVAL_GIVEN, APPROVAL_REJECTED, APPROVAL_OUTCOMES };

struct approval {
    uint64_t index;
    enum approval_outcome outcome;
    enum urgency urgency;
    struct id message_id;
    struct id exchange_id;
    char from[CODE_SIZE];
    char to[CODE_SIZE];
    char official[CODE_SIZE]; /* the first one */
    char by[CODE_SIZE];       /* who decided */
    int64_t since_ms;
    int64_t decided_ms;
    struct signature signature; /* of an approval; borrowed */
};

/* By its leaf, waiting or decided. RC_NOT_FOUND, silently; RC_DATA_LOSS. */
MUST_CHECK enum rc approval_get(struct txn *txn, uint64_t index, struct approval *approval);
/* Makes it, or moves it to those that are decided. */
MUST_CHECK enum rc approval_put(struct txn *txn, const struct approval *approval);
/* The first that waits at or past an index. RC_NOT_FOUND at the end. */
MUST_CHECK enum rc approval_next(struct txn *txn, uint64_t from, struct approval *approval);

#endif
