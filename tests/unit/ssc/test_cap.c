#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/compose.h"
#include "model/field.h"
#include "rpc/codec.h"
#include "ssc/cap.h"

#define SCHEMA "adapters/ssc/cap.xsd"
#define MAPPING "adapters/ssc/mappings/comun.map"
#define SENT "2026-11-23T13:32:30-06:00"
#define CURP "SABC560626MDFLRN01" /* published as an example: nobody's */

struct bench {
    struct arena *arena;
    struct xml_schema *schema;
    struct mapping *mapping;
    struct message message;
    struct item item;
    struct compartment compartments[2];
    struct field_value values[3];
    struct reading reading;
    struct cap_terms terms;
    struct cap_facts facts;
    struct buffer text;
};

static void fill_reading(struct bench *bench)
{
    static const char *const fields[][2] = {{"identity.full_name", "María Canario"},
                                            {"identity.curp", CURP},
                                            {"location.alcaldia", "09016"}};

    for (size_t i = 0; i < 3; i++) {
        bench->values[i] = (struct field_value){.field = (unsigned)field_number(fields[i][0]),
                                                .text = fields[i][1]};
    }
    bench->reading.message = &bench->message;
    bench->reading.arena = bench->arena;
    bench->reading.count = 2;
    bench->reading.parts[0] = (struct reading_part){.compartment = &bench->compartments[0],
                                                    .is_read = true,
                                                    .values = bench->values,
                                                    .count = 2};
    bench->reading.parts[1] = (struct reading_part){.compartment = &bench->compartments[1],
                                                    .is_read = true,
                                                    .values = &bench->values[2],
                                                    .count = 1};
}

static int set_up(void **state)
{
    static struct bench bench;
    char error[MAPPING_ERROR_SIZE];
    struct fault fault = {0};

    memset(&bench, 0, sizeof bench);
    bench.arena = arena_new(1 << 20);
    assert_int_equal(xml_schema_load(SCHEMA, &bench.schema, &fault), RC_OK);
    assert_int_equal(mapping_read(MAPPING, &bench.mapping, error), RC_OK);
    draft_header_init(&bench.message.header);
    memset(bench.message.header.message_id.bytes, 0x11, sizeof bench.message.header.message_id);
    memset(bench.message.header.exchange_id.bytes, 0x22, sizeof bench.message.header.exchange_id);
    bench.item = (struct item){.number = 1, .code = "PRO-COD-VIG", .ends_on = ""};
    bench.message.header.type = MESSAGE_MEASURE_REQUEST;
    bench.message.header.urgency = URGENCY_ORDINARY;
    bench.message.header.items = &bench.item;
    bench.message.header.item_count = 1;
    fill_reading(&bench);
    bench.terms = (struct cap_terms){
        .mapping = bench.mapping, .sender = "enlace.cdmx", .addresses = "centro.sintetico"};
    bench.facts = (struct cap_facts){.sent = SENT, .reference = "", .token = "abc.def"};
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    buffer_release(&bench->text);
    xml_schema_free(bench->schema);
    mapping_free(bench->mapping);
    arena_free(bench->arena);
    return 0;
}

static void write_alert(struct bench *bench)
{
    struct fault fault = {0};

    assert_int_equal(cap_write(&bench->terms, &bench->reading, &bench->facts, bench->schema,
                               &bench->text, &fault),
                     RC_OK);
    buffer_put_u8(&bench->text, 0);
    bench->text.size--;
}

static void an_alert_names_the_measure_and_nobody(void **state)
{
    struct bench *bench = *state;
    const char *text;

    write_alert(bench);
    text = (const char *)bench->text.data;
    assert_non_null(strstr(text, "<value>CODIGO-VIGILANCIA</value>"));
    assert_non_null(strstr(text, "<areaDesc>Miguel Hidalgo</areaDesc>"));
    assert_non_null(strstr(text, "<scope>Private</scope><addresses>centro.sintetico</addresses>"));
    assert_null(strstr(text, "Canario"));
    assert_null(strstr(text, CURP));
}

/* Each canary stands where a fault of ours, or of a mapping, could have put it. */
static void nothing_else_goes_out(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *reason;
    } canaries[] = {
        {"<scope>", "<note>María Canario</note><scope>", "xml.invalid"},
        {"<scope>Private</scope>", "<scope>Public</scope>", "xml.invalid"},
        {"<addresses>centro.sintetico</addresses>", "", "xml.invalid"},
        {"centro.sintetico<", "5512345678<", "cap.refused"},
        {">enlace.cdmx<", ">" CURP "<", "cap.refused"},
        {"<identifier>11111111", "<identifier>" CURP, "cap.refused"},
        {"<incidents>22222222", "<incidents>" CURP, "cap.refused"},
        {"30-06:00<", "30Z<", "xml.invalid"},
        {"30-06:00<", "30.5-06:00<", "xml.invalid"},
        {"13:32:30-", "13:32:31-", "cap.refused"},
        {">es-MX<", ">es<", "xml.invalid"},
        {">SOLICITUD<", ">" CURP "<", "cap.refused"},
        {">SOLICITUD<", ">María Canario<", "xml.invalid"},
        {">CODIGO-VIGILANCIA<", ">" CURP "<", "cap.refused"},
        {"</certainty>", "</certainty><senderName>María</senderName>", "xml.invalid"},
        {"</certainty>", "</certainty><headline>María Canario</headline>", "xml.invalid"},
        {"</certainty>", "</certainty><description>Calle 1</description>", "xml.invalid"},
        {"</certainty>", "</certainty><contact>5512345678</contact>", "xml.invalid"},
        {"<valueName>detalle</valueName><value>abc.def", "<valueName>detalle</valueName><value>x",
         "cap.refused"},
        {"<valueName>detalle<", "<valueName>persona<", "cap.refused"},
        {"<valueName>detalle<", "<valueName>telefono<", "xml.invalid"},
        {">Miguel Hidalgo<", ">María Canario<", "cap.refused"},
        {">Miguel Hidalgo<", ">Calle Canario 1<", "xml.invalid"},
        {">09016<", ">09017<", "cap.refused"},
        {">09016<", ">09001<", "xml.invalid"},
        {"</areaDesc>", "</areaDesc><polygon>1,1 2,2 3,3 1,1</polygon>", "xml.invalid"},
        {"</areaDesc>", "</areaDesc><circle>19.4,-99.1 1</circle>", "xml.invalid"},
        {"</info>", "<!-- María Canario --></info>", "cap.refused"},
        {"</info>", "<?a María?></info>", "xml.doctype"},
        {"<info>", "<info name=\"María\">", "xml.invalid"},
    };
    struct bench *bench = *state;
    const char *text;

    write_alert(bench);
    text = (const char *)bench->text.data;
    for (size_t i = 0; i < sizeof canaries / sizeof canaries[0]; i++) {
        OWN(buffer) changed = {0};
        const char *at = strstr(text, canaries[i].from);
        struct fault fault = {0};

        assert_non_null(at);
        buffer_put(&changed, text, (size_t)(at - text));
        buffer_put_bytes(&changed, bytes_text(canaries[i].to));
        buffer_put_bytes(&changed, bytes_text(at + strlen(canaries[i].from)));
        assert_int_equal(cap_check(&bench->terms, &bench->reading, &bench->facts, bench->schema,
                                   buffer_bytes(&changed), &fault),
                         RC_INVALID_ARGUMENT);
        assert_string_equal(fault.reason, canaries[i].reason);
        assert_null(strstr(fault.remedy, "Canario"));
    }
}

static void a_second_info_that_nobody_asked_for_is_refused(void **state)
{
    struct bench *bench = *state;
    OWN(buffer) changed = {0};
    struct fault fault = {0};
    const char *text;
    const char *from;
    const char *end;

    write_alert(bench);
    text = (const char *)bench->text.data;
    from = strstr(text, "<info>");
    end = strstr(text, "</alert>");
    buffer_put(&changed, text, (size_t)(end - text));
    buffer_put_bytes(&changed, bytes_text(from));
    assert_int_equal(cap_check(&bench->terms, &bench->reading, &bench->facts, bench->schema,
                               buffer_bytes(&changed), &fault),
                     RC_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_alert_names_the_measure_and_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_else_goes_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_info_that_nobody_asked_for_is_refused, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
