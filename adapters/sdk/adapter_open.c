#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "client/profile.h"
#include "crypto/digest.h"
#include "rpc/codec.h"
#include "sdk/adapter_parts.h"
#include "sdk/book.h"

#define FOREIGN_MAX 96

/* ---- what the agency begins ---- */

static bool is_name(const char *foreign)
{
    size_t length = strlen(foreign);

    for (size_t i = 0; i < length; i++) {
        if ((uint8_t)foreign[i] < 0x20 || foreign[i] == 0x7f) {
            return false;
        }
    }
    return length > 0 && length <= FOREIGN_MAX;
}

static void opening_seed(const struct adapter *adapter, const char *foreign, const char *member,
                         uint8_t seed[SPOOL_SEED_SIZE])
{
    static const char label[] = "enlace/sdk/opened/v1";
    struct bytes parts[] = {BYTES_OF(label), BYTES(member, strlen(member) + 1),
                            bytes_text(foreign)};

    spool_seed(adapter->spool, parts, sizeof parts / sizeof parts[0], seed);
}

enum rc adapter_open(struct adapter *adapter, const char *foreign, struct draft *draft,
                     struct id *exchange_id, struct fault *fault)
{
    const struct profile *profile = adapter->config.profile;
    uint8_t seed[SPOOL_SEED_SIZE];
    enum rc rc;

    if (!is_name(foreign)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "adapter.foreign_id", "",
                      "La clave de la institución va de 1 a 96 bytes, sin caracteres de control.");
    }
    draft->header.from = profile->member;
    draft->header.from_system = profile->system;
    opening_seed(adapter, foreign, draft->header.to, seed);
    rc = adapter_say(adapter, draft, seed, exchange_id, fault);
    explicit_bzero(seed, sizeof seed);
    return rc;
}

/* Random once, then as it was: a book row of its own for each name. */
static enum rc keep_id(struct adapter *adapter, const char *key, struct id *id)
{
    char text[BOOK_VALUE_MAX + 1];
    uint8_t noise[10];
    enum rc rc = book_find(adapter->subjects, key, text);

    if (rc == RC_OK) {
        return id_parse(text, id);
    }
    random_fill(noise, sizeof noise);
    *id = id_v7(0, noise); /* says nothing of when the person was first named */
    id_format(id, text);
    return book_put(adapter->subjects, key, text);
}

enum rc adapter_pseudonym(struct adapter *adapter, const char *foreign, const char *member,
                          struct id *pseudonym, struct id *local)
{
    char key[BOOK_KEY_MAX + 1];

    if (!is_name(foreign) || strlen(member) > BOOK_KEY_MAX - FOREIGN_MAX - 1) {
        return RC_INVALID_ARGUMENT;
    }
    snprintf(key, sizeof key, "%s %s", member, foreign);
    TRY(keep_id(adapter, key, pseudonym));
    snprintf(key, sizeof key, "- %s", foreign);
    return keep_id(adapter, key, local);
}

/* ---- what it said and cannot be taken ---- */

void adapter_set_aside(struct adapter *adapter, struct bytes said, const struct fault *why)
{
    const struct bytes parts[] = {said, bytes_text(why->reason), bytes_text(why->path)};
    uint8_t digest[DIGEST_SIZE];
    struct id id;

    digest_of(parts, 3, digest);
    id = id_v7(0, digest); /* the same again is one file */
    if (adapter->figures.aside >= ADAPTER_ASIDE_MAX ||
        spool_has(adapter->spool, SPOOL_ASIDE, &id)) {
        return;
    }
    if (spool_reject(adapter->spool, SPOOL_ASIDE, &id, said, why) == RC_OK) {
        adapter->figures.aside++;
    }
}

/* ---- what its system refuses ---- */

enum rc adapter_reject(struct adapter *adapter, const struct message *message, const char *reason,
                       const struct fault *why)
{
    const struct header *header = &message->header;
    OWN(buffer) bytes = {0};
    char id[ID_TEXT_SIZE];
    struct fault fault = {0};

    codec_message_write(message, &bytes);
    if (bytes.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(spool_reject(adapter->spool, SPOOL_REJECTED, &header->message_id, buffer_bytes(&bytes),
                     why));
    id_format(&header->message_id, id);
    log_error("message.rejected", "msg=%s type=%s reason=%s", id, message_type_name(header->type),
              why->reason);
    adapter->figures.rejected++;
    if (!message_opens(message)) {
        return RC_OK;
    }
    return adapter_act(
        adapter,
        &(struct adapter_act){.to = header, .item = 0, .event = EVENT_FAIL, .reason = reason},
        &fault);
}
