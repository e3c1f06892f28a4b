/*
 * author - from a draft to a receipt, as a profile: who sends, which official signs, what is kept.
 *
 * For programs that a person sits at. A profile with an official signs in his or her name what the
 * rules want signed; `signs_all` also what they leave open, so that whoever sat there stands in
 * both logs. The caller guards the spool. Blocking.
 */
#ifndef CLIENT_AUTHOR_H
#define CLIENT_AUTHOR_H

#include "client/send.h"
#include "model/message.h"

struct arena;
struct composed;
struct draft;
struct profile;
struct session;
struct spool;

struct author {
    const struct profile *profile;
    struct session *session;
    struct spool *spool;
    bool signs_all; /* where the profile has an official */
};

/* Sender, time and urgency where they are open. */
void author_fill(const struct profile *profile, struct header *header);
/*
 * Fills what is open, signs, composes. Refused besides what
 * compose refuses: "profile.official" (somebody has to sign, and the profile names nobody).
 */
MUST_CHECK enum rc author_compose(const struct author *author, struct draft *draft,
                                  struct composed *composed, struct fault *fault);
/* Composed or taken from the spool: stored, sent, its receipt checked and kept, as is the exchange
 * that it opens. As send_spooled. */
MUST_CHECK enum rc author_send(const struct author *author, const struct id *id,
                               struct bytes request, struct arena *arena, struct sent *sent,
                               struct fault *fault);

/* Keeps what later acts and reports need to know of an exchange. Failure is only logged. */
void author_keep(const struct author *author, const struct message *message, struct arena *arena);
/* An answer in this exchange, addressed to the other side; its sender is left open. */
void author_answer(const struct profile *profile, const struct header *to, struct header *answer);

/* R2 for a message that came. The id comes from the spool's secret, so a repetition is the same
 * act. */
MUST_CHECK enum rc author_custody(const struct author *author, const struct message *message,
                                  struct composed *composed, struct fault *fault);

#endif
