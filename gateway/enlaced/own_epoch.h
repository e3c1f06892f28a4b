/*
 * own_epoch - which epoch of its log a node runs: the first one, or the one that a statement of
 * succession began (settings `authorities` and `succession`).
 */
#ifndef ENLACED_OWN_EPOCH_H
#define ENLACED_OWN_EPOCH_H

#include "base/bytes.h"
#include "tlog/succession.h"

struct directory;
struct node_entry;
struct settings;

struct own_epoch {
    struct authorities authorities; /* of the setting; none: the directory's are asked */
    struct succession succession;
    struct buffer note; /* the statement as it was signed; empty in the first epoch */
    uint32_t number;
};

/*
 * Reads and verifies both files, where they are set. RC_NOT_FOUND, RC_INVALID_ARGUMENT,
 * RC_PERMISSION_DENIED (fewer signatures than the quorum), RC_UNAUTHENTICATED: logged with the
 * remedy.
 */
MUST_CHECK enum rc own_epoch_read(const struct settings *settings,
                                  const struct directory *directory, struct own_epoch *epoch);
/*
 * Puts the statement's log in the place of the directory's, which lists the old one, or the new one
 * already. RC_FAILED_PRECONDITION: it lists a third one, or the statement is another node's.
 */
MUST_CHECK enum rc own_epoch_apply(const struct own_epoch *epoch, struct node_entry *self);
void own_epoch_release(struct own_epoch *epoch);

#endif
