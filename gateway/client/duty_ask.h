/*
 * duty_ask - service Duty: what one's institution is woken for, and the signed answers. Answers
 * live in the arena. Blocking; any thread.
 */
#ifndef CLIENT_DUTY_ASK_H
#define CLIENT_DUTY_ASK_H

#include "rpc/codec_duty.h"

struct arena;
struct session;

MUST_CHECK enum rc duty_ask_list(struct session *session, const struct duty_list_request *request,
                                 struct arena *arena, struct duty_list *list, struct fault *fault);
/* Signs with the profile's official ("profile.official": it has none). */
MUST_CHECK enum rc duty_ask_answer(struct session *session, const struct duty_answer *answer,
                                   struct arena *arena, struct duty_shown *shown,
                                   struct fault *fault);

#endif
