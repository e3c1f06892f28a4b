#include "store/append.h"

#include <string.h>

#include "base/arena.h"
#include "store/table.h"

#define COPIES_MAX ((size_t)64 << 20)

void *gathered_alloc(struct gathered *gathered, size_t size)
{
    if (gathered->copies == NULL) {
        gathered->copies = arena_new(COPIES_MAX);
    }
    return gathered->copies != NULL ? arena_alloc(gathered->copies, size) : NULL;
}

enum rc gathered_put_numbered(struct txn *txn, const struct gathered *gathered)
{
    TRY(numbered_put(txn, TABLE_TAG, &gathered->tags));
    return numbered_put(txn, TABLE_PROOF, &gathered->proofs);
}

void gathered_clear(struct gathered *gathered)
{
    buffer_clear(&gathered->leaves);
    buffer_clear(&gathered->ends);
    buffer_clear(&gathered->records);
    pack_clear(&gathered->bodies);
    pack_clear(&gathered->tags.pack);
    pack_clear(&gathered->proofs.pack);
    if (gathered->copies != NULL) {
        arena_reset(gathered->copies);
    }
}

void gathered_release(struct gathered *gathered)
{
    buffer_release(&gathered->leaves);
    buffer_release(&gathered->ends);
    buffer_release(&gathered->records);
    pack_release(&gathered->bodies);
    pack_release(&gathered->tags.pack);
    pack_release(&gathered->proofs.pack);
    arena_free(gathered->copies);
    *gathered = (struct gathered){0};
}
