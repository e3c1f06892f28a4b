#include "workload/tally.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/directory.h"

#define RECORDS_MAX 1000000
#define MECHANISM "cdmx/mpi-cdmx"

/* What is kept of a record; 1,502 units and some thousand acts make a small array. */
struct counted {
    enum record_kind kind;
    enum message_type type;
    struct id exchange_id;
    uint32_t item;
    uint32_t occurrence;
    bool is_child;    /* its own record or its exchange's opening names a parent */
    bool is_recalled; /* its exchange is taken back */
    bool is_in_time;  /* occurred up to the last day */
    bool is_repeated;
    char code[32];
    char from[CODE_SIZE];
    char node[CODE_SIZE];
    uint8_t commitment[HASH_SIZE];
};

struct tally {
    char last_day[16];
    struct counted *records;
    size_t count;
    size_t capacity;
    size_t *units; /* records that count, in the order of exchange, item, occurrence */
    size_t unit_count;
    size_t refused;
};

struct tally *tally_new(const char *last_day)
{
    struct tally *tally = calloc(1, sizeof *tally);

    if (tally != NULL) {
        snprintf(tally->last_day, sizeof tally->last_day, "%s", last_day);
    }
    return tally;
}

void tally_free(struct tally *tally)
{
    if (tally != NULL) {
        free(tally->records);
        free(tally->units);
        free(tally);
    }
}

static enum rc grow(struct tally *tally)
{
    size_t capacity = tally->capacity == 0 ? 4096 : tally->capacity * 2;
    struct counted *records;

    if (tally->count < tally->capacity) {
        return RC_OK;
    }
    if (tally->count >= RECORDS_MAX) {
        return RC_RESOURCE_EXHAUSTED;
    }
    records = realloc(tally->records, capacity * sizeof *records);
    if (records == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    tally->records = records;
    tally->capacity = capacity;
    return RC_OK;
}

enum rc tally_add(struct tally *tally, const char *node, const struct record *record)
{
    struct counted *counted;

    if (record->kind == RECORD_REFUSED) {
        tally->refused++;
    }
    if (record->kind != RECORD_RECEIVED && record->kind != RECORD_SENT) {
        return RC_OK;
    }
    if (record->message_commitment.size != HASH_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(grow(tally));
    counted = &tally->records[tally->count++];
    *counted = (struct counted){.kind = record->kind,
                                .type = record->type,
                                .exchange_id = record->exchange_id,
                                .item = record->item,
                                .occurrence = record->occurrence,
                                .is_child = !id_is_zero(&record->parent_exchange_id)};
    /* Dates are "2019-06-03": their order is that of their texts. */
    counted->is_in_time =
        record->occurred_on[0] != '\0' && strcmp(record->occurred_on, tally->last_day) <= 0;
    snprintf(counted->code, sizeof counted->code, "%s", record->catalogue_code);
    snprintf(counted->from, sizeof counted->from, "%s", record->from);
    snprintf(counted->node, sizeof counted->node, "%s", node);
    memcpy(counted->commitment, record->message_commitment.data, HASH_SIZE);
    return RC_OK;
}

/* ---- order ---- */

static int order_occurrences(const struct counted *a, const struct counted *b)
{
    int order = memcmp(a->exchange_id.bytes, b->exchange_id.bytes, ID_SIZE);

    if (order == 0) {
        order = (a->item > b->item) - (a->item < b->item);
    }
    return order != 0 ? order : (a->occurrence > b->occurrence) - (a->occurrence < b->occurrence);
}

static int compare_counted(const void *a, const void *b)
{
    return order_occurrences(a, b);
}

static bool is_opening(const struct counted *counted)
{
    return counted->type == MESSAGE_REFERRAL || counted->type == MESSAGE_MEASURE_REQUEST ||
           counted->type == MESSAGE_SUPPORT_REQUEST;
}

static bool is_received(const struct counted *counted, enum message_type type)
{
    return counted->kind == RECORD_RECEIVED && counted->type == type;
}

static bool counts(const struct counted *counted)
{
    return is_received(counted, MESSAGE_STATUS_REPORT) && counted->is_in_time;
}

/* Records are sorted: those of one exchange stand together, and say of it what one of them says. */
static void spread_over_exchanges(struct tally *tally)
{
    for (size_t i = 0; i < tally->count;) {
        const struct id exchange = tally->records[i].exchange_id;
        bool is_child = false;
        bool is_recalled = false;
        size_t end = i;

        for (; end < tally->count && id_equal(&tally->records[end].exchange_id, &exchange); end++) {
            is_child =
                is_child || (is_opening(&tally->records[end]) && tally->records[end].is_child);
            is_recalled = is_recalled || tally->records[end].type == MESSAGE_RECALL;
        }
        for (; i < end; i++) {
            tally->records[i].is_child = is_child;
            tally->records[i].is_recalled = is_recalled;
        }
    }
}

void tally_end(struct tally *tally)
{
    const struct counted *last = NULL;

    if (tally->count > 0) {
        qsort(tally->records, tally->count, sizeof *tally->records, compare_counted);
    }
    spread_over_exchanges(tally);
    tally->units = calloc(tally->count + 1, sizeof *tally->units);
    assert(tally->units != NULL);
    for (size_t i = 0; i < tally->count; i++) {
        struct counted *counted = &tally->records[i];

        if (!counts(counted)) {
            continue;
        }
        counted->is_repeated = last != NULL && order_occurrences(last, counted) == 0;
        last = counted;
        if (!counted->is_repeated && !counted->is_child) {
            tally->units[tally->unit_count++] = i;
        }
    }
}

/* ---- figures ---- */

const char *tally_class(const char *code)
{
    static const struct {
        const char *prefix;
        const char *name;
    } classes[] = {
        {"URG-", "acciones.urgente"},      {"PRV-", "acciones.prevencion"},
        {"SOC-", "acciones.social"},       {"PRO-", "acciones.proteccion"},
        {"ATN-", "acciones.canalizacion"}, {"CAN-", "acciones.canalizacion"},
        {"FED-", "acciones.federal"},
    };

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strncmp(code, classes[i].prefix, 4) == 0) {
            return classes[i].name;
        }
    }
    return "acciones.otras";
}

static bool is_own(const char *code)
{
    const char *class = tally_class(code);

    return strcmp(class, "acciones.canalizacion") != 0 && strcmp(class, "acciones.federal") != 0;
}

static const struct counted *unit_at(const struct tally *tally, size_t n)
{
    return &tally->records[tally->units[n]];
}

/* Named by constant texts, because figures borrow their names. */
static const char *executor_name(const char *member)
{
    static const char *const names[] = {
        "ejecutor.cdmx/ssc",      "ejecutor.cdmx/c5",    "ejecutor.cdmx/pgj",
        "ejecutor.cdmx/sedesa",   "ejecutor.cdmx/ceavi", "ejecutor.cdmx/saf",
        "ejecutor.cdmx/mpi-cdmx",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i] + strlen("ejecutor."), member) == 0) {
            return names[i];
        }
    }
    return "ejecutor.otros";
}

void tally_bump_unit(const struct tally_unit *unit, struct figures *figures)
{
    figures_bump(figures, "acciones.total", 1);
    figures_bump(figures, tally_class(unit->code), 1);
    if (is_own(unit->code)) {
        figures_bump(figures, executor_name(unit->from), 1);
    }
}

static void count_units(const struct tally *tally, struct figures *figures)
{
    const struct counted *last = NULL;

    for (size_t i = 0; i < tally->unit_count; i++) {
        const struct counted *unit = unit_at(tally, i);

        struct tally_unit counted;

        (void)tally_unit(tally, i, &counted);
        tally_bump_unit(&counted, figures);
        if (!is_own(unit->code)) {
            continue;
        }
        if (last == NULL || !id_equal(&last->exchange_id, &unit->exchange_id) ||
            last->item != unit->item) {
            figures_bump(figures, "medidas.total", 1);
        }
        last = unit;
    }
}

static void count_exchanges(const struct tally *tally, struct figures *figures)
{
    for (size_t i = 0; i < tally->count; i++) {
        const struct counted *counted = &tally->records[i];

        if (is_received(counted, MESSAGE_REFERRAL) && strcmp(counted->from, MECHANISM) != 0) {
            figures_bump(figures, "canalizaciones.de-instituciones", 1);
            continue;
        }
        if (counted->kind != RECORD_RECEIVED || !is_opening(counted) || !counted->is_in_time) {
            continue;
        }
        figures_bump(figures, "intercambios.total", 1);
        if (counted->is_child) {
            figures_bump(figures, "intercambios.hijos", 1);
        } else if (counted->type == MESSAGE_REFERRAL) {
            figures_bump(figures, "intercambios.canalizaciones", 1);
        } else if (counted->type == MESSAGE_SUPPORT_REQUEST) {
            figures_bump(figures, "intercambios.apoyos", 1);
        } else {
            figures_bump(figures, "intercambios.propios", 1);
        }
    }
}

void tally_figures(const struct tally *tally, struct figures *figures)
{
    count_units(tally, figures);
    count_exchanges(tally, figures);
}

/* ---- faults ---- */

static int compare_commitments(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* The commitments of all sent records, sorted; *count of them. The caller frees. */
static uint8_t (*sent_commitments(const struct tally *tally, size_t *count))[HASH_SIZE]
{
    uint8_t(*sent)[HASH_SIZE] = calloc(tally->count + 1, HASH_SIZE);
    size_t n = 0;

    assert(sent != NULL);
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->records[i].kind == RECORD_SENT) {
            memcpy(sent[n++], tally->records[i].commitment, HASH_SIZE);
        }
    }
    qsort(sent, n, HASH_SIZE, compare_commitments);
    *count = n;
    return sent;
}

void tally_find_faults(const struct tally *tally, struct tally_faults *faults)
{
    size_t sent_count;
    uint8_t(*sent)[HASH_SIZE] = sent_commitments(tally, &sent_count);

    *faults = (struct tally_faults){.refused = tally->refused};
    for (size_t i = 0; i < tally->count; i++) {
        const struct counted *counted = &tally->records[i];

        /* Nodes tell of clocks by themselves, as time passes; how far an exchange had come when it
         * was taken back is a matter of moments. */
        faults->messages += counted->type != MESSAGE_NOTICE && !counted->is_recalled;
        faults->repeated += counted->is_repeated;
        faults->of_children += counts(counted) && counted->is_child;
        if (counted->kind == RECORD_RECEIVED) {
            faults->received++;
            faults->unpaired += bsearch(counted->commitment, sent, sent_count, HASH_SIZE,
                                        compare_commitments) == NULL;
        }
    }
    free(sent);
}

bool tally_has_received(const struct tally *tally, const char *node,
                        const uint8_t commitment[HASH_SIZE])
{
    for (size_t i = 0; i < tally->count; i++) {
        const struct counted *counted = &tally->records[i];

        if (counted->kind == RECORD_RECEIVED && strcmp(counted->node, node) == 0 &&
            memcmp(counted->commitment, commitment, HASH_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

bool tally_unit(const struct tally *tally, size_t n, struct tally_unit *unit)
{
    const struct counted *counted;

    if (n >= tally->unit_count) {
        return false;
    }
    counted = unit_at(tally, n);
    *unit = (struct tally_unit){.commitment = counted->commitment,
                                .from = counted->from,
                                .node = counted->node,
                                .exchange_id = counted->exchange_id,
                                .item = counted->item,
                                .occurrence = counted->occurrence,
                                .code = counted->code};
    return true;
}
