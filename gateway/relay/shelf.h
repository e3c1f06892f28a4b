/*
 * shelf - the signed texts that an edition of the directory was made from, for peers that ask.
 *
 * Immutable once made. A network's former versions stand before its latest, so that a peer that was
 * away follows a change of authorities step by step.
 */
#ifndef RELAY_SHELF_H
#define RELAY_SHELF_H

#include "policy/law.h"

struct shelf {
    struct law_note *notes; /* bytes are the shelf's own */
    size_t count;
};

/* What is in force in `law`, after the network texts of `before` (may be NULL). NULL: memory. */
struct shelf *shelf_new(const struct law *law, const struct shelf *before);
void shelf_free(struct shelf *shelf);
OWN_PTR_DEFINE(shelf)

#endif
