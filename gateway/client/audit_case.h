/*
 * audit_case - an audit as its readers keep it: the purpose that the log holds only a commitment
 * to.
 *
 *     enlace-audit v1
 *     purpose auditoria-2026
 *     blind 64 hex digits
 *
 * The file is a secret until the audit is closed, which opens the purpose in the log for ever.
 * Reading is strict: these three lines, each ended by LF, and nothing else.
 */
#ifndef CLIENT_AUDIT_CASE_H
#define CLIENT_AUDIT_CASE_H

#include "model/message.h"
#include "rpc/codec_service.h"

struct duplex;
struct session;

#define AUDIT_CASE_SIZE_MAX ((size_t)512)

struct audit_case {
    char purpose[MESSAGE_CODE_MAX + 1];
    uint8_t blind[BLIND_SIZE];
};

/* Draws the blind. RC_INVALID_ARGUMENT "usage.purpose": not [a-z0-9-]{1,63}. */
MUST_CHECK enum rc audit_case_make(const char *purpose, struct audit_case *audit,
                                   struct fault *fault);
void audit_case_write(const struct audit_case *audit, struct buffer *out);
/* RC_INVALID_ARGUMENT. */
MUST_CHECK enum rc audit_case_parse(struct bytes text, struct audit_case *audit);
void audit_case_commitment(const struct audit_case *audit, uint8_t commitment[HASH_SIZE]);

/* Opens the purpose in the node's log. */
MUST_CHECK enum rc audit_case_close(struct session *session, const struct audit_case *audit,
                                    struct audit_closed *closed, struct fault *fault);

/* Ends a reading stream well, so that its count is logged. */
MUST_CHECK enum rc audit_case_end_stream(struct session *session, struct duplex *duplex,
                                         struct fault *fault);

#endif
