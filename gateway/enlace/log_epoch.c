#include "enlace/log_epoch.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/keyring.h"
#include "enlace/command.h"
#include "tlog/succession.h"
#include "tlog/text.h"

/* What the options say; all borrowed from the command line. */
struct arguments {
    const char *node;
    const char *cause;
    const char *epoch;
    const char *checkpoint;
    const char *old_key;
    const char *key;    /* PEM: of the new log, or of who signs */
    const char *origin; /* of the new log */
    const char *name;   /* of the key that signs */
    const char *leaves;
    const char *begun;
    const char *authorities;
    const char *out;
    const char *path; /* what is not an option */
};

static const struct option names[] = {
    {"node", required_argument, NULL, 'n'},    {"cause", required_argument, NULL, 'c'},
    {"epoch", required_argument, NULL, 'e'},   {"checkpoint", required_argument, NULL, 'k'},
    {"old-key", required_argument, NULL, 'o'}, {"log-key", required_argument, NULL, 'g'},
    {"origin", required_argument, NULL, 'r'},  {"key", required_argument, NULL, 'g'},
    {"name", required_argument, NULL, 'm'},    {"leaves", required_argument, NULL, 'l'},
    {"begun", required_argument, NULL, 'b'},   {"authorities", required_argument, NULL, 'a'},
    {"output", required_argument, NULL, 'O'},  {NULL, 0, NULL, 0},
};

static bool take_option(struct arguments *arguments, int choice)
{
    switch (choice) {
    case 'n':
        arguments->node = optarg;
        return true;
    case 'c':
        arguments->cause = optarg;
        return true;
    case 'e':
        arguments->epoch = optarg;
        return true;
    case 'k':
        arguments->checkpoint = optarg;
        return true;
    case 'o':
        arguments->old_key = optarg;
        return true;
    case 'g':
        arguments->key = optarg;
        return true;
    case 'r':
        arguments->origin = optarg;
        return true;
    case 'm':
        arguments->name = optarg;
        return true;
    case 'l':
        arguments->leaves = optarg;
        return true;
    case 'b':
        arguments->begun = optarg;
        return true;
    case 'a':
        arguments->authorities = optarg;
        return true;
    case 'O':
        arguments->out = optarg;
        return true;
    default:
        return false;
    }
}

static int read_arguments(struct cli *cli, int argc, char **argv, struct arguments *arguments)
{
    int choice;

    opterr = 0;
    optind = 1;
    while ((choice = getopt_long(argc, argv, "O:", names, NULL)) != -1) {
        if (!take_option(arguments, choice)) {
            return cli_usage(cli, "log", "Una opción no se entiende.");
        }
    }
    if (argc - optind > 1) {
        return cli_usage(cli, "log", "Sobra «%s».", argv[optind + 1]);
    }
    arguments->path = argc > optind ? argv[optind] : NULL;
    return EXIT_DONE;
}

/* ---- succeed ---- */

static enum rc refuse_option(struct fault *fault, const char *option, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, "cli.option", option, "%s", remedy);
}

static enum rc set_new_key(const struct arguments *arguments, struct succession *succession,
                           struct fault *fault)
{
    OWN_PTR(keyring) keyring = NULL;

    TRY(keyring_load(arguments->key, &keyring, fault));
    return vkey_of(arguments->origin, VKEY_ED25519, keyring, &succession->new_key) == RC_OK
               ? RC_OK
               : refuse_option(fault, "--origin", "No es el nombre de una bitácora.");
}

static enum rc set_last(const struct arguments *arguments, struct succession *succession,
                        struct fault *fault)
{
    OWN(buffer) note = {0};

    if (vkey_parse(bytes_text(arguments->old_key), &succession->old_key) != RC_OK) {
        return refuse_option(fault, "--old-key",
                             "No es la llave (vkey) de una bitácora; está en el directorio.");
    }
    TRY(cli_read_file(arguments->checkpoint, SUCCESSION_NOTE_MAX, &note, fault));
    return succession_set_last(succession, buffer_bytes(&note)) == RC_OK
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "file.checkpoint", arguments->checkpoint,
                        "No es un sello de esa bitácora, firmado por --old-key.");
}

static enum rc set_numbers(const struct arguments *arguments, struct succession *succession,
                           struct fault *fault)
{
    uint64_t epoch;

    if (text_decimal(bytes_text(arguments->epoch), &epoch) != RC_OK ||
        epoch > SUCCESSION_EPOCH_MAX) {
        return refuse_option(fault, "--epoch", "Se esperaba el número de la nueva época: 2, 3, …");
    }
    succession->epoch = (uint32_t)epoch;
    succession->leaves = succession->last.size;
    if (arguments->leaves != NULL &&
        text_decimal(bytes_text(arguments->leaves), &succession->leaves) != RC_OK) {
        return refuse_option(fault, "--leaves", "Se esperaba cuántas hojas tuvo la anterior.");
    }
    succession->begun_ms = clock_now_ms() / 1000 * 1000;
    if (arguments->begun != NULL &&
        clock_parse(bytes_text(arguments->begun), &succession->begun_ms) != RC_OK) {
        return refuse_option(fault, "--begun", "Se esperaba una fecha con zona (RFC 3339).");
    }
    return RC_OK;
}

static enum rc compose(const struct arguments *arguments, struct buffer *text, struct fault *fault)
{
    struct succession succession = {.cause = succession_cause_of(arguments->cause)};

    if (strlen(arguments->node) >= sizeof succession.node) {
        return refuse_option(fault, "--node", "Se esperaba RED/NODO.");
    }
    memcpy(succession.node, arguments->node, strlen(arguments->node) + 1);
    TRY(set_new_key(arguments, &succession, fault));
    TRY(set_last(arguments, &succession, fault));
    TRY(set_numbers(arguments, &succession, fault));
    if (succession_write(&succession, text) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "succession.invalid", "",
                      "No sería válida: causa lost-disk, stolen-key o year; época desde 2; otro "
                      "origen de la misma institución; con llave robada, otra llave; no menos "
                      "hojas que el sello.");
    }
    return RC_OK;
}

int log_succeed(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct fault fault = {0};
    OWN(buffer) text = {0};
    int status = read_arguments(cli, argc, argv, &arguments);

    if (status != EXIT_DONE) {
        return status;
    }
    if (arguments.node == NULL || arguments.cause == NULL || arguments.epoch == NULL ||
        arguments.checkpoint == NULL || arguments.old_key == NULL || arguments.key == NULL ||
        arguments.origin == NULL || arguments.path == NULL) {
        return cli_usage(cli, "log",
                         "succeed espera --node, --cause, --epoch, --checkpoint, --old-key, "
                         "--log-key, --origin y el archivo que se escribe.");
    }
    if (compose(&arguments, &text, &fault) != RC_OK ||
        cli_write_file(arguments.path, buffer_bytes(&text), &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s}", "statement", arguments.path, "origin", arguments.origin));
        return EXIT_DONE;
    }
    printf("%.*s\nDeclaración en %s. Que la firmen las autoridades, cada una en su equipo:\n"
           "  enlace log sign %s --key LLAVE.pem --name NOMBRE\n",
           (int)text.size, (const char *)text.data, arguments.path, arguments.path);
    return EXIT_DONE;
}

/* ---- sign ---- */

static enum rc add_signature(const struct arguments *arguments, struct note *note,
                             struct succession *succession, struct fault *fault)
{
    OWN_PTR(keyring) keyring = NULL;
    OWN(buffer) file = {0};
    OWN(buffer) out = {0};
    struct bytes text;
    struct vkey key;

    TRY(cli_read_file(arguments->path, SUCCESSION_SIZE_MAX, &file, fault));
    text = note_parse(buffer_bytes(&file), note) == RC_OK ? note->text : buffer_bytes(&file);
    if (succession_parse(text, succession) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "file.statement", arguments->path,
                      "No es una declaración de sucesión.");
    }
    TRY(keyring_load(arguments->key, &keyring, fault));
    if (vkey_of(arguments->name, VKEY_ED25519, keyring, &key) != RC_OK) {
        return refuse_option(fault, "--name", "No es el nombre de una llave.");
    }
    buffer_put_bytes(&out, buffer_bytes(&file));
    if (text.size == file.size) {
        buffer_put_u8(&out, '\n');
    } else if (note_verify(note, &key) == RC_OK) {
        return RC_OK; /* signed by it already */
    }
    if (note_sign_line(text, arguments->name, keyring, &out) != RC_OK) {
        return refuse(fault, RC_INTERNAL, "cli.sign", "", "No se pudo firmar.");
    }
    return cli_write_file(arguments->out != NULL ? arguments->out : arguments->path,
                          buffer_bytes(&out), fault);
}

int log_sign(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct fault fault = {0};
    struct note *note = arena_alloc(cli->arena, sizeof *note);
    struct succession *succession = arena_alloc(cli->arena, sizeof *succession);
    int status = read_arguments(cli, argc, argv, &arguments);

    if (status != EXIT_DONE) {
        return status;
    }
    if (arguments.key == NULL || arguments.name == NULL || arguments.path == NULL || note == NULL ||
        succession == NULL) {
        return cli_usage(cli, "log", "sign espera la declaración, --key y --name.");
    }
    if (add_signature(&arguments, note, succession, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    printf("%s firma: la bitácora %s (época %u) sucede a %s, cuyo último sello bueno cubre %" PRIu64
           " hojas; causa %s\n",
           arguments.name, succession->new_key.name, succession->epoch, succession->old_key.name,
           succession->last.size, succession_cause_name(succession->cause));
    return EXIT_DONE;
}

/* ---- statement ---- */

static int show(struct cli *cli, const struct succession *succession, unsigned signed_by,
                unsigned quorum, bool is_valid)
{
    char begun[CLI_TIME_SIZE];

    if (cli->is_json) {
        cli_print(json_pack("{s:b,s:s,s:i,s:s,s:s,s:s,s:I,s:I,s:i,s:i}", "verified", is_valid,
                            "node", succession->node, "epoch", (int)succession->epoch, "cause",
                            succession_cause_name(succession->cause), "old_origin",
                            succession->old_key.name, "new_origin", succession->new_key.name,
                            "last_size", (json_int_t)succession->last.size, "leaves",
                            (json_int_t)succession->leaves, "signed_by", (int)signed_by, "quorum",
                            (int)quorum));
        return is_valid ? EXIT_DONE : EXIT_FAILED;
    }
    cli_time(succession->begun_ms, begun);
    printf("Nodo %s, época %u desde %s; causa %s\n  anterior %s: último sello bueno %" PRIu64
           " hojas, se sabe de %" PRIu64 "\n  nueva    %s\n  firmada por %u de las autoridades, "
           "hacen falta %u: %s\n",
           succession->node, succession->epoch, begun, succession_cause_name(succession->cause),
           succession->old_key.name, succession->last.size, succession->leaves,
           succession->new_key.name, signed_by, quorum, is_valid ? "vale" : "NO VALE");
    return is_valid ? EXIT_DONE : EXIT_FAILED;
}

static enum rc read_statement(const struct arguments *arguments, struct authorities *authorities,
                              struct buffer *note, struct fault *fault)
{
    OWN(buffer) list = {0};
    unsigned line = 0;

    TRY(cli_read_file(arguments->authorities, AUTHORITIES_TEXT_MAX, &list, fault));
    if (authorities_parse(buffer_bytes(&list), authorities, &line) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "file.authorities", arguments->authorities,
                      "Línea %u: no es una lista de autoridades.", line);
    }
    return cli_read_file(arguments->path, SUCCESSION_SIZE_MAX, note, fault);
}

int log_statement(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct fault fault = {0};
    OWN(buffer) note = {0};
    struct authorities *authorities = arena_alloc(cli->arena, sizeof *authorities);
    struct succession *succession = arena_alloc(cli->arena, sizeof *succession);
    int status = read_arguments(cli, argc, argv, &arguments);
    unsigned signed_by = 0;
    enum rc rc;

    if (status != EXIT_DONE) {
        return status;
    }
    if (arguments.authorities == NULL || arguments.path == NULL || authorities == NULL ||
        succession == NULL) {
        return cli_usage(cli, "log", "statement espera la declaración y --authorities.");
    }
    if (read_statement(&arguments, authorities, &note, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    rc = succession_open(buffer_bytes(&note), authorities, succession, &signed_by);
    if (rc != RC_OK && rc != RC_PERMISSION_DENIED) {
        refuse(&fault, RC_INVALID_ARGUMENT, "file.statement", arguments.path,
               "No es una declaración de sucesión firmada, o una firma no corresponde.");
        return cli_fault(cli, &fault);
    }
    return show(cli, succession, signed_by, authorities->quorum, rc == RC_OK);
}

/* ---- vkey ---- */

int log_vkey(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = {0};
    OWN_PTR(keyring) keyring = NULL;
    struct fault fault = {0};
    char text[VKEY_TEXT_SIZE];
    struct vkey key;
    int status = read_arguments(cli, argc, argv, &arguments);

    if (status != EXIT_DONE) {
        return status;
    }
    if (arguments.key == NULL || arguments.name == NULL) {
        return cli_usage(cli, "log", "vkey espera --key y --name.");
    }
    if (keyring_load(arguments.key, &keyring, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (vkey_of(arguments.name, VKEY_ED25519, keyring, &key) != RC_OK) {
        return cli_usage(cli, "log", "«%s» no es el nombre de una llave.", arguments.name);
    }
    vkey_format(&key, text);
    puts(text);
    return EXIT_DONE;
}

/* ---- seen ---- */

int log_seen(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct fault fault = {0};
    struct bytes note;
    int status = read_arguments(cli, argc, argv, &arguments);

    if (status == EXIT_DONE && (arguments.path == NULL || arguments.out == NULL)) {
        return cli_usage(cli, "log", "seen espera el origen de una bitácora y -O ARCHIVO.");
    }
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (ask_seen(cli->session, arguments.path, cli->arena, &note, &fault) != RC_OK ||
        cli_write_file(arguments.out, note, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    printf("El último sello de %s que vio %s está en %s\n", arguments.path, cli->profile->node,
           arguments.out);
    return EXIT_DONE;
}
