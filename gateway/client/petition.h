/*
 * petition - a question about a person as a file: who asks writes it, a second official signs it.
 *
 *     enlace-audit-query v1
 *     purpose auditoria-2026
 *     blind 64 hex digits
 *     query <base64 of the serialised AuditQuery>
 *     certificate <base64, DER>        these two when it is approved
 *     signature <base64>
 *
 * The purpose stands in it so that whoever approves knows it: the query holds only the commitment,
 * and petition_parse refuses a file whose two do not agree. Reading is strict, as audit_case's.
 */
#ifndef CLIENT_PETITION_H
#define CLIENT_PETITION_H

#include "client/audit_case.h"

struct actkey;
struct arena;
struct cert;

#define PETITION_SIZE_MAX ((size_t)16 << 10)

/* Pointers into the arena. */
struct petition {
    struct audit_case audit;
    struct bytes query_bytes;
    struct audit_query query;
    struct signature approval; /* empty: not approved yet */
};

void petition_write(const struct petition *petition, struct buffer *out);
/* RC_INVALID_ARGUMENT; RC_RESOURCE_EXHAUSTED. */
MUST_CHECK enum rc petition_parse(struct bytes text, struct arena *arena,
                                  struct petition *petition);
/* Serialises a question and makes it the petition's. */
MUST_CHECK enum rc petition_make(const struct audit_case *audit, const struct audit_query *query,
                                 struct arena *arena, struct petition *petition);
/* Signs it as the second official. */
MUST_CHECK enum rc petition_approve(struct petition *petition, const struct cert *cert,
                                    const struct actkey *key, struct arena *arena);

#endif
