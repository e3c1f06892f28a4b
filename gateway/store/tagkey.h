/*
 * tagkey - the keys of the blinded tags in the leaves: random per (holding member, kind, name).
 *
 * Whoever is given such a key finds every leaf about that person or party (commit_tag); nobody else
 * links two leaves. A key is made on first use and stored in that use's transaction:
 *
 *     name    SHA-256("enlace/tagname/v1\0" | member | 0 | u8 kind | name): a person's id stands
 *             nowhere on disk
 *     row     the 32 bytes, wrapped (wrap.h) with label "enlace/tagkey/v1" and the name as context
 *
 * Where rows stand and how they are found again: tagbook.h.
 *
 * The keys in use stay in a bounded cache in locked memory, for any thread; an entry whose shard
 * was destroyed counts no longer, and tagkey_forget wipes it. The path of a message:
 *
 *     tagkey_cached, else tagkey_find in a read transaction, else tagkey_make;
 *     in the write transaction tagkey_add; after the commit tagkey_remember.
 */
#ifndef STORE_TAGKEY_H
#define STORE_TAGKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "store/vault.h"

#define TAGKEY_SIZE 32
#define TAGKEY_NAME_MAX 200
/* The most entries a cache may be asked to hold; 64 bytes each. */
#define TAGKEY_CACHE_MAX ((size_t)1 << 20)

enum tagkey_kind {
    TAGKEY_SUBJECT = 's', /* name: the person's 16-byte id */
    TAGKEY_PARTY = 'p',   /* name: a member's code, an actor's URI */
};

struct tagkeys;
struct txn;
struct writer;

/* Texts are borrowed. */
struct tagkey_name {
    const char *member; /* the holder: "cdmx/ssc" */
    enum tagkey_kind kind;
    struct bytes name; /* 1..TAGKEY_NAME_MAX bytes */
};

/*
 * RC_RESOURCE_EXHAUSTED: out of memory. capacity in entries. The vault is borrowed. For one
 * environment; freed after its writer has stopped.
 */
MUST_CHECK enum rc tagkeys_new(struct vault *vault, size_t capacity, struct tagkeys **tagkeys);
void tagkeys_free(struct tagkeys *tagkeys);
OWN_PTR_DEFINE(tagkeys)

/* Memory only. RC_NOT_FOUND: look into the store. */
MUST_CHECK enum rc tagkey_cached(struct tagkeys *tagkeys, const struct tagkey_name *name,
                                 uint8_t key[TAGKEY_SIZE]);

/*
 * From the store, in a read transaction, because what it finds it remembers. RC_NOT_FOUND: there is
 * none, or it was erased. RC_DATA_LOSS: the row is damaged. RC_INVALID_ARGUMENT: not such a name.
 */
MUST_CHECK enum rc tagkey_find(struct txn *txn, struct tagkeys *tagkeys,
                               const struct tagkey_name *name, uint8_t key[TAGKEY_SIZE]);

/*
 * A fresh key and its row (the value), outside any transaction; nothing is stored. The shard
 * should be the one of the message at hand; tagkey_extend when a later one outlives it.
 */
MUST_CHECK enum rc tagkey_make(struct vault *vault, const struct shard *shard,
                               const struct tagkey_name *name, struct buffer *row,
                               uint8_t key[TAGKEY_SIZE]);

/*
 * Stores the row unless another write was first: then key becomes that one's, is_added is false,
 * and the caller computes the tag again. A row whose shard was destroyed is replaced.
 * RC_DATA_LOSS, before anything is put: the row that is there is damaged.
 */
MUST_CHECK enum rc tagkey_add(struct txn *txn, struct tagkeys *tagkeys,
                              const struct tagkey_name *name, struct bytes row,
                              uint8_t key[TAGKEY_SIZE], bool *is_added);

/* Every second or so, from one thread: what was added is listed while the writer is not busy
 * (tagbook_tidy). */
MUST_CHECK enum rc tagkeys_tidy(struct tagkeys *tagkeys, struct writer *writer);

/* After the commit of tagkey_add: row and key as stored. */
void tagkey_remember(struct tagkeys *tagkeys, const struct tagkey_name *name, struct bytes row,
                     const uint8_t key[TAGKEY_SIZE]);

/*
 * Of a key in the cache (tagkey_cached or tagkey_find gave it just now): is it erased before the
 * month of this shard is over? Then the message at hand, which outlives it, takes it along with
 * tagkey_extend: a key lasts as long as the last message that it finds.
 */
bool tagkey_is_outlived(struct tagkeys *tagkeys, const struct tagkey_name *name,
                        const struct shard *by);
/* In a write transaction; *row is the new value, empty when it lasts long enough already. */
MUST_CHECK enum rc tagkey_extend(struct txn *txn, struct tagkeys *tagkeys,
                                 const struct tagkey_name *name, const struct shard *to,
                                 struct buffer *row);

/* The same key under another shard; appends the new value. For early erasure and longer terms. */
MUST_CHECK enum rc tagkey_rewrap(struct vault *vault, const struct tagkey_name *name,
                                 struct bytes row, const struct shard *to, struct buffer *out);

/*
 * In a write transaction. One key goes under a blocked shard, which `view` can use: nobody computes
 * a tag with it from here on. shard_was: its shard until now. RC_NOT_FOUND: none, or erased before.
 */
MUST_CHECK enum rc tagkey_block(struct txn *txn, struct tagkeys *tagkeys,
                                const struct tagkey_name *name, struct vault *view,
                                const struct shard *to, char shard_was[VAULT_NAME_SIZE]);

/*
 * In a write transaction: looks at `max` rows from *number on and puts those whose shard is not in
 * force any more, but has a key, under the one that is. RC_NOT_FOUND: past the last row.
 */
MUST_CHECK enum rc tagkeys_renew(struct txn *txn, struct tagkeys *tagkeys, size_t max,
                                 uint64_t *number);

/* The shard's name in a row, borrowed from it. */
MUST_CHECK enum rc tagkey_shard_name(struct bytes row, struct bytes *name);

/* Wipes every cached key; after a shard was destroyed. They come back from the store when wanted.
 */
void tagkey_forget(struct tagkeys *tagkeys);

#endif
