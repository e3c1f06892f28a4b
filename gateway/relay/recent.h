/*
 * recent - messages that were just accepted for a peer node, in memory until they are forwarded.
 *
 * Nothing is forwarded because it stands here: the outbox says what is owed, and only what it names
 * is looked for here. What is not there, or no longer, is read back from the store. So anything may
 * be lost at any time, and memory is bounded: once it is full the oldest stay, because they are
 * forwarded first. What has lain for RECENT_AGE_MS is not used any more, since the store
 * may have erased it meanwhile.
 *
 *     queue thread: recent_new --commit--> writer thread: recent_put --> link: recent_find, _take
 */
#ifndef RELAY_RECENT_H
#define RELAY_RECENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "model/directory.h"
#include "model/message.h"
#include "tlog/leaf.h"

#define RECENT_AGE_MS 30000
/* Of all links of a node. */
#define RECENT_BYTES_MAX ((size_t)16 << 20)

/* What paying a debt to a peer needs to know of its message. */
struct owed {
    struct id message_id;
    struct id exchange_id;
    enum message_type type;
    enum urgency urgency;
    bool is_opening;
    char from[CODE_SIZE];
    char to[CODE_SIZE];
    uint8_t commitment[HASH_SIZE]; /* M */
};

void owed_fill(struct owed *owed, const struct message *message,
               const uint8_t commitment[HASH_SIZE]);

struct recent {
    struct recent *next;
    atomic_size_t *room; /* bytes that may still be kept: where this one's go back to */
    uint64_t index;
    int64_t kept_ms;
    uint8_t leaf[LEAF_SIZE];
    struct owed owed;
    size_t size;
    uint8_t message[]; /* serialised, as it travels */
};

/* For one link. All zeros is an empty one. */
struct recents {
    _Atomic(struct recent *) put; /* newest first */
    struct recent *first;         /* the link's thread's: oldest first */
    struct recent *last;
};

/* NULL: no room, or a message without its bytes. Any thread. */
struct recent *recent_new(atomic_size_t *room, const struct message *message,
                          const uint8_t commitment[HASH_SIZE]);
/* Wipes. NULL does nothing. Any thread. */
void recent_free(struct recent *recent);
/* Once its commit stands; indices ascend. Writer thread. */
void recent_put(struct recents *recents, struct recent *recent, const struct leaf *leaf);

/*
 * Link's thread. The message of this leaf, which stays where it is; NULL: not here. Frees those
 * before it: debts come in the log's order.
 */
struct recent *recent_find(struct recents *recents, uint64_t index);
/* What recent_find gave is the caller's from here on. */
void recent_take(struct recents *recents);
void recent_clear(struct recents *recents);

#endif
