#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/compose.h"
#include "client/profile.h"
#include "client/send.h"
#include "client/spool.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "crypto/spiffe.h"
#include "enlace/command.h"
#include "enlace/kinship.h"
#include "model/lifecycle.h"
#include "rpc/codec.h"

/* The profile's official, when the message is one that a person signs. */
struct official {
    struct cert *cert;
    struct actkey *key;
    struct spiffe spiffe;
};

static void official_release(struct official *official)
{
    cert_free(official->cert);
    actkey_free(official->key);
}

static bool is_signed_by_person(const struct header *header)
{
    return header->type == MESSAGE_RECALL || header->type == MESSAGE_AGGREGATE ||
           header->consent == CONSENT_IMPEDED || header->out_of_band != BAND_NONE ||
           header->break_glass[0] != '\0' ||
           (header->type == MESSAGE_ACT && event_is_signed(header->event));
}

static enum rc load_official(const struct cli *cli, struct official *official, struct fault *fault)
{
    const struct profile *profile = cli->profile;

    if (profile->official_key[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.official", profile->path,
                      "Este mensaje lo firma un funcionario: agregue official_certificate y "
                      "official_key a su perfil.");
    }
    TRY(cert_load(profile->official_certificate, &official->cert, fault));
    TRY(actkey_load(profile->official_key, &official->key, fault));
    return spiffe_parse(bytes_text(cert_uri(official->cert)), &official->spiffe) == RC_OK
               ? RC_OK
               : refuse(fault, RC_FAILED_PRECONDITION, "profile.official",
                        profile->official_certificate,
                        "Ese certificado no nombra a un funcionario; corrija "
                        "official_certificate.");
}

static void fill_sender(const struct cli *cli, struct header *header)
{
    if (header->from[0] == '\0') {
        header->from = cli->profile->member;
    }
    if (header->from_system[0] == '\0') {
        header->from_system = cli->profile->system;
    }
    if (header->created_at_ms == 0) {
        header->created_at_ms = clock_now_ms();
    }
    if (header->urgency == URGENCY_NONE) {
        header->urgency = URGENCY_ORDINARY;
    }
}

static enum rc make(struct cli *cli, struct draft *draft, struct composed *composed,
                    struct fault *fault)
{
    OWN(official) official = {0};
    uint8_t seed[COMPOSE_SEED_SIZE];
    enum rc rc;

    fill_sender(cli, &draft->header);
    TRY(kinship_fit(cli, draft, fault));
    if (is_signed_by_person(&draft->header)) {
        TRY(load_official(cli, &official, fault));
        draft->header.on_behalf_of = official.spiffe.name;
        draft->signers[0] = (struct draft_signer){official.cert, official.key};
        draft->signer_count = 1;
    }
    random_fill(seed, sizeof seed);
    rc = compose(draft, seed, composed, fault);
    explicit_bzero(seed, sizeof seed);
    draft->header.on_behalf_of = ""; /* it was the official's, who leaves with this block */
    return rc;
}

static void print_sent(const struct cli *cli, const struct sent *sent, const char *stored)
{
    char id[ID_TEXT_SIZE];
    char when[CLI_TIME_SIZE];

    id_format(&sent->file.message_id, id);
    cli_time(sent->facts.time_ms, when);
    if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s,s:b,s:s,s:I,s:I,s:I,s:s}", "message_id", id, "level", "R0",
                            "erased", (int)sent->is_erased, "log", sent->facts.origin, "index",
                            (json_int_t)sent->facts.index, "tree_size",
                            (json_int_t)sent->facts.tree_size, "time_ms",
                            (json_int_t)sent->facts.time_ms, "receipt", stored));
        return;
    }
    printf(sent->is_erased ? "Suprimido: el nodo tuvo este mensaje y borró su contenido: %s\n"
                           : "Enviado: %s\n",
           id);
    printf("Acuse R0 verificado: hoja %llu de %s, %s\n", (unsigned long long)sent->facts.index,
           sent->facts.origin, when);
    printf("Guardado en %s\n", stored);
}

/* The opening of an exchange of ours, for later acts. */
static void keep_own(struct cli *cli, struct bytes request)
{
    struct submission *submission = arena_alloc(cli->arena, sizeof *submission);
    struct fault fault = {0};

    if (submission != NULL && codec_submit_read(request, cli->arena, submission, &fault) == RC_OK &&
        message_opens(&submission->message)) {
        cli_keep_exchange(cli, &submission->message);
    }
}

int cli_send_composed(struct cli *cli, const struct id *id, struct bytes request)
{
    OWN(sent) sent = {0};
    struct fault fault = {0};
    char text[ID_TEXT_SIZE];
    char stored[CONF_TEXT_SIZE + 64];

    id_format(id, text);
    if (send_spooled(cli->session, cli->spool, id, request, &sent, &fault) != RC_OK) {
        int status = cli_fault(cli, &fault);

        if (!cli->is_json && send_may_retry(fault.rc)) {
            fprintf(stderr, "  El mensaje %s quedó guardado; «enlace resend» lo envía igual.\n",
                    text);
        }
        return status;
    }
    keep_own(cli, request);
    snprintf(stored, sizeof stored, "%s/receipts/%s", spool_path(cli->spool), text);
    print_sent(cli, &sent, stored);
    return EXIT_DONE;
}

int cli_send(struct cli *cli, struct draft *draft)
{
    OWN(composed) composed = {0};
    struct fault fault = {0};
    int status = cli_need_session(cli);

    status = status == EXIT_DONE ? cli_need_spool(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    if (make(cli, draft, &composed, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    return cli_send_composed(cli, &composed.message_id, buffer_bytes(&composed.request));
}

/* ---- what is known of an exchange ---- */

void cli_keep_exchange(struct cli *cli, const struct message *message)
{
    struct message *bare = arena_alloc(cli->arena, sizeof *bare);
    struct spool_entry entry = {SPOOL_EXCHANGES, message->header.message_id, {0}};
    OWN(buffer) bytes = {0};

    if (bare == NULL || cli->spool == NULL) {
        return;
    }
    bare->header_bytes = message->header_bytes;
    bare->header_blind = message->header_blind;
    codec_message_write(bare, &bytes);
    entry.bytes = buffer_bytes(&bytes);
    if (bytes.is_failed || spool_store(cli->spool, &entry, 1) != RC_OK) {
        log_warn("exchange.not_kept", "cause=disk");
    }
}

/* An adapter of the same profile keeps its exchanges in a folder of its own. */
static enum rc read_beside(const struct cli *cli, const struct id *id, struct buffer *into)
{
    char path[CONF_TEXT_SIZE + 80];
    char text[ID_TEXT_SIZE];
    struct fault fault = {0};

    id_format(id, text);
    snprintf(path, sizeof path, "%s/adapter/exchanges/%s", cli->profile->spool, text);
    return cli_read_file(path, MESSAGE_BYTES_MAX, into, &fault);
}

enum rc cli_find_exchange(struct cli *cli, const struct id *id, struct message **message,
                          struct fault *fault)
{
    struct message *found = arena_alloc(cli->arena, sizeof *found);
    OWN(buffer) bytes = {0};
    struct bytes copy;

    if (found == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    if (spool_read(cli->spool, SPOOL_EXCHANGES, id, &bytes) != RC_OK &&
        read_beside(cli, id, &bytes) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "exchange.not_here", "",
                      "Ese intercambio no pasó por este perfil; tómelo con «enlace inbox --ack» o "
                      "describa el acto en JSON para «enlace submit».");
    }
    copy = arena_copy(cli->arena, buffer_bytes(&bytes));
    if (copy.data == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    }
    TRY(codec_message_read(copy, cli->arena, found, fault));
    *message = found;
    return RC_OK;
}

void cli_answer(const struct cli *cli, const struct header *to, struct header *answer)
{
    bool is_ours = strcmp(to->from, cli->profile->member) == 0 &&
                   strcmp(to->from_system, cli->profile->system) == 0;

    draft_header_init(answer);
    answer->exchange_id = to->exchange_id;
    answer->parent_exchange_id = to->parent_exchange_id;
    answer->to = is_ours ? to->to : to->from;
    answer->to_system = is_ours ? to->to_system : to->from_system;
    answer->urgency = to->urgency;
    answer->catalogue_code = to->catalogue_code;
    answer->purpose = to->purpose;
    answer->legal_basis = to->legal_basis;
    answer->aviso_id = to->aviso_id;
    answer->aviso_version = to->aviso_version;
    answer->aviso_sha256 = to->aviso_sha256;
    answer->consent = CONSENT_NOT_NEEDED;
}
