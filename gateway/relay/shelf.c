#include "relay/shelf.h"

#include <stdlib.h>
#include <string.h>

static bool stands(const struct shelf *shelf, const struct law_note *note)
{
    for (size_t i = 0; i < shelf->count; i++) {
        if (memcmp(shelf->notes[i].sha256, note->sha256, HASH_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static bool add(struct shelf *shelf, const struct law_note *note)
{
    uint8_t *bytes;

    if (stands(shelf, note)) {
        return true;
    }
    bytes = malloc(note->note.size + 1);
    if (bytes == NULL) {
        return false;
    }
    memcpy(bytes, note->note.data, note->note.size);
    shelf->notes[shelf->count] = *note;
    shelf->notes[shelf->count].note.data = bytes;
    shelf->count++;
    return true;
}

struct shelf *shelf_new(const struct law *law, const struct shelf *before)
{
    size_t former = before != NULL ? before->count : 0;
    OWN_PTR(shelf) shelf = calloc(1, sizeof *shelf);
    struct law_note note;

    if (shelf == NULL) {
        return NULL;
    }
    shelf->notes = calloc(former + law_count(law) + 1, sizeof *shelf->notes);
    if (shelf->notes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < former; i++) {
        if (before->notes[i].kind == LAW_NETWORK && !add(shelf, &before->notes[i])) {
            return NULL;
        }
    }
    for (size_t i = 0; i < law_count(law); i++) {
        law_at(law, i, &note);
        if (!add(shelf, &note)) {
            return NULL;
        }
    }
    return MOVE(shelf);
}

void shelf_free(struct shelf *shelf)
{
    if (shelf != NULL) {
        for (size_t i = 0; i < shelf->count; i++) {
            free((uint8_t *)shelf->notes[i].note.data);
        }
        free(shelf->notes);
        free(shelf);
    }
}
