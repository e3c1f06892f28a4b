/* verify: offline; needs neither the node nor, with --vkey or --policy, a profile. */
#include <string.h>

#include "base/arena.h"
#include "client/profile.h"
#include "client/receipt_check.h"
#include "enlace/command.h"
#include "enlace/exchange_logs.h"
#include "enlace/expediente.h"
#include "offline/report.h"
#include "offline/verify.h"
#include "rpc/codec.h"
#include "tlog/receipt_bundle.h"

/* The arguments without what only this program understands. */
struct verifying {
    char **argv;
    int argc;
    const char *message_path;
    bool has_keys;
    bool has_policy;
    bool is_alone; /* a sheet of paper and a certificate: no log is asked */
};

static bool split_arguments(struct cli *cli, int argc, char **argv, struct verifying *verifying)
{
    verifying->argv = arena_alloc(cli->arena, ((size_t)argc + 1) * sizeof *verifying->argv);
    if (verifying->argv == NULL) {
        return false;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--message") == 0 && i + 1 < argc) {
            verifying->message_path = argv[++i];
            continue;
        }
        verifying->has_keys = verifying->has_keys || strncmp(argv[i], "--vkey", 6) == 0 ||
                              strncmp(argv[i], "--policy", 8) == 0 ||
                              strncmp(argv[i], "--succession", 12) == 0;
        verifying->is_alone = verifying->is_alone || (i == 1 && strcmp(argv[i], "oficio") == 0);
        verifying->is_alone = verifying->is_alone && strncmp(argv[i], "--receipt", 9) != 0;
        verifying->has_policy = verifying->has_policy || strncmp(argv[i], "--policy", 8) == 0;
        verifying->argv[verifying->argc++] = argv[i];
    }
    return true;
}

/* The message itself, not only what the file says of it. */
static enum rc check_message(struct cli *cli, const char *path, const uint8_t expected[HASH_SIZE],
                             struct fault *fault)
{
    struct message *message = arena_alloc(cli->arena, sizeof *message);
    uint8_t commitment[HASH_SIZE];
    OWN(buffer) bytes = {0};
    struct bytes copy;

    TRY(cli_read_file(path, 2 * MESSAGE_BYTES_MAX, &bytes, fault));
    copy = arena_copy(cli->arena, buffer_bytes(&bytes));
    if (message == NULL || copy.data == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    if (codec_message_read(copy, cli->arena, message, fault) != RC_OK ||
        receipt_commitment(message, commitment) != RC_OK) {
        fault->rc = RC_OK;
        return refuse(fault, RC_INVALID_ARGUMENT, "file.message", path,
                      "Ese archivo no es un mensaje; guárdelo con «enlace inbox --save».");
    }
    if (memcmp(commitment, expected, HASH_SIZE) != 0) {
        return refuse(fault, RC_DATA_LOSS, "receipt.other_message", path,
                      "El acuse es de otro mensaje, o el mensaje fue alterado.");
    }
    return RC_OK;
}

/* Of the receipt that is verified: the last argument that is a receipt. */
static int check_against_message(struct cli *cli, const struct verifying *verifying)
{
    struct receipt_bundle *bundle = arena_alloc(cli->arena, sizeof *bundle);
    OWN(buffer) text = {0};
    struct fault fault = {0};

    if (strcmp(verifying->argv[0], "receipt") != 0 || bundle == NULL) {
        return cli_usage(cli, "verify", "--message es para «verify receipt».");
    }
    for (int i = 1; i < verifying->argc; i++) {
        struct fault ignored = {0};

        if (cli_read_file(verifying->argv[i], RECEIPT_BUNDLE_SIZE_MAX, &text, &ignored) == RC_OK &&
            receipt_bundle_parse(buffer_bytes(&text), bundle) == RC_OK) {
            return check_message(cli, verifying->message_path, bundle->commitment, &fault) == RC_OK
                       ? EXIT_DONE
                       : cli_fault(cli, &fault);
        }
    }
    return EXIT_DONE; /* what is no receipt is told by the verification */
}

static void compare_folders(const char *a, const char *b, const char *exchange,
                            const struct trust *trust, struct report *report)
{
    struct id id;

    if (exchange != NULL && id_parse(exchange, &id) != RC_OK) {
        report_bad(report, "usage", "--exchange", "No es un identificador.");
        return;
    }
    exchange_logs_compare(a, b, exchange != NULL ? &id : NULL, trust, report);
}

int cmd_verify(struct cli *cli, int argc, char **argv)
{
    struct verify_caller caller = {.program = "enlace verify",
                                   .is_json = cli->is_json,
                                   .exchange_folders = compare_folders,
                                   .bundle_facts = expediente_check_facts};
    struct verifying verifying = {0};
    int status = EXIT_DONE;

    if (argc < 2 || !split_arguments(cli, argc, argv, &verifying) || verifying.argc == 0) {
        return cli_usage(cli, "verify",
                         "Se esperaba receipt, log, consistency, exchange, bundle u oficio.");
    }
    /* With keys of his own the reader needs no profile; one that he has still brings its policy. */
    if (verifying.is_alone) {
        return verify_run(&caller, verifying.argc, verifying.argv);
    }
    if (!verifying.has_keys || (!verifying.has_policy && cli->profile_path != NULL)) {
        status = cli_need_profile(cli);
    }
    if (status == EXIT_DONE && !verifying.has_keys) {
        caller.logs = cli->profile->logs;
        caller.log_count = cli->profile->log_count;
    }
    if (status == EXIT_DONE && cli->profile != NULL && cli->profile->policy[0] != '\0') {
        caller.policy = cli->profile->policy;
    }
    if (status == EXIT_DONE && verifying.message_path != NULL) {
        status = check_against_message(cli, &verifying);
    }
    return status != EXIT_DONE ? status : verify_run(&caller, verifying.argc, verifying.argv);
}
