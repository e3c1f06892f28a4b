/*
 * entry - one message held for one member by this node: leaf, audit record, encrypted body, keys.
 *
 *     completion-queue thread: entry_prepare   everything that costs: hashes, tags, encryption
 *     writer thread:           entry_put       index and time, then the puts
 *
 * The same for a message sent from here and for one received here; only the kind differs.
 */
#ifndef RELAY_ENTRY_H
#define RELAY_ENTRY_H

#include "model/record.h"
#include "relay/postings.h"
#include "store/tagkey.h"
#include "tlog/leaf.h"

struct arena;
struct directory;
struct exchange;
struct node;
struct route;
struct shard;
struct txn;

/* subject, sender, receiver, actor: the order of the leaf's tags. */
#define ENTRY_TAGS 4

struct entry_tag {
    struct tagkey_name name;
    uint8_t key[TAGKEY_SIZE];
    struct buffer row;         /* empty when the key stands already */
    uint8_t made[TAGKEY_SIZE]; /* the key in row */
    const struct shard *shard; /* that row is under */
    const struct shard *later; /* outlives the key that stands; NULL: none does */
    struct buffer extended;    /* what it became then */
    bool is_anothers;          /* somebody else's row stands in place of ours */
    bool is_used;
};

struct entry {
    enum record_kind kind; /* RECORD_SENT or RECORD_RECEIVED */
    const struct message *message;
    const struct directory *directory; /* that judged it: its digest is recorded */
    const struct route *route;
    const char *holder;            /* member code, hosted here */
    const char *actor;             /* the identity behind it, as its certificate names it */
    uint8_t commitment[HASH_SIZE]; /* M */
    struct leaf leaf;
    uint8_t record_blind[BLIND_SIZE];
    struct buffer record;
    const struct shard *shard; /* the keys are under */
    struct buffer key_row;
    struct buffer body_row;
    struct entry_tag tags[ENTRY_TAGS];
    struct posting posting; /* what it is found by */
    struct bytes replayed;  /* its leaf in the log before this epoch; usually none */
    uint64_t index;         /* set by entry_put */
    char waiver[160];       /* what it was let through without; "" usually */
};

/* M of a message: tlog/commit over header and compartments. */
MUST_CHECK enum rc entry_commitment(const struct message *message, uint8_t out[HASH_SIZE]);

/*
 * Fills everything but time and index. `local` are the ids by which this holder knows the message's
 * subjects, in their order; without any it knows them by the header's pseudonyms. The message,
 * route and texts must outlive the entry.
 */
MUST_CHECK enum rc entry_prepare(struct entry *entry, const struct node *node,
                                 const struct id *local, size_t local_count);
/* After all checks of the transaction: leaf, record, body, keys, journal. Sets index. */
MUST_CHECK enum rc entry_put(struct entry *entry, const struct node *node, struct txn *txn);
/* A control record of the node itself or a refusal: a leaf without message and body. */
MUST_CHECK enum rc entry_put_record(const struct node *node, struct txn *txn,
                                    const struct record *record, uint64_t *index);
/*
 * A control leaf: everybody may know what it says. Nonce, tags and the record's blind are zeros.
 */
MUST_CHECK enum rc entry_put_control(struct txn *txn, const struct record *record, uint64_t *index);
/* That transaction came to nothing: entry_put may be called again (write_ops.again). */
void entry_again(struct entry *entry);
/* After the commit: new tag keys may be used from memory, and the indexer need not read it. Writer
 * thread. */
void entry_remember(const struct entry *entry, const struct node *node);
void entry_release(struct entry *entry);

#endif
