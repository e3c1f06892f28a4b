/*
 * directory_value - what stands after a key in the directory's text, each kind with its complaint.
 *
 * All return RC_INVALID_ARGUMENT after writing "file:line: ... expected ..." to the reading's
 * error. Used by the directory_* files only.
 */
#ifndef POLICY_DIRECTORY_VALUE_H
#define POLICY_DIRECTORY_VALUE_H

#include <stdbool.h>

#include "model/directory.h"

struct reading;

/* A name that another stanza must define, known only once all are read. */
enum reference_kind { REFERENCE_MEMBER, REFERENCE_NODE, REFERENCE_BASIS, REFERENCE_AVISO };

struct reference {
    enum reference_kind kind;
    uint16_t text;
    unsigned line;
    char to[CODE_SIZE];
};

__attribute__((format(printf, 3, 4))) enum rc complain(struct reading *reading, unsigned line,
                                                       const char *format, ...);
/* The same about a line of any of the texts. */
__attribute__((format(printf, 4, 5))) enum rc complain_in(struct reading *reading, uint16_t text,
                                                          unsigned line, const char *format, ...);
/* "WORD": expected WHAT, did you mean NEAR?  near may be NULL. */
enum rc complain_near(struct reading *reading, const char *what, const char *word,
                      const char *near);

/* Letters, digits, "-" and "."; fits CODE_SIZE. */
bool value_is_id(const char *value);
/* Letters, digits and those of `also`; fits size with its NUL. */
MUST_CHECK enum rc value_word(struct reading *reading, const char *value, const char *also,
                              char *out, size_t size);
MUST_CHECK enum rc value_sha256(struct reading *reading, const char *value, uint8_t out[HASH_SIZE]);
MUST_CHECK enum rc value_yes(struct reading *reading, const char *value, const char *no,
                             const char *yes, bool *out);
/* "DATE..DATE" */
MUST_CHECK enum rc value_dates(struct reading *reading, const char *value, struct dates *dates);
/* Copies the name, and remembers that it must be defined. */
MUST_CHECK enum rc value_refer(struct reading *reading, enum reference_kind kind, const char *value,
                               char out[CODE_SIZE]);

#endif
