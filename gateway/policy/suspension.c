#include "policy/suspension.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "policy/member.h"
#include "tlog/text.h"

static const char *const kind_names[SUSPENDED_KINDS] = {"member",   "node",    "system",
                                                        "official", "auditor", "certificate"};

const char *suspended_kind_name(enum suspended_kind kind)
{
    return (unsigned)kind < SUSPENDED_KINDS ? kind_names[kind] : NULL;
}

/* ---- the text ---- */

static enum rc refuse_line(struct fault *fault, unsigned line, const char *expected)
{
    char path[16];

    snprintf(path, sizeof path, "línea %u", line);
    return refuse(fault, RC_INVALID_ARGUMENT, "suspension.malformed", path, "Se espera: %s",
                  expected);
}

/* The value after "name "; in `lines` order, LF-ended, of 1 to size - 1 bytes. */
static bool take_value(struct bytes *text, const char *name, char *out, size_t size)
{
    struct bytes line;

    if (!text_line(text, &line) || !text_word(&line, name) || !text_word(&line, " ") ||
        line.size == 0 || line.size >= size || line.data[0] == ' ' ||
        line.data[line.size - 1] == ' ') {
        return false;
    }
    memcpy(out, line.data, line.size);
    out[line.size] = '\0';
    return true;
}

static bool names_identity(const char *id)
{
    const char *slash = strrchr(id, '/');
    char member[CODE_SIZE];

    if (slash == NULL || (size_t)(slash - id) >= sizeof member) {
        return false;
    }
    memcpy(member, id, (size_t)(slash - id));
    member[slash - id] = '\0';
    return member_code_is_valid(member) && member_label_is_valid(slash + 1);
}

static bool parse_target(char *value, struct suspension *suspension)
{
    char *id = strchr(value, ' ');
    int kind = 0;

    if (id == NULL || strlen(id + 1) >= sizeof suspension->id) {
        return false;
    }
    *id++ = '\0';
    while (kind < SUSPENDED_KINDS && strcmp(kind_names[kind], value) != 0) {
        kind++;
    }
    suspension->kind = (enum suspended_kind)kind;
    memcpy(suspension->id, id, strlen(id) + 1);
    switch (kind) {
    case SUSPENDED_KINDS:
        return false;
    case SUSPENDED_MEMBER:
    case SUSPENDED_NODE:
        return member_code_is_valid(id);
    case SUSPENDED_CERTIFICATE:
        return hex_decode(id, suspension->fingerprint, HASH_SIZE) == RC_OK;
    default:
        return names_identity(id);
    }
}

/* A label of one to fifteen letters and digits. */
static bool is_network(const char *value)
{
    size_t size = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789");

    return size > 0 && size <= 15 && value[size] == '\0';
}

static bool parse_at(const char *value, int64_t *at_ms)
{
    size_t size = strlen(value);

    return size == 20 && value[size - 1] == 'Z' && clock_parse(bytes_text(value), at_ms) == RC_OK;
}

enum rc suspension_parse(struct bytes text, struct suspension *suspension, struct fault *fault)
{
    struct suspension made = {.kind = SUSPENDED_KINDS};
    struct bytes rest = text;
    char value[512];

    if (text.size > SUSPENSION_TEXT_MAX || !text_is_clean(text, TEXT_LINES) ||
        !take_value(&rest, "enlace-suspension", value, sizeof value) || strcmp(value, "v1") != 0) {
        return refuse_line(fault, 1, "enlace-suspension v1");
    }
    if (!take_value(&rest, "network", made.network, sizeof made.network) ||
        !is_network(made.network)) {
        return refuse_line(fault, 2, "network RED");
    }
    if (!take_value(&rest, "issuer", made.issuer, sizeof made.issuer) ||
        !vkey_name_is_valid(bytes_text(made.issuer))) {
        return refuse_line(fault, 3, "issuer NOMBRE-DE-LLAVE");
    }
    if (!take_value(&rest, "at", value, sizeof value) || !parse_at(value, &made.at_ms)) {
        return refuse_line(fault, 4, "at AAAA-MM-DDThh:mm:ssZ");
    }
    if (!take_value(&rest, "suspend", value, sizeof value) || !parse_target(value, &made)) {
        return refuse_line(fault, 5,
                           "suspend member|node|system|official|auditor|certificate y su "
                           "identificador");
    }
    if (!take_value(&rest, "reason", value, sizeof value) || rest.size != 0) {
        return refuse_line(fault, 6, "reason MOTIVO, y nada después");
    }
    digest_of(&text, 1, made.sha256);
    *suspension = made;
    return RC_OK;
}

/* ---- who signs ---- */

static enum rc check_key(const char *text, const struct note *note, const struct suspension *said)
{
    struct vkey key;

    if (vkey_parse(bytes_text(text), &key) != RC_OK || strcmp(key.name, said->issuer) != 0) {
        return RC_NOT_FOUND;
    }
    return note_verify(note, &key);
}

static enum rc check_authorities(const struct directory *directory, const struct note *note,
                                 const struct suspension *said)
{
    for (size_t i = 0; i < directory->authority_count; i++) {
        const struct authority *authority = &directory->authorities[i];
        enum rc rc = strcmp(authority->network, said->network) == 0
                         ? check_key(authority->vkey, note, said)
                         : RC_NOT_FOUND;

        if (rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    return RC_NOT_FOUND;
}

static bool is_of_network(const char *code, const char *network)
{
    size_t size = strlen(network);

    return strncmp(code, network, size) == 0 && code[size] == '/';
}

static enum rc check_members(const struct directory *directory, const struct note *note,
                             struct suspension *said)
{
    for (size_t i = 0; i < directory->member_count; i++) {
        const struct member *member = &directory->members[i];

        for (size_t j = 0; j < member->roster_key_count; j++) {
            enum rc rc = is_of_network(member->code, said->network)
                             ? check_key(member->roster_vkeys[j], note, said)
                             : RC_NOT_FOUND;

            if (rc != RC_NOT_FOUND) {
                memcpy(said->owner, member->code, CODE_SIZE);
                return rc;
            }
        }
    }
    return RC_NOT_FOUND;
}

/* Within the network, and for a member within what is its own. */
static bool may_suspend(const struct suspension *said)
{
    size_t owner = strlen(said->owner);

    if (said->kind == SUSPENDED_CERTIFICATE) {
        return true; /* of its own rows: applied to no others */
    }
    if (owner == 0) {
        return is_of_network(said->id, said->network);
    }
    return strncmp(said->id, said->owner, owner) == 0 &&
           (said->id[owner] == '\0' || said->id[owner] == '/');
}

enum rc suspension_check(const struct directory *directory, const struct note *note,
                         struct suspension *suspension, struct fault *fault)
{
    enum rc rc = check_authorities(directory, note, suspension);

    if (rc == RC_NOT_FOUND) {
        rc = check_members(directory, note, suspension);
    }
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, RC_PERMISSION_DENIED, "suspension.issuer", "issuer",
                      "No la firma una autoridad de la red ni una llave de la institución.");
    }
    if (rc != RC_OK) {
        return refuse(fault, RC_UNAUTHENTICATED, "note.signature", "issuer",
                      "La firma no corresponde al texto.");
    }
    if (!may_suspend(suspension)) {
        return refuse(fault, RC_PERMISSION_DENIED, "suspension.not_yours", "suspend",
                      "Una institución solo suspende lo suyo; lo demás, una autoridad de su red.");
    }
    return RC_OK;
}

/* ---- what it does ---- */

static bool names(const struct suspension *suspension, const struct identity *row)
{
    static const enum identity_kind kinds[SUSPENDED_KINDS] = {
        [SUSPENDED_SYSTEM] = IDENTITY_SYSTEM,
        [SUSPENDED_OFFICIAL] = IDENTITY_OFFICIAL,
        [SUSPENDED_AUDITOR] = IDENTITY_AUDITOR};
    size_t size = strlen(row->member);

    return kinds[suspension->kind] == row->kind && row->kind != IDENTITY_NONE &&
           strncmp(suspension->id, row->member, size) == 0 && suspension->id[size] == '/' &&
           strcmp(suspension->id + size + 1, row->name) == 0;
}

/* A seal certificate is no one's to show: what is sealed to it stops being sealed to it. */
static void suspend_seal(const struct suspension *suspension, struct identity *row)
{
    if (row->has_seal && certificate_is_of(suspension->network, suspension->owner, row->member) &&
        memcmp(row->seal_fingerprint, suspension->fingerprint, HASH_SIZE) == 0) {
        row->has_seal = false;
    }
}

static void apply_to_identity(const struct suspension *suspension, struct identity *row)
{
    if (suspension->kind == SUSPENDED_MEMBER) {
        row->is_suspended = row->is_suspended || strcmp(row->member, suspension->id) == 0;
    } else if (suspension->kind == SUSPENDED_CERTIFICATE) {
        suspend_seal(suspension, row);
    } else {
        row->is_suspended = row->is_suspended || names(suspension, row);
    }
}

static enum rc add_certificate(const struct suspension *suspension, struct directory *directory)
{
    struct suspended_certificate *grown =
        reallocarray(directory->suspended, directory->suspended_count + 1, sizeof *grown);

    if (grown == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    directory->suspended = grown;
    grown += directory->suspended_count++;
    memcpy(grown->fingerprint, suspension->fingerprint, HASH_SIZE);
    memcpy(grown->network, suspension->network, CODE_SIZE);
    memcpy(grown->owner, suspension->owner, CODE_SIZE);
    return RC_OK;
}

enum rc suspension_apply(const struct suspension *suspension, struct directory *directory)
{
    for (size_t i = 0; i < directory->identity_count; i++) {
        apply_to_identity(suspension, &directory->identities[i]);
    }
    for (size_t i = 0; i < directory->member_count; i++) {
        struct member *member = &directory->members[i];

        member->is_suspended = member->is_suspended || (suspension->kind == SUSPENDED_MEMBER &&
                                                        strcmp(member->code, suspension->id) == 0);
    }
    for (size_t i = 0; i < directory->node_count; i++) {
        struct node_entry *node = &directory->nodes[i];

        node->is_suspended = node->is_suspended || (suspension->kind == SUSPENDED_NODE &&
                                                    strcmp(node->code, suspension->id) == 0);
    }
    return suspension->kind == SUSPENDED_CERTIFICATE ? add_certificate(suspension, directory)
                                                     : RC_OK;
}

bool suspension_is_lifted(const struct suspension *suspension, const struct directory *directory)
{
    for (size_t i = 0; i < directory->lift_count; i++) {
        const struct lift *lift = &directory->lifts[i];

        if (memcmp(lift->sha256, suspension->sha256, HASH_SIZE) == 0 &&
            strcmp(directory->texts[lift->text].subject, suspension->network) == 0) {
            return true;
        }
    }
    return false;
}
