#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "sdk/xml.h"

#define SPACE " xmlns=\"urn:enlace:procuracion:1\""
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define GOOD                                                                                       \
    "<Acknowledgement" SPACE ">"                                                                   \
    "<MessageIdentification>01a20b53-9174-76fb-be69-e346a15cf948</MessageIdentification>"          \
    "<ReferenceIdentification>X-1</ReferenceIdentification></Acknowledgement>"

static int load_schema(void **state)
{
    struct xml_schema *schema = NULL;
    struct fault fault = {0};

    if (xml_schema_load("adapters/pgj/pgj.xsd", &schema, &fault) != RC_OK) {
        return -1;
    }
    *state = schema;
    return 0;
}

static int free_schema(void **state)
{
    xml_schema_free(*state);
    return 0;
}

static void what_the_schema_allows_is_read(void **state)
{
    OWN_PTR(arena) arena = arena_new((size_t)1 << 20);
    OWN_PTR(xml) xml = NULL;
    struct fault fault = {0};

    assert_int_equal(xml_read(bytes_text(HEAD GOOD), *state, &xml, &fault), RC_OK);
    assert_string_equal(xml_text(xml_root(xml), "ReferenceIdentification", arena), "X-1");
}

static void hostile_documents_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "xml.too_long"}, /* or empty */
        {"{\"a\": 1}", "xml.malformed"},
        {"<Acknowledgement" SPACE ">", "xml.malformed"},
        {HEAD "<Acknowledgement" SPACE "/>", "xml.invalid"},
        {HEAD "<Ack" SPACE "/>", "xml.invalid"},
        {HEAD "<!DOCTYPE a>" GOOD, "xml.doctype"},
        {HEAD "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" GOOD, "xml.doctype"},
        {HEAD "<!DOCTYPE a [<!ENTITY b \"c\">]>" GOOD, "xml.doctype"},
        {HEAD "<!DOCTYPE a [<!ENTITY b SYSTEM \"http://127.0.0.1/\">]>" GOOD, "xml.doctype"},
        {HEAD "<!DOCTYPE z [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
              "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><z>&c;</z>",
         "xml.doctype"},
        {HEAD "<a>&nada;</a>", "xml.malformed"},
        {HEAD "<?php x?>" GOOD, "xml.doctype"},
        {HEAD "<a>\x01</a>", "xml.malformed"},
        {HEAD "<a>\xff</a>", "xml.malformed"},
        {"<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", "xml.invalid"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN_PTR(xml) xml = NULL;
        struct fault fault = {0};

        assert_int_equal(xml_read(bytes_text(cases[i].text), *state, &xml, &fault),
                         RC_INVALID_ARGUMENT);
        assert_string_equal(fault.reason, cases[i].reason);
        assert_null(xml);
    }
}

/* <a><a>...</a></a>, so deep. */
static void nest(struct buffer *text, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        buffer_print(text, "<a>");
    }
    for (size_t i = 0; i < depth; i++) {
        buffer_print(text, "</a>");
    }
}

static void depth_is_bounded(void **state)
{
    static const struct {
        size_t depth;
        const char *reason;
    } cases[] = {{XML_DEPTH_MAX, "xml.invalid"},
                 {XML_DEPTH_MAX + 2, "xml.depth"},
                 {100, "xml.depth"},
                 {8000, "xml.malformed"},
                 {100000, "xml.malformed"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OWN_PTR(xml) xml = NULL;
        OWN(buffer) text = {0};
        struct fault fault = {0};

        nest(&text, cases[i].depth);
        assert_int_equal(xml_read(buffer_bytes(&text), *state, &xml, &fault), RC_INVALID_ARGUMENT);
        assert_string_equal(fault.reason, cases[i].reason);
    }
}

static void length_is_bounded(void **state)
{
    OWN_PTR(xml) xml = NULL;
    OWN(buffer) text = {0};
    struct fault fault = {0};

    buffer_reserve(&text, XML_BYTES_MAX + 2);
    while (text.size <= XML_BYTES_MAX) {
        buffer_put_u8(&text, ' ');
    }
    assert_int_equal(xml_read(buffer_bytes(&text), *state, &xml, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "xml.too_long");
}

static void no_value_of_a_refused_document_is_told(void **state)
{
    OWN_PTR(xml) xml = NULL;
    struct fault fault = {0};

    assert_int_equal(
        xml_read(bytes_text(HEAD "<Acknowledgement" SPACE "><MessageIdentification>Ñandú"
                                 "</MessageIdentification></Acknowledgement>"),
                 *state, &xml, &fault),
        RC_INVALID_ARGUMENT);
    assert_null(strstr(fault.remedy, "Ñandú"));
    assert_string_equal(fault.path, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_schema_allows_is_read),
        cmocka_unit_test(hostile_documents_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(no_value_of_a_refused_document_is_told),
    };

    return cmocka_run_group_tests(tests, load_schema, free_schema);
}
