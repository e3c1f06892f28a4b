/*
 * timestamp - time stamps of an authority (RFC 3161) over something small: that it existed then.
 *
 * The request is sent by other means (`curl --data-binary @sello.tsq -H "Content-Type:
 * application/timestamp-query" URL`): what is stamped is only a digest. SHA-256; the nonce is
 * random; the authority's certificate is asked for.
 */
#ifndef CRYPTO_TIMESTAMP_H
#define CRYPTO_TIMESTAMP_H

#include <stdint.h>

#include "base/bytes.h"

#define TIMESTAMP_MAX ((size_t)64 << 10)

/* Appends the request in DER. */
MUST_CHECK enum rc timestamp_request(struct bytes content, struct buffer *request);
/*
 * Is the answer (DER) a granted stamp over this content, by an authority whose chain ends in a
 * certificate of this PEM file? Gives its instant. RC_UNAUTHENTICATED "stamp.invalid",
 * RC_INVALID_ARGUMENT "stamp.malformed", "stamp.ca".
 */
MUST_CHECK enum rc timestamp_verify(const char *ca, struct bytes content, struct bytes answer,
                                    int64_t *time_s, struct fault *fault);

#endif
