/*
 * packing - what the outbox owes to a peer, in one parcel: from memory what was just
 * accepted, or read back, decrypted and decoded.
 *
 * A debt is packed once it stands in the outbox (so its commit is durable) and its leaf is under
 * the checkpoint at hand. Part of a link, and like it owned by one queue thread.
 */
#ifndef RELAY_PACKING_H
#define RELAY_PACKING_H

#include "relay/recent.h"
#include "relay/settle.h"
#include "store/outbox.h"

struct commit_point;

struct packing {
    struct node *node;
    const char *code; /* of the peer: "cdmx/ssc" */
    enum urgency urgency;
    size_t bytes_max;  /* of a parcel's messages; 0: what a stream takes */
    uint64_t cursor;   /* index of the last debt that was packed */
    bool wants_anchor; /* a debt is younger than the checkpoint: it waits for the next one */
    struct recents recents;
    struct auditlog_reader *reader;                /* its memory of the tree; made when needed */
    struct outbox_entry debts[PARCEL_ENTRIES_MAX]; /* of the parcel in the making */
};

/*
 * A parcel as bytes (an ExchangeRequest), and the job that will settle it. told_size: of our log,
 * that the peer has seen. While others are on their way (`is_first` false), ordinary messages
 * gather until they fill one: each parcel costs both nodes a proof, a commit and an answer, however
 * little is in it; the answer sends the rest. RC_NOT_FOUND: nothing to send now.
 */
MUST_CHECK enum rc packing_make(struct packing *packing, const struct commit_point *point,
                                uint64_t told_size, bool is_first, struct settle_job *job,
                                struct buffer *bytes);
void packing_release(struct packing *packing);

#endif
