#include "store/vault.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "store/locked.h"
#include "store/shardfile.h"

#define BUCKETS 4096
#define SLAB_KEYS 2048
#define SLAB_SIZE ((size_t)SLAB_KEYS * VAULT_KEY_SIZE)
#define SLAB_OF_VIEW 16

struct shard {
    struct shard *next; /* of the same bucket */
    struct shard_label label;
    char name[VAULT_NAME_SIZE];
    uint8_t *key;        /* read and wiped under the owner's lock */
    struct vault *owner; /* whose lock that is */
    atomic_bool is_in_force;
    atomic_bool is_erased; /* or blocked */
    atomic_bool is_blocked;
};

struct vault {
    struct vault
        *parent; /* of a handle for blocked shards: what it has not itself is looked up there */
    int root;
    uint8_t id[VAULT_ID_SIZE];
    pthread_mutex_t making; /* one thread at a time makes or destroys; taken before the lock */
    pthread_rwlock_t lock;  /* buckets and keys */
    struct shard *buckets[BUCKETS];
    uint8_t *slabs[VAULT_SHARDS_MAX / SLAB_KEYS]; /* keys stand apart from all else */
    size_t count;
};

static size_t bucket_of(const struct shard_label *label)
{
    uint64_t hash = 14695981039346656037u ^ (uint64_t)label->month;

    for (const char *at = label->member; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * 1099511628211u;
    }
    for (const char *at = label->retention; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * 1099511628211u;
    }
    return (size_t)((hash ^ hash >> 32) % BUCKETS);
}

static bool is_same_line(const struct shard_label *a, const struct shard_label *b)
{
    return a->month == b->month && strcmp(a->member, b->member) == 0 &&
           strcmp(a->retention, b->retention) == 0;
}

/* The newest generation, erased or not; with the lock held, as the two below. */
static struct shard *find_newest(struct vault *vault, const struct shard_label *label)
{
    struct shard *newest = NULL;

    for (struct shard *at = vault->buckets[bucket_of(label)]; at != NULL; at = at->next) {
        if (is_same_line(&at->label, label) &&
            (newest == NULL || newest->label.generation < at->label.generation)) {
            newest = at;
        }
    }
    return newest;
}

static struct shard *find_generation(struct vault *vault, const struct shard_label *label)
{
    for (struct shard *at = vault->buckets[bucket_of(label)]; at != NULL; at = at->next) {
        if (at->label.generation == label->generation && is_same_line(&at->label, label)) {
            return at;
        }
    }
    return NULL;
}

/* A handle for blocked shards opens a few of them. */
static size_t slab_size(const struct vault *vault)
{
    return vault->parent == NULL ? SLAB_SIZE : (size_t)SLAB_OF_VIEW * VAULT_KEY_SIZE;
}

static enum rc key_room(struct vault *vault, uint8_t **key)
{
    size_t slab = vault->count / SLAB_KEYS;

    if (vault->count == (vault->parent == NULL ? VAULT_SHARDS_MAX : SLAB_OF_VIEW)) {
        return failed(RC_RESOURCE_EXHAUSTED, "vault.full", "shards=%zu", vault->count);
    }
    if (vault->slabs[slab] == NULL && (vault->slabs[slab] = locked_new(slab_size(vault))) == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "vault.memory", "shards=%zu", vault->count);
    }
    *key = vault->slabs[slab] + vault->count % SLAB_KEYS * VAULT_KEY_SIZE;
    return RC_OK;
}

static void set_state(struct shard *shard, enum shard_state state)
{
    atomic_store(&shard->is_blocked, state == SHARD_BLOCKED);
    atomic_store(&shard->is_erased, state != SHARD_OPEN);
}

/* Puts a shard into the table; key NULL unless it is open. With `making` held. */
static enum rc shard_enter(struct vault *vault, const struct shard_label *label,
                           enum shard_state state, const uint8_t *key, struct shard **entered)
{
    struct shard *shard;
    struct shard *newest;
    uint8_t *room = NULL;
    size_t bucket = bucket_of(label);

    TRY(key_room(vault, &room));
    shard = calloc(1, sizeof *shard);
    if (shard == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "vault.memory", "shards=%zu", vault->count);
    }
    shard->label = *label;
    shard_label_format(label, shard->name);
    shard->key = room;
    shard->owner = vault;
    pthread_rwlock_wrlock(&vault->lock);
    newest = find_newest(vault, label);
    if (key != NULL) {
        memcpy(room, key, VAULT_KEY_SIZE);
    }
    set_state(shard, state);
    if (newest == NULL || newest->label.generation < label->generation) {
        atomic_store(&shard->is_in_force, key != NULL);
        if (newest != NULL) {
            atomic_store(&newest->is_in_force, false);
        }
    }
    shard->next = vault->buckets[bucket];
    vault->buckets[bucket] = shard;
    vault->count++;
    pthread_rwlock_unlock(&vault->lock);
    *entered = shard;
    return RC_OK;
}

/* A mark of erasure and its key file are one shard, whichever the folder lists first. */
static enum rc shard_found(struct vault *vault, const struct shard_label *label,
                           enum shard_state state, const uint8_t *key)
{
    struct shard *shard = find_generation(vault, label);

    if (shard == NULL) {
        return shard_enter(vault, label, state, key, &shard);
    }
    if (state == SHARD_ERASED) {
        explicit_bzero(shard->key, VAULT_KEY_SIZE);
        set_state(shard, state);
        atomic_store(&shard->is_in_force, false);
    }
    return RC_OK;
}

static enum rc load(struct vault *vault, const char *path)
{
    enum rc rc;

    TRY(shardfile_scan(vault->root, vault, shard_found));
    rc = shardfile_id(vault->root, vault->id);
    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    if (vault->count > 0) {
        return failed(RC_FAILED_PRECONDITION, "vault.refused", "path=%s why=\"shards without id\"",
                      path);
    }
    random_fill(vault->id, sizeof vault->id);
    return shardfile_id_write(vault->root, vault->id);
}

enum rc vault_open(const char *path, const char *log_folder, struct vault **vault)
{
    OWN_PTR(vault) opened = NULL;
    int root = -1;

    TRY(shardfile_root(path, log_folder, &root));
    opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        close(root);
        return failed(RC_RESOURCE_EXHAUSTED, "vault.memory", "path=%s", path);
    }
    opened->root = root;
    pthread_mutex_init(&opened->making, NULL);
    pthread_rwlock_init(&opened->lock, NULL);
    TRY(load(opened, path));
    log_info("vault.open", "path=%s shards=%zu", path, opened->count);
    *vault = MOVE(opened);
    return RC_OK;
}

void vault_free(struct vault *vault)
{
    if (vault == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (vault->buckets[i] != NULL) {
            struct shard *shard = vault->buckets[i];

            vault->buckets[i] = shard->next;
            free(shard);
        }
    }
    for (size_t i = 0; i < VAULT_SHARDS_MAX / SLAB_KEYS; i++) {
        locked_free(vault->slabs[i], slab_size(vault));
    }
    if (vault->parent == NULL) {
        close(vault->root);
    }
    pthread_rwlock_destroy(&vault->lock);
    pthread_mutex_destroy(&vault->making);
    free(vault);
}

const uint8_t *vault_id(const struct vault *vault)
{
    return vault->id;
}

/* The proleptic Gregorian month of a day; days from 1970-01-01. Once per message, so no text. */
static int32_t month_of_day(int32_t day)
{
    int32_t shifted = day + 719468; /* from 0000-03-01 */
    int32_t era = shifted / 146097;
    int32_t in_era = shifted % 146097;
    int32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int32_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int32_t from_march = (5 * in_year + 2) / 153;

    return from_march < 10 ? (year + era * 400) * 100 + from_march + 3
                           : (year + era * 400 + 1) * 100 + from_march - 9;
}

enum rc vault_month(const char *retention, int64_t now_ms, int32_t *month)
{
    int32_t years = 0;
    int32_t now;

    TRY(shard_years(retention, &years));
    if (now_ms < 0) {
        return RC_INVALID_ARGUMENT;
    }
    now = month_of_day(clock_day(now_ms));
    if (now / 100 + years > 9999) {
        return RC_INVALID_ARGUMENT;
    }
    *month = now + years * 100;
    return RC_OK;
}

static enum rc find_in_force(struct vault *vault, const struct shard_label *label,
                             const struct shard **shard)
{
    struct shard *newest;

    pthread_rwlock_rdlock(&vault->lock);
    newest = find_newest(vault, label);
    pthread_rwlock_unlock(&vault->lock);
    if (newest == NULL || !atomic_load(&newest->is_in_force)) {
        return RC_NOT_FOUND;
    }
    *shard = newest;
    return RC_OK;
}

/* The generation after the newest; with `making` held. */
static enum rc make_next(struct vault *vault, struct shard_label *label, bool is_blocked,
                         const struct shard **shard)
{
    struct shard *newest = find_newest(vault, label); /* nobody else writes */
    struct shard *made = NULL;
    uint8_t key[VAULT_KEY_SIZE];
    enum rc rc;

    if (vault->count == VAULT_SHARDS_MAX) {
        return failed(RC_RESOURCE_EXHAUSTED, "vault.full", "shards=%zu", vault->count);
    }
    label->generation = newest == NULL ? 1 : newest->label.generation + 1;
    random_fill(key, sizeof key);
    rc = shardfile_write(vault->root, label, is_blocked, key);
    if (rc == RC_OK) {
        rc = is_blocked ? shard_enter(vault, label, SHARD_BLOCKED, NULL, &made)
                        : shard_enter(vault, label, SHARD_OPEN, key, &made);
    }
    explicit_bzero(key, sizeof key);
    TRY(rc);
    log_info("vault.made", "shard=%s", made->name);
    *shard = made;
    return RC_OK;
}

enum rc vault_shard(struct vault *vault, const char *member, const char *retention, int32_t month,
                    bool is_made, const struct shard **shard)
{
    struct shard_label label;
    enum rc rc;

    TRY(shard_label_make(member, retention, month, &label));
    rc = find_in_force(vault, &label, shard);
    if (rc != RC_NOT_FOUND || !is_made) {
        return rc;
    }
    pthread_mutex_lock(&vault->making);
    rc = find_in_force(vault, &label, shard);
    if (rc == RC_NOT_FOUND) {
        rc = make_next(vault, &label, false, shard);
    }
    pthread_mutex_unlock(&vault->making);
    return rc;
}

enum rc vault_successor(struct vault *vault, const struct shard *shard,
                        const struct shard **successor)
{
    struct shard_label label = shard->label;
    enum rc rc = find_in_force(vault, &label, successor);

    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    pthread_mutex_lock(&vault->making);
    rc = find_in_force(vault, &label, successor);
    if (rc == RC_NOT_FOUND) {
        rc = make_next(vault, &label, false, successor);
    }
    pthread_mutex_unlock(&vault->making);
    return rc;
}

static struct shard *find_by_name(struct vault *vault, struct bytes name)
{
    struct shard_label label;
    struct shard *shard;

    if (shard_label_parse(name, &label) != RC_OK) {
        return NULL;
    }
    pthread_rwlock_rdlock(&vault->lock);
    shard = find_generation(vault, &label);
    pthread_rwlock_unlock(&vault->lock);
    return shard == NULL && vault->parent != NULL ? find_by_name(vault->parent, name) : shard;
}

const struct shard *vault_known(struct vault *vault, struct bytes name)
{
    return find_by_name(vault, name);
}

enum rc vault_shard_by_name(struct vault *vault, struct bytes name, const struct shard **shard)
{
    const struct shard *found = find_by_name(vault, name);

    if (found == NULL) {
        return failed(RC_DATA_LOSS, "vault.missing", "shard=%.*s", (int)name.size,
                      (const char *)name.data);
    }
    if (atomic_load(&found->is_erased)) {
        return RC_NOT_FOUND;
    }
    *shard = found;
    return RC_OK;
}

enum rc vault_next(struct vault *vault, const struct shard *shard, const struct shard **next)
{
    struct shard_label label = shard->label;
    enum rc rc;

    pthread_mutex_lock(&vault->making);
    rc = make_next(vault, &label, false, next);
    pthread_mutex_unlock(&vault->making);
    return rc;
}

enum rc vault_escrow(struct vault *vault, const char *member, int32_t month,
                     const struct shard **shard)
{
    struct shard_label label;
    enum rc rc;

    TRY(shard_label_make(member, VAULT_ESCROW, month, &label));
    pthread_mutex_lock(&vault->making);
    rc = make_next(vault, &label, true, shard);
    pthread_mutex_unlock(&vault->making);
    return rc;
}

static enum rc view_new(struct vault *vault, struct vault **view)
{
    struct vault *made = calloc(1, sizeof *made);

    if (made == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "vault.memory", "shards=%zu", vault->count);
    }
    made->parent = vault;
    made->root = vault->root;
    pthread_mutex_init(&made->making, NULL);
    pthread_rwlock_init(&made->lock, NULL);
    *view = made;
    return RC_OK;
}

static enum rc view_add(struct vault *view, const struct shard_label *label,
                        const struct shard **shard)
{
    struct shard *entered = NULL;
    uint8_t key[VAULT_KEY_SIZE];
    enum rc rc = shardfile_blocked(view->root, label, key);

    if (rc == RC_OK) {
        rc = shard_enter(view, label, SHARD_OPEN, key, &entered);
    }
    explicit_bzero(key, sizeof key);
    *shard = entered;
    return rc;
}

enum rc vault_with_blocked(struct vault *vault, struct bytes name, struct vault **view,
                           const struct shard **shard)
{
    const struct shard *found = find_by_name(vault, name);
    struct vault *made = *view;
    enum rc rc;

    if (found == NULL || !shard_is_blocked(found)) {
        return RC_NOT_FOUND;
    }
    if (made == NULL) {
        TRY(view_new(vault, &made));
    }
    rc = view_add(made, &found->label, shard);
    if (rc != RC_OK && *view == NULL) {
        vault_free(made);
        return rc;
    }
    *view = made;
    return rc;
}

bool shard_is_blocked(const struct shard *shard)
{
    return atomic_load(&shard->is_blocked);
}

bool shard_is_of(const struct shard *shard, const char *member)
{
    const char *dot = strchr(shard->label.member, '.');
    size_t network = (size_t)(dot - shard->label.member);

    return strncmp(shard->label.member, member, network) == 0 && member[network] == '/' &&
           strcmp(dot + 1, member + network + 1) == 0;
}

bool shard_is_in_force(const struct shard *shard)
{
    return atomic_load(&shard->is_in_force);
}

bool shard_is_erased(const struct shard *shard)
{
    return atomic_load(&shard->is_erased);
}

const char *shard_name(const struct shard *shard)
{
    return shard->name;
}

int32_t shard_month(const struct shard *shard)
{
    return shard->label.month;
}

enum rc shard_key(struct vault *vault, const struct shard *shard, uint8_t key[VAULT_KEY_SIZE])
{
    bool is_erased;

    (void)vault;
    pthread_rwlock_rdlock(&shard->owner->lock);
    is_erased = atomic_load(&shard->is_erased);
    if (!is_erased) {
        memcpy(key, shard->key, VAULT_KEY_SIZE);
    }
    pthread_rwlock_unlock(&shard->owner->lock);
    return is_erased ? RC_NOT_FOUND : RC_OK;
}

static void forget(struct vault *vault, struct shard *shard, enum shard_state state)
{
    pthread_rwlock_wrlock(&vault->lock);
    atomic_store(&shard->is_in_force, false);
    set_state(shard, state);
    explicit_bzero(shard->key, VAULT_KEY_SIZE);
    pthread_rwlock_unlock(&vault->lock);
}

enum rc vault_block(struct vault *vault, const struct shard *shard)
{
    struct shard *known = find_by_name(vault, bytes_text(shard->name));
    enum rc rc = RC_OK;

    pthread_mutex_lock(&vault->making);
    if (!atomic_load(&known->is_erased)) {
        rc = shardfile_block(vault->root, &known->label);
        if (rc == RC_OK) {
            forget(vault, known, SHARD_BLOCKED);
            log_info("vault.blocked", "shard=%s", known->name);
        }
    }
    pthread_mutex_unlock(&vault->making);
    return rc;
}

enum rc vault_destroy(struct vault *vault, struct bytes name)
{
    struct shard *shard = find_by_name(vault, name);
    enum rc rc;

    if (shard == NULL) {
        return RC_NOT_FOUND;
    }
    pthread_mutex_lock(&vault->making);
    forget(vault, shard, SHARD_ERASED);
    rc = shardfile_destroy(vault->root, &shard->label);
    pthread_mutex_unlock(&vault->making);
    if (rc == RC_OK) {
        log_info("vault.destroyed", "shard=%s", shard->name);
    }
    return rc == RC_NOT_FOUND ? failed(RC_UNAVAILABLE, "vault.folder", "shard=%s", shard->name)
                              : rc;
}

size_t vault_due(struct vault *vault, int32_t month, const struct shard **shards, size_t max)
{
    size_t count = 0;

    pthread_rwlock_rdlock(&vault->lock);
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct shard *at = vault->buckets[i]; at != NULL && count < max; at = at->next) {
            if (at->label.month < month && !atomic_load(&at->is_erased) &&
                strcmp(at->label.retention, VAULT_ESCROW) != 0) {
                shards[count++] = at;
            }
        }
    }
    pthread_rwlock_unlock(&vault->lock);
    return count;
}
