#include "client/petition.h"

#include <string.h>

#include "base/arena.h"
#include "crypto/actsig.h"
#include "crypto/audit_digest.h"
#include "crypto/cert.h"

#define DECODED_MAX ((size_t)8 << 10)

static void put_line(struct buffer *out, const char *word, struct bytes bytes)
{
    buffer_print(out, "%s ", word);
    buffer_put_base64(out, bytes);
    buffer_put_u8(out, '\n');
}

void petition_write(const struct petition *petition, struct buffer *out)
{
    char hex[2 * BLIND_SIZE + 1];

    hex_encode(petition->audit.blind, BLIND_SIZE, hex);
    buffer_print(out, "enlace-audit-query v1\npurpose %s\nblind %s\n", petition->audit.purpose,
                 hex);
    put_line(out, "query", petition->query_bytes);
    if (petition->approval.certificate.size > 0) {
        put_line(out, "certificate", petition->approval.certificate);
        put_line(out, "signature", petition->approval.signature);
    }
}

/* A line "word base64". False: it is another line. */
static enum rc take_base64(struct bytes *text, const char *word, struct arena *arena,
                           struct bytes *bytes)
{
    size_t skip = strlen(word);
    const uint8_t *end = text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
    uint8_t *into = arena_alloc(arena, DECODED_MAX);
    size_t length;
    size_t size = 0;

    if (into == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    length = end != NULL ? (size_t)(end - text->data) : 0;
    if (length <= skip || memcmp(text->data, word, skip) != 0) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(base64_decode(BYTES(text->data + skip, length - skip), into, DECODED_MAX, &size));
    *bytes = BYTES(into, size);
    *text = BYTES(end + 1, text->size - length - 1);
    return size > 0 ? RC_OK : RC_INVALID_ARGUMENT;
}

/* The first three lines are those of an audit, but for their name. */
static enum rc take_case(struct bytes *text, struct audit_case *audit)
{
    static const char head[] = "enlace-audit-query v1\n";
    OWN(buffer) lines = {0};
    const uint8_t *at = text->data;
    size_t left = text->size;

    if (left < sizeof head - 1 || memcmp(at, head, sizeof head - 1) != 0) {
        return RC_INVALID_ARGUMENT;
    }
    at += sizeof head - 1;
    left -= sizeof head - 1;
    buffer_print(&lines, "enlace-audit v1\n");
    for (int i = 0; i < 2; i++) {
        const uint8_t *end = left > 0 ? memchr(at, '\n', left) : NULL;
        size_t length = end != NULL ? (size_t)(end - at) + 1 : 0;

        if (length == 0 || length > AUDIT_CASE_SIZE_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        buffer_put(&lines, at, length);
        at += length;
        left -= length;
    }
    *text = BYTES(at, left);
    return audit_case_parse(buffer_bytes(&lines), audit);
}

enum rc petition_parse(struct bytes text, struct arena *arena, struct petition *petition)
{
    uint8_t commitment[HASH_SIZE];

    *petition = (struct petition){.query_bytes = {0}};
    if (text.size > PETITION_SIZE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(take_case(&text, &petition->audit));
    TRY(take_base64(&text, "query ", arena, &petition->query_bytes));
    TRY(codec_audit_query_read(petition->query_bytes, arena, &petition->query, NULL));
    audit_case_commitment(&petition->audit, commitment);
    if (!bytes_equal(petition->query.purpose_commitment, BYTES_OF(commitment))) {
        return RC_INVALID_ARGUMENT;
    }
    if (text.size == 0) {
        return RC_OK;
    }
    TRY(take_base64(&text, "certificate ", arena, &petition->approval.certificate));
    TRY(take_base64(&text, "signature ", arena, &petition->approval.signature));
    return text.size == 0 ? RC_OK : RC_INVALID_ARGUMENT;
}

enum rc petition_make(const struct audit_case *audit, const struct audit_query *query,
                      struct arena *arena, struct petition *petition)
{
    OWN(buffer) bytes = {0};

    codec_audit_query_write(query, &bytes);
    *petition =
        (struct petition){.audit = *audit, .query_bytes = arena_copy(arena, buffer_bytes(&bytes))};
    return petition->query_bytes.data == NULL
               ? RC_RESOURCE_EXHAUSTED
               : codec_audit_query_read(petition->query_bytes, arena, &petition->query, NULL);
}

enum rc petition_approve(struct petition *petition, const struct cert *cert,
                         const struct actkey *key, struct arena *arena)
{
    uint8_t digest[DIGEST_SIZE];
    uint8_t signature[ACTSIG_MAX];
    size_t size;

    audit_digest_query(petition->query_bytes, digest);
    TRY(actkey_sign(key, digest, signature, &size));
    petition->approval.certificate = arena_copy(arena, cert_der(cert));
    petition->approval.signature = arena_copy(arena, BYTES(signature, size));
    return petition->approval.signature.data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}
