#include "policy/directory_stanza.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "crypto/digest.h"
#include "crypto/spiffe.h"
#include "policy/directory_clock.h"
#include "policy/directory_file.h"
#include "policy/directory_route.h"
#include "policy/member.h"

/* ---- members, nodes, identities ---- */

static enum rc set_name(struct reading *reading, const char *value)
{
    struct member *member = &reading->stanza.member;

    if (strlen(value) >= sizeof member->name) {
        return complain(reading, reading->line, "name: expected at most %zu bytes",
                        sizeof member->name - 1);
    }
    memcpy(member->name, value, strlen(value) + 1);
    return RC_OK;
}

static enum rc set_node(struct reading *reading, const char *value)
{
    return value_refer(reading, REFERENCE_NODE, value, reading->stanza.member.node);
}

static enum rc set_in_force(struct reading *reading, const char *value)
{
    return value_dates(reading, value, &reading->stanza.in_force);
}

static enum rc set_address(struct reading *reading, const char *value)
{
    const char *colon = strrchr(value, ':');
    char *end = NULL;
    long port = colon != NULL ? strtol(colon + 1, &end, 10) : 0;

    if (colon == NULL || colon == value || colon[1] < '1' || colon[1] > '9' || *end != '\0' ||
        port > 65535) {
        return complain(reading, reading->line, "\"%.60s\": expected host:port", value);
    }
    return value_word(reading, value, "-.:[]", reading->stanza.node.address,
                      sizeof reading->stanza.node.address);
}

static enum rc set_origin(struct reading *reading, const char *value)
{
    return value_word(reading, value, "-./_", reading->stanza.node.origin,
                      sizeof reading->stanza.node.origin);
}

/* C2SP: name+id+base64(type ‖ public key), id = SHA-256(name ‖ LF ‖ type ‖ public key)[:4]. */
static bool vkey_is_good(const char *value, uint8_t type)
{
    const char *id = strchr(value, '+');
    const char *key = id != NULL ? strchr(id + 1, '+') : NULL;
    uint8_t raw[33];
    uint8_t given[4];
    uint8_t digest[DIGEST_SIZE];
    char hex[9] = "";
    size_t size = 0;

    if (key == NULL || key - id != 9 || id == value ||
        base64_decode(bytes_text(key + 1), raw, sizeof raw, &size) != RC_OK || size != sizeof raw) {
        return false;
    }
    memcpy(hex, id + 1, 8);
    digest_of(
        (const struct bytes[]){BYTES(value, (size_t)(id - value)), BYTES("\n", 1), BYTES_OF(raw)},
        3, digest);
    return raw[0] == type && hex_decode(hex, given, sizeof given) == RC_OK &&
           memcmp(given, digest, sizeof given) == 0;
}

static enum rc set_vkey(struct reading *reading, const char *value, uint8_t type,
                        char out[VKEY_SIZE])
{
    if (strlen(value) >= VKEY_SIZE || !vkey_is_good(value, type)) {
        return complain(reading, reading->line,
                        "\"%.60s\": expected a C2SP vkey of type 0x%02x, name+id+key", value, type);
    }
    memcpy(out, value, strlen(value) + 1);
    return RC_OK;
}

static enum rc set_log_key(struct reading *reading, const char *value)
{
    return set_vkey(reading, value, 0x01, reading->stanza.node.log_vkey);
}

static enum rc set_witness_key(struct reading *reading, const char *value)
{
    return set_vkey(reading, value, 0x04, reading->stanza.node.witness_vkey);
}

static enum rc set_roster_key(struct reading *reading, const char *value)
{
    struct member *member = &reading->stanza.member;

    if (member->roster_key_count == ROSTER_KEYS_MAX) {
        return complain(reading, reading->line, "roster-key: expected at most %d keys",
                        ROSTER_KEYS_MAX);
    }
    TRY(set_vkey(reading, value, 0x01, member->roster_vkeys[member->roster_key_count]));
    member->roster_key_count++;
    return RC_OK;
}

static enum rc set_authority_key(struct reading *reading, const char *value)
{
    return set_vkey(reading, value, 0x01, reading->stanza.authority.vkey);
}

static enum rc set_certificate(struct reading *reading, const char *value)
{
    reading->stanza.identity.has_fingerprint = true;
    return value_sha256(reading, value, reading->stanza.identity.fingerprint);
}

/* In the order of enum reader_role. */
static const char *const role_names[] = {"official", "auditor", "coordinator", "operator",
                                         "authority"};
#define ROLE_NAMES (sizeof role_names / sizeof role_names[0])

static enum rc add_role(struct reading *reading, const char *value)
{
    struct identity *identity = &reading->stanza.identity;
    bool is_auditor = reading->stanza.kind == STANZA_AUDITOR;

    for (unsigned role = 0; role < ROLE_NAMES; role++) {
        bool is_auditors = role == READER_AUDITOR || role == READER_AUTHORITY;

        if (strcmp(role_names[role], value) == 0 && is_auditors == is_auditor) {
            if ((identity->roles >> role & 1) != 0) {
                return complain(reading, reading->line, "role: \"%.60s\" stands twice", value);
            }
            identity->roles |= 1u << role;
            return RC_OK;
        }
    }
    return complain(reading, reading->line, "role: expected %s, not \"%.60s\"",
                    is_auditor ? "auditor or authority" : "official, coordinator or operator",
                    value);
}

static enum rc set_seal(struct reading *reading, const char *value)
{
    reading->stanza.identity.has_seal = true;
    return value_sha256(reading, value, reading->stanza.identity.seal_fingerprint);
}

/* Their order and whether they are known: directory_check. */
static enum rc add_acts_for(struct reading *reading, const char *value)
{
    struct directory *directory = reading->directory;
    size_t count = directory->binding_count;
    struct binding *binding;

    if (!member_label_is_valid(value)) {
        return complain(reading, reading->line,
                        "acts-for: \"%.60s\": expected officials of this member by id, as "
                        "enlace-01",
                        value);
    }
    if (count == DIRECTORY_BINDINGS_MAX) {
        return complain(reading, reading->line, "acts-for: expected at most %d in all",
                        DIRECTORY_BINDINGS_MAX);
    }
    if ((count & (count - 1)) == 0) { /* full: 0, 1, 2, 4, ... rows of room */
        void *room = realloc(directory->bindings, (count == 0 ? 1 : 2 * count) * sizeof *binding);

        if (room == NULL) {
            return complain(reading, reading->line, "out of memory");
        }
        directory->bindings = room;
    }
    binding = &directory->bindings[directory->binding_count++];
    *binding = (struct binding){.text = reading->text, .line = reading->line};
    memcpy(binding->member, reading->stanza.identity.member, CODE_SIZE);
    memcpy(binding->system, reading->stanza.identity.name, CODE_SIZE);
    memcpy(binding->official, value, strlen(value));
    return RC_OK;
}

/* ---- bases and avisos ---- */

/* For those who read the text; programs show ids. */
static enum rc set_title(struct reading *reading, const char *value)
{
    if (strlen(value) > 256) {
        return complain(reading, reading->line, "expected a text of at most 256 bytes");
    }
    return RC_OK;
}

static enum rc set_document(struct reading *reading, const char *value)
{
    return value_sha256(reading, value, reading->stanza.document);
}

static enum rc set_version(struct reading *reading, const char *value)
{
    return value_word(reading, value, "-.", reading->stanza.aviso.version,
                      sizeof reading->stanza.aviso.version);
}

/* ---- the tables ---- */

#define IN(kind) (1u << STANZA_##kind)
#define BASES (IN(CONVENIO) | IN(LAW))
#define PEOPLE (IN(SYSTEM) | IN(OFFICIAL) | IN(AUDITOR))
#define DATED (IN(MEMBER) | IN(NODE) | PEOPLE | BASES | IN(ROUTE))

struct key {
    const char *name;
    unsigned kinds;    /* stanzas that take it */
    unsigned required; /* those that must have it */
    bool is_list;      /* `set` runs for each element */
    enum rc (*set)(struct reading *reading, const char *value);
};

static const struct key keys[] = {
    {"name", IN(MEMBER), IN(MEMBER), false, set_name},
    {"node", IN(MEMBER), IN(MEMBER), false, set_node},
    {"in-force", DATED, DATED, false, set_in_force},
    {"address", IN(NODE), IN(NODE), false, set_address},
    {"origin", IN(NODE), IN(NODE), false, set_origin},
    {"log-key", IN(NODE), IN(NODE), false, set_log_key},
    {"witness-key", IN(NODE), IN(NODE), false, set_witness_key},
    {"certificate", PEOPLE, IN(OFFICIAL), false, set_certificate},
    {"seal", IN(SYSTEM), 0, false, set_seal},
    {"acts-for", IN(SYSTEM), 0, true, add_acts_for},
    {"role", IN(OFFICIAL) | IN(AUDITOR), 0, true, add_role},
    {"title", BASES, BASES, false, set_title},
    {"document", BASES | IN(AVISO), BASES | IN(AVISO), false, set_document},
    {"version", IN(AVISO), IN(AVISO), false, set_version},
    {"from", IN(ROUTE), IN(ROUTE), false, directory_route_set_from},
    {"to", IN(ROUTE), IN(ROUTE), false, directory_route_set_to},
    {"types", IN(ROUTE), IN(ROUTE), true, directory_route_add_type},
    {"codes", IN(ROUTE), 0, true, directory_route_add_code},
    {"purpose", IN(ROUTE), IN(ROUTE), false, directory_route_set_purpose},
    {"basis", IN(ROUTE), IN(ROUTE), false, directory_route_set_basis},
    {"aviso", IN(ROUTE), IN(ROUTE), false, directory_route_set_aviso},
    {"fields", IN(ROUTE), 0, true, directory_route_add_field},
    {"reply-fields", IN(ROUTE), 0, true, directory_route_add_reply_field},
    {"sealed", IN(ROUTE), 0, true, directory_route_add_sealed},
    {"retention", IN(ROUTE), IN(ROUTE), false, directory_route_set_retention},
    {"urgent", IN(ROUTE), IN(ROUTE), false, directory_route_set_urgent},
    {"clocks", IN(ROUTE), 0, true, directory_clock_add},
    {"ladder", IN(ROUTE), 0, true, directory_route_add_ladder},
    {"second-official", IN(ROUTE), IN(ROUTE), false, directory_route_set_second_official},
    {"onward", IN(ROUTE), IN(ROUTE), false, directory_route_set_onward},
    {"roster-key", IN(MEMBER), 0, true, set_roster_key},
    {"key", IN(AUTHORITY), IN(AUTHORITY), false, set_authority_key},
    {"reason", IN(LIFT), IN(LIFT), false, set_title},
    {"days", IN(HOLIDAYS), IN(HOLIDAYS), true, directory_clock_add_day},
};

#define KEYS (sizeof keys / sizeof keys[0])
_Static_assert(KEYS <= 64, "stanza.given has 64 bits");

static const char *const kind_names[STANZAS + 1] = {
    "",      "member", "node",      "system", "official", "auditor",  "convenio", "law",
    "aviso", "route",  "authority", "quorum", "lift",     "holidays", NULL,
};

enum stanza_kind stanza_kind_of(const char *word)
{
    for (int i = STANZA_MEMBER; i < STANZAS; i++) {
        if (strcmp(kind_names[i], word) == 0) {
            return (enum stanza_kind)i;
        }
    }
    return STANZA_NONE;
}

const char *stanza_kind_near(const char *word)
{
    return conf_nearest(word, kind_names + STANZA_MEMBER);
}

/* ---- a stanza's life ---- */

static enum rc open_identity(struct reading *reading, enum identity_kind kind, const char *id)
{
    struct identity *identity = &reading->stanza.identity;
    const char *slash = strrchr(id, '/');
    struct spiffe spiffe = {.kind = kind == IDENTITY_SYSTEM     ? SPIFFE_SYSTEM
                                    : kind == IDENTITY_OFFICIAL ? SPIFFE_OFFICIAL
                                                                : SPIFFE_AUDITOR};
    char member[CODE_SIZE] = "";
    const char *first = strchr(id, '/');

    if (slash == NULL || first == slash || (size_t)(slash - id) >= sizeof member) {
        return complain(reading, reading->line, "\"%.60s\": expected network/code/name", id);
    }
    memcpy(member, id, (size_t)(slash - id));
    if (!member_code_is_valid(member) || !member_label_is_valid(slash + 1)) {
        return complain(reading, reading->line,
                        "\"%.60s\": expected network/code/name in lower case", id);
    }
    TRY(value_refer(reading, REFERENCE_MEMBER, member, identity->member));
    identity->kind = kind;
    snprintf(identity->name, sizeof identity->name, "%s", slash + 1);
    memcpy(spiffe.network, member, (size_t)(first - id));
    snprintf(spiffe.code, sizeof spiffe.code, "%.32s", member + (first - id) + 1);
    snprintf(spiffe.name, sizeof spiffe.name, "%.32s", identity->name);
    spiffe_format(&spiffe, identity->uri);
    return RC_OK;
}

static enum rc open_node(struct reading *reading, const char *id)
{
    struct node_entry *node = &reading->stanza.node;
    struct spiffe spiffe = {.kind = SPIFFE_NODE};
    size_t network = strcspn(id, "/");

    if (!member_code_is_valid(id)) {
        return complain(reading, reading->line, "\"%.60s\": expected network/code in lower case",
                        id);
    }
    snprintf(node->code, sizeof node->code, "%s", id);
    memcpy(spiffe.network, id, network);
    snprintf(spiffe.code, sizeof spiffe.code, "%.32s", id + network + 1);
    spiffe_format(&spiffe, node->uri);
    return RC_OK;
}

static enum rc open_id(struct reading *reading, const char *id, char out[CODE_SIZE])
{
    if (!value_is_id(id)) {
        return complain(reading, reading->line,
                        "\"%.60s\": expected an id of letters, digits, \"-\" and \".\"", id);
    }
    memcpy(out, id, strlen(id) + 1);
    return RC_OK;
}

static enum rc open_quorum(struct reading *reading, const char *id)
{
    size_t digits = strspn(id, "0123456789");

    if (digits == 0 || digits > 2 || id[digits] != '\0' || id[0] == '0') {
        return complain(reading, reading->line,
                        "\"%.60s\": expected how many authorities sign, from 2", id);
    }
    reading->stanza.quorum = (unsigned)strtoul(id, NULL, 10);
    return RC_OK;
}

enum rc stanza_open(struct reading *reading, enum stanza_kind kind, const char *id)
{
    struct stanza *stanza = &reading->stanza;

    memset(stanza, 0, sizeof *stanza);
    stanza->kind = kind;
    stanza->line = reading->line;
    switch (kind) {
    case STANZA_MEMBER:
        if (!member_code_is_valid(id)) {
            return complain(reading, reading->line,
                            "\"%.60s\": expected network/code in lower case", id);
        }
        snprintf(stanza->member.code, CODE_SIZE, "%s", id);
        return RC_OK;
    case STANZA_NODE:
        return open_node(reading, id);
    case STANZA_SYSTEM:
        return open_identity(reading, IDENTITY_SYSTEM, id);
    case STANZA_OFFICIAL:
        return open_identity(reading, IDENTITY_OFFICIAL, id);
    case STANZA_AUDITOR:
        return open_identity(reading, IDENTITY_AUDITOR, id);
    case STANZA_CONVENIO:
    case STANZA_LAW:
        stanza->basis.is_convenio = kind == STANZA_CONVENIO;
        return open_id(reading, id, stanza->basis.id);
    case STANZA_AVISO:
        return open_id(reading, id, stanza->aviso.id);
    case STANZA_ROUTE:
        return open_id(reading, id, stanza->route.id);
    case STANZA_AUTHORITY:
        return open_id(reading, id, stanza->authority.name);
    case STANZA_QUORUM:
        return open_quorum(reading, id);
    case STANZA_LIFT:
        return value_sha256(reading, id, stanza->lift.sha256);
    case STANZA_HOLIDAYS:
        return directory_clock_open_year(reading, id);
    default:
        return RC_INTERNAL;
    }
}

static enum rc complain_key(struct reading *reading, const char *word)
{
    const char *names[KEYS + 1] = {NULL};
    size_t count = 0;
    const char *near;

    for (size_t i = 0; i < KEYS; i++) {
        if ((keys[i].kinds >> reading->stanza.kind & 1) != 0) {
            names[count++] = keys[i].name;
        }
    }
    near = conf_nearest(word, names);
    return complain(reading, reading->line, "%.60s: expected a key of %s%s%s%s", word,
                    kind_names[reading->stanza.kind], near != NULL ? ", did you mean " : "",
                    near != NULL ? near : "", near != NULL ? "?" : "");
}

static enum rc set_elements(struct reading *reading, const struct key *key, char *value)
{
    while (value != NULL) {
        char *space = strchr(value, ' ');

        if (space != NULL) {
            *space++ = '\0';
        }
        if (*value == '\0') {
            return complain(reading, reading->line, "%s: expected one space between elements",
                            key->name);
        }
        TRY(key->set(reading, value));
        value = space;
    }
    return RC_OK;
}

enum rc stanza_key(struct reading *reading, char *line)
{
    struct stanza *stanza = &reading->stanza;
    char *value = strchr(line, ' ');

    if (value != NULL) {
        *value++ = '\0';
    }
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].name, line) != 0 || (keys[i].kinds >> stanza->kind & 1) == 0) {
            continue;
        }
        if (value == NULL || *value == '\0' || *value == ' ') {
            return complain(reading, reading->line, "%s: expected a value after one space", line);
        }
        if (keys[i].is_list) {
            stanza->given |= UINT64_C(1) << i;
            return set_elements(reading, &keys[i], value);
        }
        if ((stanza->given >> i & 1) != 0) {
            return complain(reading, reading->line, "%s: expected once, stands twice", line);
        }
        stanza->given |= UINT64_C(1) << i;
        return keys[i].set(reading, value);
    }
    return complain_key(reading, line);
}

/* Without a role an official is an official, and an auditor an auditor. */
static void complete_roles(struct stanza *stanza)
{
    if (stanza->kind == STANZA_OFFICIAL && stanza->identity.roles == 0) {
        stanza->identity.roles = 1u << READER_OFFICIAL;
    } else if (stanza->kind == STANZA_AUDITOR && stanza->identity.roles == 0) {
        stanza->identity.roles = 1u << READER_AUDITOR;
    } else if (stanza->kind == STANZA_SYSTEM) {
        stanza->identity.roles = 1u << READER_SYSTEM;
    }
}

/* In-force, document and line go to the row that this kind of stanza fills. */
static void complete_rows(struct stanza *stanza, uint16_t text)
{
    stanza->member.text = text;
    stanza->node.text = text;
    stanza->identity.text = text;
    stanza->basis.text = text;
    stanza->aviso.text = text;
    stanza->route.text = text;
    stanza->authority.text = text;
    stanza->authority.line = stanza->line;
    stanza->lift.text = text;
    stanza->holidays.text = text;
    stanza->holidays.line = stanza->line;
    stanza->lift.line = stanza->line;
    stanza->member.in_force = stanza->in_force;
    stanza->member.line = stanza->line;
    stanza->node.in_force = stanza->in_force;
    stanza->node.line = stanza->line;
    stanza->identity.in_force = stanza->in_force;
    stanza->identity.line = stanza->line;
    stanza->basis.in_force = stanza->in_force;
    stanza->basis.line = stanza->line;
    memcpy(stanza->basis.sha256, stanza->document, HASH_SIZE);
    stanza->aviso.line = stanza->line;
    memcpy(stanza->aviso.sha256, stanza->document, HASH_SIZE);
    stanza->route.in_force = stanza->in_force;
    stanza->route.line = stanza->line;
}

enum rc stanza_close(struct reading *reading)
{
    struct stanza *stanza = &reading->stanza;
    const struct node_entry *node = &stanza->node;

    for (size_t i = 0; i < KEYS; i++) {
        if ((keys[i].required >> stanza->kind & 1) != 0 && (stanza->given >> i & 1) == 0) {
            return complain(reading, stanza->line, "expected the key \"%s\" in this %s",
                            keys[i].name, kind_names[stanza->kind]);
        }
    }
    if (stanza->kind == STANZA_NODE &&
        (strncmp(node->log_vkey, node->origin, strlen(node->origin)) != 0 ||
         node->log_vkey[strlen(node->origin)] != '+')) {
        return complain(reading, stanza->line, "log-key: expected the name %s, the log's origin",
                        node->origin);
    }
    if (stanza->kind == STANZA_ROUTE) {
        TRY(directory_route_close(reading));
    }
    complete_roles(stanza);
    complete_rows(stanza, reading->text);
    return RC_OK;
}
