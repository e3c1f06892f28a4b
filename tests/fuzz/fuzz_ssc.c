/*
 * fuzz_ssc - an alert as a police centre posts it, from arbitrary bytes. What is read has the form
 * that the profile promises, and nothing but what the adapter said itself goes out.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/compose.h"
#include "ssc/cap.h"

#define ARENA_MAX ((size_t)4 << 20)
#define SCHEMA "adapters/ssc/cap.xsd"
#define MAPPING "adapters/ssc/mappings/comun.map"

FUZZ_QUIET()

static void check_form(const struct _xmlNode *alert, struct arena *arena)
{
    const char *sent = xml_text(alert, "sent", arena);

    assert(strlen(sent) == 25 && strchr(sent, 'Z') == NULL);
    assert(strcmp(xml_text(alert, "scope", arena), "Private") == 0 ||
           xml_text(alert, "scope", arena)[0] == '\0'); /* fixed: may stand empty */
    assert(xml_text(alert, "addresses", arena)[0] != '\0');
    assert(xml_text(alert, "incidents", arena)[0] != '\0');
    assert(xml_child(alert, "note") == NULL);
    for (const struct _xmlNode *info = xml_child(alert, "info"); info != NULL;
         info = xml_next(info, "info")) {
        assert(xml_child(info, "headline") == NULL && xml_child(info, "description") == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct xml_schema *schema;
    static struct mapping *mapping;
    char error[MAPPING_ERROR_SIZE];
    struct fault fault = {0};
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN_PTR(xml) xml = NULL;
    struct message message = {0};
    struct reading reading = {.message = &message, .arena = arena};
    struct cap_facts facts = {.sent = "2026-11-23T13:32:30-06:00", .reference = "", .token = ""};
    struct cap_terms terms = {.sender = "enlace.cdmx", .addresses = "centro.sintetico"};

    if (schema == NULL) {
        assert(xml_schema_load(SCHEMA, &schema, &fault) == RC_OK);
        assert(mapping_read(MAPPING, &mapping, error) == RC_OK);
    }
    if (xml_read(BYTES(data, size), schema, &xml, &fault) != RC_OK) {
        return 0;
    }
    check_form(xml_root(xml), arena);
    terms.mapping = mapping;
    draft_header_init(&message.header);
    message.header.type = MESSAGE_NOTICE;
    /* Its ids are zero: no document has them, so each is refused. */
    assert(cap_check(&terms, &reading, &facts, schema, BYTES(data, size), &fault) ==
           RC_INVALID_ARGUMENT);
    return 0;
}
