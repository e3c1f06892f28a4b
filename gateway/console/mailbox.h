/*
 * mailbox - what a profile's system receives while the console is open, and what it sends.
 *
 * Two threads hold a stream each, urgent and ordinary (client/attach). What comes is verified
 * there, taken into custody (R2) where it wants that, and kept in a spool of the console's own
 * (<spool>/console): it is the agency's system while a person sits at it. One short lock guards the
 * spool; the HTTP thread reads and sends under it, too.
 *
 *     stream threads: on_delivery --lock--> spool;  HTTP thread: mailbox_* --lock--> spool, node
 */
#ifndef CONSOLE_MAILBOX_H
#define CONSOLE_MAILBOX_H

#include "base/own.h"
#include "client/spool.h"
#include "model/message.h"

struct arena;
struct draft;
struct mailbox;
struct profile;
struct sent;
struct session;

/* Starts the threads. All is borrowed. RC_FAILED_PRECONDITION "profile.spool", "profile.system";
 * "spool.busy": another console of this profile is open. */
MUST_CHECK enum rc mailbox_new(const struct profile *profile, struct session *session,
                               struct mailbox **mailbox, struct fault *fault);
/* Ends the threads. */
void mailbox_free(struct mailbox *mailbox);
OWN_PTR_DEFINE(mailbox)

/* Why a stream ended for good; RC_OK: both go on. */
enum rc mailbox_fault(struct mailbox *mailbox, struct fault *fault);
/* Grows with each delivery and each answer. */
uint64_t mailbox_changes(struct mailbox *mailbox);

/* Of SPOOL_INBOX, SPOOL_EXCHANGES or SPOOL_PARKED, ascending. */
MUST_CHECK enum rc mailbox_list(struct mailbox *mailbox, enum spool_folder folder,
                                struct spool_ids *ids);
/* Decoded, in the arena. RC_NOT_FOUND, RC_DATA_LOSS. */
MUST_CHECK enum rc mailbox_read(struct mailbox *mailbox, enum spool_folder folder,
                                const struct id *id, struct arena *arena, struct message **message);
/* Sends again, the same bytes, what has no receipt yet. *left: how many have none now. */
MUST_CHECK enum rc mailbox_resend(struct mailbox *mailbox, struct arena *arena, size_t *left,
                                  struct fault *fault);
/* It was dealt with. */
void mailbox_forget(struct mailbox *mailbox, const struct id *id);
/* Composes in the name of the profile's official, stores, sends; the receipt is checked. */
MUST_CHECK enum rc mailbox_send(struct mailbox *mailbox, struct draft *draft, struct arena *arena,
                                struct sent *sent, struct fault *fault);

#endif
