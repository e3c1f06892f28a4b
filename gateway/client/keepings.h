/*
 * keepings - what a system's spool says it sent, received and dealt with; read without its lock.
 *
 * Of the spool's three folders (its own, the adapter's, its people's): receipts, each checked
 * offline against the profile's logs; ids that stand in outbox, inbox, parked and rejected; ids of
 * handled.log (sdk/ledger). One owner at a time.
 */
#ifndef CLIENT_KEEPINGS_H
#define CLIENT_KEEPINGS_H

#include "base/own.h"
#include "model/message.h"

struct keepings;
struct profile;

struct kept_receipt {
    struct id id;
    uint8_t commitment[HASH_SIZE];
    char why[32]; /* "": it holds, or its log is not among those we know */
    bool is_sent; /* R0 alone: nothing was received */
};

/* With `checks` the receipts are verified; else only their names count. RC_UNAVAILABLE: a folder
 * cannot be read; RC_RESOURCE_EXHAUSTED. */
MUST_CHECK enum rc keepings_read(const struct profile *profile, bool checks,
                                 struct keepings **keepings);
void keepings_free(struct keepings *keepings);
OWN_PTR_DEFINE(keepings)

size_t keepings_count(const struct keepings *keepings);
/* Ascending. NULL past the last. */
const struct kept_receipt *keepings_receipt(const struct keepings *keepings, size_t n);
const struct kept_receipt *keepings_find(const struct keepings *keepings, const struct id *id);
/* Said and not answered, or parked for a person. */
bool keepings_is_waiting(const struct keepings *keepings, const struct id *id);
/* Came and stands in inbox, rejected or handled.log. */
bool keepings_has_come(const struct keepings *keepings, const struct id *id);
/* Of handled.log, ascending; NULL past the last. */
const struct id *keepings_handled(const struct keepings *keepings, size_t n);

#endif
