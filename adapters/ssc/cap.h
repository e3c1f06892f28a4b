/*
 * cap - an alert of OASIS CAP 1.2: what it may say, and the check that nothing else goes out.
 *
 * Folio, measure code, alcaldía, deadline, and the token of the detail: never a name, a CURP, a
 * telephone, a street, a circle or a polygon. Written by cap_write from the header and the one
 * field location.alcaldia; cap_check reads the bytes again, as sent, and compares each text with
 * what the header and the terms say. Times carry the city's offset, never Z, never a fraction.
 *
 * Pure; any thread, with a schema of its own.
 */
#ifndef SSC_CAP_H
#define SSC_CAP_H

#include "client/reading.h"
#include "sdk/mapping.h"
#include "sdk/xml.h"

#define CAP_NAMESPACE "urn:oasis:names:tc:emergency:cap:1.2"
#define CAP_REFERENCE_SIZE 256

struct cap_terms {
    const struct mapping *mapping;
    const char *sender;
    const char *addresses;
    bool is_exercise;
};

/* What is not in the message. */
struct cap_facts {
    const char *sent;      /* with offset */
    const char *reference; /* "sender,identifier,sent" of the alert that it follows; "" none */
    const char *token;     /* "" none */
};

/* "Alert", "Update" or "Cancel", by [claves mensaje]; NULL: the table has none. */
const char *cap_type(const struct cap_terms *terms, const struct reading *reading);
/*
 * Appends the document, checked. RC_INVALID_ARGUMENT "cap.mapping": the mapping lacks a word;
 * "xml.invalid", "cap.refused": it says something that an alert may not.
 */
MUST_CHECK enum rc cap_write(const struct cap_terms *terms, const struct reading *reading,
                             const struct cap_facts *facts, const struct xml_schema *schema,
                             struct buffer *out, struct fault *fault);
/* The fault's path is the element; its value is told to nobody. */
MUST_CHECK enum rc cap_check(const struct cap_terms *terms, const struct reading *reading,
                             const struct cap_facts *facts, const struct xml_schema *schema,
                             struct bytes text, struct fault *fault);

#endif
