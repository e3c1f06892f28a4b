#include "relay/inforce.h"

#include <stdlib.h>
#include <string.h>

#include "policy/directory_file.h"
#include "relay/shelf.h"

/*
 * Slots are never freed, only what they hold. A reader counts itself into the slot that is current
 * and looks again: still current, and the slot's directory cannot go until it leaves, because the
 * swapping thread frees only what is not current and has no readers. Not current any more, and it
 * takes its count back without having looked at the directory.
 */
struct inforce {
    struct edition slots[INFORCE_EDITIONS];
    _Atomic(struct edition *) current;
};

struct inforce *inforce_new(struct directory *directory, struct shelf *shelf)
{
    struct inforce *inforce = calloc(1, sizeof *inforce);

    if (inforce != NULL) {
        inforce->slots[0].directory = directory;
        inforce->slots[0].shelf = shelf;
        atomic_store(&inforce->current, &inforce->slots[0]);
    }
    return inforce;
}

static void empty(struct edition *slot)
{
    directory_free((struct directory *)slot->directory);
    shelf_free((struct shelf *)slot->shelf);
    slot->directory = NULL;
    slot->shelf = NULL;
}

void inforce_free(struct inforce *inforce)
{
    if (inforce != NULL) {
        for (size_t i = 0; i < INFORCE_EDITIONS; i++) {
            empty(&inforce->slots[i]);
        }
        free(inforce);
    }
}

struct edition *inforce_take(struct inforce *inforce)
{
    for (;;) {
        struct edition *edition = atomic_load(&inforce->current);

        atomic_fetch_add(&edition->readers, 1);
        if (atomic_load(&inforce->current) == edition) {
            return edition;
        }
        atomic_fetch_sub(&edition->readers, 1);
    }
}

void inforce_leave(struct edition *edition)
{
    if (edition != NULL) {
        atomic_fetch_sub(&edition->readers, 1);
    }
}

unsigned inforce_sweep(struct inforce *inforce)
{
    struct edition *current = atomic_load(&inforce->current);
    unsigned read = 0;

    for (size_t i = 0; i < INFORCE_EDITIONS; i++) {
        struct edition *slot = &inforce->slots[i];

        if (slot == current || slot->directory == NULL) {
            continue;
        }
        if (atomic_load(&slot->readers) != 0) {
            read++;
            continue;
        }
        empty(slot);
    }
    return read;
}

enum rc inforce_swap(struct inforce *inforce, struct directory *directory, struct shelf *shelf)
{
    (void)inforce_sweep(inforce);
    for (size_t i = 0; i < INFORCE_EDITIONS; i++) {
        struct edition *slot = &inforce->slots[i];

        if (slot->directory == NULL) {
            slot->directory = directory;
            slot->shelf = shelf;
            atomic_store(&inforce->current, slot);
            return RC_OK;
        }
    }
    return RC_RESOURCE_EXHAUSTED;
}

void inforce_digest(struct inforce *inforce, uint8_t sha256[HASH_SIZE])
{
    struct edition *edition = inforce_take(inforce);

    memcpy(sha256, edition->directory->sha256, HASH_SIZE);
    inforce_leave(edition);
}
