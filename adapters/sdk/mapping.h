/*
 * mapping - how an agency says what we say: a file of data, so that another agency's variant of a
 * format is another file and no new code.
 *
 *     # comment; a line has at most 198 bytes
 *     [ajustes]
 *     purpose = proteccion
 *     [salida]                        their name = our path (client/reading), or "a text"
 *     FolioSolicitud = header.exchange_id
 *     Nombre = identity.full_name
 *     Origen = "MPI"
 *     [entrada]                       our path or word = their name
 *     exchange = FolioSolicitud
 *     [claves medida]                 our code = theirs; * for all others
 *     PRO-COD-VIG = CV
 *     * = OTRA
 *
 * Which settings, names and tables there must be is the adapter's; what it does not ask for is
 * refused (mapping_check), with the nearest word. Read before the first thread starts, constant
 * afterwards.
 */
#ifndef SDK_MAPPING_H
#define SDK_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/rc.h"
#include "client/reading.h"

#define MAPPING_NAME_SIZE 96
#define MAPPING_VALUE_SIZE 160
#define MAPPING_ROWS_MAX 512
#define MAPPING_ERROR_SIZE 1024

struct mapping;

struct mapping_row {
    char name[MAPPING_NAME_SIZE];
    char value[MAPPING_VALUE_SIZE];
    unsigned line;
};

/* RC_INVALID_ARGUMENT with `error` "file:line: name: what is wrong and what to do". */
MUST_CHECK enum rc mapping_read(const char *path, struct mapping **mapping,
                                char error[MAPPING_ERROR_SIZE]);
void mapping_free(struct mapping *mapping);
OWN_PTR_DEFINE(mapping)

/* What an adapter understands; lists end with NULL, and NULL lists are empty. */
struct mapping_words {
    const char *const *settings; /* all of them must be given; "name?" may be left out */
    const char *const *in;       /* likewise: our words of [entrada] */
    const char *const *tables;   /* [claves ...] */
    bool has_out;                /* [salida] is used: paths are checked against client/reading */
    bool takes_fields;           /* [entrada] may name fields, too: identity.full_name = NOMBRE */
};
MUST_CHECK enum rc mapping_check(const struct mapping *mapping, const struct mapping_words *words,
                                 char error[MAPPING_ERROR_SIZE]);

/* "" when it is not given. */
const char *mapping_setting(const struct mapping *mapping, const char *name);
/* Their name of one of our words in [entrada]; NULL: not given. */
const char *mapping_in(const struct mapping *mapping, const char *word);
/* The rows of [entrada], one after the other: *at begins at 0; NULL after the last. */
const struct mapping_row *mapping_in_row(const struct mapping *mapping, size_t *at);
/* The rows of [salida] in the order of the file. */
const struct mapping_row *mapping_out(const struct mapping *mapping, size_t *count);

/* Both ways through a table of codes; NULL: it has none ("*" stands for any on our side only). */
const char *mapping_theirs(const struct mapping *mapping, const char *table, const char *ours);
const char *mapping_ours(const struct mapping *mapping, const char *table, const char *theirs);

/*
 * What a row of [salida] says of a message. A value may name a table: "item.code | medida" goes
 * through [claves medida]. Never NULL.
 */
const char *mapping_text(const struct mapping *mapping, const struct mapping_row *row,
                         const struct reading *reading, struct reading_place place);

#endif
