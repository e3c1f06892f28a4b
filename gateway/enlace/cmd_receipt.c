/* receipt: R0 and R1 as the nodes' logs signed them; --witnessed: proofs under a quorum. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/session.h"
#include "enlace/card.h"
#include "enlace/command.h"
#include "enlace/receipts_text.h"
#include "offline/receipts_check.h"
#include "offline/report.h"

struct asking {
    const char *path; /* NULL: shown only */
    bool is_witnessed;
    bool is_for_person;
    const char *folio;
    const char *html;
    struct id id;
};

/* From the node's answer to the form that is kept and checked. */
static enum rc gather(struct cli *cli, const struct asking *asking, struct buffer *text,
                      struct receipt_file *file, struct fault *fault)
{
    struct receipts *answer = arena_alloc(cli->arena, sizeof *answer);
    struct receipt_file plain = {.message_id = asking->id};

    if (answer == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    TRY((asking->is_witnessed ? ask_witnessed_receipts : ask_receipts)(cli->session, &asking->id,
                                                                       cli->arena, answer, fault));
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

static enum rc read_trust(struct cli *cli, struct trust *trust, struct fault *fault)
{
    const struct profile *profile = cli->profile;
    struct policy_flaw flaw = {0};
    OWN(buffer) text = {0};

    trust->now_s = (uint64_t)(clock_now_ms() / 1000);
    trust->tolerance_s = TRUST_TOLERANCE_S;
    memcpy(trust->logs, profile->logs, profile->log_count * sizeof profile->logs[0]);
    trust->log_count = profile->log_count;
    TRY(cli_read_file(profile->policy, POLICY_SIZE_MAX, &text, fault));
    return trust_set_policy(trust, buffer_bytes(&text), &flaw) == RC_OK
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "file.policy", profile->policy,
                        "Línea %zu: no es una política: %s.", flaw.line,
                        flaw.reason != NULL ? flaw.reason : "demasiadas bitácoras");
}

/* As `enlace verify receipt` would, by the profile's policy. */
static int check_witnessed(struct cli *cli, struct bytes text, const char *path)
{
    struct receipt_bundle *bundle = arena_alloc(cli->arena, sizeof *bundle);
    struct trust *trust = arena_alloc(cli->arena, sizeof *trust);
    struct report *report = arena_alloc(cli->arena, sizeof *report);
    struct fault fault = {0};

    if (bundle == NULL || trust == NULL || report == NULL ||
        receipt_bundle_parse(text, bundle) != RC_OK) {
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
        return cli_fault(cli, &fault);
    }
    if (read_trust(cli, trust, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    report->what = "receipt";
    (void)receipts_check(bundle, trust, report);
    if (path != NULL) {
        report_text(report, "file", "Guardado en", "%s", path);
    }
    return report_print(report, cli->is_json, stdout);
}

static int read_arguments(struct cli *cli, int argc, char **argv, struct asking *asking)
{
    static const struct option names[] = {
        {"witnessed", no_argument, NULL, 'w'},
        {"person", no_argument, NULL, 'p'},
        {"folio", required_argument, NULL, 'f'},
        {"html", required_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int choice;

    opterr = 0;
    while ((choice = getopt_long(argc, argv, "o:", names, NULL)) != -1) {
        if (choice == 'w') {
            asking->is_witnessed = true;
        } else if (choice == 'o') {
            asking->path = optarg;
        } else if (choice == 'p') {
            asking->is_for_person = true;
        } else if (choice == 'f') {
            asking->folio = optarg;
        } else if (choice == 'h') {
            asking->html = optarg;
        } else {
            return cli_usage(cli, "receipt", "Una opción no se entiende.");
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "receipt", "Se esperaba un identificador y, si acaso, -o ARCHIVO.");
    }
    return cli_id(cli, "receipt", argv[optind], &asking->id);
}

int cmd_receipt(struct cli *cli, int argc, char **argv)
{
    struct receipt_file *file = arena_alloc(cli->arena, sizeof *file);
    struct asking asking = {.folio = ""};
    OWN(buffer) text = {0};
    struct fault fault = {0};
    int status = read_arguments(cli, argc, argv, &asking);

    status = status == EXIT_DONE ? cli_need_session(cli) : status;
    if (status != EXIT_DONE || file == NULL) {
        return status != EXIT_DONE ? status : EXIT_FAILED;
    }
    if (asking.is_for_person) {
        const struct card_request card = {asking.id, asking.folio, asking.html};

        return card_print(cli, &card);
    }
    if (asking.is_witnessed && cli->profile->policy[0] == '\0') {
        return cli_usage(cli, "receipt",
                         "--witnessed necesita «policy» en el perfil: quiénes son los testigos.");
    }
    if (gather(cli, &asking, &text, file, &fault) != RC_OK ||
        (asking.path != NULL &&
         cli_write_file(asking.path, buffer_bytes(&text), &fault) != RC_OK)) {
        return cli_fault(cli, &fault);
    }
    return asking.is_witnessed ? check_witnessed(cli, buffer_bytes(&text), asking.path)
                               : receipts_text_check(cli, file, cli->profile->logs,
                                                     cli->profile->log_count, asking.path);
}
