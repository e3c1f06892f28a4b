/*
 * reading - what a delivered message says, field by field: clear compartments and those that are
 * sealed to us, opened.
 *
 * A field is named by its path in model/field ("identity.full_name"), a fact of the header by
 * "header." and a name ("header.exchange_id"), one of an item by "item." ("item.code"). Everything
 * is a text: ids as UUIDs, instants in RFC 3339 with the zone of Mexico City, numbers in decimal;
 * "" for what is not there. Texts live as long as the arena; what was opened is wiped with it.
 *
 * Any thread; a reading has one owner.
 */
#ifndef CLIENT_READING_H
#define CLIENT_READING_H

#include "base/own.h"
#include "model/message.h"
#include "rpc/codec.h"

#define READING_ENTRIES_MAX CODEC_ENTRIES_MAX

struct arena;
struct cert;
struct profile;
struct sealkey;

/* The keys that open what is sealed to this program; both NULL: it opens nothing. */
struct reading_keys {
    struct cert *cert;
    struct sealkey *key;
};

/* From seal_certificate and seal_key of the profile; RC_OK with NULLs when it names none. */
MUST_CHECK enum rc reading_keys_load(const struct profile *profile, struct reading_keys *keys,
                                     struct fault *fault);
void reading_keys_release(struct reading_keys *keys);

struct reading_part {
    const struct compartment *compartment;
    bool is_read; /* false: sealed to others, or damaged: `fault` tells */
    const struct field_value *values;
    size_t count;
    struct fault fault;
};

struct reading {
    const struct message *message; /* borrowed */
    struct arena *arena;           /* borrowed */
    struct reading_part parts[MESSAGE_COMPARTMENTS_MAX];
    size_t count;
};

/*
 * Opens what it can; a compartment that it cannot open is left unread and is no error.
 * RC_RESOURCE_EXHAUSTED: the arena is full.
 */
MUST_CHECK enum rc reading_open(const struct message *message, const struct reading_keys *keys,
                                struct arena *arena, struct reading *reading);

/* Which of several; all zero: the first subject, entry and item. */
struct reading_place {
    unsigned subject;
    unsigned entry;
    unsigned item; /* index into header.items */
};

/* Never NULL. */
const char *reading_text(const struct reading *reading, const char *path,
                         struct reading_place place);
/* Is it a path that a reading knows? For mapping files, before anything is read. */
bool reading_knows(const char *path);

#endif
