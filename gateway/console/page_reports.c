/* Informes: what the figures of a year mean; they themselves are counted from proven records. */
#include "console/routes.h"
#include "policy/catalogue.h"

/* Each code with its phrase and its class, as the public report groups them. */
enum rc page_reports_catalogue(const struct asked *asked, json_t **answer, struct fault *fault)
{
    json_t *codes = json_object();
    size_t count;
    const struct catalogue_entry *entries = catalogue_entries(&count);

    (void)asked;
    (void)fault;
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(codes, entries[i].code,
                            json_pack("{s:s,s:s}", "phrase", entries[i].phrase, "class",
                                      catalogue_class_name(entries[i].class)));
    }
    *answer = json_pack("{s:o}", "codes", codes);
    return RC_OK;
}
