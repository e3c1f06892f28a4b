#include "sdk/xml.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"

/* No network, no DTD, no entities replaced, no errors on standard error. */
#define READ_FLAGS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

struct xml_schema {
    xmlSchemaPtr schema;
};

struct xml {
    xmlDocPtr doc;
};

struct xml_writer {
    xmlBufferPtr text;
    xmlTextWriterPtr writer;
    bool is_failed;
};

static enum rc refused(struct fault *fault, const char *reason, int line, const char *what)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "Línea %d: %s", line, what);
}

/* ---- schemas ---- */

enum rc xml_schema_load(const char *path, struct xml_schema **schema, struct fault *fault)
{
    xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(path);
    struct xml_schema *made = calloc(1, sizeof *made);

    if (parser != NULL && made != NULL) {
        xmlSchemaSetParserErrors(parser, NULL, NULL, NULL);
        made->schema = xmlSchemaParse(parser);
    }
    xmlSchemaFreeParserCtxt(parser);
    if (made == NULL || made->schema == NULL) {
        free(made);
        return refuse(fault, RC_FAILED_PRECONDITION, "xml.schema", path,
                      "No se puede leer el esquema XSD.");
    }
    *schema = made;
    return RC_OK;
}

void xml_schema_free(struct xml_schema *schema)
{
    if (schema != NULL) {
        xmlSchemaFree(schema->schema);
        free(schema);
    }
}

struct complaint {
    int line;
    int code;
};

/* The first complaint counts; libxml2's text repeats values, so only its code is kept. */
static void on_complaint(void *user, xmlErrorPtr error)
{
    struct complaint *complaint = user;

    if (complaint->code == 0) {
        complaint->line = error->line;
        complaint->code = error->code;
    }
}

static enum rc validate(xmlDocPtr doc, const struct xml_schema *schema, struct fault *fault)
{
    xmlSchemaValidCtxtPtr context = xmlSchemaNewValidCtxt(schema->schema);
    struct complaint complaint = {0};
    int result = -1;

    if (context != NULL) {
        xmlSchemaSetValidStructuredErrors(context, on_complaint, &complaint);
        result = xmlSchemaValidateDoc(context, doc);
    }
    xmlSchemaFreeValidCtxt(context);
    if (result == 0) {
        return RC_OK;
    }
    return result < 0 ? RC_RESOURCE_EXHAUSTED
                      : refuse(fault, RC_INVALID_ARGUMENT, "xml.invalid", "",
                               "Línea %d: no es lo que el esquema permite (regla %d de libxml2); "
                               "compruebe con xmllint --schema.",
                               complaint.line, complaint.code);
}

/* ---- reading ---- */

static enum rc check_node(const xmlNode *node, int depth, struct fault *fault)
{
    for (; node != NULL; node = node->next) {
        if (depth > XML_DEPTH_MAX) {
            return refused(fault, "xml.depth", (int)xmlGetLineNo((xmlNode *)node),
                           "está anidado más de 16 veces.");
        }
        if (node->type == XML_PI_NODE || node->type == XML_ENTITY_REF_NODE ||
            node->type == XML_DTD_NODE) {
            return refused(fault, "xml.doctype", (int)xmlGetLineNo((xmlNode *)node),
                           "no se aceptan DOCTYPE, entidades ni instrucciones.");
        }
        TRY(check_node(node->children, depth + 1, fault));
    }
    return RC_OK;
}

/* Looked for in the bytes, before a parser that knows them sees any. */
static bool mentions_doctype(struct bytes text)
{
    return memmem(text.data, text.size, "<!DOCTYPE", 9) != NULL ||
           memmem(text.data, text.size, "<!ENTITY", 8) != NULL;
}

static enum rc parse(struct bytes text, xmlDocPtr *doc, struct fault *fault)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    int line;

    if (parser == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *doc = xmlCtxtReadMemory(parser, (const char *)text.data, (int)text.size, NULL, "UTF-8",
                             READ_FLAGS);
    line = parser->input != NULL ? parser->input->line : parser->lastError.line;
    xmlFreeParserCtxt(parser);
    return *doc != NULL ? RC_OK : refused(fault, "xml.malformed", line, "no es XML bien formado.");
}

enum rc xml_read(struct bytes text, const struct xml_schema *schema, struct xml **xml,
                 struct fault *fault)
{
    OWN_PTR(xml) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (text.size == 0 || text.size > XML_BYTES_MAX) {
        return refused(fault, "xml.too_long", 0, "está vacío o pasa de 1 MiB.");
    }
    if (mentions_doctype(text)) {
        return refused(fault, "xml.doctype", 1,
                       "no se aceptan DOCTYPE, entidades ni instrucciones.");
    }
    TRY(parse(text, &made->doc, fault));
    TRY(check_node(made->doc->children, 1, fault));
    TRY(validate(made->doc, schema, fault));
    *xml = MOVE(made);
    return RC_OK;
}

void xml_free(struct xml *xml)
{
    if (xml != NULL) {
        xmlFreeDoc(xml->doc);
        free(xml);
    }
}

const struct _xmlNode *xml_root(const struct xml *xml)
{
    return xmlDocGetRootElement(xml->doc);
}

bool xml_is(const struct _xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static const xmlNode *from(const xmlNode *node, const char *name)
{
    while (node != NULL && !xml_is(node, name)) {
        node = node->next;
    }
    return node;
}

const struct _xmlNode *xml_child(const struct _xmlNode *node, const char *name)
{
    return from(node->children, name);
}

const struct _xmlNode *xml_next(const struct _xmlNode *node, const char *name)
{
    return from(node->next, name);
}

/* The text nodes of an element or an attribute, trimmed. */
static const char *kept(const xmlNode *first, struct arena *arena)
{
    OWN(buffer) text = {0};
    const char *copy;
    const char *at;
    size_t length;

    for (const xmlNode *node = first; node != NULL; node = node->next) {
        if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
            buffer_put_bytes(&text, bytes_text((const char *)node->content));
        }
    }
    if (text.size == 0 || text.is_failed) {
        return "";
    }
    buffer_put_u8(&text, 0);
    at = (const char *)text.data + strspn((const char *)text.data, " \t\r\n");
    length = strlen(at);
    while (length > 0 && strchr(" \t\r\n", at[length - 1]) != NULL) {
        length--;
    }
    copy = arena_text(arena, BYTES(at, length));
    return copy != NULL ? copy : "";
}

const char *xml_text(const struct _xmlNode *node, const char *name, struct arena *arena)
{
    const xmlNode *child = xml_child(node, name);

    return child != NULL ? kept(child->children, arena) : "";
}

const char *xml_attribute(const struct _xmlNode *node, const char *name, struct arena *arena)
{
    const xmlAttr *attribute = xmlHasProp((xmlNode *)node, (const xmlChar *)name);

    return attribute != NULL ? kept(attribute->children, arena) : "";
}

/* ---- writing ---- */

struct xml_writer *xml_writer_new(const char *root, const char *name_space)
{
    OWN_PTR(xml_writer) made = calloc(1, sizeof *made);

    if (made == NULL || (made->text = xmlBufferCreate()) == NULL ||
        (made->writer = xmlNewTextWriterMemory(made->text, 0)) == NULL ||
        xmlTextWriterStartDocument(made->writer, "1.0", "UTF-8", NULL) < 0 ||
        xmlTextWriterStartElementNS(made->writer, NULL, (const xmlChar *)root,
                                    (const xmlChar *)name_space) < 0) {
        return NULL;
    }
    return MOVE(made);
}

void xml_writer_free(struct xml_writer *writer)
{
    if (writer != NULL) {
        xmlFreeTextWriter(writer->writer);
        xmlBufferFree(writer->text);
        free(writer);
    }
}

static void note(struct xml_writer *writer, int result)
{
    writer->is_failed = writer->is_failed || result < 0;
}

void xml_open(struct xml_writer *writer, const char *name)
{
    note(writer, xmlTextWriterStartElement(writer->writer, (const xmlChar *)name));
}

void xml_close(struct xml_writer *writer)
{
    note(writer, xmlTextWriterEndElement(writer->writer));
}

void xml_put_attribute(struct xml_writer *writer, const char *name, const char *value)
{
    note(writer, xmlTextWriterWriteAttribute(writer->writer, (const xmlChar *)name,
                                             (const xmlChar *)value));
}

void xml_put(struct xml_writer *writer, const char *name, const char *text)
{
    if (text[0] != '\0') {
        note(writer, xmlTextWriterWriteElement(writer->writer, (const xmlChar *)name,
                                               (const xmlChar *)text));
    }
}

enum rc xml_finish(struct xml_writer *writer, const struct xml_schema *schema, struct buffer *out,
                   struct fault *fault)
{
    OWN_PTR(xml) read_again = NULL;
    struct bytes text;

    note(writer, xmlTextWriterEndDocument(writer->writer));
    if (writer->is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    text = BYTES(xmlBufferContent(writer->text), (size_t)xmlBufferLength(writer->text));
    TRY(xml_read(text, schema, &read_again, fault));
    buffer_put_bytes(out, text);
    return out->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}
