/*
 * watch - questions to service Watch: what is open, what is about the same persons, the way of one
 * exchange. Answers live in the arena. Blocking; any thread.
 */
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include "rpc/codec_watch.h"

struct arena;
struct session;

/* One page; `after` as the last one said, empty to begin. `member` "": one's own. */
MUST_CHECK enum rc watch_open(struct session *session, const char *member, struct bytes after,
                              struct arena *arena, struct watch_page *page, struct fault *fault);
/* RC_NOT_FOUND alike for what is unknown and what is another member's. */
MUST_CHECK enum rc watch_related(struct session *session, const struct id *exchange_id,
                                 struct arena *arena, struct watch_page *page, struct fault *fault);
MUST_CHECK enum rc watch_trace(struct session *session, const struct id *exchange_id,
                               struct arena *arena, struct trace *trace, struct fault *fault);

/* What this system had received from redeliver->from on is delivered again: sets count and next. */
MUST_CHECK enum rc watch_redeliver(struct session *session, struct redeliver *redeliver,
                                   struct arena *arena, struct fault *fault);

#endif
