/* verify receipt: offline; needs neither the node nor, with --vkey, a profile. */
#include <getopt.h>
#include <string.h>

#include "base/arena.h"
#include "client/profile.h"
#include "client/receipt_check.h"
#include "enlace/command.h"
#include "enlace/receipts_text.h"
#include "rpc/codec.h"

#define VKEYS_MAX 64

struct verifying {
    struct vkey *logs;
    size_t log_count;
    const char *message_path;
    const char *path;
};

static int read_arguments(struct cli *cli, int argc, char **argv, struct verifying *verifying)
{
    static const struct option names[] = {
        {"vkey", required_argument, NULL, 'k'},
        {"message", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0},
    };
    int choice;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (choice == 'm') {
            verifying->message_path = optarg;
        } else if (choice != 'k' || verifying->log_count == VKEYS_MAX ||
                   vkey_parse(bytes_text(optarg), &verifying->logs[verifying->log_count]) !=
                       RC_OK) {
            return cli_usage(cli, "verify", "Una llave (vkey) u opción no se entiende.");
        } else {
            verifying->log_count++;
        }
    }
    if (argc - optind != 2 || strcmp(argv[optind], "receipt") != 0) {
        return cli_usage(cli, "verify", "Se esperaba «verify receipt ARCHIVO».");
    }
    verifying->path = argv[optind + 1];
    return EXIT_DONE;
}

static int take_profile_logs(struct cli *cli, struct verifying *verifying)
{
    int status;

    if (verifying->log_count > 0) {
        return EXIT_DONE;
    }
    status = cli_need_profile(cli);
    if (status == EXIT_DONE) {
        verifying->logs = cli->profile->logs;
        verifying->log_count = cli->profile->log_count;
    }
    return status;
}

/* The message itself, not only what the file says of it. */
static enum rc check_message(struct cli *cli, const char *path, const struct receipt_file *file,
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
    if (memcmp(commitment, file->commitment, HASH_SIZE) != 0) {
        return refuse(fault, RC_DATA_LOSS, "receipt.other_message", path,
                      "El acuse es de otro mensaje, o el mensaje fue alterado.");
    }
    return RC_OK;
}

int cmd_verify(struct cli *cli, int argc, char **argv)
{
    struct receipt_file *file = arena_alloc(cli->arena, sizeof *file);
    struct verifying verifying = {arena_alloc(cli->arena, VKEYS_MAX * sizeof(struct vkey)), 0, NULL,
                                  NULL};
    OWN(buffer) text = {0};
    struct fault fault = {0};
    int status;

    if (file == NULL || verifying.logs == NULL) {
        return EXIT_FAILED;
    }
    status = read_arguments(cli, argc, argv, &verifying);
    status = status == EXIT_DONE ? take_profile_logs(cli, &verifying) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (cli_read_file(verifying.path, RECEIPT_FILE_SIZE_MAX, &text, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (receipt_file_parse(buffer_bytes(&text), file) != RC_OK) {
        (void)refuse(&fault, RC_INVALID_ARGUMENT, "file.receipt", verifying.path,
                     "El archivo no es un acuse de Enlace; guárdelo con «enlace receipt ID -o "
                     "ARCHIVO».");
        return cli_fault(cli, &fault);
    }
    if (verifying.message_path != NULL &&
        check_message(cli, verifying.message_path, file, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return receipts_text_check(cli, file, verifying.logs, verifying.log_count, NULL);
}
