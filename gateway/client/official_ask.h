/*
 * official_ask - what a named official asks of the own member's node, and does there.
 *
 * Answers live in the arena. Blocking; any thread.
 */
#ifndef CLIENT_OFFICIAL_ASK_H
#define CLIENT_OFFICIAL_ASK_H

#include "model/official.h"
#include "model/will.h"

struct arena;
struct profile;
struct session;

/* Room for OFFICIAL_AWAITING_MAX rows. */
MUST_CHECK enum rc official_list(struct session *session, struct arena *arena,
                                 struct awaiting *rows, size_t *count, struct fault *fault);
MUST_CHECK enum rc official_read(struct session *session, const struct id *id, struct arena *arena,
                                 struct message *message, struct fault *fault);

MUST_CHECK enum rc official_will(struct session *session, const struct id *person,
                                 struct arena *arena, struct will *will, struct fault *fault);

/*
 * Signs with the profile's official (official_certificate, official_key; else the certificate and
 * key of the connection) and gives it. act->id, member and created_at_ms are filled here. With
 * `message`, which is to be approved, its M is computed here and signed, too.
 */
MUST_CHECK enum rc official_give(struct session *session, const struct profile *profile,
                                 struct official_act *act, const struct message *message,
                                 struct arena *arena, struct fault *fault);

#endif
