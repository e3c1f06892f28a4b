#include "client/audit_case.h"

#include <stdio.h>
#include <string.h>

#include "client/session.h"
#include "crypto/audit_digest.h"
#include "rpc/channel.h"
#include "rpc/duplex.h"

#define PURPOSE_MAX 63

static bool is_purpose(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.data[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            return false;
        }
    }
    return text.size > 0 && text.size <= PURPOSE_MAX;
}

enum rc audit_case_make(const char *purpose, struct audit_case *audit, struct fault *fault)
{
    if (!is_purpose(bytes_text(purpose))) {
        return refuse(fault, RC_INVALID_ARGUMENT, "usage.purpose", "--purpose",
                      "El propósito es una palabra de minúsculas, dígitos y guiones, como "
                      "«auditoria-2026».");
    }
    snprintf(audit->purpose, sizeof audit->purpose, "%s", purpose);
    random_fill(audit->blind, sizeof audit->blind);
    return RC_OK;
}

void audit_case_write(const struct audit_case *audit, struct buffer *out)
{
    char hex[2 * BLIND_SIZE + 1];

    hex_encode(audit->blind, BLIND_SIZE, hex);
    buffer_print(out, "enlace-audit v1\npurpose %s\nblind %s\n", audit->purpose, hex);
}

/* The rest of a line that begins with this word, without its LF. */
static struct bytes take_line(struct bytes *text, const char *word)
{
    const uint8_t *end = text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
    size_t skip = strlen(word);
    struct bytes line = {0};

    if (end != NULL && (size_t)(end - text->data) >= skip && memcmp(text->data, word, skip) == 0) {
        line = BYTES(text->data + skip, (size_t)(end - text->data) - skip);
        *text = BYTES(end + 1, text->size - (size_t)(end - text->data) - 1);
    }
    return line;
}

enum rc audit_case_parse(struct bytes text, struct audit_case *audit)
{
    struct bytes head = take_line(&text, "enlace-audit ");
    struct bytes purpose = take_line(&text, "purpose ");
    struct bytes blind = take_line(&text, "blind ");
    char hex[2 * BLIND_SIZE + 1] = "";

    memset(audit, 0, sizeof *audit);
    if (!bytes_are_text(head, "v1") || !is_purpose(purpose) || blind.size != 2 * BLIND_SIZE ||
        text.size != 0) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(audit->purpose, purpose.data, purpose.size);
    memcpy(hex, blind.data, blind.size);
    return hex_decode(hex, audit->blind, BLIND_SIZE);
}

void audit_case_commitment(const struct audit_case *audit, uint8_t commitment[HASH_SIZE])
{
    audit_digest_purpose(BYTES_OF(audit->blind), audit->purpose, commitment);
}

enum rc audit_case_close(struct session *session, const struct audit_case *audit,
                         struct audit_closed *closed, struct fault *fault)
{
    const struct audit_closing closing = {audit->purpose, BYTES_OF(audit->blind)};
    OWN(buffer) request = {0};
    OWN(buffer) response = {0};

    codec_audit_closing_write(&closing, &request);
    TRY(channel_call(session->channel, "/enlace.v1.AuditService/CloseAudit", buffer_bytes(&request),
                     session->timeout_ms, &response, fault));
    return codec_audit_closed_read(buffer_bytes(&response), closed, fault);
}

enum rc audit_case_end_stream(struct session *session, struct duplex *duplex, struct fault *fault)
{
    OWN(buffer) rest = {0};

    TRY(duplex_end(duplex, fault));
    switch (duplex_receive(duplex, session->timeout_ms, &rest, fault)) {
    case RC_OK:
    case RC_OUT_OF_RANGE:
        *fault = (struct fault){0};
        return RC_OK;
    default:
        return fault->rc != RC_OK ? fault->rc : RC_UNAVAILABLE;
    }
}
