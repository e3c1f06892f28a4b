/*
 * directory_stanza - one stanza of the directory's text: which keys it takes, and what each must
 * be. Used by directory_file only; the format is described there.
 */
#ifndef POLICY_DIRECTORY_STANZA_H
#define POLICY_DIRECTORY_STANZA_H

#include "base/rc.h"
#include "model/directory.h"
#include "policy/directory_value.h"

enum stanza_kind {
    STANZA_NONE,
    STANZA_MEMBER,
    STANZA_NODE,
    STANZA_SYSTEM,
    STANZA_OFFICIAL,
    STANZA_AUDITOR,
    STANZA_CONVENIO,
    STANZA_LAW,
    STANZA_AVISO,
    STANZA_ROUTE,
    STANZA_AUTHORITY,
    STANZA_QUORUM,
    STANZA_LIFT,
    STANZA_HOLIDAYS,
    STANZAS
};

/* References that one route makes at most: from, to, basis, aviso and its ladder. */
#define REFERENCES_OF_ROUTE (4 + ROUTE_LADDER_MAX)

struct stanza {
    enum stanza_kind kind;
    unsigned line;
    uint64_t given; /* bit per row of the table of keys */
    struct dates in_force;
    uint8_t document[HASH_SIZE];
    struct member member;
    struct node_entry node;
    struct identity identity;
    struct basis basis;
    struct aviso aviso;
    struct route route;
    struct authority authority;
    struct lift lift;
    struct holiday_year holidays;
    unsigned quorum;
};

/* Reading of the texts of one directory, one after the other. */
struct reading {
    const char *name; /* the file's */
    char *error;
    unsigned line; /* now being read */
    uint16_t text; /* its place in directory->texts */
    const struct directory_source *sources;
    struct directory *directory;
    struct stanza stanza;
    struct reference *references;
    size_t reference_count;
    size_t reference_max;
};

/* STANZA_NONE: no such kind. */
enum stanza_kind stanza_kind_of(const char *word);
const char *stanza_kind_near(const char *word);

/* "kind id": forgets the former stanza. */
MUST_CHECK enum rc stanza_open(struct reading *reading, enum stanza_kind kind, const char *id);
/* "key value", without the indentation. */
MUST_CHECK enum rc stanza_key(struct reading *reading, char *line);
/* All that is required was given and fits together; the rows in `stanza` are complete then. */
MUST_CHECK enum rc stanza_close(struct reading *reading);

#endif
