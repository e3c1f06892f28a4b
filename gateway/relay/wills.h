/*
 * wills - the person's will, asked before anything about her or him leaves; and kept for the
 * officials who attend the case.
 *
 * At the node of the member that attends the person, found by the sender's local_subject under the
 * subject's own key. Failing closed: a will that can not be read refuses, and so does a message
 * that names no local_subject, once this member keeps any will at all. Who has standing (the first
 * official who declared something about the person, and those to whom one of them gave it) is told
 * the reason; everybody else gets the answer for what is not there, in the same words.
 */
#ifndef RELAY_WILLS_H
#define RELAY_WILLS_H

#include "model/official.h"
#include "model/will.h"
#include "store/tagkey.h"

struct directory;
struct identity;
struct message;
struct node;
struct shard;
struct txn;

/* The answer for what is not there, not theirs, or not allowed by the person: one in all words. */
enum rc wills_uniform(struct fault *fault);

/*
 * Queue thread. `local` are the ids by which the sender knows the subjects, or none. RC_NOT_FOUND
 * with the uniform fault; `told` is the true one when this sender has standing (else its rc stays
 * RC_OK). `pending` is set when the message, sent for an impeded person, begins a ratification: its
 * will, for wills_note.
 */
MUST_CHECK enum rc wills_ask(const struct node *node, const struct directory *directory,
                             const struct message *message, const struct id *local,
                             size_t local_count, struct will *pending, bool *is_pending,
                             struct fault *told, struct fault *fault);
/* Writer: after entry_put. `key` is the first subject's. */
MUST_CHECK enum rc wills_note(struct txn *txn, const struct message *message,
                              const uint8_t key[TAGKEY_SIZE], const struct will *pending);

/* An act about a person on its way, for relay/officials. Zeroed at first; will_change_release
 * wipes. */
struct will_change {
    const struct identity *by;
    const struct official_act *act;
    struct will will; /* with the change */
    enum will_consent was;
    struct tagkey_name name;
    struct id person;
    uint8_t key[TAGKEY_SIZE];
    struct buffer row; /* of a key that is new */
    bool is_new;
    const struct shard *shard; /* a will outlives messages, and so must the subject's key */
    struct buffer extended;
};

MUST_CHECK enum rc will_change_prepare(struct will_change *change, const struct node *node,
                                       const struct directory *directory, const struct identity *by,
                                       const struct official_act *act, struct fault *fault);
/* Writer: "person.unknown" for who has no standing, by the will as it is now; then puts. */
MUST_CHECK enum rc will_change_check(struct will_change *change, struct txn *txn,
                                     struct fault *fault);
MUST_CHECK enum rc will_change_put(struct will_change *change, const struct node *node,
                                   struct txn *txn);
void will_change_done(struct will_change *change, const struct node *node);
void will_change_release(struct will_change *change);

/* Queue thread: for an official with standing; RC_NOT_FOUND for everybody else. */
MUST_CHECK enum rc wills_read(const struct node *node, const struct identity *by,
                              const struct id *person, struct will *will);

#endif
