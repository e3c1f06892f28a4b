#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "pgj/pgj.h"

static struct pgj *pgj_of(struct handover_user *user)
{
    return (struct pgj *)((char *)user - offsetof(struct pgj, handover));
}

/* ---- the document ---- */

static const char *theirs(const struct pgj *pgj, const char *table, const char *ours)
{
    const char *text = ours[0] != '\0' ? mapping_theirs(pgj->context->mapping, table, ours) : "";

    return text != NULL ? text : "";
}

static const char *fact(const struct reading *reading, const char *path)
{
    return reading_text(reading, path, (struct reading_place){0});
}

static void put_services(struct xml_writer *writer, const struct reading *reading)
{
    for (unsigned i = 0; i < reading->message->header.item_count; i++) {
        struct reading_place place = {.item = i};

        xml_open(writer, "Service");
        xml_put(writer, "ServiceNumber", reading_text(reading, "item.number", place));
        xml_put(writer, "ServiceCode", reading_text(reading, "item.code", place));
        xml_put(writer, "ServiceCount", reading_text(reading, "item.count", place));
        xml_put(writer, "ServiceEndDate", reading_text(reading, "item.ends_on", place));
        xml_close(writer);
    }
}

/* The names inside Person are the schema's; what stands in them is the mapping's [salida]. */
static void put_person(const struct pgj *pgj, struct xml_writer *writer,
                       const struct reading *reading)
{
    size_t count;
    const struct mapping_row *rows = mapping_out(pgj->context->mapping, &count);

    if (reading->message->header.subject_count == 0 || reading->count == 0) {
        return;
    }
    xml_open(writer, "Person");
    for (size_t i = 0; i < count; i++) {
        xml_put(writer, rows[i].name,
                mapping_text(pgj->context->mapping, &rows[i], reading, (struct reading_place){0}));
    }
    xml_close(writer);
}

static enum rc write_request(const struct pgj *pgj, const struct xml_schema *schema,
                             const struct reading *reading, struct buffer *out, struct fault *fault)
{
    OWN_PTR(xml_writer) writer = xml_writer_new("Request", PGJ_NAMESPACE);

    if (writer == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    xml_put(writer, "MessageIdentification", fact(reading, "header.message_id"));
    xml_put(writer, "ActivityIdentification", fact(reading, "header.exchange_id"));
    xml_put(writer, "ActivityCategory", theirs(pgj, "tipo", fact(reading, "header.type")));
    xml_put(writer, "ActivityStatus", theirs(pgj, "estado", fact(reading, "header.event")));
    xml_put(writer, "ActivityReason", fact(reading, "header.reason"));
    xml_put(writer, "PriorityCode", theirs(pgj, "urgencia", fact(reading, "header.urgency")));
    xml_put(writer, "DueDate", fact(reading, "header.due_at"));
    xml_put(writer, "RequestingOfficial", fact(reading, "header.on_behalf_of"));
    xml_put(writer, "LegalBasis", fact(reading, "header.legal_basis"));
    put_services(writer, reading);
    put_person(pgj, writer, reading);
    return xml_finish(writer, schema, out, fault);
}

/* ---- the answer ---- */

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
                  "El sistema de la institución rechazó la solicitud (%d).", status);
}

static enum rc read_acknowledgement(const struct https_answer *answer,
                                    const struct xml_schema *schema, const char *message_id,
                                    struct arena *arena, struct handover_answer *out)
{
    OWN_PTR(xml) xml = NULL;

    if (xml_read(buffer_bytes(&answer->body), schema, &xml, &out->fault) != RC_OK ||
        !xml_is(xml_root(xml), "Acknowledgement") ||
        strcmp(xml_text(xml_root(xml), "MessageIdentification", arena), message_id) != 0) {
        /* It may have it all the same: asked again, it says 409. */
        return refuse(&out->fault, RC_UNAVAILABLE, "agency.answer", "",
                      "El acuse no es el de esta solicitud; se intentará de nuevo.");
    }
    snprintf(out->reference, sizeof out->reference, "%.200s",
             xml_text(xml_root(xml), "ReferenceIdentification", arena));
    return RC_OK;
}

enum rc pgj_hand(struct handover_user *user, const struct message *message, struct arena *arena,
                 struct handover_answer *answer)
{
    const struct pgj *pgj = pgj_of(user);
    enum pgj_lane lane = message->header.urgency == URGENCY_URGENT ? PGJ_URGENT : PGJ_ORDINARY;
    OWN(buffer) body = {0};
    OWN(https_answer) said = {0};
    struct reading reading;
    struct https_request request = {
        .method = "POST", .path = "/requests", .content_type = PGJ_CONTENT_TYPE};

    TRY(reading_open(message, &pgj->context->keys, arena, &reading));
    TRY(write_request(pgj, pgj->schemas[lane], &reading, &body, &answer->fault));
    request.body = buffer_bytes(&body);
    TRY(https_call(pgj->lines[lane], &request, &said, &answer->fault));
    if (said.status != 200 && said.status != 201 && said.status != 409) {
        return refused_status(said.status, &answer->fault);
    }
    return read_acknowledgement(&said, pgj->schemas[lane], fact(&reading, "header.message_id"),
                                arena, answer);
}
