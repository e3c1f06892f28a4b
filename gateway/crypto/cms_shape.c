#include "crypto/cms.h"
#include "crypto/cms_bucket.h"

/* X.690: tags of one byte, lengths definite and in the fewest bytes. */
enum der_tag {
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT_0 = 0xa0, /* EXPLICIT, or IMPLICIT of something constructed */
    DER_CONTEXT_1 = 0xa1,
    DER_IMPLICIT_0 = 0x80, /* IMPLICIT OCTET STRING */
};

#define GCM_NONCE_SIZE 12
#define GCM_TAG_SIZE 16

/* 1.2.840.113549.1.9.16.1.23 id-ct-authEnvelopedData (RFC 5083) */
static const uint8_t auth_enveloped[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                         0x01, 0x09, 0x10, 0x01, 0x17};
/* 1.2.840.113549.1.7.1 id-data (RFC 5652) */
static const uint8_t data_type[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
/* 2.16.840.1.101.3.4.1.46 id-aes256-GCM (RFC 5084) */
static const uint8_t aes256_gcm[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};

/* Takes the length's bytes off the front; false when it is not DER or longer than what is left. */
static bool take_length(struct bytes *from, size_t *length)
{
    size_t first = from->data[1];
    size_t bytes = first & 0x7f;
    size_t value = 0;

    if (first < 0x80) {
        *from = BYTES(from->data + 2, from->size - 2);
        *length = first;
        return first <= from->size;
    }
    if (bytes == 0 || bytes > 4 || from->size < 2 + bytes || from->data[2] == 0) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | from->data[2 + i];
    }
    *from = BYTES(from->data + 2 + bytes, from->size - 2 - bytes);
    *length = value;
    return value >= 0x80 && value <= from->size;
}

/* Takes one element with this tag off the front. */
static bool take(struct bytes *from, enum der_tag tag, struct bytes *content)
{
    size_t length;

    if (from->size < 2 || from->data[0] != tag || !take_length(from, &length)) {
        return false;
    }
    *content = BYTES(from->data, length);
    *from = BYTES(from->data + length, from->size - length);
    return true;
}

/* The element that must be all there is. */
static bool take_only(struct bytes from, enum der_tag tag, struct bytes *content)
{
    return take(&from, tag, content) && from.size == 0;
}

static bool take_oid(struct bytes *from, const uint8_t *oid, size_t size)
{
    struct bytes content;

    return take(from, DER_OID, &content) && bytes_equal(content, BYTES(oid, size));
}

static bool take_small(struct bytes *from, uint8_t value)
{
    struct bytes content;

    return take(from, DER_INTEGER, &content) && content.size == 1 && content.data[0] == value;
}

static bool has_recipients(struct bytes set)
{
    struct bytes recipient;
    size_t count = 0;

    while (set.size > 0 && count < CMS_RECIPIENTS_MAX && take(&set, DER_CONTEXT_1, &recipient) &&
           recipient.size > 0) {
        count++;
    }
    return set.size == 0 && count > 0;
}

static bool is_gcm(struct bytes algorithm)
{
    struct bytes parameters;
    struct bytes nonce;

    return take_oid(&algorithm, aes256_gcm, sizeof aes256_gcm) &&
           take_only(algorithm, DER_SEQUENCE, &parameters) &&
           take(&parameters, DER_OCTETS, &nonce) && nonce.size == GCM_NONCE_SIZE &&
           take_small(&parameters, GCM_TAG_SIZE) && parameters.size == 0;
}

static bool is_content(struct bytes info)
{
    struct bytes algorithm;
    struct bytes encrypted;

    return take_oid(&info, data_type, sizeof data_type) && take(&info, DER_SEQUENCE, &algorithm) &&
           is_gcm(algorithm) && take_only(info, DER_IMPLICIT_0, &encrypted) &&
           cms_is_bucket(encrypted.size);
}

static bool is_envelope(struct bytes envelope)
{
    struct bytes recipients;
    struct bytes info;
    struct bytes tag;

    return take_small(&envelope, 0) && take(&envelope, DER_SET, &recipients) &&
           has_recipients(recipients) && take(&envelope, DER_SEQUENCE, &info) && is_content(info) &&
           take_only(envelope, DER_OCTETS, &tag) && tag.size == GCM_TAG_SIZE;
}

bool cms_looks_sealed(struct bytes sealed)
{
    struct bytes info;
    struct bytes wrapped;
    struct bytes envelope;

    return sealed.size <= CMS_SEALED_MAX && take_only(sealed, DER_SEQUENCE, &info) &&
           take_oid(&info, auth_enveloped, sizeof auth_enveloped) &&
           take_only(info, DER_CONTEXT_0, &wrapped) &&
           take_only(wrapped, DER_SEQUENCE, &envelope) && is_envelope(envelope);
}
