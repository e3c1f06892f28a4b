/*
 * xml - documents of agencies, read strictly and written whole (libxml2).
 *
 * Reading: UTF-8, at most XML_BYTES_MAX, no document type, no entity but the five of XML itself, no
 * processing instruction, no network, at most XML_DEPTH_MAX deep, and valid by an XSD that stands
 * in the repository. Refusals: "xml.too_long", "xml.malformed" (with the line), "xml.doctype",
 * "xml.depth", "xml.invalid" (with the line and what the schema expected, without any value).
 *
 * A schema is constant once loaded and may be used by one thread at a time; a document belongs to
 * whoever read it.
 */
#ifndef SDK_XML_H
#define SDK_XML_H

#include "base/bytes.h"
#include "base/own.h"

#define XML_BYTES_MAX ((size_t)1 << 20)
#define XML_DEPTH_MAX 16

struct arena;
struct xml;
struct xml_schema;
struct _xmlNode; /* libxml2's, borrowed from its document */

MUST_CHECK enum rc xml_schema_load(const char *path, struct xml_schema **schema,
                                   struct fault *fault);
void xml_schema_free(struct xml_schema *schema);
OWN_PTR_DEFINE(xml_schema)

/* ---- reading ---- */

MUST_CHECK enum rc xml_read(struct bytes text, const struct xml_schema *schema, struct xml **xml,
                            struct fault *fault);
void xml_free(struct xml *xml);
OWN_PTR_DEFINE(xml)

const struct _xmlNode *xml_root(const struct xml *xml);
bool xml_is(const struct _xmlNode *node, const char *name);
/* The first child element of that name, and the next after it; NULL: none. */
const struct _xmlNode *xml_child(const struct _xmlNode *node, const char *name);
const struct _xmlNode *xml_next(const struct _xmlNode *node, const char *name);
/* Text of a child element, trimmed; "" when there is none. Lives in the arena. */
const char *xml_text(const struct _xmlNode *node, const char *name, struct arena *arena);
/* Of an attribute; likewise. */
const char *xml_attribute(const struct _xmlNode *node, const char *name, struct arena *arena);

/* ---- writing ---- */

struct xml_writer;

/* The root element with its namespace as the default one. NULL when out of memory. */
struct xml_writer *xml_writer_new(const char *root, const char *name_space);
void xml_writer_free(struct xml_writer *writer);
OWN_PTR_DEFINE(xml_writer)
void xml_open(struct xml_writer *writer, const char *name);
void xml_close(struct xml_writer *writer);
void xml_put_attribute(struct xml_writer *writer, const char *name, const char *value);
/* An element with a text; nothing when the text is "". */
void xml_put(struct xml_writer *writer, const char *name, const char *text);
/*
 * Closes what is open, checks the whole against the schema, appends it. RC_INVALID_ARGUMENT
 * "xml.invalid": what we wrote is not what the schema allows.
 */
MUST_CHECK enum rc xml_finish(struct xml_writer *writer, const struct xml_schema *schema,
                              struct buffer *out, struct fault *fault);

#endif
