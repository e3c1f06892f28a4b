/* put and get: files that travel beside a message. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/annex.h"
#include "client/session.h"
#include "crypto/digest.h"
#include "enlace/command.h"

static struct id new_id(void)
{
    uint8_t random[10];

    random_fill(random, sizeof random);
    return id_v7(clock_now_ms(), random);
}

static int put(struct cli *cli, const char *path, const char *to, struct annex *annex)
{
    struct fault fault = {0};
    char id[ID_TEXT_SIZE];
    char digest[2 * HASH_SIZE + 1];
    uint64_t sent = 0;

    if (annex_measure(path, annex, &fault) != RC_OK ||
        annex_put(cli->session, path, annex, to, &sent, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    id_format(&annex->id, id);
    hex_encode(annex->sha256, HASH_SIZE, digest);
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:I,s:s,s:I}", "attachment_id", id, "size",
                            (json_int_t)annex->size, "sha256", digest, "sent", (json_int_t)sent));
        return EXIT_DONE;
    }
    printf("Anexo %s completo en el nodo\n  tamaño %llu, SHA-256 %s\n  enviados ahora: %llu\n", id,
           (unsigned long long)annex->size, digest, (unsigned long long)sent);
    return EXIT_DONE;
}

int cmd_put(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {{"to", required_argument, NULL, 't'},
                                          {"id", required_argument, NULL, 'i'},
                                          {NULL, 0, NULL, 0}};
    struct annex annex = {.id = new_id()};
    const char *to = NULL;
    int status = EXIT_DONE;
    int choice;

    opterr = 0;
    while (status == EXIT_DONE && (choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (choice == 't') {
            to = optarg;
        } else {
            status = choice == 'i' ? cli_id(cli, "put", optarg, &annex.id)
                                   : cli_usage(cli, "put", "No se entiende una opción.");
        }
    }
    if (status == EXIT_DONE && (argc - optind != 1 || to == NULL)) {
        status = cli_usage(cli, "put", "Faltan el archivo o --to.");
    }
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    return status == EXIT_DONE ? put(cli, argv[optind], to, &annex) : status;
}

int cmd_get(struct cli *cli, int argc, char **argv)
{
    static const struct option names[] = {{"sha256", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    uint8_t digest[HASH_SIZE];
    bool has_digest = false;
    const char *path = NULL;
    struct fault fault = {0};
    uint64_t size = 0;
    struct id id;
    int choice;
    int status;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "o:", names, NULL)) != -1) {
        if (choice == 'o') {
            path = optarg;
        } else if (choice == 's' && strlen(optarg) == 2 * HASH_SIZE &&
                   hex_decode(optarg, digest, HASH_SIZE) == RC_OK) {
            has_digest = true;
        } else {
            return cli_usage(cli, "get", "No se entiende una opción o la huella.");
        }
    }
    if (argc - optind != 1 || path == NULL) {
        return cli_usage(cli, "get", "Faltan el identificador o -o ARCHIVO.");
    }
    status = cli_id(cli, "get", argv[optind], &id);
    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (annex_get(cli->session, &id, has_digest ? digest : NULL, path, &size, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:I}", "file", path, "size", (json_int_t)size));
    } else {
        printf("Guardado en %s (%llu bytes)%s\n", path, (unsigned long long)size,
               has_digest ? ", la huella coincide" : "; dé --sha256 para comprobarlo");
    }
    return EXIT_DONE;
}
