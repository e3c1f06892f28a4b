#include "policy/member.h"

#include <string.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/spiffe.h"

bool dates_cover(struct dates dates, int32_t day)
{
    return dates.from_day <= day && day <= dates.to_day;
}

bool dates_overlap(struct dates a, struct dates b)
{
    return a.from_day <= b.to_day && b.from_day <= a.to_day;
}

/* ---- codes ---- */

/* 1 for [a-z0-9], 2 for the hyphen. */
static const uint8_t label_class[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
    ['8'] = 1, ['9'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1,
    ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1,
    ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1,
    ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['-'] = 2,
};

bool member_label_is_valid(const char *label)
{
    size_t size = 0;

    while (size <= 32 && label_class[(uint8_t)label[size]] != 0) {
        size++;
    }
    return size > 0 && size <= 32 && label[size] == '\0';
}

bool member_code_is_valid(const char *code)
{
    size_t size = 0;

    while (size <= 16 && label_class[(uint8_t)code[size]] == 1) {
        size++;
    }
    return size > 0 && size <= 16 && code[size] == '/' && member_label_is_valid(code + size + 1);
}

/* ---- members and nodes ---- */

const struct member *member_known(const struct directory *directory, const char *code)
{
    size_t low = 0;
    size_t high = directory->member_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(directory->members[middle].code, code) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == directory->member_count || strcmp(directory->members[low].code, code) != 0) {
        return NULL;
    }
    return &directory->members[low];
}

const struct member *member_find(const struct directory *directory, const char *code, int32_t today)
{
    const struct member *end = directory->members + directory->member_count;

    for (const struct member *member = member_known(directory, code);
         member != NULL && member < end && strcmp(member->code, code) == 0; member++) {
        if (dates_cover(member->in_force, today) && !member->is_suspended) {
            return member;
        }
    }
    return NULL;
}

const struct node_entry *node_by_code(const struct directory *directory, const char *code)
{
    size_t low = 0;
    size_t high = directory->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(directory->nodes[middle].code, code);

        if (order == 0) {
            return &directory->nodes[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct node_entry *node_by_uri(const struct directory *directory, const char *uri)
{
    struct spiffe spiffe;
    char code[CODE_SIZE];
    size_t network;

    if (spiffe_parse(bytes_text(uri), &spiffe) != RC_OK || spiffe.kind != SPIFFE_NODE) {
        return NULL;
    }
    network = strlen(spiffe.network);
    memcpy(code, spiffe.network, network);
    code[network] = '/';
    memcpy(code + network + 1, spiffe.code, strlen(spiffe.code) + 1);
    return node_by_code(directory, code);
}

bool node_is(const struct node_entry *a, const struct node_entry *b)
{
    return a != NULL && b != NULL && strcmp(a->code, b->code) == 0;
}

const struct node_entry *node_of_member(const struct directory *directory, const char *member,
                                        int32_t today)
{
    const struct member *row = member_find(directory, member, today);
    const struct node_entry *node = row != NULL ? node_by_code(directory, row->node) : NULL;

    return node != NULL && dates_cover(node->in_force, today) && !node->is_suspended ? node : NULL;
}

/* ---- suspended certificates ---- */

bool certificate_is_of(const char *network, const char *owner, const char *code)
{
    size_t size = strlen(network);

    return owner[0] != '\0' ? strcmp(owner, code) == 0
                            : strncmp(code, network, size) == 0 && code[size] == '/';
}

bool certificate_is_suspended(const struct directory *directory, const char *code,
                              const uint8_t fingerprint[HASH_SIZE])
{
    for (size_t i = 0; i < directory->suspended_count; i++) {
        const struct suspended_certificate *row = &directory->suspended[i];

        if (digest_equal(row->fingerprint, fingerprint) &&
            certificate_is_of(row->network, row->owner, code)) {
            return true;
        }
    }
    return false;
}

/* ---- identities ---- */

/* The first row of this URI. */
static const struct identity *first_of_uri(const struct directory *directory, const char *uri)
{
    size_t low = 0;
    size_t high = directory->identity_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(directory->identities[middle].uri, uri) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == directory->identity_count || strcmp(directory->identities[low].uri, uri) != 0) {
        return NULL;
    }
    return &directory->identities[low];
}

static enum rc refuse_identity(const char *uri, const char *check, struct fault *fault)
{
    log_warn("identity.refused", "uri=%s check=%s", uri, check);
    return refuse(fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
                  "No está autorizado. Consulte a quien opera su nodo.");
}

enum rc identity_authenticate(const struct directory *directory, const char *uri,
                              const uint8_t fingerprint[HASH_SIZE], int32_t today,
                              const struct identity **identity, struct fault *fault)
{
    const struct identity *row = first_of_uri(directory, uri);
    const struct identity *end = directory->identities + directory->identity_count;
    const char *check = "unknown";

    for (; row != NULL && row < end && strcmp(row->uri, uri) == 0; row++) {
        if (!dates_cover(row->in_force, today)) {
            check = strcmp(check, "unknown") == 0 ? "dates" : check;
        } else if (row->has_fingerprint && !digest_equal(row->fingerprint, fingerprint)) {
            check = "fingerprint";
        } else if (row->is_suspended ||
                   certificate_is_suspended(directory, row->member, fingerprint)) {
            check = "suspended";
        } else if (member_find(directory, row->member, today) == NULL) {
            check = "member";
        } else {
            *identity = row;
            return RC_OK;
        }
    }
    return refuse_identity(uri, check, fault);
}

enum rc node_authenticate(const struct directory *directory, const char *uri,
                          const uint8_t fingerprint[HASH_SIZE], int32_t today,
                          const struct node_entry **node, struct fault *fault)
{
    const struct node_entry *row = node_by_uri(directory, uri);

    if (row == NULL || !dates_cover(row->in_force, today)) {
        return refuse_identity(uri, row == NULL ? "unknown" : "dates", fault);
    }
    if (row->is_suspended || certificate_is_suspended(directory, row->code, fingerprint)) {
        return refuse_identity(uri, "suspended", fault);
    }
    *node = row;
    return RC_OK;
}

enum rc identity_may_send(const struct identity *identity, const struct message *message,
                          struct fault *fault)
{
    const struct header *header = &message->header;
    bool is_own = strcmp(header->from, identity->member) == 0;
    const char *path = is_own ? "header.from_system" : "header.from";

    switch (identity->kind) {
    case IDENTITY_SYSTEM:
        is_own = is_own && strcmp(header->from_system, identity->name) == 0;
        break;
    case IDENTITY_OFFICIAL:
        path = is_own ? "header.on_behalf_of" : path;
        is_own = is_own && strcmp(header->on_behalf_of, identity->name) == 0;
        break;
    default:
        is_own = false;
    }
    if (!is_own) {
        return refuse(fault, RC_PERMISSION_DENIED, "sender.not_yours", path,
                      "El certificado no permite enviar a nombre de otra institución, sistema o "
                      "persona: ponga los suyos.");
    }
    return RC_OK;
}

/* The first row of this official; NULL: none. */
static const struct identity *first_of_official(const struct directory *directory,
                                                const char *member, const char *name)
{
    struct spiffe spiffe = {.kind = SPIFFE_OFFICIAL};
    const char *slash = strchr(member, '/');
    char uri[SPIFFE_TEXT_SIZE];

    if (!member_code_is_valid(member) || !member_label_is_valid(name)) {
        return NULL;
    }
    memcpy(spiffe.network, member, (size_t)(slash - member));
    memcpy(spiffe.code, slash + 1, strlen(slash + 1));
    memcpy(spiffe.name, name, strlen(name));
    spiffe_format(&spiffe, uri);
    return first_of_uri(directory, uri);
}

bool official_is_listed(const struct directory *directory, const char *member, const char *name)
{
    return first_of_official(directory, member, name) != NULL;
}

bool official_is_in_force(const struct directory *directory, const char *member, const char *name,
                          int32_t today)
{
    const struct identity *first = first_of_official(directory, member, name);
    const struct identity *end = directory->identities + directory->identity_count;
    const struct identity *row = first;

    while (row != NULL && row < end && strcmp(row->uri, first->uri) == 0 &&
           (!dates_cover(row->in_force, today) || row->is_suspended)) {
        row++;
    }
    return row != NULL && row < end && strcmp(row->uri, first->uri) == 0 &&
           member_find(directory, member, today) != NULL;
}

static int order_binding(const struct binding *binding, const char *member, const char *system,
                         const char *official)
{
    int order = strcmp(binding->member, member);

    order = order != 0 ? order : strcmp(binding->system, system);
    return order != 0 ? order : strcmp(binding->official, official);
}

bool system_acts_for(const struct directory *directory, const char *member, const char *system,
                     const char *official)
{
    size_t low = 0;
    size_t high = directory->binding_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = order_binding(&directory->bindings[middle], member, system, official);

        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

size_t identities_of_member(const struct directory *directory, const char *member,
                            enum identity_kind kind, int32_t today, const struct identity **rows,
                            size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < directory->identity_count; i++) {
        const struct identity *row = &directory->identities[i];

        if (row->kind == kind && strcmp(row->member, member) == 0 && !row->is_suspended &&
            dates_cover(row->in_force, today)) {
            if (count < max) {
                rows[count] = row;
            }
            count++;
        }
    }
    return count;
}
