#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/session.h"
#include "enlace/command.h"
#include "enlace/receipts_text.h"

/* From the node's answer to the form that is kept and checked. */
static enum rc gather(struct cli *cli, const struct id *id, struct buffer *text,
                      struct receipt_file *file, struct fault *fault)
{
    struct receipts *answer = arena_alloc(cli->arena, sizeof *answer);
    struct receipt_file plain = {.message_id = *id};

    if (answer == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    TRY(ask_receipts(cli->session, id, cli->arena, answer, fault));
    if (answer->message_commitment.size != HASH_SIZE || answer->count == 0) {
        return refuse(fault, RC_DATA_LOSS, "receipt.malformed", "",
                      "La respuesta del nodo viene incompleta; avise a quien lo opera.");
    }
    memcpy(plain.commitment, answer->message_commitment.data, HASH_SIZE);
    plain.count = answer->count;
    memcpy(plain.receipts, answer->items, sizeof plain.receipts);
    receipt_file_write(&plain, text);
    return !text->is_failed && receipt_file_parse(buffer_bytes(text), file) == RC_OK
               ? RC_OK
               : refuse(fault, RC_DATA_LOSS, "receipt.malformed", "",
                        "Los acuses del nodo no tienen la forma debida; avise a quien lo opera.");
}

int cmd_receipt(struct cli *cli, int argc, char **argv)
{
    struct receipt_file *file = arena_alloc(cli->arena, sizeof *file);
    OWN(buffer) text = {0};
    const char *path = NULL;
    struct fault fault = {0};
    struct id id;
    int status;

    if (argc == 4 && strcmp(argv[2], "-o") == 0) {
        path = argv[3];
    } else if (argc != 2 || file == NULL) {
        return cli_usage(cli, "receipt", "Se esperaba un identificador y, si acaso, -o ARCHIVO.");
    }
    status = cli_id(cli, "receipt", argv[1], &id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (gather(cli, &id, &text, file, &fault) != RC_OK ||
        (path != NULL && cli_write_file(path, buffer_bytes(&text), &fault) != RC_OK)) {
        return cli_fault(cli, &fault);
    }
    return receipts_text_check(cli, file, cli->profile->logs, cli->profile->log_count, path);
}
