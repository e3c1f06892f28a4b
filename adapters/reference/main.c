/*
 * enlace-reference - an adapter for no agency in particular: takes custody, acts and reports by a
 * script, so that the loop closes before any agency's own system is joined.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "client/profile.h"
#include "crypto/tlsconf.h"
#include "reference/roles.h"
#include "reference/script.h"

#define EXIT_USAGE 2

struct options {
    const char *profile;
    const char *script;
    const char *book;
    bool is_requester;
    int64_t idle_ms;
    enum log_level level;
};

static void usage(FILE *out)
{
    fputs("Uso: enlace-reference --profile ARCHIVO [--script ARCHIVO] [--requester]\n"
          "                        [--book ARCHIVO] [--idle MS] [--verbose]\n"
          "  --script     ejecuta lo que llega: custodia, aceptación, en vigor y los reportes que\n"
          "               diga el guion («PRO-COD-VIG 22», «* planned», «<intercambio> child»)\n"
          "  --requester  como solicitante: acusa recibo y cierra lo que terminó\n"
          "  --book       libro propio de la institución: un renglón por cada acción\n"
          "  --idle MS    termina cuando no debe nada y no llegó nada en MS milisegundos\n"
          "Al menos uno de --script y --requester. Se detiene en orden con SIGTERM.\n",
          out);
}

static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"profile", required_argument, NULL, 'p'}, {"script", required_argument, NULL, 's'},
        {"requester", no_argument, NULL, 'r'},     {"book", required_argument, NULL, 'b'},
        {"idle", required_argument, NULL, 'i'},    {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int choice;

    *options = (struct options){.idle_ms = -1, .level = LOG_LEVEL_INFO};
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (choice) {
        case 'p':
            options->profile = optarg;
            break;
        case 's':
            options->script = optarg;
            break;
        case 'r':
            options->is_requester = true;
            break;
        case 'b':
            options->book = optarg;
            break;
        case 'i':
            options->idle_ms = atoll(optarg);
            break;
        case 'v':
            options->level = LOG_LEVEL_DEBUG;
            break;
        case 'h':
            usage(stdout);
            exit(EXIT_SUCCESS);
        default:
            return EXIT_USAGE;
        }
    }
    return optind == argc && options->profile != NULL &&
                   (options->script != NULL || options->is_requester)
               ? EXIT_SUCCESS
               : EXIT_USAGE;
}

/* One line for whoever started it: what was handled since the spool exists. */
static void print_counts(const struct adapter *adapter)
{
    const struct ledger_counts *counts = adapter_counts(adapter);
    struct adapter_figures figures = adapter_figures(adapter);

    printf("messages=%llu", (unsigned long long)counts->messages);
    for (unsigned i = 0; i < LEDGER_TYPES; i++) {
        if (counts->types[i] > 0) {
            printf(" %s=%llu", message_type_name((enum message_type)(MESSAGE_REFERRAL + i)),
                   (unsigned long long)counts->types[i]);
        }
    }
    for (unsigned i = 1; i < EVENTS; i++) {
        if (counts->acts[i] > 0) {
            printf(" %s=%llu", event_name((enum event)i), (unsigned long long)counts->acts[i]);
        }
    }
    printf(" said=%llu repeated=%llu parked=%llu owed=%zu undealt=%zu\n",
           (unsigned long long)figures.said, (unsigned long long)figures.repeated,
           (unsigned long long)figures.parked, figures.owed, figures.undealt);
}

static int run(const struct options *options, const struct profile *profile,
               const struct script *script)
{
    OWN_PTR(adapter) adapter = NULL;
    struct fault fault = {0};
    FILE *book = NULL;
    struct roles roles;
    struct adapter_config config = {
        .profile = profile, .user = &roles.user, .idle_ms = options->idle_ms};
    enum rc rc;

    if (options->book != NULL && (book = fopen(options->book, "ae")) == NULL) {
        fprintf(stderr, "enlace-reference: %s: no se puede escribir\n", options->book);
        return EXIT_FAILURE;
    }
    roles_init(&roles, script, options->is_requester, book);
    if (adapter_new(&config, &adapter, &fault) != RC_OK) {
        fprintf(stderr, "enlace-reference: %s %s: %s\n", fault.reason, fault.path, fault.remedy);
        return EXIT_FAILURE;
    }
    sd_notify(0, "READY=1");
    log_info("adapter.started", "member=%s system=%s", profile->member, profile->system);
    rc = adapter_run(adapter);
    sd_notify(0, "STOPPING=1");
    print_counts(adapter);
    if (book != NULL) {
        fclose(book);
    }
    return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    OWN_PTR(profile) profile = NULL;
    OWN_PTR(script) script = NULL;
    char error[PROFILE_ERROR_SIZE];
    struct options options;

    if (read_options(argc, argv, &options) != EXIT_SUCCESS) {
        usage(stderr);
        return EXIT_USAGE;
    }
    log_open("enlace-reference", options.level);
    if (tlsconf_require_tls13() != RC_OK) {
        return EXIT_FAILURE;
    }
    adapter_block_signals();
    if (profile_read(options.profile, &profile, error) != RC_OK ||
        (options.script != NULL && script_read(options.script, &script, error) != RC_OK)) {
        fprintf(stderr, "enlace-reference: %s\n", error);
        return EXIT_USAGE;
    }
    return run(&options, profile, script);
}
