/*
 * details - what an alert does not say, until the agency's system has pulled it once.
 *
 * A token names one message: its id and an HMAC of it by a secret of the spool, so that it cannot
 * be guessed and the same alert always carries the same one. The message stands in the spool as it
 * came (what was sealed stays sealed) until one of these, and is then removed:
 *
 *     pulled, and the window after the first pull is over (at most 15 minutes): until then the same
 *     certificate gets the same bytes again, for a dropped line
 *     never pulled, and its days are over
 *     its exchange was recalled
 *
 * Each pull is written down (book "details": when, which certificate, which officer) before a byte
 * goes out. Officers are agency's words; in details and logs they are opaque ("oficial-" and 16
 * digits), and the book "officers" has which is which.
 *
 * Any thread: a lock inside.
 */
#ifndef SSC_DETAILS_H
#define SSC_DETAILS_H

#include "crypto/digest.h"
#include "model/message.h"

#define DETAILS_TOKEN_SIZE 102 /* UUID, point, 64 digits, NUL */
#define DETAILS_WINDOW_MAX_S 900
#define DETAILS_OFFICER_SIZE 25

struct arena;
struct details;

/* In the spool's folder. A damaged book: RC_DATA_LOSS, logged. */
MUST_CHECK enum rc details_open(const char *folder, int64_t window_ms, int64_t keep_ms,
                                struct details **details);
void details_free(struct details *details);
OWN_PTR_DEFINE(details)

/* Durable on return; again for the same message: the same token and nothing else. */
MUST_CHECK enum rc details_keep(struct details *details, const struct message *message,
                                int64_t now_ms, char token[DETAILS_TOKEN_SIZE]);
/*
 * RC_OK: this certificate may have it now, and that is written down. RC_NOT_FOUND: one answer for a
 * token that is unknown, wrong, used, too late, recalled or another certificate's (`why` is for
 * the log alone, constant).
 */
MUST_CHECK enum rc details_pull(struct details *details, struct bytes token,
                                const uint8_t certificate[DIGEST_SIZE], const char *officer,
                                int64_t now_ms, struct arena *arena, struct message *message,
                                const char **why);
/* None of this exchange is given any more. */
MUST_CHECK enum rc details_drop(struct details *details, const struct id *exchange_id);
/* Removes what is over. */
void details_sweep(struct details *details, int64_t now_ms);

/*
 * The opaque name of an officer, kept in the book. RC_INVALID_ARGUMENT: not 1 to 64 of letters,
 * digits, "._-".
 */
MUST_CHECK enum rc details_officer(struct details *details, const char *officer,
                                   char opaque[DETAILS_OFFICER_SIZE]);

#endif
