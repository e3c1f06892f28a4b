/*
 * ask - questions to the node that change nothing: state of an exchange, receipts, who am I.
 * Answers live in the arena. Blocking; any thread.
 */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

#include "rpc/codec_service.h"

struct arena;
struct session;

/* RC_NOT_FOUND alike for what is unknown and what is another member's. */
MUST_CHECK enum rc ask_track(struct session *session, const struct id *exchange_id,
                             struct arena *arena, struct track *track, struct fault *fault);
/* Not yet checked: see client/receipt_check. */
MUST_CHECK enum rc ask_receipts(struct session *session, const struct id *message_id,
                                struct arena *arena, struct receipts *receipts,
                                struct fault *fault);
/* Under a checkpoint with a quorum; "receipt.unwitnessed" until there is one. Not checked either.
 */
MUST_CHECK enum rc ask_witnessed_receipts(struct session *session, const struct id *message_id,
                                          struct arena *arena, struct receipts *receipts,
                                          struct fault *fault);
/* The newest checkpoint of this log with a quorum, unverified; empty: none. For auditors. */
MUST_CHECK enum rc ask_checkpoint(struct session *session, const char *origin, struct arena *arena,
                                  struct bytes *note, struct fault *fault);
/*
 * Something that came once: is it still owed to this system? Unless it only asks, it then comes
 * once more, as redelivered, and an acknowledgement settles it. RC_NOT_FOUND: not for this system,
 * or erased.
 */
MUST_CHECK enum rc ask_give_again(struct session *session, const struct id *message_id,
                                  bool only_asks, struct arena *arena, struct given_again *given,
                                  struct fault *fault);
MUST_CHECK enum rc ask_ping(struct session *session, struct arena *arena, struct ping *ping,
                            struct fault *fault);

/* The last checkpoint of a log that the node saw: a signed note, in the arena. */
MUST_CHECK enum rc ask_seen(struct session *session, const char *origin, struct arena *arena,
                            struct bytes *checkpoint, struct fault *fault);

/* How the node is doing, for those who look after it. */
MUST_CHECK enum rc ask_condition(struct session *session, struct arena *arena,
                                 struct condition *condition, struct fault *fault);

#endif
