#include "sdk/pulse.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "client/profile.h"

#define FILE_NAME "health.json"
#define FRESH_MS 10000
#define PATH_SIZE 700

static json_t *describe(const char *program, const struct adapter *adapter,
                        struct handover *handover)
{
    struct adapter_figures figures = adapter_figures(adapter);
    struct handover_figures out = {0};
    char now[CLOCK_TEXT_SIZE];

    if (handover != NULL) {
        out = handover_figures(handover);
    }
    clock_format_local(clock_now_ms(), now);
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "program",
                     program, "at", now, "at_ms", (json_int_t)clock_now_ms(), "messages",
                     (json_int_t)adapter_counts(adapter)->messages, "said",
                     (json_int_t)figures.said, "owed", (json_int_t)figures.owed, "undealt",
                     (json_int_t)figures.undealt, "parked", (json_int_t)figures.parked, "rejected",
                     (json_int_t)figures.rejected, "aside", (json_int_t)figures.aside,
                     "handing_over", (json_int_t)out.waiting, "oldest_ms",
                     (json_int_t)out.oldest_ms, "retried", (json_int_t)out.retried, "unreconciled",
                     (json_int_t)figures.unreconciled);
}

void pulse_write(const char *program, const struct adapter *adapter, struct handover *handover)
{
    json_t *object = describe(program, adapter, handover);
    char path[PATH_SIZE];
    char part[PATH_SIZE + 8];

    if (object == NULL) {
        return;
    }
    snprintf(path, sizeof path, "%s/" FILE_NAME, adapter_folder(adapter));
    snprintf(part, sizeof part, "%s.part", path);
    if (json_dump_file(object, part, JSON_COMPACT) != 0 || rename(part, path) != 0) {
        log_warn("health.unwritten", "path=%s cause=%s", path, strerror(errno));
    }
    sd_notifyf(0, "WATCHDOG=1\nSTATUS=por entregar %lld, por enviar %lld, apartados %lld",
               (long long)json_integer_value(json_object_get(object, "handing_over")),
               (long long)json_integer_value(json_object_get(object, "owed")),
               (long long)json_integer_value(json_object_get(object, "parked")));
    json_decref(object);
}

void pulse_print(const struct adapter *adapter, struct handover *handover, FILE *out)
{
    const struct ledger_counts *counts = adapter_counts(adapter);
    struct adapter_figures figures = adapter_figures(adapter);
    struct handover_figures handed = {0};

    if (handover != NULL) {
        handed = handover_figures(handover);
    }
    fprintf(out, "messages=%llu", (unsigned long long)counts->messages);
    for (unsigned i = 0; i < LEDGER_TYPES; i++) {
        if (counts->types[i] > 0) {
            fprintf(out, " %s=%llu", message_type_name((enum message_type)(MESSAGE_REFERRAL + i)),
                    (unsigned long long)counts->types[i]);
        }
    }
    for (unsigned i = 1; i < EVENTS; i++) {
        if (counts->acts[i] > 0) {
            fprintf(out, " %s=%llu", event_name((enum event)i),
                    (unsigned long long)counts->acts[i]);
        }
    }
    fprintf(out,
            " said=%llu repeated=%llu parked=%llu rejected=%llu aside=%llu owed=%zu undealt=%zu "
            "confirmed=%llu retried=%llu\n",
            (unsigned long long)figures.said, (unsigned long long)figures.repeated,
            (unsigned long long)figures.parked, (unsigned long long)figures.rejected,
            (unsigned long long)figures.aside, figures.owed, figures.undealt,
            (unsigned long long)handed.confirmed, (unsigned long long)handed.retried);
}

/* ---- reading it ---- */

static long long number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static bool line(FILE *out, bool is_good, const char *text, long long value)
{
    fprintf(out, "%s %s: %lld\n", is_good ? "✔" : "✖", text, value);
    return is_good;
}

int pulse_tell(const struct profile *profile, FILE *out)
{
    char path[PATH_SIZE];
    json_error_t error;
    json_t *object;
    bool is_good;

    snprintf(path, sizeof path, "%s/adapter/" FILE_NAME, profile->spool);
    object = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        fprintf(out, "✖ %s: no se puede leer; ¿está en marcha el adaptador?\n", path);
        return EXIT_FAILURE;
    }
    is_good = line(out, clock_now_ms() - number(object, "at_ms") < FRESH_MS,
                   "milisegundos desde la última señal",
                   (long long)clock_now_ms() - number(object, "at_ms"));
    is_good &= line(out, number(object, "oldest_ms") < PULSE_LATE_MS,
                    "milisegundos que espera lo más antiguo por la institución",
                    number(object, "oldest_ms"));
    is_good &= line(out, number(object, "parked") == 0, "apartados que el nodo rechazó",
                    number(object, "parked"));
    is_good &= line(out, number(object, "rejected") == 0, "apartados que la institución rechazó",
                    number(object, "rejected"));
    is_good &= line(out, number(object, "aside") == 0,
                    "dichos de la institución sin tomar, en aside", number(object, "aside"));
    is_good &= line(out, number(object, "unreconciled") == 0,
                    "diferencias con la bitácora del nodo (enlace audit --mine)",
                    number(object, "unreconciled"));
    (void)line(out, true, "por enviar al nodo", number(object, "owed"));
    json_decref(object);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
