/*
 * tagtail - where the newest rows of tag keys are, until the table that finds them lists them.
 *
 * A map in memory from the digest of a name to the number of its row (tagbook.h). 24 bytes an
 * entry in a table that is at most half full and grows by need. Any thread.
 */
#ifndef STORE_TAGTAIL_H
#define STORE_TAGTAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/rc.h"

#define TAG_IDENTITY_SIZE 16

struct tagtail;

struct tagtail_row {
    uint8_t identity[TAG_IDENTITY_SIZE];
    uint64_t number;
};

/* NULL when out of memory. */
struct tagtail *tagtail_new(void);
void tagtail_free(struct tagtail *tail);
OWN_PTR_DEFINE(tagtail)

bool tagtail_find(struct tagtail *tail, const uint8_t identity[TAG_IDENTITY_SIZE],
                  uint64_t *number);
/* Makes or replaces. RC_RESOURCE_EXHAUSTED: out of memory; nothing changed. */
MUST_CHECK enum rc tagtail_set(struct tagtail *tail, const uint8_t identity[TAG_IDENTITY_SIZE],
                               uint64_t number);
size_t tagtail_count(struct tagtail *tail);
/* The entries whose number is below, ascending by identity; the caller frees. */
MUST_CHECK enum rc tagtail_list(struct tagtail *tail, uint64_t below, struct tagtail_row **rows,
                                size_t *count);
/* Forgets the entries whose number is below. */
void tagtail_drop(struct tagtail *tail, uint64_t below);

#endif
