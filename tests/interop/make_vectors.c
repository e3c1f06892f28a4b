/*
 * make_vectors - writes vectors.json: messages as field values, with the bytes and the commitments
 * that our codec and tlog/commit make of them.
 *
 * For other languages: from the values of a vector an implementation must come to the same bytes
 * (check_vectors.py does). Bytes are hex; enumerations by name; fields as in proto/enlace/v1. The
 * same text every time.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/codec.h"
#include "tlog/commit.h"
#include "unit/rpc/codec_samples.h"

#define ORIGIN "gw.cdmx/audit/2026"

/* ---- values ---- */

static json_t *hex(struct bytes bytes)
{
    char *text = malloc(2 * bytes.size + 1);
    json_t *json;

    hex_encode(bytes.data, bytes.size, text);
    json = json_string(text);
    free(text);
    return json;
}

static void put_text(json_t *into, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        json_object_set_new(into, name, json_string(text));
    }
}

static void put_number(json_t *into, const char *name, int64_t number)
{
    if (number != 0) {
        json_object_set_new(into, name, json_integer(number));
    }
}

static void put_bytes(json_t *into, const char *name, struct bytes bytes)
{
    if (bytes.size > 0) {
        json_object_set_new(into, name, hex(bytes));
    }
}

static void put_id(json_t *into, const char *name, const struct id *id)
{
    if (!id_is_zero(id)) {
        json_object_set_new(into, name, hex(BYTES_OF(id->bytes)));
    }
}

/* "URGENCY_" and the value's name. */
static void put_enum(json_t *into, const char *name, const char *prefix, const char *const *names,
                     unsigned value)
{
    char text[64];

    if (value != 0) {
        snprintf(text, sizeof text, "%s_%s", prefix, names[value]);
        json_object_set_new(into, name, json_string(text));
    }
}

static void put_part(json_t *into, const char *name, json_t *part)
{
    if (json_object_size(part) > 0) {
        json_object_set(into, name, part);
    }
    json_decref(part);
}

static void put_list(json_t *into, const char *name, json_t *list)
{
    if (json_array_size(list) > 0) {
        json_object_set(into, name, list);
    }
    json_decref(list);
}

/* ---- the header ---- */

static const char *const urgencies[] = {"", "ORDINARY", "URGENT"};
static const char *const consents[] = {"", "GIVEN", "IMPEDED", "NOT_NEEDED"};
static const char *const roles[] = {"", "PERSON", "COLLECTIVE", "RELATIVE"};
static const char *const procedures[] = {"", "ORDINARY", "EXTRAORDINARY"};
static const char *const bands[] = {"", "TELEPHONE", "PAPER", "IN_PERSON"};
static const char *const periods[] = {"", "ONCE", "DAY", "WEEK", "MONTH"};
static const char *const events[] = {"", "CUSTODY", "ACCEPT", "DECLINE"};

static void put_parties(json_t *json, const struct header *header)
{
    put_number(json, "schema", header->schema);
    put_id(json, "message_id", &header->message_id);
    put_id(json, "exchange_id", &header->exchange_id);
    put_id(json, "parent_exchange_id", &header->parent_exchange_id);
    put_id(json, "case_id", &header->case_id);
    put_text(json, "from", header->from);
    put_text(json, "from_system", header->from_system);
    put_text(json, "to", header->to);
    put_text(json, "to_system", header->to_system);
    put_text(json, "on_behalf_of", header->on_behalf_of);
    put_enum(json, "urgency", "URGENCY", urgencies, header->urgency);
    put_text(json, "catalogue_code", header->catalogue_code);
    put_text(json, "purpose", header->purpose);
    put_text(json, "legal_basis", header->legal_basis);
    put_number(json, "created_at_ms", header->created_at_ms);
    put_text(json, "occurred_at", header->occurred_at);
    put_enum(json, "out_of_band", "OUT_OF_BAND", bands, header->out_of_band);
    put_text(json, "break_glass", header->break_glass);
}

static void put_parts(json_t *json, const struct header *header)
{
    json_t *aviso = json_object();
    json_t *consent = json_object();
    json_t *plan = json_object();
    json_t *decision = json_object();

    put_text(aviso, "id", header->aviso_id);
    put_text(aviso, "version", header->aviso_version);
    put_bytes(aviso, "sha256", header->aviso_sha256);
    put_part(json, "aviso", aviso);
    put_enum(consent, "state", "CONSENT_STATE", consents, header->consent);
    put_text(consent, "reference", header->consent_reference);
    put_part(json, "consent", consent);
    if (header->has_plan) {
        put_text(plan, "issuer", header->plan_issuer);
        put_text(plan, "id", header->plan_id);
        put_number(plan, "version", header->plan_version);
        put_enum(plan, "procedure", "PROCEDURE", procedures, header->procedure);
    }
    put_part(json, "plan", plan);
    if (header->has_decision) {
        put_text(decision, "organ", header->decision_organ);
        put_text(decision, "session", header->decision_session);
        put_text(decision, "date", header->decision_date);
        put_bytes(decision, "sha256", header->decision_sha256);
    }
    put_part(json, "decision", decision);
}

static void put_lists(json_t *json, const struct header *header)
{
    json_t *subjects = json_array();
    json_t *clocks = json_array();
    json_t *seals = json_array();

    for (size_t i = 0; i < header->subject_count; i++) {
        json_t *subject = json_object();

        put_id(subject, "pseudonym", &header->subjects[i].pseudonym);
        put_enum(subject, "role", "SUBJECT_ROLE", roles, header->subjects[i].role);
        json_array_append_new(subjects, subject);
    }
    for (size_t i = 0; i < header->clock_count; i++) {
        json_t *clock = json_object();

        put_text(clock, "id", header->clocks[i].id);
        put_number(clock, "anchored_at_ms", header->clocks[i].anchored_at_ms);
        put_number(clock, "due_at_ms", header->clocks[i].due_at_ms);
        json_array_append_new(clocks, clock);
    }
    for (size_t i = 0; i < header->seal_count; i++) {
        json_t *seal = json_object();

        put_number(seal, "part", header->seals[i].part);
        put_bytes(seal, "sha256", header->seals[i].sha256);
        json_array_append_new(seals, seal);
    }
    put_list(json, "subjects", subjects);
    put_list(json, "clocks", clocks);
    put_list(json, "seals", seals);
}

static json_t *items_json(const struct header *header)
{
    json_t *content = json_object();
    json_t *items = json_array();

    for (size_t i = 0; i < header->item_count; i++) {
        json_t *item = json_object();
        json_t *cadence = json_object();

        put_number(item, "number", header->items[i].number);
        put_text(item, "code", header->items[i].code);
        put_number(cadence, "count", header->items[i].cadence_count);
        put_enum(cadence, "period", "PERIOD", periods, header->items[i].period);
        put_part(item, "cadence", cadence);
        put_text(item, "ends_on", header->items[i].ends_on);
        json_array_append_new(items, item);
    }
    put_list(content, "items", items);
    return content;
}

static json_t *report_json(const struct header *header)
{
    json_t *content = json_object();

    put_number(content, "item", header->item);
    put_number(content, "occurrence", header->occurrence);
    put_text(content, "action_code", header->action_code);
    put_bytes(content, "evidence_sha256", header->evidence_sha256);
    return content;
}

static json_t *act_json(const struct header *header)
{
    json_t *content = json_object();

    put_id(content, "regards", &header->regards);
    put_number(content, "item", header->item);
    put_enum(content, "event", "EVENT", events, header->event);
    put_text(content, "reason", header->reason);
    put_text(content, "competent", header->competent);
    put_bytes(content, "evidence_sha256", header->evidence_sha256);
    return content;
}

static json_t *aggregate_json(const struct header *header)
{
    json_t *content = json_object();
    json_t *figures = json_array();

    put_text(content, "id", header->aggregate_id);
    put_text(content, "from_date", header->aggregate_from);
    put_text(content, "to_date", header->aggregate_to);
    for (size_t i = 0; i < header->figure_count; i++) {
        json_t *figure = json_object();

        put_text(figure, "name", header->figures[i].name);
        put_number(figure, "value", header->figures[i].value);
        json_array_append_new(figures, figure);
    }
    put_list(content, "figures", figures);
    return content;
}

static json_t *header_json(const struct header *header)
{
    json_t *json = json_object();

    put_parties(json, header);
    put_parts(json, header);
    put_lists(json, header);
    switch (header->type) {
    case MESSAGE_REFERRAL:
        json_object_set_new(json, "referral", items_json(header));
        break;
    case MESSAGE_MEASURE_REQUEST:
        json_object_set_new(json, "measure_request", items_json(header));
        break;
    case MESSAGE_STATUS_REPORT:
        json_object_set_new(json, "status_report", report_json(header));
        break;
    case MESSAGE_ACT:
        json_object_set_new(json, "act", act_json(header));
        break;
    case MESSAGE_AGGREGATE:
        json_object_set_new(json, "aggregate", aggregate_json(header));
        break;
    default:
        abort(); /* no vector has another type */
    }
    return json;
}

/* ---- parts and commitments ---- */

/* The fields of a clear compartment by their names (no vector has entries). */
static json_t *fields_json(const struct compartment *compartment, struct arena *arena)
{
    json_t *json = json_object();
    struct field_value *values = NULL;
    size_t count = 0;
    size_t catalogue_size;
    const struct field *catalogue = field_catalogue(&catalogue_size);

    if (codec_compartment_read(compartment_type(compartment), compartment->content, arena, &values,
                               &count, NULL) != RC_OK) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        put_text(json, strchr(catalogue[values[i].field].path, '.') + 1, values[i].text);
    }
    return json;
}

static json_t *compartment_json(const struct compartment *compartment, struct arena *arena,
                                const uint8_t digest[DIGEST_SIZE])
{
    json_t *json = json_object();

    put_number(json, "part", compartment->part);
    put_text(json, "type", compartment_name(compartment_type(compartment)));
    put_bytes(json, "blind", compartment->blind);
    if (compartment->is_sealed) {
        put_bytes(json, "sealed", compartment->content);
    } else {
        json_object_set_new(json, "fields", fields_json(compartment, arena));
        json_object_set_new(json, "clear", hex(compartment->content));
    }
    json_object_set_new(json, "commitment", hex(BYTES(digest, DIGEST_SIZE)));
    return json;
}

static void put_message(json_t *json, const struct message *message, struct arena *arena,
                        uint8_t commitment[DIGEST_SIZE])
{
    struct commit_part parts[1 + MESSAGE_COMPARTMENTS_MAX] = {{.number = COMMIT_HEADER_PART}};
    json_t *compartments = json_array();
    json_t *signatures = json_array();

    commit_part(message->header_blind.data, message->header_bytes, parts[0].digest);
    put_bytes(json, "header_blind", message->header_blind);
    put_bytes(json, "header_bytes", message->header_bytes);
    put_bytes(json, "header_commitment", BYTES_OF(parts[0].digest));
    for (size_t i = 0; i < message->compartment_count; i++) {
        const struct compartment *compartment = &message->compartments[i];

        parts[i + 1].number = (uint16_t)compartment->part;
        commit_part(compartment->blind.data, compartment->content, parts[i + 1].digest);
        json_array_append_new(compartments,
                              compartment_json(compartment, arena, parts[i + 1].digest));
    }
    for (size_t i = 0; i < message->signature_count; i++) {
        json_t *signature = json_object();

        put_bytes(signature, "certificate", message->signatures[i].certificate);
        put_bytes(signature, "signature", message->signatures[i].signature);
        json_array_append_new(signatures, signature);
    }
    put_list(json, "compartments", compartments);
    put_list(json, "signatures", signatures);
    if (commit_message(parts, message->compartment_count + 1, commitment) != RC_OK) {
        abort();
    }
    put_bytes(json, "message_commitment", BYTES(commitment, DIGEST_SIZE));
}

static json_t *vector_json(const char *name, const char *about, struct sample *sample)
{
    OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
    OWN(buffer) request = {0};
    const struct submission *submission = &sample->submission;
    json_t *json = json_object();
    json_t *local_subjects = json_array();
    uint8_t commitment[DIGEST_SIZE];
    uint8_t leaf[DIGEST_SIZE];
    struct numbers nonce = numbered(0xf0);

    put_text(json, "name", name);
    put_text(json, "about", about);
    json_object_set_new(json, "header", header_json(&submission->message.header));
    put_message(json, &submission->message, arena, commitment);
    put_text(json, "origin", ORIGIN);
    put_bytes(json, "nonce", BYTES(nonce.bytes, LEAF_NONCE_SIZE));
    commit_leaf(ORIGIN, nonce.bytes, commitment, leaf);
    put_bytes(json, "leaf_commitment", BYTES_OF(leaf));
    for (size_t i = 0; i < submission->local_subject_count; i++) {
        json_array_append_new(local_subjects, hex(BYTES_OF(submission->local_subjects[i].bytes)));
    }
    put_list(json, "local_subjects", local_subjects);
    codec_submit_write(submission, &request);
    put_bytes(json, "submit_request", buffer_bytes(&request));
    return json;
}

/* ---- the messages ---- */

/* Serialises the header again, after it was changed. */
static void reheader(struct sample *sample)
{
    struct message *message = &sample->submission.message;

    buffer_clear(&sample->header);
    codec_header_write(&message->header, &sample->header);
    message->header_bytes = buffer_bytes(&sample->header);
}

/* Leaves what an answer needs: no compartment, no plan, no decision. */
static void bare(struct sample *sample, size_t subjects)
{
    struct header *header = &sample->submission.message.header;

    sample->submission.message.compartment_count = 0;
    sample->submission.local_subject_count = 0;
    header->has_plan = header->has_decision = false;
    header->clock_count = header->seal_count = 0;
    header->subject_count = subjects;
    header->parent_exchange_id = (struct id){{0}};
    header->occurred_at = "";
    header->out_of_band = BAND_NONE;
    header->break_glass = "";
    header->urgency = URGENCY_ORDINARY;
    reheader(sample);
}

static void add_vector(json_t *into, const char *name, const char *about, enum message_type type,
                       void (*change)(struct sample *sample))
{
    struct sample sample;

    if (!sample_make(&sample, type)) {
        abort();
    }
    change(&sample);
    json_array_append_new(into, vector_json(name, about, &sample));
    sample_release(&sample);
}

static void as_it_is(struct sample *sample)
{
    sample->submission.message.signature_count = 0;
}

static void to_an_act(struct sample *sample)
{
    bare(sample, 2);
}

static void to_a_report(struct sample *sample)
{
    sample->submission.message.signature_count = 0;
    sample->submission.message.header.consent = CONSENT_NOT_NEEDED;
    sample->submission.message.header.consent_reference = "";
    bare(sample, 1);
}

static void to_figures(struct sample *sample)
{
    to_a_report(sample);
    sample->submission.message.header.aviso_id = "";
    sample->submission.message.header.aviso_version = "";
    sample->submission.message.header.aviso_sha256 = (struct bytes){0};
    bare(sample, 0);
}

static void to_an_empty_compartment(struct sample *sample)
{
    sample->submission.message.signature_count = 0;
    bare(sample, 1);
    sample_compartment(sample, 0, COMPARTMENT_CONTACT, (struct bytes){0});
    sample->submission.message.compartments[0].content = (struct bytes){0};
}

/* What a node refuses, although protobuf libraries read it: identity compartments. */
static const struct {
    const char *name;
    const char *hex;
} refused[] = {
    {"unknown field", "0a01414a0142"},       {"a text that stands twice", "0a01410a0142"},
    {"fields out of order", "1201410a0142"}, {"a default that is written", "0a00120141"},
    {"a padded length", "0a810041"},         {"cut off", "0a0241"},
};

static json_t *refused_json(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        OWN_PTR(arena) arena = arena_new((size_t)1 << 16);
        struct field_value *values = NULL;
        struct fault fault = {0};
        json_t *row = json_object();
        uint8_t bytes[16];
        size_t size = strlen(refused[i].hex) / 2;
        size_t count = 0;

        if (hex_decode(refused[i].hex, bytes, size) != RC_OK ||
            codec_compartment_read(COMPARTMENT_IDENTITY, BYTES(bytes, size), arena, &values, &count,
                                   &fault) == RC_OK) {
            abort();
        }
        put_text(row, "name", refused[i].name);
        put_text(row, "message", "IdentityCompartment");
        put_text(row, "bytes", refused[i].hex);
        put_text(row, "reason", fault.reason);
        put_text(row, "path", fault.path);
        json_array_append_new(list, row);
    }
    return list;
}

int main(void)
{
    json_t *json = json_object();
    json_t *vectors = json_array();

    add_vector(vectors, "measure-request",
               "every field of the header; three compartments in clear and one sealed, two persons",
               MESSAGE_MEASURE_REQUEST, as_it_is);
    add_vector(vectors, "act", "declined; one signature, opaque here", MESSAGE_ACT, to_an_act);
    add_vector(vectors, "status-report", "one occurrence of an item", MESSAGE_STATUS_REPORT,
               to_a_report);
    add_vector(vectors, "aggregate", "no person at all; a negative figure and a zero",
               MESSAGE_AGGREGATE, to_figures);
    add_vector(vectors, "referral-empty-compartment",
               "a compartment in clear without any field is present, and zero bytes long",
               MESSAGE_REFERRAL, to_an_empty_compartment);
    json_object_set_new(json, "about",
                        json_string("made by tests/interop/make_vectors.c; bytes in hex, fields "
                                    "as in proto/enlace/v1, formulas in gateway/tlog/commit.h"));
    json_object_set_new(json, "vectors", vectors);
    json_object_set_new(json, "refused", refused_json());
    json_dumpf(json, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(json);
    return 0;
}
