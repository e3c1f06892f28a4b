#include "ssc/cap.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"

#define ARENA_MAX ((size_t)1 << 20)

static const char *fact(const struct reading *reading, const char *path)
{
    return reading_text(reading, path, (struct reading_place){0});
}

static const char *theirs(const struct cap_terms *terms, const char *table, const char *ours)
{
    const char *text = ours[0] != '\0' ? mapping_theirs(terms->mapping, table, ours) : NULL;

    return text != NULL ? text : "";
}

const char *cap_type(const struct cap_terms *terms, const struct reading *reading)
{
    return mapping_theirs(terms->mapping, "mensaje", fact(reading, "header.type"));
}

/* ---- one info for each item; one for a message that has none ---- */

static unsigned info_count(const struct reading *reading)
{
    unsigned items = (unsigned)reading->message->header.item_count;

    return items > 0 ? items : 1;
}

/* A code that the mapping does not rename goes as it is. */
static const char *measure(const struct cap_terms *terms, const struct reading *reading,
                           unsigned item)
{
    const char *code = reading_text(reading, "item.code", (struct reading_place){.item = item});
    const char *renamed = theirs(terms, "medida", code);

    return renamed[0] != '\0' ? renamed : code;
}

static const char *measure_number(const struct reading *reading, unsigned item)
{
    return reading->message->header.item_count > 0
               ? reading_text(reading, "item.number", (struct reading_place){.item = item})
               : fact(reading, "header.item");
}

struct parameter {
    const char *name;
    const char *value;
};

#define PARAMETERS 4

static void parameters_of(const struct cap_terms *terms, const struct reading *reading,
                          const struct cap_facts *facts, unsigned item,
                          struct parameter out[PARAMETERS])
{
    out[0] = (struct parameter){"medida", measure_number(reading, item)};
    out[1] = (struct parameter){"plazo", fact(reading, "header.due_at")};
    out[2] = (struct parameter){"estado", theirs(terms, "estado", fact(reading, "header.event"))};
    out[3] = (struct parameter){"detalle", item == 0 ? facts->token : ""};
}

static void put_pair(struct xml_writer *writer, const char *element, const char *name,
                     const char *value)
{
    if (value[0] != '\0') {
        xml_open(writer, element);
        xml_put(writer, "valueName", name);
        xml_put(writer, "value", value);
        xml_close(writer);
    }
}

static void put_area(const struct cap_terms *terms, struct xml_writer *writer,
                     const struct reading *reading)
{
    const char *code = fact(reading, "location.alcaldia");
    const char *name = theirs(terms, "alcaldia", code);

    if (name[0] != '\0') {
        xml_open(writer, "area");
        xml_put(writer, "areaDesc", name);
        put_pair(writer, "geocode", "INEGI", code);
        xml_close(writer);
    }
}

static void put_info(const struct cap_terms *terms, struct xml_writer *writer,
                     const struct reading *reading, const struct cap_facts *facts, unsigned item)
{
    struct parameter parameters[PARAMETERS];

    parameters_of(terms, reading, facts, item, parameters);
    xml_open(writer, "info");
    xml_put(writer, "language", "es-MX");
    xml_put(writer, "category", mapping_setting(terms->mapping, "category"));
    xml_put(writer, "event", theirs(terms, "tipo", fact(reading, "header.type")));
    xml_put(writer, "urgency", theirs(terms, "urgencia", fact(reading, "header.urgency")));
    xml_put(writer, "severity", "Unknown");
    xml_put(writer, "certainty", "Unknown");
    put_pair(writer, "eventCode", "medida", measure(terms, reading, item));
    for (size_t i = 0; i < PARAMETERS; i++) {
        put_pair(writer, "parameter", parameters[i].name, parameters[i].value);
    }
    put_area(terms, writer, reading);
    xml_close(writer);
}

static enum rc write_document(const struct cap_terms *terms, const struct reading *reading,
                              const struct cap_facts *facts, const char *type,
                              const struct xml_schema *schema, struct buffer *out,
                              struct fault *fault)
{
    OWN_PTR(xml_writer) writer = xml_writer_new("alert", CAP_NAMESPACE);

    if (writer == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    xml_put(writer, "identifier", fact(reading, "header.message_id"));
    xml_put(writer, "sender", terms->sender);
    xml_put(writer, "sent", facts->sent);
    xml_put(writer, "status", terms->is_exercise ? "Exercise" : "Actual");
    xml_put(writer, "msgType", type);
    xml_put(writer, "scope", "Private");
    xml_put(writer, "addresses", terms->addresses);
    xml_put(writer, "references", facts->reference);
    xml_put(writer, "incidents", fact(reading, "header.exchange_id"));
    for (unsigned i = 0; strcmp(type, "Cancel") != 0 && i < info_count(reading); i++) {
        put_info(terms, writer, reading, facts, i);
    }
    return xml_finish(writer, schema, out, fault);
}

enum rc cap_write(const struct cap_terms *terms, const struct reading *reading,
                  const struct cap_facts *facts, const struct xml_schema *schema,
                  struct buffer *out, struct fault *fault)
{
    const char *type = cap_type(terms, reading);

    if (type == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "cap.mapping", "mensaje",
                      "La tabla de equivalencias no dice qué es este mensaje en CAP.");
    }
    TRY(write_document(terms, reading, facts, type, schema, out, fault));
    return cap_check(terms, reading, facts, schema, buffer_bytes(out), fault);
}

/* ---- the check: what the schema leaves open must be what the header says ---- */

struct checking {
    const struct cap_terms *terms;
    const struct reading *reading;
    const struct cap_facts *facts;
    struct arena *arena;
    struct fault *fault;
};

static enum rc refused_at(const struct checking *checking, const char *element)
{
    return refuse(checking->fault, RC_INVALID_ARGUMENT, "cap.refused", element,
                  "Una alerta solo lleva folio, medida, alcaldía y plazo; no se envió.");
}

static enum rc same(const struct checking *checking, const struct _xmlNode *node, const char *name,
                    const char *wanted)
{
    return strcmp(xml_text(node, name, checking->arena), wanted) == 0 ? RC_OK
                                                                      : refused_at(checking, name);
}

static enum rc check_parameters(const struct checking *checking, const struct _xmlNode *info,
                                unsigned item)
{
    struct parameter allowed[PARAMETERS];

    parameters_of(checking->terms, checking->reading, checking->facts, item, allowed);
    for (const struct _xmlNode *at = xml_child(info, "parameter"); at != NULL;
         at = xml_next(at, "parameter")) {
        const char *name = xml_text(at, "valueName", checking->arena);
        bool is_allowed = false;

        for (size_t i = 0; i < PARAMETERS; i++) {
            is_allowed |= strcmp(name, allowed[i].name) == 0 &&
                          strcmp(xml_text(at, "value", checking->arena), allowed[i].value) == 0;
        }
        if (!is_allowed) {
            return refused_at(checking, "parameter");
        }
    }
    return RC_OK;
}

static enum rc check_area(const struct checking *checking, const struct _xmlNode *info)
{
    const struct _xmlNode *area = xml_child(info, "area");
    const char *code = fact(checking->reading, "location.alcaldia");

    if (area == NULL) {
        return RC_OK;
    }
    TRY(same(checking, area, "areaDesc", theirs(checking->terms, "alcaldia", code)));
    return same(checking, xml_child(area, "geocode"), "value", code);
}

static enum rc check_info(const struct checking *checking, const struct _xmlNode *info,
                          unsigned item)
{
    const struct _xmlNode *code = xml_child(info, "eventCode");
    const struct cap_terms *terms = checking->terms;

    TRY(same(checking, info, "event",
             theirs(terms, "tipo", fact(checking->reading, "header.type"))));
    TRY(same(checking, info, "onset", ""));
    if (code != NULL) {
        TRY(same(checking, code, "value", measure(terms, checking->reading, item)));
    }
    TRY(check_parameters(checking, info, item));
    return check_area(checking, info);
}

static enum rc check_alert(const struct checking *checking, const struct _xmlNode *alert)
{
    const struct cap_terms *terms = checking->terms;
    unsigned item = 0;

    TRY(same(checking, alert, "identifier", fact(checking->reading, "header.message_id")));
    TRY(same(checking, alert, "sender", terms->sender));
    TRY(same(checking, alert, "sent", checking->facts->sent));
    TRY(same(checking, alert, "addresses", terms->addresses));
    TRY(same(checking, alert, "references", checking->facts->reference));
    TRY(same(checking, alert, "incidents", fact(checking->reading, "header.exchange_id")));
    for (const struct _xmlNode *at = xml_child(alert, "info"); at != NULL;
         at = xml_next(at, "info")) {
        if (item == info_count(checking->reading)) {
            return refused_at(checking, "info");
        }
        TRY(check_info(checking, at, item++));
    }
    return RC_OK;
}

enum rc cap_check(const struct cap_terms *terms, const struct reading *reading,
                  const struct cap_facts *facts, const struct xml_schema *schema, struct bytes text,
                  struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN_PTR(xml) xml = NULL;
    struct checking checking = {terms, reading, facts, arena, fault};

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(xml_read(text, schema, &xml, fault));
    if (memmem(text.data, text.size, "<!--", 4) != NULL) {
        return refused_at(&checking, "comment");
    }
    return check_alert(&checking, xml_root(xml));
}
