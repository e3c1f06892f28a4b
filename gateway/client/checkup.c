#include "client/checkup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

/* Longer than this in a queue and somebody should look. */
#define URGENT_WAIT_S 10
#define ORDINARY_WAIT_S (30 * MINUTE)
#define INDEX_BEHIND 100000

void span_text(int64_t seconds, char out[SPAN_SIZE])
{
    if (seconds < 2 * MINUTE) {
        snprintf(out, SPAN_SIZE, "%" PRId64 " s", seconds);
    } else if (seconds < 2 * HOUR) {
        snprintf(out, SPAN_SIZE, "%" PRId64 " min", seconds / MINUTE);
    } else if (seconds < 2 * (int64_t)DAY) {
        snprintf(out, SPAN_SIZE, "%" PRId64 " h", seconds / HOUR);
    } else {
        snprintf(out, SPAN_SIZE, "%" PRId64 " días", seconds / DAY);
    }
}

__attribute__((format(printf, 4, 5))) static void find_ailment(struct checkup *checkup,
                                                               enum ailment_grade grade,
                                                               const char *remedy,
                                                               const char *format, ...)
{
    struct ailment *ailment;
    va_list args;

    if (checkup->count == CHECKUP_MAX) {
        return;
    }
    ailment = &checkup->items[checkup->count++];
    ailment->grade = grade;
    snprintf(ailment->remedy, sizeof ailment->remedy, "%s", remedy);
    va_start(args, format);
    vsnprintf(ailment->what, sizeof ailment->what, format, args);
    va_end(args);
}

static int64_t value_of(const struct condition *condition, enum metric metric, int64_t otherwise)
{
    const struct sample *sample = condition_find(condition, metric, NULL);

    return sample != NULL ? sample->value : otherwise;
}

/* ---- queues: who waits, and for whom ---- */

static bool is_attached(const struct condition *condition, const char *member)
{
    const struct sample *sample = condition_find(condition, METRIC_ATTACHED, member);

    return sample != NULL && sample->value > 0;
}

static bool is_failing(const struct condition *condition, const char *peer)
{
    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];

        if (sample->metric == METRIC_LINK_FAILURES && strcmp(sample->labels[0], peer) == 0 &&
            sample->value > 0) {
            return true;
        }
    }
    return false;
}

/* "system:cdmx/ssc/adapter" and "member:cdmx/ssc" -> "cdmx/ssc" */
static void member_of_queue(const char *destination, char member[SAMPLE_LABEL_SIZE])
{
    const char *colon = strchr(destination, ':');
    char *slash;

    snprintf(member, SAMPLE_LABEL_SIZE, "%s", colon != NULL ? colon + 1 : destination);
    slash = strchr(member, '/');
    slash = slash != NULL ? strchr(slash + 1, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0';
    }
}

static void look_at_queue(const struct condition *condition, const struct sample *oldest,
                          struct checkup *checkup)
{
    const char *word = strcmp(oldest->labels[1], "urgent") == 0 ? "urgente" : "ordinario";
    bool is_urgent = word[0] == 'u';
    bool is_peer = strncmp(oldest->labels[0], "node:", 5) == 0;
    char member[SAMPLE_LABEL_SIZE];
    char span[SPAN_SIZE];

    if (oldest->value < (is_urgent ? URGENT_WAIT_S : ORDINARY_WAIT_S)) {
        return;
    }
    member_of_queue(oldest->labels[0], member);
    span_text(oldest->value, span);
    if (is_peer && is_failing(condition, member)) {
        find_ailment(
            checkup, AILMENT_NOW,
            "Llame a quien opera ese nodo; mientras, la cola guarda todo y reintenta sola.",
            "No se alcanza al nodo de %s: lo %s más antiguo espera hace %s.", member, word, span);
    } else if (is_peer) {
        find_ailment(checkup, AILMENT_NOW, "Vea en su registro por qué el otro nodo no lo toma.",
                     "Lo %s para el nodo %s espera hace %s.", word, member, span);
    } else if (!is_attached(condition, member)) {
        find_ailment(checkup, AILMENT_NOW, "Arranque su adaptador o avise a la institución.",
                     "Ningún sistema de %s está conectado: lo %s más antiguo espera hace %s.",
                     member, word, span);
    } else {
        find_ailment(checkup, AILMENT_NOW,
                     "Pregunte a la institución por qué su sistema no lo toma.",
                     "El sistema de %s no toma lo %s hace %s.", member, word, span);
    }
}

/* ---- what ends ---- */

static void look_at_certificate(const struct sample *ends, int64_t now_s, struct checkup *checkup)
{
    int64_t left = ends->value - now_s;

    if (left <= 0) {
        find_ailment(checkup, AILMENT_NOW, "Ponga ya el siguiente: se cambia sin reiniciar.",
                     "El certificado del nodo (%s) venció.", ends->labels[0]);
    } else if (left <= 30 * (int64_t)DAY) {
        find_ailment(checkup, left <= 7 * (int64_t)DAY ? AILMENT_NOW : AILMENT_SOON,
                     "Pida el siguiente; «enlace doctor» dice si lo aceptarán.",
                     "Al certificado del nodo (%s) le quedan %" PRId64 " días.", ends->labels[0],
                     left / DAY);
    }
}

static void look_at_directory(const struct sample *ends, int64_t now_s, struct checkup *checkup)
{
    int64_t left = ends->value - now_s;

    if (left <= 0) {
        find_ailment(checkup, AILMENT_NOW, "La autoridad (o la institución) publica otra versión.",
                     "El directorio de %s ya no está en vigor: lo ordinario se rechaza.",
                     ends->labels[0]);
    } else if (left <= 30 * (int64_t)DAY) {
        find_ailment(checkup, AILMENT_SOON, "La autoridad (o la institución) publica otra versión.",
                     "Al directorio de %s le quedan %" PRId64 " días.", ends->labels[0],
                     left / DAY);
    }
}

static void look_at_disk(const struct condition *condition, const struct sample *free_bytes,
                         struct checkup *checkup)
{
    int64_t floor = value_of(condition, METRIC_DISK_FLOOR, 0);

    if (free_bytes->value < floor) {
        find_ailment(checkup, AILMENT_NOW, "Haga lugar en el disco: nada se acepta mientras tanto.",
                     "Al disco de «%s» le quedan %" PRId64 " MiB, menos que su reserva.",
                     free_bytes->labels[0], free_bytes->value >> 20);
    } else if (free_bytes->value < 4 * floor) {
        find_ailment(checkup, AILMENT_SOON, "Haga lugar antes de que el nodo deje de aceptar.",
                     "Al disco de «%s» le quedan %" PRId64 " MiB.", free_bytes->labels[0],
                     free_bytes->value >> 20);
    }
}

/* ---- what the log rests on ---- */

static void look_at_witnesses(const struct condition *condition, struct checkup *checkup)
{
    int64_t state = value_of(condition, METRIC_WITNESS_STATE, 0);
    char span[SPAN_SIZE];

    span_text(value_of(condition, METRIC_WITNESS_LAG, 0), span);
    if (state > 0) {
        find_ailment(
            checkup, AILMENT_NOW, "Vea qué testigos no contestan (witness.* en el registro).",
            "Los testigos van %s atrás%s.", span, state == 2 ? ": lo ordinario espera" : "");
    }
}

static void look_at_clock(const struct condition *condition, struct checkup *checkup)
{
    if (value_of(condition, METRIC_CLOCK_STATE, 0) != 0) {
        find_ailment(checkup, AILMENT_NOW, "Corrija la hora (NTP); vea clock.* en el registro.",
                     "El reloj de esta máquina está en duda: lo ordinario puede esperar.");
    }
}

static void look_at_index(const struct condition *condition, struct checkup *checkup)
{
    int64_t behind =
        value_of(condition, METRIC_LOG_LEAVES, 0) - value_of(condition, METRIC_INDEX_LEAVES, 0);

    if (behind > INDEX_BEHIND) {
        find_ailment(checkup, AILMENT_SOON, "Se pone al día solo; si no avanza, vea index.*.",
                     "Al índice le faltan %" PRId64 " hojas: las consultas tardan.", behind);
    }
}

static int graver_first(const void *a, const void *b)
{
    const struct ailment *first = a;
    const struct ailment *second = b;

    return (int)second->grade - (int)first->grade;
}

void checkup_make(const struct condition *condition, int64_t now_s, struct checkup *checkup)
{
    checkup->count = 0;
    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];

        if (sample->metric == METRIC_QUEUE_OLDEST) {
            look_at_queue(condition, sample, checkup);
        } else if (sample->metric == METRIC_CERTIFICATE_ENDS) {
            look_at_certificate(sample, now_s, checkup);
        } else if (sample->metric == METRIC_DIRECTORY_ENDS) {
            look_at_directory(sample, now_s, checkup);
        } else if (sample->metric == METRIC_DISK_FREE) {
            look_at_disk(condition, sample, checkup);
        }
    }
    look_at_witnesses(condition, checkup);
    look_at_clock(condition, checkup);
    look_at_index(condition, checkup);
    qsort(checkup->items, checkup->count, sizeof checkup->items[0], graver_first);
}
