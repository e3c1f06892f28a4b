#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ssc/ssc.h"

static struct ssc *ssc_of(struct handover_user *user)
{
    return (struct ssc *)((char *)user - offsetof(struct ssc, handover));
}

/* ---- what an alert says beside its message ---- */

/* The instant of the first try, for ever: the same alert is the same bytes. */
static enum rc sent_at(const struct ssc *ssc, const struct header *header,
                       char sent[CLOCK_TEXT_SIZE])
{
    char key[ID_TEXT_SIZE + 2] = "m/";
    char exchange[ID_TEXT_SIZE];
    char value[BOOK_VALUE_MAX + 1];
    enum rc rc;

    id_format(&header->message_id, key + 2);
    id_format(&header->exchange_id, exchange);
    rc = book_find(ssc->alerts, key, value);
    if (rc == RC_OK) {
        return sscanf(value, "%*36s %31s", sent) == 1 ? RC_OK : RC_DATA_LOSS;
    }
    clock_format_local(clock_now_ms(), sent);
    snprintf(value, sizeof value, "%s %s", exchange, sent);
    return book_put(ssc->alerts, key, value);
}

/* Of the alert that opened the exchange; "" for that alert itself. */
static void reference_of(const struct ssc *ssc, const char *type, const struct header *header,
                         char reference[BOOK_VALUE_MAX + 1])
{
    char key[ID_TEXT_SIZE + 2] = "x/";

    id_format(&header->exchange_id, key + 2);
    if (strcmp(type, "Alert") == 0 || book_find(ssc->alerts, key, reference) != RC_OK) {
        reference[0] = '\0';
    }
}

static enum rc keep_reference(const struct ssc *ssc, const struct header *header,
                              const char *reference)
{
    char key[ID_TEXT_SIZE + 2] = "x/";

    id_format(&header->exchange_id, key + 2);
    return book_put(ssc->alerts, key, reference);
}

/* ---- the agency's answer ---- */

static enum rc refused_status(int status, struct fault *fault)
{
    if (status == 408 || status == 425 || status == 429 || status >= 500) {
        return refuse(fault, RC_UNAVAILABLE, "agency.busy", "",
                      "El sistema de la institución contestó %d; se intentará de nuevo.", status);
    }
    if (status == 401 || status == 403) {
        return refuse(fault, RC_UNAVAILABLE, "agency.not_allowed", "",
                      "El sistema de la institución no reconoce al adaptador (%d).", status);
    }
    return refuse(fault, RC_FAILED_PRECONDITION, "agency.refused", "",
                  "El sistema de la institución rechazó la alerta (%d).", status);
}

/* It may have it all the same: asked again, it says the same Ack. */
static enum rc not_ours(struct fault *fault)
{
    return refuse(fault, RC_UNAVAILABLE, "agency.answer", "",
                  "El acuse no es el de esta alerta; se intentará de nuevo.");
}

static enum rc read_ack(const struct ssc *ssc, const struct https_answer *answer,
                        const struct xml_schema *schema, const char *reference, struct arena *arena,
                        struct handover_answer *out)
{
    OWN_PTR(xml) xml = NULL;
    const struct _xmlNode *ack;
    const char *type;

    if (xml_read(buffer_bytes(&answer->body), schema, &xml, &out->fault) != RC_OK) {
        return not_ours(&out->fault);
    }
    ack = xml_root(xml);
    type = xml_text(ack, "msgType", arena);
    if (strcmp(xml_text(ack, "references", arena), reference) != 0 ||
        strcmp(xml_text(ack, "addresses", arena), ssc->terms.sender) != 0) {
        return not_ours(&out->fault);
    }
    if (strcmp(type, "Error") == 0) {
        return refuse(&out->fault, RC_FAILED_PRECONDITION, "agency.error", "",
                      "El sistema de la institución contestó con un Error de CAP.");
    }
    snprintf(out->reference, sizeof out->reference, "%.200s", xml_text(ack, "identifier", arena));
    return strcmp(type, "Ack") == 0 ? RC_OK : not_ours(&out->fault);
}

/* ---- handing over ---- */

struct alert {
    char sent[CLOCK_TEXT_SIZE];
    char follows[BOOK_VALUE_MAX + 1];
    char token[DETAILS_TOKEN_SIZE];
    char reference[BOOK_VALUE_MAX + 1]; /* of itself */
};

static enum rc prepare(const struct ssc *ssc, const struct reading *reading, const char *type,
                       struct alert *alert)
{
    const struct header *header = &reading->message->header;
    char id[ID_TEXT_SIZE];

    alert->token[0] = '\0';
    id_format(&header->message_id, id);
    TRY(sent_at(ssc, header, alert->sent));
    reference_of(ssc, type, header, alert->follows);
    snprintf(alert->reference, sizeof alert->reference, "%.200s,%s,%s", ssc->terms.sender, id,
             alert->sent);
    if (reading->count > 0 && strcmp(type, "Cancel") != 0) {
        TRY(details_keep(ssc->details, reading->message, clock_now_ms(), alert->token));
    }
    return strcmp(type, "Alert") == 0 ? keep_reference(ssc, header, alert->reference) : RC_OK;
}

enum rc ssc_hand(struct handover_user *user, const struct message *message, struct arena *arena,
                 struct handover_answer *answer)
{
    const struct ssc *ssc = ssc_of(user);
    enum ssc_lane lane = message->header.urgency == URGENCY_URGENT ? SSC_URGENT : SSC_ORDINARY;
    OWN(buffer) body = {0};
    OWN(https_answer) said = {0};
    struct reading reading;
    struct alert alert;
    const char *type;
    struct https_request request = {
        .method = "POST", .path = "/alerts", .content_type = SSC_CONTENT_TYPE};
    struct cap_facts facts = {.sent = alert.sent, .reference = alert.follows, .token = alert.token};

    TRY(reading_open(message, &ssc->context->keys, arena, &reading));
    type = cap_type(&ssc->terms, &reading);
    TRY(prepare(ssc, &reading, type != NULL ? type : "", &alert));
    TRY(cap_write(&ssc->terms, &reading, &facts, ssc->schemas[lane], &body, &answer->fault));
    request.body = buffer_bytes(&body);
    TRY(https_call(ssc->lines[lane], &request, &said, &answer->fault));
    if (said.status != 200) {
        return refused_status(said.status, &answer->fault);
    }
    return read_ack(ssc, &said, ssc->schemas[lane], alert.reference, arena, answer);
}
