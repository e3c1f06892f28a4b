/*
 * spiffe - who a certificate's URI says it is. Pure text; any thread.
 *
 *     spiffe://enlace.<network>/member/<code>/system/<name>
 *     spiffe://enlace.<network>/node/<code>
 *     spiffe://enlace.<network>/member/<code>/official/<id>
 *     spiffe://enlace.<network>/auditor/<code>/<id>
 *
 * network: [a-z0-9]{1,16}; code, name and id: [a-z0-9-]{1,32}. Anything else is refused: upper
 * case, escapes, a port, a query, a slash at the end.
 */
#ifndef CRYPTO_SPIFFE_H
#define CRYPTO_SPIFFE_H

#include "base/bytes.h"

enum spiffe_kind {
    SPIFFE_SYSTEM = 1,
    SPIFFE_NODE,
    SPIFFE_OFFICIAL,
    SPIFFE_AUDITOR,
};

struct spiffe {
    enum spiffe_kind kind;
    char network[17];
    char code[33]; /* of the member, the node or the auditing institution */
    char name[33]; /* system's name, official's or auditor's id; empty for a node */
};

/* The longest URI and its NUL fit. */
#define SPIFFE_TEXT_SIZE 128

/* RC_INVALID_ARGUMENT; nothing is logged. */
MUST_CHECK enum rc spiffe_parse(struct bytes uri, struct spiffe *spiffe);
/* The inverse of spiffe_parse. */
void spiffe_format(const struct spiffe *spiffe, char out[SPIFFE_TEXT_SIZE]);

#endif
