/*
 * What goes out, against files that outside validators accept (tests/interop/check_fhir.mjs).
 * SEDESA_WRITE=1 writes them anew.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/compose.h"
#include "sedesa/sedesa.h"

#define FOLDER "tests/interop/fhir/"
#define MAPPING "adapters/sedesa/mappings/comun.map"
#define CREATED_MS 1795500000000

struct said {
    struct message message;
    struct item items[2];
    struct compartment compartments[4];
    struct field_value values[24];
    size_t value_count;
    struct reading reading;
};

static struct field_value *add(struct said *said, const char *path, unsigned entry,
                               const char *text)
{
    struct field_value *value = &said->values[said->value_count++];

    assert_true(field_number(path) >= 0);
    *value =
        (struct field_value){.field = (unsigned)field_number(path), .entry = entry, .text = text};
    return value;
}

/* Everything that a route to a health secretariat may carry; two measures, one of them monthly. */
static void fill(struct said *said, struct arena *arena)
{
    static const char *const fields[][2] = {
        {"identity.full_name", "Persona Sintética \"Ñ\" <otra>"},
        {"identity.curp", "MOTR930411HJCRMN03"},
        {"identity.birth_date", "1993-04-11"},
        {"identity.sex", "hombre"},
        {"contact.phone", "+525512345678"},
        {"contact.safe_channel", "correo"},
        {"contact.safe_hours", "9 a 12"},
        {"contact.interpreter", "náhuatl"},
        {"health.needs", "Apoyo sintético"},
        {"health.allergies", "Penicilina"},
        {"health.medication", "Ninguno"},
        {"narrative.summary", "Síntesis sintética"}};
    struct header *header = &said->message.header;

    draft_header_init(header);
    header->type = MESSAGE_MEASURE_REQUEST;
    memset(header->message_id.bytes, 0x11, sizeof header->message_id.bytes);
    header->exchange_id = header->message_id;
    header->from = "cdmx/mpi-cdmx";
    header->to = "cdmx/sedesa";
    header->urgency = URGENCY_ORDINARY;
    header->purpose = "atencion-a-la-salud";
    header->legal_basis = "LPPDDHP-29";
    header->aviso_id = "AVISO-MPI-CDMX";
    header->created_at_ms = CREATED_MS;
    header->subject_count = 1;
    header->clocks[0] = (struct message_clock){.id = "F6", .due_at_ms = CREATED_MS + 2592000000};
    header->clock_count = 1;
    said->items[0] = (struct item){.number = 1,
                                   .code = "PRO-PSI-SEG",
                                   .cadence_count = 12,
                                   .period = PERIOD_MONTH,
                                   .ends_on = "2027-11-30"};
    said->items[1] = (struct item){.number = 2,
                                   .code = "PRO-PSI-CRI",
                                   .cadence_count = 1,
                                   .period = PERIOD_ONCE,
                                   .ends_on = ""};
    header->items = said->items;
    header->item_count = 2;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        add(said, fields[i][0], 0, fields[i][1]);
    }
    for (unsigned entry = 0; entry < 2; entry++) {
        add(said, "attachments.entries.attachment_id", entry,
            entry == 0 ? "01a20aa3-5d07-729e-8954-c0eb93321be0"
                       : "01a20aa3-5d07-729e-8954-c0eb93321be1");
        add(said, "attachments.entries.media_type", entry, "application/pdf");
        add(said, "attachments.entries.size", entry, "1234");
        add(said, "attachments.entries.sha256", entry, "00ff");
        add(said, "attachments.entries.title", entry, "Valoración sintética");
    }
    said->reading.message = &said->message;
    said->reading.arena = arena;
    said->reading.count = 1;
    said->compartments[0].part = COMPARTMENT_IDENTITY;
    said->reading.parts[0] = (struct reading_part){.compartment = &said->compartments[0],
                                                   .is_read = true,
                                                   .values = said->values,
                                                   .count = said->value_count};
}

static struct mapping *load(void)
{
    struct mapping *mapping = NULL;
    const struct mapping_words words = {.settings = sedesa_settings_words,
                                        .in = sedesa_in_words,
                                        .tables = sedesa_tables,
                                        .has_out = true,
                                        .takes_fields = true};
    char error[MAPPING_ERROR_SIZE] = "";

    assert_int_equal(mapping_read(MAPPING, &mapping, error), RC_OK);
    assert_int_equal(mapping_check(mapping, &words, error), RC_OK);
    return mapping;
}

static void is_as_kept(const struct json_t *bundle, const char *name)
{
    char path[128];
    json_t *kept;

    snprintf(path, sizeof path, FOLDER "%s", name);
    if (getenv("SEDESA_WRITE") != NULL) {
        assert_int_equal(json_dump_file(bundle, path, JSON_INDENT(1)), 0);
    }
    kept = json_load_file(path, 0, NULL);
    assert_non_null(kept);
    assert_true(json_equal(kept, bundle));
    json_decref(kept);
}

static void a_request_is_a_transaction_with_each_field_of_the_route(void **state)
{
    OWN_PTR(arena) arena = arena_new(1 << 20);
    OWN_PTR(mapping) mapping = load();
    OWN_PTR(json_t) bundle = NULL;
    OWN(buffer) text = {0};
    struct said said = {0};
    struct fault fault = {0};

    (void)state;
    fill(&said, arena);
    assert_int_equal(sedesa_bundle(mapping, &said.reading, "", &bundle, &fault), RC_OK);
    is_as_kept(bundle, "request.json");
    fhir_write(bundle, &text);
    buffer_put_u8(&text, 0);
    for (size_t i = 0; i < said.value_count; i++) {
        char quoted[80];
        const char *value =
            strcmp(said.values[i].text, "hombre") == 0 ? "male" : said.values[i].text;

        snprintf(quoted, sizeof quoted, strchr(value, '"') == NULL ? "%s" : "Persona", value);
        assert_non_null(strstr((const char *)text.data, quoted));
    }
}

static void what_has_no_place_is_not_sent_by_halves(void **state)
{
    static const struct {
        const char *path;
        unsigned entry;
        unsigned part;
        const char *text;
    } strange[] = {
        {"social.household", 0, COMPARTMENT_SOCIAL, "x"},
        {"identity.sex", 0, COMPARTMENT_IDENTITY, "una clave que no está"},
        {"relatives.entries.phone", 1, COMPARTMENT_RELATIVES, "x"},
        {"health.needs", 0, 256 + COMPARTMENT_HEALTH, "de otra persona"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        OWN_PTR(arena) arena = arena_new(1 << 20);
        OWN_PTR(mapping) mapping = load();
        OWN_PTR(json_t) bundle = NULL;
        struct said said = {0};
        struct fault fault = {0};

        fill(&said, arena);
        said.value_count = 0;
        add(&said, strange[i].path, strange[i].entry, strange[i].text);
        said.compartments[0].part = strange[i].part;
        said.reading.parts[0].count = 1;
        assert_int_equal(sedesa_bundle(mapping, &said.reading, "", &bundle, &fault),
                         RC_FAILED_PRECONDITION);
        assert_string_equal(fault.reason, "fhir.field_without_place");
        assert_string_equal(fault.path, strange[i].path);
        assert_null(bundle);
    }
}

static void what_follows_is_a_task_about_it(void **state)
{
    OWN_PTR(arena) arena = arena_new(1 << 20);
    OWN_PTR(mapping) mapping = load();
    OWN_PTR(json_t) recall = NULL;
    OWN_PTR(json_t) progress = NULL;
    struct said said = {0};
    struct fault fault = {0};

    (void)state;
    fill(&said, arena);
    said.reading.count = 0;
    said.message.header.item_count = 0;
    said.message.header.type = MESSAGE_RECALL;
    said.message.header.reason = "retiro-de-consentimiento";
    said.message.header.message_id.bytes[15] = 0x12;
    assert_int_equal(sedesa_bundle(mapping, &said.reading, "", &recall, &fault), RC_OK);
    is_as_kept(recall, "recall.json");
    said.message.header.type = MESSAGE_ACT;
    said.message.header.event = EVENT_IN_FORCE;
    said.message.header.item = 1;
    said.message.header.reason = "";
    assert_int_equal(sedesa_bundle(mapping, &said.reading, "ServiceRequest/r1", &progress, &fault),
                     RC_OK);
    assert_string_equal(fhir_text(progress, "entry.0.resource.status"), "in-progress");
    assert_string_equal(fhir_text(progress, "entry.0.request.method"), "PUT");
    is_as_kept(progress, "progress.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_a_transaction_with_each_field_of_the_route),
        cmocka_unit_test(what_has_no_place_is_not_sent_by_halves),
        cmocka_unit_test(what_follows_is_a_task_about_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
