/*
 * program - the main of every agency's adapter: command line, settings, mapping, sandbox, run.
 *
 *     enlace-<agency> --profile FILE --agency FILE [--idle MS] [--verbose]
 *     enlace-<agency> --check --profile FILE --agency FILE     reads all of it, connects to nobody
 *     enlace-<agency> --help | --help-settings
 *     enlace-<agency> --health --profile FILE                  what the running one says; 0 healthy
 *
 * The agency's file (base/conf) has the adapter's own rows; those that every adapter has are below.
 * An adapter fills in a struct program and calls program_main: a page of code.
 *
 * Health is written each second to health.json in the spool's folder and to the service manager.
 */
#ifndef SDK_PROGRAM_H
#define SDK_PROGRAM_H

#include "base/conf.h"
#include "client/reading.h"
#include "sdk/adapter.h"
#include "sdk/handover.h"
#include "sdk/https.h"
#include "sdk/mapping.h"
#include "sdk/sandbox.h"

struct profile;

/* Placed first in the adapter's settings; PROGRAM_ROWS in its table of rows. */
struct program_settings {
    char mapping[CONF_TEXT_SIZE]; /* relative to the agency's file */
    char url[CONF_TEXT_SIZE];
    char ca[CONF_TEXT_SIZE];
    char certificate[CONF_TEXT_SIZE];
    char key[CONF_TEXT_SIZE];
    int64_t timeout_ms;
    int64_t tls12; /* 1: the agency has no better */
    int64_t reconcile_s;
};

#define PROGRAM_ROWS                                                                                  \
    {"mapping", CONF_TEXT, offsetof(struct program_settings, mapping), "",                            \
     0,         0,         "archivo de equivalencias (sdk/mapping)"},                                 \
        {"url",                                                                                       \
         CONF_TEXT,                                                                                   \
         offsetof(struct program_settings, url),                                                      \
         "",                                                                                          \
         0,                                                                                           \
         0,                                                                                           \
         "sistema de la institución: https://servidor:puerto/ruta"},                                  \
        {"ca", CONF_TEXT, offsetof(struct program_settings, ca),     "",                              \
         0,    0,         "certificado de quien avala a ese sistema"},                                \
        {"certificate",                                                                               \
         CONF_TEXT,                                                                                   \
         offsetof(struct program_settings, certificate),                                              \
         "",                                                                                          \
         0,                                                                                           \
         0,                                                                                           \
         "con el que el adaptador se presenta ante él"},                                              \
        {"key", CONF_TEXT, offsetof(struct program_settings, key), "", 0, 0, "su llave"},             \
        {"timeout_ms",                                                                                \
         CONF_INTEGER,                                                                                \
         offsetof(struct program_settings, timeout_ms),                                               \
         "15000",                                                                                     \
         100,                                                                                         \
         120000,                                                                                      \
         "de una llamada entera"},                                                                    \
        {"tls12",                                                                                     \
         CONF_INTEGER,                                                                                \
         offsetof(struct program_settings, tls12),                                                    \
         "0",                                                                                         \
         0,                                                                                           \
         1,                                                                                           \
         "1: permite TLS 1.2 hacia ese sistema, que no tiene nada mejor"},                            \
    {                                                                                                 \
        "reconcile_s", CONF_INTEGER, offsetof(struct program_settings, reconcile_s), "86400", 5,      \
            31 * 86400, "cada cuánto se concilia lo guardado con la bitácora; también al arrancar" \
    }

struct program_context {
    struct adapter_user outer; /* first: what the sdk calls; health, then the adapter's own */
    struct program *program;
    const char *folder; /* of the agency's file */
    const struct profile *profile;
    const struct mapping *mapping; /* NULL: the agency's file names none */
    const struct program_settings *settings;
    struct reading_keys keys;
    struct adapter *adapter;   /* NULL until start */
    struct handover *handover; /* NULL: the adapter hands nothing over */
};

struct program {
    const char *name;            /* "enlace-sedesa" */
    const char *purpose;         /* a sentence in Spanish for --help */
    const struct conf_row *rows; /* of the agency's file, PROGRAM_ROWS among them */
    struct program_settings *settings;
    const struct mapping_words *words; /* NULL: no mapping */
    struct adapter_user *user;
    struct handover_user *handover_user; /* NULL: none */
    bool keeps_receipts;                 /* adapter_config */

    /* What its settings mean, before anything runs; adds to the sandbox what it needs. NULL: fine.
     */
    enum rc (*check)(struct program *program, struct program_context *context,
                     struct sandbox *sandbox, struct fault *fault);
    /* In the sandbox, with context->adapter: connections and, last of all, threads of its own.
     * NULL: none. */
    enum rc (*start)(struct program *program, struct program_context *context, struct fault *fault);
    /* After the adapter's run; also when start failed. NULL: nothing to stop. */
    void (*stop)(struct program *program, struct program_context *context);
};

/* The process's exit status: 0 done, 1 failed, 2 not understood. */
int program_main(struct program *program, int argc, char **argv);

/* A path of the agency's file, in place: a relative one counts from the file's folder. */
MUST_CHECK enum rc program_path(const struct program_context *context, char path[CONF_TEXT_SIZE],
                                struct fault *fault);
/* From the common settings. */
MUST_CHECK enum rc program_https(const struct program_settings *settings, size_t answer_max,
                                 struct https **https, struct fault *fault);

#endif
