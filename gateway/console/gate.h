/*
 * gate - who may ask the console: one browser, on this machine, with the token that the terminal
 * showed.
 *
 * The token is good once and for a while; whoever brings it gets a session, a cookie that no script
 * reads and no other site sends (HttpOnly, SameSite=Strict). A request has to name the console as
 * its host, so that a name that another site makes point to the loopback (DNS rebinding) opens
 * nothing, and comes from the console's own pages: Origin, Sec-Fetch-Site, a body that is JSON.
 *
 * Refusals, each a RC_PERMISSION_DENIED or RC_UNAUTHENTICATED with a reason of its own:
 *
 *     console.host     another host name than the console's
 *     console.origin   a page of another site asks
 *     console.form     a body that a foreign form could send
 *     console.session  no session, or another one's
 *     token.wrong      not the token; at GATE_TRIES_MAX of them no token opens any more
 *     token.used       it was the token, and somebody entered with it
 *     token.expired    it was the token, GATE_TOKEN_MS ago
 *
 * Only digests of token and session are kept. One owner at a time.
 */
#ifndef CONSOLE_GATE_H
#define CONSOLE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/digest.h"

#define GATE_SECRET_SIZE 32
#define GATE_TOKEN_SIZE (2 * GATE_SECRET_SIZE + 1)
#define GATE_TOKEN_MS ((int64_t)10 * 60 * 1000)
#define GATE_TRIES_MAX 10
#define GATE_HOST_MAX 64
#define GATE_COOKIE_MAX 256

struct gate {
    char host[GATE_HOST_MAX]; /* "127.0.0.1:7470" */
    char cookie_name[24];     /* of this port: two consoles of one machine */
    uint8_t token[DIGEST_SIZE];
    uint8_t session[DIGEST_SIZE];
    int64_t token_until_ms;
    unsigned tries;
    bool is_used;
};

/* "" for what the request does not have. */
struct gate_asked {
    bool is_post;
    const char *host;
    const char *origin;
    const char *site; /* Sec-Fetch-Site */
    const char *type; /* Content-Type */
    const char *cookie;
};

/* Draws the token, which is the caller's to show and forget. */
void gate_init(struct gate *gate, const char *host, uint16_t port, int64_t now_ms,
               char token[GATE_TOKEN_SIZE]);

/* Host, origin and form: of every request. */
MUST_CHECK enum rc gate_check(const struct gate *gate, const struct gate_asked *asked,
                              struct fault *fault);
/* Besides, of what shows or does anything. */
MUST_CHECK enum rc gate_check_session(const struct gate *gate, const struct gate_asked *asked,
                                      struct fault *fault);
/* Gives a session for the token: the value of Set-Cookie. */
MUST_CHECK enum rc gate_enter(struct gate *gate, const char *token, int64_t now_ms,
                              char cookie[GATE_COOKIE_MAX], struct fault *fault);

#endif
