#include "store/tagkey.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "store/dbkey.h"
#include "store/locked.h"
#include "store/tagbook.h"
#include "store/table.h"
#include "store/vault.h"
#include "store/wrap.h"

#define LABEL "enlace/tagkey/v1"
#define MEMBER_MAX 63
#define SUBJECT_SIZE 16
#define WAYS 4
#define STRIPES 64
#define IDENTITY_SIZE 16

static const char name_label[] = "enlace/tagname/v1"; /* hashed with its NUL */

/* A key in memory, found by a digest of its row's key; shard NULL: free. */
struct entry {
    uint8_t identity[IDENTITY_SIZE];
    const struct shard *shard;
    uint64_t used;
    uint8_t key[TAGKEY_SIZE];
};

/* Four entries that share one place; the one that was used longest ago gives way. */
struct set {
    struct entry ways[WAYS];
};

struct stripe {
    pthread_mutex_t lock;
    uint64_t clock;
};

struct tagkeys {
    struct vault *vault;
    struct tagbook *book;
    struct set *sets;
    size_t set_count; /* a power of two, at least STRIPES */
    struct stripe stripes[STRIPES];
};

enum rc tagkeys_new(struct vault *vault, size_t capacity, struct tagkeys **tagkeys)
{
    struct tagkeys *made;
    size_t count = STRIPES;

    if (capacity > TAGKEY_CACHE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    while (count * WAYS < capacity) {
        count *= 2;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "tagkey.memory", "entries=%zu", capacity);
    }
    made->book = tagbook_new();
    made->sets = (struct set *)locked_new(count * sizeof(struct set));
    if (made->book == NULL || made->sets == NULL) {
        tagbook_free(made->book);
        locked_free((uint8_t *)made->sets, count * sizeof(struct set));
        free(made);
        return failed(RC_RESOURCE_EXHAUSTED, "tagkey.memory", "entries=%zu", capacity);
    }
    made->vault = vault;
    made->set_count = count;
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_init(&made->stripes[i].lock, NULL);
    }
    *tagkeys = made;
    return RC_OK;
}

void tagkeys_free(struct tagkeys *tagkeys)
{
    if (tagkeys != NULL) {
        locked_free((uint8_t *)tagkeys->sets, tagkeys->set_count * sizeof(struct set));
        tagbook_free(tagkeys->book);
        for (size_t i = 0; i < STRIPES; i++) {
            pthread_mutex_destroy(&tagkeys->stripes[i].lock);
        }
        free(tagkeys);
    }
}

static enum rc row_key(const struct tagkey_name *name, struct dbkey *key)
{
    size_t member = strnlen(name->member, MEMBER_MAX + 1);
    bool is_subject = name->kind == TAGKEY_SUBJECT;
    uint8_t kind;
    const struct bytes parts[] = {BYTES_OF(name_label), BYTES(name->member, member + 1),
                                  BYTES(&kind, 1), name->name};
    uint8_t digest[DIGEST_SIZE];

    if (member == 0 || member > MEMBER_MAX || (!is_subject && name->kind != TAGKEY_PARTY) ||
        name->name.size == 0 || name->name.size > TAGKEY_NAME_MAX ||
        (is_subject && name->name.size != SUBJECT_SIZE)) {
        return RC_INVALID_ARGUMENT;
    }
    kind = (uint8_t)name->kind;
    digest_of(parts, 4, digest);
    dbkey_clear(key);
    dbkey_put(key, BYTES_OF(digest));
    return RC_OK;
}

static struct wrap_place place_of(const struct dbkey *key)
{
    return (struct wrap_place){.label = LABEL, .context = dbkey_bytes(key)};
}

/* Where a key's entries are; the stripe is locked. */
struct spot {
    uint8_t identity[IDENTITY_SIZE];
    struct set *set;
    struct stripe *stripe;
};

static void spot_lock(struct tagkeys *tagkeys, const struct dbkey *key, struct spot *spot)
{
    const struct bytes whole = dbkey_bytes(key);
    uint8_t digest[DIGEST_SIZE];
    size_t at;

    digest_of(&whole, 1, digest);
    memcpy(spot->identity, digest, IDENTITY_SIZE);
    at = (size_t)get_u64(digest + IDENTITY_SIZE) & (tagkeys->set_count - 1);
    spot->set = &tagkeys->sets[at];
    spot->stripe = &tagkeys->stripes[at % STRIPES];
    pthread_mutex_lock(&spot->stripe->lock);
}

static void spot_unlock(struct spot *spot)
{
    pthread_mutex_unlock(&spot->stripe->lock);
}

static void entry_wipe(struct entry *entry)
{
    explicit_bzero(entry, sizeof *entry);
}

static struct entry *spot_find(struct spot *spot)
{
    for (size_t i = 0; i < WAYS; i++) {
        struct entry *entry = &spot->set->ways[i];

        if (entry->shard != NULL && memcmp(entry->identity, spot->identity, IDENTITY_SIZE) == 0) {
            return entry;
        }
    }
    return NULL;
}

static struct entry *spot_oldest(struct spot *spot)
{
    struct entry *oldest = &spot->set->ways[0];

    for (size_t i = 1; i < WAYS; i++) {
        if (spot->set->ways[i].used < oldest->used) {
            oldest = &spot->set->ways[i];
        }
    }
    return oldest;
}

static enum rc cache_get(struct tagkeys *tagkeys, const struct dbkey *row, uint8_t *key)
{
    struct spot spot;
    struct entry *entry;
    enum rc rc = RC_NOT_FOUND;

    spot_lock(tagkeys, row, &spot);
    entry = spot_find(&spot);
    if (entry != NULL && shard_is_erased(entry->shard)) {
        entry_wipe(entry);
    } else if (entry != NULL) {
        entry->used = ++spot.stripe->clock;
        memcpy(key, entry->key, TAGKEY_SIZE);
        rc = RC_OK;
    }
    spot_unlock(&spot);
    return rc;
}

static void cache_put(struct tagkeys *tagkeys, const struct dbkey *row, struct bytes wrapped,
                      const uint8_t *key)
{
    const struct shard *shard = NULL;
    struct bytes name;
    struct spot spot;
    struct entry *entry;

    if (wrap_shard_name(wrapped, &name) != RC_OK ||
        vault_shard_by_name(tagkeys->vault, name, &shard) != RC_OK) {
        return;
    }
    spot_lock(tagkeys, row, &spot);
    entry = spot_find(&spot);
    entry = entry == NULL ? spot_oldest(&spot) : entry;
    memcpy(entry->identity, spot.identity, IDENTITY_SIZE);
    memcpy(entry->key, key, TAGKEY_SIZE);
    entry->shard = shard;
    entry->used = ++spot.stripe->clock;
    spot_unlock(&spot);
}

enum rc tagkey_cached(struct tagkeys *tagkeys, const struct tagkey_name *name,
                      uint8_t key[TAGKEY_SIZE])
{
    struct dbkey row;

    TRY(row_key(name, &row));
    return cache_get(tagkeys, &row, key);
}

static enum rc unwrap(struct vault *vault, const struct dbkey *row, struct bytes wrapped,
                      uint8_t key[TAGKEY_SIZE])
{
    const struct wrap_place place = place_of(row);
    uint8_t plain[WRAP_PLAIN_MAX];
    size_t size = 0;
    enum rc rc = wrap_open(vault, &place, wrapped, plain, &size);

    if (rc == RC_OK && size != TAGKEY_SIZE) {
        rc = RC_DATA_LOSS;
    }
    if (rc == RC_OK) {
        memcpy(key, plain, TAGKEY_SIZE);
    }
    explicit_bzero(plain, size);
    return rc == RC_DATA_LOSS ? failed(rc, "tagkey.damaged", "row=%zu", row->size) : rc;
}

enum rc tagkey_find(struct txn *txn, struct tagkeys *tagkeys, const struct tagkey_name *name,
                    uint8_t key[TAGKEY_SIZE])
{
    struct dbkey row;
    struct bytes wrapped;

    TRY(row_key(name, &row));
    TRY(tagbook_find(tagkeys->book, txn, dbkey_bytes(&row), &wrapped));
    TRY(unwrap(tagkeys->vault, &row, wrapped, key));
    cache_put(tagkeys, &row, wrapped, key);
    return RC_OK;
}

enum rc tagkey_make(struct vault *vault, const struct shard *shard, const struct tagkey_name *name,
                    struct buffer *row, uint8_t key[TAGKEY_SIZE])
{
    struct dbkey at;
    struct wrap_place place;
    uint8_t nonce[AEAD_NONCE_SIZE];

    TRY(row_key(name, &at));
    place = place_of(&at);
    random_fill(key, TAGKEY_SIZE);
    random_fill(nonce, sizeof nonce);
    return wrap_seal(vault, shard, &place, nonce, BYTES(key, TAGKEY_SIZE), row);
}

enum rc tagkey_add(struct txn *txn, struct tagkeys *tagkeys, const struct tagkey_name *name,
                   struct bytes row, uint8_t key[TAGKEY_SIZE], bool *is_added)
{
    struct dbkey at;
    struct bytes there;
    enum rc rc;

    TRY(row_key(name, &at));
    rc = tagbook_find(tagkeys->book, txn, dbkey_bytes(&at), &there);
    if (rc == RC_NOT_FOUND) {
        TRY(tagbook_add(tagkeys->book, txn, dbkey_bytes(&at), row));
        *is_added = true;
        return RC_OK;
    }
    TRY(rc);
    rc = unwrap(tagkeys->vault, &at, there, key);
    if (rc == RC_NOT_FOUND) {
        TRY(tagbook_put(tagkeys->book, txn, dbkey_bytes(&at), row));
        *is_added = true;
        return RC_OK;
    }
    TRY(rc);
    *is_added = false;
    return RC_OK;
}

enum rc tagkeys_tidy(struct tagkeys *tagkeys, struct writer *writer)
{
    return tagbook_tidy(tagkeys->book, writer);
}

void tagkey_remember(struct tagkeys *tagkeys, const struct tagkey_name *name, struct bytes row,
                     const uint8_t key[TAGKEY_SIZE])
{
    struct dbkey at;

    if (row_key(name, &at) == RC_OK) {
        cache_put(tagkeys, &at, row, key);
    }
}

bool tagkey_is_outlived(struct tagkeys *tagkeys, const struct tagkey_name *name,
                        const struct shard *by)
{
    bool is_outlived = false;
    struct entry *entry;
    struct dbkey row;
    struct spot spot;

    if (row_key(name, &row) != RC_OK) {
        return false;
    }
    spot_lock(tagkeys, &row, &spot);
    entry = spot_find(&spot);
    if (entry != NULL) {
        is_outlived = shard_month(entry->shard) < shard_month(by);
    }
    spot_unlock(&spot);
    return is_outlived;
}

enum rc tagkey_extend(struct txn *txn, struct tagkeys *tagkeys, const struct tagkey_name *name,
                      const struct shard *to, struct buffer *row)
{
    const struct shard *shard;
    struct wrap_place place;
    struct bytes wrapped;
    struct bytes of;
    struct dbkey at;

    TRY(row_key(name, &at));
    TRY(tagbook_find(tagkeys->book, txn, dbkey_bytes(&at), &wrapped));
    TRY(wrap_shard_name(wrapped, &of));
    shard = vault_known(tagkeys->vault, of);
    if (shard == NULL || shard_is_erased(shard) || shard_month(shard) >= shard_month(to)) {
        return RC_OK;
    }
    place = place_of(&at);
    TRY(wrap_move(tagkeys->vault, &place, wrapped, to, row));
    return tagbook_put(tagkeys->book, txn, dbkey_bytes(&at), buffer_bytes(row));
}

enum rc tagkey_rewrap(struct vault *vault, const struct tagkey_name *name, struct bytes row,
                      const struct shard *to, struct buffer *out)
{
    struct dbkey at;
    struct wrap_place place;

    TRY(row_key(name, &at));
    place = place_of(&at);
    return wrap_move(vault, &place, row, to, out);
}

enum rc tagkey_block(struct txn *txn, struct tagkeys *tagkeys, const struct tagkey_name *name,
                     struct vault *view, const struct shard *to, char shard_was[VAULT_NAME_SIZE])
{
    struct wrap_place place;
    OWN(buffer) moved = {0};
    struct bytes wrapped;
    struct bytes shard;
    struct dbkey at;

    TRY(row_key(name, &at));
    TRY(tagbook_find(tagkeys->book, txn, dbkey_bytes(&at), &wrapped));
    TRY(wrap_shard_name(wrapped, &shard));
    if (bytes_are_text(shard, shard_name(to))) {
        return RC_NOT_FOUND;
    }
    place = place_of(&at);
    TRY(wrap_move(view, &place, wrapped, to, &moved));
    memcpy(shard_was, shard.data, shard.size); /* shorter than that: wrap_shard_name */
    shard_was[shard.size] = '\0';
    return tagbook_put(tagkeys->book, txn, dbkey_bytes(&at), buffer_bytes(&moved));
}

static enum rc renew_row(struct txn *txn, struct tagkeys *tagkeys, struct bytes name,
                         struct bytes wrapped)
{
    const struct wrap_place place = {.label = LABEL, .context = name};
    const struct shard *shard;
    const struct shard *next = NULL;
    OWN(buffer) moved = {0};
    OWN(buffer) own_name = {0};
    struct bytes of;

    TRY(wrap_shard_name(wrapped, &of));
    shard = vault_known(tagkeys->vault, of);
    if (shard == NULL || shard_is_in_force(shard) || shard_is_erased(shard)) {
        return RC_OK;
    }
    TRY(vault_successor(tagkeys->vault, shard, &next));
    TRY(wrap_move(tagkeys->vault, &place, wrapped, next, &moved));
    buffer_put_bytes(&own_name, name); /* the row that it stands in is about to be replaced */
    return own_name.is_failed
               ? RC_RESOURCE_EXHAUSTED
               : tagbook_put(tagkeys->book, txn, buffer_bytes(&own_name), buffer_bytes(&moved));
}

enum rc tagkeys_renew(struct txn *txn, struct tagkeys *tagkeys, size_t max, uint64_t *number)
{
    for (size_t i = 0; i < max; i++) {
        struct bytes name;
        struct bytes wrapped;

        TRY(tagbook_at(txn, *number, &name, &wrapped));
        TRY(renew_row(txn, tagkeys, name, wrapped));
        (*number)++;
    }
    return RC_OK;
}

enum rc tagkey_shard_name(struct bytes row, struct bytes *name)
{
    return wrap_shard_name(row, name);
}

void tagkey_forget(struct tagkeys *tagkeys)
{
    for (size_t i = 0; i < tagkeys->set_count; i++) {
        struct stripe *stripe = &tagkeys->stripes[i % STRIPES];

        pthread_mutex_lock(&stripe->lock);
        explicit_bzero(&tagkeys->sets[i], sizeof tagkeys->sets[i]);
        pthread_mutex_unlock(&stripe->lock);
    }
}
