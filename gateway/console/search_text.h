/*
 * search_text - what a person types to find records, as a question to the log.
 *
 *     agencia:ssc estado:aceptada desde:01/11/2026 hasta:hoy tipo:solicitud folio:0193e2a1-…
 *
 * Words with an operator, in any order, each operator once; a bare id is a folio. Days are those of
 * Mexico City, `hasta` includes its own: dd/mm/aaaa, aaaa-mm-dd, hoy, ayer. Upper case and accents
 * do not matter. Refused with the word, and the nearest that is known: search.operator,
 * search.value, search.repeated, search.conflict, search.too_long.
 *
 * Pure; any thread.
 */
#ifndef CONSOLE_SEARCH_TEXT_H
#define CONSOLE_SEARCH_TEXT_H

#include "rpc/codec_service.h"

struct arena;

#define SEARCH_TEXT_MAX 512

/* Where a short code belongs ("cdmx"), and what today is. */
struct search_home {
    const char *network;
    int64_t now_ms;
};

/* Sets what the text names and leaves the rest at "any". Texts live in the arena. */
MUST_CHECK enum rc search_text_parse(const char *text, const struct search_home *home,
                                     struct arena *arena, struct audit_query *query,
                                     struct fault *fault);

/* The words of an operator ("tipo", "estado"), for help; NULL ends them. NULL: takes any. */
const char *const *search_text_words(const char *operator);

#endif
