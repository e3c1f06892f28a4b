#include "console/search_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "model/lifecycle.h"

#define DAY_S ((int64_t)24 * 3600)
/* Mexico City's midnight in UTC. */
#define MIDNIGHT_S ((int64_t)6 * 3600)
#define WORD_MAX 96

struct search {
    const struct search_home *home;
    struct arena *arena;
    struct audit_query *query;
    struct fault *fault;
};

struct meaning {
    enum record_kind kind;
    enum message_type type;
    enum event event;
};

static const char *const types[] = {
    "canalizacion", "solicitud",   "cambio", "apoyo",   "consulta",       "reporte",   "acto",
    "retiro",       "aviso",       "cifras", "lectura", "fin-de-lectura", "auditoria", "directorio",
    "supresion",    "vulneracion", "epoca",  "latido",  "orden",          "retencion", NULL,
};
static const struct meaning type_meanings[] = {
    {.type = MESSAGE_REFERRAL},
    {.type = MESSAGE_MEASURE_REQUEST},
    {.type = MESSAGE_MEASURE_CHANGE},
    {.type = MESSAGE_SUPPORT_REQUEST},
    {.type = MESSAGE_CONSULTATION},
    {.type = MESSAGE_STATUS_REPORT},
    {.type = MESSAGE_ACT},
    {.type = MESSAGE_RECALL},
    {.type = MESSAGE_NOTICE},
    {.type = MESSAGE_AGGREGATE},
    {.kind = RECORD_READING},
    {.kind = RECORD_READING_ENDED},
    {.kind = RECORD_AUDIT_CLOSED},
    {.kind = RECORD_DIRECTORY},
    {.kind = RECORD_ERASURE},
    {.kind = RECORD_BREACH},
    {.kind = RECORD_EPOCH},
    {.kind = RECORD_HEARTBEAT},
    {.kind = RECORD_ORDER},
    {.kind = RECORD_HOLD},
};

static const char *const states[] = {
    "enviada",   "recibida",  "rehusada",  "custodia",   "aceptada",   "declinada",
    "en-curso",  "en-vigor",  "terminada", "confirmada", "inconforme", "cerrada",
    "en-espera", "reanudada", "fallida",   "purgada",    "conservada", "capturada-por-error",
    NULL,
};
static const struct meaning state_meanings[] = {
    {.kind = RECORD_SENT},    {.kind = RECORD_RECEIVED}, {.kind = RECORD_REFUSED},
    {.event = EVENT_CUSTODY}, {.event = EVENT_ACCEPT},   {.event = EVENT_DECLINE},
    {.event = EVENT_START},   {.event = EVENT_IN_FORCE}, {.event = EVENT_END},
    {.event = EVENT_CONFIRM}, {.event = EVENT_DISPUTE},  {.event = EVENT_CLOSE},
    {.event = EVENT_HOLD},    {.event = EVENT_RESUME},   {.event = EVENT_FAIL},
    {.event = EVENT_PURGE},   {.event = EVENT_KEEP},     {.event = EVENT_ENTERED_IN_ERROR},
};
_Static_assert(sizeof types / sizeof types[0] == sizeof type_meanings / sizeof type_meanings[0] + 1,
               "a meaning for each type");
_Static_assert(sizeof states / sizeof states[0] ==
                   sizeof state_meanings / sizeof state_meanings[0] + 1,
               "a meaning for each state");

/* ---- words ---- */

/* Lower case without accents: "Canalización" is "canalizacion". False: longer than any word. */
static bool fold(struct bytes text, char out[WORD_MAX])
{
    static const struct {
        const char *accented;
        char plain;
    } letters[] = {{"á", 'a'}, {"é", 'e'}, {"í", 'i'}, {"ó", 'o'}, {"ú", 'u'}, {"ü", 'u'},
                   {"Á", 'a'}, {"É", 'e'}, {"Í", 'i'}, {"Ó", 'o'}, {"Ú", 'u'}};
    size_t used = 0;

    for (size_t i = 0; i < text.size; i++) {
        char letter = (char)tolower(text.data[i]);

        for (size_t j = 0; i + 1 < text.size && j < sizeof letters / sizeof letters[0]; j++) {
            if (memcmp(text.data + i, letters[j].accented, 2) == 0) {
                letter = letters[j].plain;
                i++;
                break;
            }
        }
        if (used + 1 >= WORD_MAX) {
            return false;
        }
        out[used++] = letter;
    }
    out[used] = '\0';
    return true;
}

static enum rc refuse_value(struct search *search, const char *operator, const char * value,
                            const char *const *known)
{
    const char *nearest = known != NULL ? conf_nearest(value, known) : NULL;

    if (nearest != NULL) {
        return refuse(search->fault, RC_INVALID_ARGUMENT, "search.value", operator,
                      "«%.40s» no se conoce en «%s:»; ¿quiso decir «%s»?", value, operator,
                      nearest);
    }
    return refuse(search->fault, RC_INVALID_ARGUMENT, "search.value", operator,
                  "«%.40s» no sirve en «%s:»; vea la ayuda de la búsqueda.", value, operator);
}

/* Of one record: it has one kind, and only an act has an event. */
static bool is_against(const struct audit_query *query, const struct meaning *meaning)
{
    bool is_other_type = query->type != MESSAGE_NONE && query->type != MESSAGE_ACT;

    return (meaning->kind != RECORD_NONE && query->kind != RECORD_NONE) ||
           (meaning->event != EVENT_NONE && is_other_type) ||
           (meaning->type != MESSAGE_NONE && meaning->type != MESSAGE_ACT &&
            query->event != EVENT_NONE);
}

static enum rc mean(struct search *search, const char *operator, const char * value,
                    const char *const *known, const struct meaning *meanings)
{
    struct audit_query *query = search->query;
    const struct meaning *meaning;
    size_t at = 0;

    while (known[at] != NULL && strcmp(known[at], value) != 0) {
        at++;
    }
    if (known[at] == NULL) {
        return refuse_value(search, operator, value, known);
    }
    meaning = &meanings[at];
    if (is_against(query, meaning)) {
        return refuse(
            search->fault, RC_INVALID_ARGUMENT, "search.conflict", operator,
            "«%s:%s» no puede darse junto con lo demás que pide: quite uno de los dos.", operator,
            value);
    }
    query->kind = meaning->kind != RECORD_NONE ? meaning->kind : query->kind;
    query->type = meaning->type != MESSAGE_NONE ? meaning->type : query->type;
    query->event = meaning->event != EVENT_NONE ? meaning->event : query->event;
    if (query->event != EVENT_NONE) {
        query->type = MESSAGE_ACT;
    }
    return RC_OK;
}

/* ---- operators ---- */

static enum rc take_agency(struct search *search, const char *operator, const char * value)
{
    char member[2 * WORD_MAX];

    if (value[0] == '\0' ||
        strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-/") != strlen(value)) {
        return refuse_value(search, operator, value, NULL);
    }
    snprintf(member, sizeof member, "%s%s%s",
             strchr(value, '/') == NULL ? search->home->network : "",
             strchr(value, '/') == NULL ? "/" : "", value);
    search->query->member = arena_text(search->arena, bytes_text(member));
    return search->query->member != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc take_type(struct search *search, const char *operator, const char * value)
{
    return mean(search, operator, value, types, type_meanings);
}

static enum rc take_state(struct search *search, const char *operator, const char * value)
{
    return mean(search, operator, value, states, state_meanings);
}

static enum rc take_folio(struct search *search, const char *operator, const char * value)
{
    if (id_parse(value, &search->query->exchange_id) != RC_OK) {
        return refuse(search->fault, RC_INVALID_ARGUMENT, "search.value", operator,
                      "La bitácora no guarda el folio en papel: búsquelo por el identificador del "
                      "intercambio, como 0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11.");
    }
    return RC_OK;
}

/* "23/11/2026" or "2026-11-23". */
static bool read_date(const char *value, int32_t *day)
{
    char turned[11];

    if (strlen(value) == 10 && value[2] == '/' && value[5] == '/') {
        snprintf(turned, sizeof turned, "%.4s-%.2s-%.2s", value + 6, value + 3, value);
        return clock_parse_date(bytes_text(turned), day) == RC_OK;
    }
    return clock_parse_date(bytes_text(value), day) == RC_OK;
}

static enum rc read_day(struct search *search, const char *operator, const char * value,
                        int64_t *midnight_s)
{
    int32_t today = clock_local_day(search->home->now_ms);
    int32_t day = today;

    if (strcmp(value, "ayer") == 0) {
        day = today - 1;
    } else if (strcmp(value, "hoy") != 0 && (!read_date(value, &day) || day <= 0)) {
        return refuse(search->fault, RC_INVALID_ARGUMENT, "search.value", operator,
                      "«%.40s» no es una fecha: escriba dd/mm/aaaa, hoy o ayer.", value);
    }
    *midnight_s = day * DAY_S + MIDNIGHT_S;
    return RC_OK;
}

static enum rc take_from(struct search *search, const char *operator, const char * value)
{
    return read_day(search, operator, value, &search->query->from_s);
}

static enum rc take_to(struct search *search, const char *operator, const char * value)
{
    TRY(read_day(search, operator, value, &search->query->to_s));
    search->query->to_s += DAY_S;
    return RC_OK;
}

static const char *const names[] = {"agencia", "estado", "desde", "hasta", "folio", "tipo", NULL};
static enum rc (*const takers[])(struct search *search, const char *operator,
                                 const char * value) = {
    take_agency, take_state, take_from, take_to, take_folio, take_type,
};

const char *const *search_text_words(const char *operator)
{
    return strcmp(operator, "tipo") == 0 ? types : strcmp(operator, "estado") == 0 ? states : NULL;
}

/* ---- the text ---- */

static enum rc take_word(struct search *search, char word[WORD_MAX], unsigned *seen)
{
    char *colon = strchr(word, ':');
    const char *operator= colon != NULL ? word : "folio";
    const char *value = colon != NULL ? colon + 1 : word;
    size_t at = 0;
    struct id id;

    if (colon != NULL) {
        *colon = '\0';
    } else if (id_parse(word, &id) != RC_OK) {
        return refuse(search->fault, RC_INVALID_ARGUMENT, "search.operator", "",
                      "«%.40s» va sin operador: escriba, por ejemplo, agencia:%.20s.", word, word);
    }
    while (names[at] != NULL && strcmp(names[at], operator) != 0) {
        at++;
    }
    if (names[at] == NULL) {
        const char *nearest = conf_nearest(operator, names);

        return refuse(search->fault, RC_INVALID_ARGUMENT, "search.operator", "",
                      "«%.40s:» no es un operador%s%s%s.", operator,
                      nearest != NULL ? "; ¿quiso decir «" : "", nearest != NULL ? nearest : "",
                      nearest != NULL ? ":»?"
                                      : ": use agencia, estado, desde, hasta, folio o tipo");
    }
    if ((*seen >> at & 1) != 0) {
        return refuse(search->fault, RC_INVALID_ARGUMENT, "search.repeated", names[at],
                      "«%s:» va una sola vez.", names[at]);
    }
    *seen |= 1u << at;
    return takers[at](search, names[at], value);
}

enum rc search_text_parse(const char *text, const struct search_home *home, struct arena *arena,
                          struct audit_query *query, struct fault *fault)
{
    struct search search = {home, arena, query, fault};
    unsigned seen = 0;

    if (strlen(text) > SEARCH_TEXT_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "search.too_long", "",
                      "La búsqueda es demasiado larga.");
    }
    for (const char *at = text + strspn(text, " \t\n"); *at != '\0'; at += strspn(at, " \t\n")) {
        size_t size = strcspn(at, " \t\n");
        char word[WORD_MAX];

        if (!fold(BYTES(at, size), word)) {
            return refuse(fault, RC_INVALID_ARGUMENT, "search.too_long", "",
                          "Una palabra de la búsqueda es demasiado larga.");
        }
        TRY(take_word(&search, word, &seen));
        at += size;
    }
    if (query->to_s != 0 && query->from_s >= query->to_s) {
        return refuse(fault, RC_INVALID_ARGUMENT, "search.conflict", "desde",
                      "«desde» es posterior a «hasta»: cámbielos.");
    }
    return RC_OK;
}
