/*
 * fuzz_pgj - what a prosecutor's office answers, from arbitrary bytes: XML, strict and by the
 * schema.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "sdk/xml.h"

FUZZ_QUIET()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct xml_schema *schema;
    OWN_PTR(arena) arena = arena_new((size_t)4 << 20);
    OWN_PTR(xml) xml = NULL;
    struct fault fault = {0};

    if (schema == NULL) {
        assert(xml_schema_load("adapters/pgj/pgj.xsd", &schema, &fault) == RC_OK);
    }
    if (xml_read(BYTES(data, size), schema, &xml, &fault) != RC_OK) {
        assert(fault.reason[0] != '\0');
        return 0;
    }
    for (const struct _xmlNode *at = xml_child(xml_root(xml), "Status"); at != NULL;
         at = xml_next(at, "Status")) {
        assert(xml_text(at, "ActivityIdentification", arena)[0] != '\0');
        assert(strlen(xml_text(at, "CaseNumber", arena)) <= 4 * 64);
    }
    return 0;
}
