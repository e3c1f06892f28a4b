#include "client/reading.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/profile.h"
#include "crypto/cert.h"
#include "crypto/cms.h"

#define HEADER_PREFIX "header."
#define ITEM_PREFIX "item."

/* ---- keys ---- */

enum rc reading_keys_load(const struct profile *profile, struct reading_keys *keys,
                          struct fault *fault)
{
    *keys = (struct reading_keys){0};
    if (profile->seal_key[0] == '\0') {
        return RC_OK;
    }
    TRY(cert_load(profile->seal_certificate, &keys->cert, fault));
    return sealkey_load(profile->seal_key, &keys->key, fault);
}

void reading_keys_release(struct reading_keys *keys)
{
    cert_free(keys->cert);
    sealkey_free(keys->key);
    *keys = (struct reading_keys){0};
}

/* ---- opening ---- */

static const uint8_t *seal_digest(const struct header *header, uint32_t part)
{
    for (size_t i = 0; i < header->seal_count; i++) {
        if (header->seals[i].part == part && header->seals[i].sha256.size == HASH_SIZE) {
            return header->seals[i].sha256.data;
        }
    }
    return NULL;
}

static enum rc unseal(const struct message *message, const struct compartment *compartment,
                      const struct reading_keys *keys, struct arena *arena, struct bytes *content,
                      struct fault *fault)
{
    const uint8_t *digest = seal_digest(&message->header, compartment->part);
    OWN(buffer) opened = {0};
    enum rc rc;

    if (keys == NULL || keys->key == NULL || digest == NULL) {
        return refuse(
            fault, RC_PERMISSION_DENIED, "seal.no_key", "compartments",
            "El perfil no nombra la llave de sellado; ponga seal_certificate y seal_key.");
    }
    rc = cms_open(compartment->content, keys->cert, keys->key, digest, &opened);
    if (rc != RC_OK) {
        return refuse(fault, rc, "seal.not_opened", "compartments",
                      rc == RC_PERMISSION_DENIED
                          ? "Está sellado a otros sistemas; pida al remitente que lo selle a este."
                          : "El compartimento sellado no es el que el remitente selló; recházelo.");
    }
    *content = arena_copy(arena, buffer_bytes(&opened));
    return content->data != NULL || opened.size == 0 ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc read_part(const struct reading *reading, const struct reading_keys *keys,
                         struct reading_part *part)
{
    const struct compartment *compartment = part->compartment;
    struct bytes content = compartment->content;
    struct field_value *values = NULL;

    if (compartment->is_sealed) {
        TRY(unseal(reading->message, compartment, keys, reading->arena, &content, &part->fault));
    }
    TRY(codec_compartment_read(compartment_type(compartment), content, reading->arena, &values,
                               &part->count, &part->fault));
    part->values = values;
    part->is_read = true;
    return RC_OK;
}

enum rc reading_open(const struct message *message, const struct reading_keys *keys,
                     struct arena *arena, struct reading *reading)
{
    memset(reading, 0, sizeof *reading);
    reading->message = message;
    reading->arena = arena;
    for (size_t i = 0; i < message->compartment_count; i++) {
        struct reading_part *part = &reading->parts[reading->count++];

        part->compartment = &message->compartments[i];
        if (read_part(reading, keys, part) == RC_RESOURCE_EXHAUSTED) {
            return RC_RESOURCE_EXHAUSTED;
        }
    }
    return RC_OK;
}

/* ---- facts of the header ---- */

static const char *kept(const struct reading *reading, const char *text)
{
    const char *copy = arena_text(reading->arena, bytes_text(text));

    return copy != NULL ? copy : "";
}

static const char *id_text(const struct reading *reading, const struct id *id)
{
    char text[ID_TEXT_SIZE];

    if (id_is_zero(id)) {
        return "";
    }
    id_format(id, text);
    return kept(reading, text);
}

static const char *number_text(const struct reading *reading, long long number)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", number);
    return number != 0 ? kept(reading, text) : "";
}

static const char *instant_text(const struct reading *reading, int64_t instant_ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (instant_ms == 0) {
        return "";
    }
    clock_format_local(instant_ms, text);
    return kept(reading, text);
}

static const char *due_text(const struct reading *reading)
{
    const struct header *header = &reading->message->header;
    int64_t due_ms = header->type == MESSAGE_NOTICE ? header->notice_due_ms : 0;

    for (size_t i = 0; i < header->clock_count; i++) {
        if (due_ms == 0 || header->clocks[i].due_at_ms < due_ms) {
            due_ms = header->clocks[i].due_at_ms;
        }
    }
    return instant_text(reading, due_ms);
}

static const char *consent_text(enum consent consent)
{
    static const char *const names[] = {"", "given", "impeded", "not-needed"};

    return names[consent];
}

static const char *period_text(enum period period)
{
    static const char *const names[] = {"", "once", "day", "week", "month"};

    return names[period];
}

enum fact {
    FACT_MESSAGE,
    FACT_EXCHANGE,
    FACT_PARENT,
    FACT_CASE,
    FACT_REGARDS,
    FACT_TYPE,
    FACT_EVENT,
    FACT_REASON,
    FACT_COMPETENT,
    FACT_FROM,
    FACT_TO,
    FACT_OFFICIAL,
    FACT_URGENCY,
    FACT_CODE,
    FACT_PURPOSE,
    FACT_BASIS,
    FACT_AVISO,
    FACT_CONSENT,
    FACT_PLAN,
    FACT_CREATED,
    FACT_OCCURRED,
    FACT_DUE,
    FACT_ITEM,
    FACT_OCCURRENCE,
    FACT_PSEUDONYM,
    FACTS
};

static const char *const fact_names[FACTS] = {
    "message_id",
    "exchange_id",
    "parent_exchange_id",
    "case_id",
    "regards",
    "type",
    "event",
    "reason",
    "competent",
    "from",
    "to",
    "on_behalf_of",
    "urgency",
    "catalogue_code",
    "purpose",
    "legal_basis",
    "aviso_id",
    "consent",
    "plan_id",
    "created_at",
    "occurred_at",
    "due_at",
    "item",
    "occurrence",
    "pseudonym",
};

static const char *fact_text(const struct reading *reading, enum fact fact, unsigned subject)
{
    const struct header *header = &reading->message->header;

    switch (fact) {
    case FACT_MESSAGE:
        return id_text(reading, &header->message_id);
    case FACT_EXCHANGE:
        return id_text(reading, &header->exchange_id);
    case FACT_PARENT:
        return id_text(reading, &header->parent_exchange_id);
    case FACT_CASE:
        return id_text(reading, &header->case_id);
    case FACT_REGARDS:
        return id_text(reading, &header->regards);
    case FACT_TYPE:
        return message_type_name(header->type);
    case FACT_EVENT:
        return header->event != EVENT_NONE ? event_name(header->event) : "";
    case FACT_REASON:
        return header->reason;
    case FACT_COMPETENT:
        return header->competent;
    case FACT_FROM:
        return header->from;
    case FACT_TO:
        return header->to;
    case FACT_OFFICIAL:
        return header->on_behalf_of;
    case FACT_URGENCY:
        return header->urgency == URGENCY_URGENT ? "urgent" : "ordinary";
    case FACT_CODE:
        return header->catalogue_code;
    case FACT_PURPOSE:
        return header->purpose;
    case FACT_BASIS:
        return header->legal_basis;
    case FACT_AVISO:
        return header->aviso_id;
    case FACT_CONSENT:
        return consent_text(header->consent);
    case FACT_PLAN:
        return header->has_plan ? header->plan_id : "";
    case FACT_CREATED:
        return instant_text(reading, header->created_at_ms);
    case FACT_OCCURRED:
        return header->occurred_at;
    case FACT_DUE:
        return due_text(reading);
    case FACT_ITEM:
        return number_text(reading, header->item);
    case FACT_OCCURRENCE:
        return number_text(reading, header->occurrence);
    case FACT_PSEUDONYM:
        return subject < header->subject_count
                   ? id_text(reading, &header->subjects[subject].pseudonym)
                   : "";
    case FACTS:
        break;
    }
    return "";
}

/* ---- facts of an item ---- */

enum item_fact { ITEM_NUMBER, ITEM_CODE, ITEM_COUNT, ITEM_PERIOD, ITEM_ENDS, ITEM_FACTS };

static const char *const item_names[ITEM_FACTS] = {"number", "code", "count", "period", "ends_on"};

static const char *item_text(const struct reading *reading, enum item_fact fact, unsigned index)
{
    const struct header *header = &reading->message->header;
    const struct item *item;

    if (index >= header->item_count) {
        return "";
    }
    item = &header->items[index];
    switch (fact) {
    case ITEM_NUMBER:
        return number_text(reading, item->number);
    case ITEM_CODE:
        return item->code;
    case ITEM_COUNT:
        return number_text(reading, item->cadence_count);
    case ITEM_PERIOD:
        return period_text(item->period);
    case ITEM_ENDS:
        return item->ends_on;
    case ITEM_FACTS:
        break;
    }
    return "";
}

/* ---- by path ---- */

/* -1: not among them. */
static int name_index(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static int fact_of(const char *path)
{
    return strncmp(path, HEADER_PREFIX, strlen(HEADER_PREFIX)) == 0
               ? name_index(fact_names, FACTS, path + strlen(HEADER_PREFIX))
               : -1;
}

static int item_fact_of(const char *path)
{
    return strncmp(path, ITEM_PREFIX, strlen(ITEM_PREFIX)) == 0
               ? name_index(item_names, ITEM_FACTS, path + strlen(ITEM_PREFIX))
               : -1;
}

static const char *field_text(const struct reading *reading, unsigned field,
                              struct reading_place place)
{
    for (size_t i = 0; i < reading->count; i++) {
        const struct reading_part *part = &reading->parts[i];

        if (!part->is_read || compartment_subject(part->compartment) != place.subject) {
            continue;
        }
        for (size_t j = 0; j < part->count; j++) {
            if (part->values[j].field == field && part->values[j].entry == place.entry) {
                return part->values[j].text;
            }
        }
    }
    return "";
}

const char *reading_text(const struct reading *reading, const char *path,
                         struct reading_place place)
{
    int fact = fact_of(path);
    int item_fact = item_fact_of(path);
    int field = field_number(path);

    if (fact >= 0) {
        return fact_text(reading, (enum fact)fact, place.subject);
    }
    if (item_fact >= 0) {
        return item_text(reading, (enum item_fact)item_fact, place.item);
    }
    return field >= 0 ? field_text(reading, (unsigned)field, place) : "";
}

bool reading_knows(const char *path)
{
    return fact_of(path) >= 0 || item_fact_of(path) >= 0 || field_number(path) >= 0;
}
