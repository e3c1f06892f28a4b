#include "crypto/audit_digest.h"

#include <string.h>

static void digest_labelled(const char *label, struct bytes blind, struct bytes text,
                            uint8_t digest[DIGEST_SIZE])
{
    uint8_t length[8];

    put_u64(length, text.size);
    digest_of(
        (const struct bytes[]){BYTES(label, strlen(label) + 1), blind, BYTES_OF(length), text}, 4,
        digest);
}

void audit_digest_purpose(struct bytes blind, const char *purpose, uint8_t commitment[DIGEST_SIZE])
{
    digest_labelled("enlace/purpose/v1", blind, bytes_text(purpose), commitment);
}

void audit_digest_query(struct bytes query, uint8_t digest[DIGEST_SIZE])
{
    digest_labelled("enlace/audit-query/v1", BYTES("", 0), query, digest);
}
