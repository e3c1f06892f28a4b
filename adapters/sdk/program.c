#include "sdk/program.h"

#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "client/profile.h"
#include "client/spool.h"
#include "crypto/tlsconf.h"
#include "sdk/pulse.h"
#include "sdk/reconciler.h"

#define EXIT_USAGE 2
#define MS_PER_S 1000

struct options {
    const char *profile;
    const char *agency;
    int64_t idle_ms;
    enum log_level level;
    bool is_check;
    bool is_health;
    bool is_settings;
};

static void usage(const struct program *program, FILE *out)
{
    fprintf(out,
            "%s: %s\n"
            "Uso: %s --profile ARCHIVO --agency ARCHIVO [--idle MS] [--verbose]\n"
            "     %s --check --profile ARCHIVO --agency ARCHIVO   lee todo y no se conecta\n"
            "     %s --health --profile ARCHIVO                   estado del que está en marcha\n"
            "     %s --help-settings                              lo que va en --agency\n"
            "Se detiene en orden con SIGTERM. Termina con 0, 1 (falló) o 2 (no se entendió).\n",
            program->name, program->purpose, program->name, program->name, program->name,
            program->name);
}

static bool read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"profile", required_argument, NULL, 'p'}, {"agency", required_argument, NULL, 'a'},
        {"idle", required_argument, NULL, 'i'},    {"verbose", no_argument, NULL, 'v'},
        {"check", no_argument, NULL, 'c'},         {"health", no_argument, NULL, 's'},
        {"help-settings", no_argument, NULL, 't'}, {NULL, 0, NULL, 0},
    };
    int choice;

    *options = (struct options){.idle_ms = -1, .level = LOG_LEVEL_INFO};
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (choice) {
        case 'p':
            options->profile = optarg;
            break;
        case 'a':
            options->agency = optarg;
            break;
        case 'i':
            options->idle_ms = atoll(optarg);
            break;
        case 'v':
            options->level = LOG_LEVEL_DEBUG;
            break;
        case 'c':
            options->is_check = true;
            break;
        case 's':
            options->is_health = true;
            break;
        case 't':
            options->is_settings = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc &&
           (options->is_settings ||
            (options->profile != NULL && (options->is_health || options->agency != NULL)));
}

/* ---- settings ---- */

enum rc program_path(const struct program_context *context, char path[CONF_TEXT_SIZE],
                     struct fault *fault)
{
    char whole[2 * CONF_TEXT_SIZE + 512];

    if (path[0] == '\0' || path[0] == '/') {
        return RC_OK;
    }
    snprintf(whole, sizeof whole, "%s/%s", context->folder, path);
    if (strlen(whole) >= CONF_TEXT_SIZE) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.path", path, "La ruta es muy larga.");
    }
    snprintf(path, CONF_TEXT_SIZE, "%s", whole);
    return RC_OK;
}

enum rc program_https(const struct program_settings *settings, size_t answer_max,
                      struct https **https, struct fault *fault)
{
    struct https_config config = {
        .base = settings->url,
        .ca = settings->ca,
        .certificate = settings->certificate,
        .key = settings->key,
        .timeout_ms = settings->timeout_ms,
        .answer_max = answer_max,
        .allows_tls12 = settings->tls12 != 0,
    };

    return https_new(&config, https, fault);
}

static enum rc read_settings(struct program *program, struct program_context *context,
                             struct fault *fault)
{
    struct program_settings *settings = program->settings;
    char *const paths[] = {settings->mapping, settings->ca, settings->certificate, settings->key};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        TRY(program_path(context, paths[i], fault));
    }
    context->settings = settings;
    return RC_OK;
}

static enum rc read_mapping(struct program *program, struct mapping **mapping,
                            char error[MAPPING_ERROR_SIZE])
{
    if (program->words == NULL || program->settings->mapping[0] == '\0') {
        return RC_OK;
    }
    TRY(mapping_read(program->settings->mapping, mapping, error));
    return mapping_check(*mapping, program->words, error);
}

/* ---- what the sandbox leaves open ---- */

static uint16_t port_of(const char *address)
{
    const char *colon = strrchr(address, ':');

    return colon != NULL ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

static void allow_common(const struct profile *profile, const struct program_settings *settings,
                         struct sandbox *sandbox)
{
    const char *const files[] = {profile->certificate,  profile->key,
                                 profile->ca,           profile->official_certificate,
                                 profile->official_key, profile->seal_certificate,
                                 profile->seal_key,     settings->mapping,
                                 settings->ca,          settings->certificate,
                                 settings->key};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        sandbox_may_read(sandbox, files[i]);
    }
    sandbox_may_write(sandbox, profile->spool);
    sandbox_may_connect(sandbox, port_of(profile->address));
    if (settings->url[0] != '\0') {
        sandbox_may_connect(sandbox, https_port(settings->url));
    }
}

/* ---- running ---- */

static enum rc on_message(struct adapter_user *user, struct adapter *adapter,
                          const struct message *message)
{
    struct adapter_user *own = ((struct program_context *)user)->program->user;

    return own->on_message(own, adapter, message);
}

static void on_answer(struct adapter_user *user, struct adapter *adapter,
                      const struct id *message_id, const struct fault *fault)
{
    struct adapter_user *own = ((struct program_context *)user)->program->user;

    if (own->on_answer != NULL) {
        own->on_answer(own, adapter, message_id, fault);
    }
}

static void on_tick(struct adapter_user *user, struct adapter *adapter)
{
    struct program_context *context = (struct program_context *)user;
    struct adapter_user *own = context->program->user;

    if (own->on_tick != NULL) {
        own->on_tick(own, adapter);
    }
    pulse_write(context->program->name, adapter, context->handover);
}

static int tell(const struct program *program, const struct fault *fault)
{
    fprintf(stderr, "%s: %s %s: %s\n", program->name, fault->reason, fault->path, fault->remedy);
    return EXIT_FAILURE;
}

static enum rc start(struct program *program, struct program_context *context,
                     const struct options *options, struct fault *fault)
{
    struct adapter_config config = {.profile = context->profile,
                                    .user = &context->outer,
                                    .idle_ms = options->idle_ms,
                                    .keeps_receipts = program->keeps_receipts};

    context->outer = (struct adapter_user){on_message, on_tick, on_answer};
    TRY(adapter_new(&config, &context->adapter, fault));
    if (program->handover_user != NULL) {
        TRY(handover_new(context->adapter, program->handover_user, &context->handover, fault));
    }
    return program->start != NULL ? program->start(program, context, fault) : RC_OK;
}

static enum rc run_reconciled(struct program_context *context)
{
    OWN_PTR(reconciler) reconciler = NULL;

    TRY(reconciler_new(context->adapter, context->settings->reconcile_s * MS_PER_S, &reconciler));
    return adapter_run(context->adapter);
}

static int run(struct program *program, struct program_context *context,
               const struct options *options)
{
    struct fault fault = {0};
    enum rc rc = start(program, context, options, &fault);

    if (rc == RC_OK) {
        sd_notify(0, "READY=1");
        log_info("adapter.started", "member=%s system=%s", context->profile->member,
                 context->profile->system);
        rc = run_reconciled(context);
        sd_notify(0, "STOPPING=1");
        pulse_print(context->adapter, context->handover, stdout);
    } else {
        (void)tell(program, &fault);
    }
    if (program->stop != NULL) {
        program->stop(program, context);
    }
    handover_free(context->handover);
    adapter_free(context->adapter);
    return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The sandbox can leave open only a folder that is there. */
static enum rc make_spool(const struct profile *profile, struct fault *fault)
{
    OWN_PTR(spool) spool = NULL;

    return spool_open(profile->spool, &spool, fault);
}

static int main_with(struct program *program, struct program_context *context,
                     const struct options *options)
{
    struct sandbox sandbox = {0};
    struct fault fault = {0};

    allow_common(context->profile, program->settings, &sandbox);
    if (reading_keys_load(context->profile, &context->keys, &fault) != RC_OK ||
        (program->check != NULL && program->check(program, context, &sandbox, &fault) != RC_OK)) {
        return tell(program, &fault);
    }
    if (options->is_check) {
        printf("%s: todo se entiende.\n", program->name);
        return EXIT_SUCCESS;
    }
    if (make_spool(context->profile, &fault) != RC_OK) {
        return tell(program, &fault);
    }
    return sandbox_enter(&sandbox, &fault) == RC_OK ? run(program, context, options)
                                                    : tell(program, &fault);
}

static int read_all(struct program *program, const struct options *options)
{
    OWN_PTR(profile) profile = NULL;
    OWN_PTR(mapping) mapping = NULL;
    struct program_context context = {.program = program};
    char error[MAPPING_ERROR_SIZE] = "";
    char folder[CONF_TEXT_SIZE * 2];
    struct fault fault = {0};
    int status;

    if (profile_read(options->profile, &profile, error) != RC_OK) {
        fprintf(stderr, "%s: %s\n", program->name, error);
        return EXIT_USAGE;
    }
    if (options->is_health) {
        return pulse_tell(profile, stdout);
    }
    snprintf(folder, sizeof folder, "%s", options->agency);
    context.folder = dirname(folder);
    context.profile = profile;
    if (conf_read(options->agency, program->rows, program->settings, error) != RC_OK) {
        fprintf(stderr, "%s: %s\n", program->name, error);
        return EXIT_USAGE;
    }
    if (read_settings(program, &context, &fault) != RC_OK) {
        return tell(program, &fault);
    }
    if (read_mapping(program, &mapping, error) != RC_OK) {
        fprintf(stderr, "%s: %s\n", program->name, error);
        return EXIT_USAGE;
    }
    context.mapping = mapping;
    status = main_with(program, &context, options);
    reading_keys_release(&context.keys);
    return status;
}

int program_main(struct program *program, int argc, char **argv)
{
    struct options options;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(program, stdout);
        return EXIT_SUCCESS;
    }
    if (!read_options(argc, argv, &options)) {
        usage(program, stderr);
        return EXIT_USAGE;
    }
    if (options.is_settings) {
        conf_print(program->rows, stdout);
        return EXIT_SUCCESS;
    }
    log_open(program->name, options.level);
    if (tlsconf_require_tls13() != RC_OK) {
        return EXIT_FAILURE;
    }
    adapter_block_signals();
    return read_all(program, &options);
}
