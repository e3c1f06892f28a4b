#include "tlog/policy.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "tlog/checkpoint.h"
#include "tlog/text.h"

/* One line's words, taken from the left. */
struct words {
    struct bytes rest;
};

static bool is_blank(uint8_t octet)
{
    return octet == ' ' || octet == '\t';
}

static bool next_word(struct words *words, struct bytes *word)
{
    struct bytes rest = words->rest;
    size_t size = 0;

    while (rest.size > 0 && is_blank(rest.data[0])) {
        rest = BYTES(rest.data + 1, rest.size - 1);
    }
    while (size < rest.size && !is_blank(rest.data[size])) {
        size++;
    }
    *word = BYTES(rest.data, size);
    words->rest = BYTES(rest.data + size, rest.size - size);
    return size > 0;
}

static bool at_end(struct words *words)
{
    struct bytes word;

    return !next_word(words, &word);
}

static enum rc wrong(struct policy_flaw *flaw, const char *reason)
{
    if (flaw != NULL) {
        flaw->reason = reason;
    }
    return RC_INVALID_ARGUMENT;
}

/* The octets that a policy may hold; UTF-8 is the writer's affair. */
static bool is_charset(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t octet = text.data[i];

        if ((octet < 0x20 && octet != '\t' && octet != '\n') || octet == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool copy_word(struct bytes word, char *out, size_t max)
{
    if (word.size > max) {
        return false;
    }
    if (word.size > 0) {
        memcpy(out, word.data, word.size);
    }
    out[word.size] = '\0';
    return true;
}

static uint16_t find_witness(const struct policy *policy, struct bytes name)
{
    for (size_t i = 0; i < policy->witness_count; i++) {
        if (bytes_are_text(name, policy->witnesses[i].name)) {
            return (uint16_t)i;
        }
    }
    return POLICY_NONE;
}

static uint16_t find_group(const struct policy *policy, struct bytes name)
{
    for (size_t i = 0; i < policy->group_count; i++) {
        if (bytes_are_text(name, policy->groups[i].name)) {
            return (uint16_t)i;
        }
    }
    return POLICY_NONE;
}

static enum rc take_new_name(const struct policy *policy, struct words *words,
                             char out[POLICY_NAME_MAX + 1], struct policy_flaw *flaw)
{
    struct bytes name;

    if (!next_word(words, &name) || bytes_are_text(name, "none")) {
        return wrong(flaw, "falta un nombre, o es «none»");
    }
    if (find_witness(policy, name) != POLICY_NONE || find_group(policy, name) != POLICY_NONE) {
        return wrong(flaw, "el nombre ya está definido");
    }
    return copy_word(name, out, POLICY_NAME_MAX) ? RC_OK
                                                 : wrong(flaw, "el nombre es demasiado largo");
}

static bool has_key(const struct policy *policy, const struct vkey *vkey)
{
    for (size_t i = 0; i < policy->log_count; i++) {
        if (memcmp(policy->logs[i].vkey.public_key, vkey->public_key, ED25519_PUBLIC_SIZE) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < policy->witness_count; i++) {
        if (memcmp(policy->witnesses[i].vkey.public_key, vkey->public_key, ED25519_PUBLIC_SIZE) ==
            0) {
            return true;
        }
    }
    return false;
}

/* A key of this type that stands nowhere above, and what may follow it. */
static enum rc take_key(const struct policy *policy, struct words *words, enum vkey_type type,
                        struct vkey *vkey, char url[POLICY_URL_MAX + 1], struct policy_flaw *flaw)
{
    struct bytes word;

    if (!next_word(words, &word) || vkey_parse(word, vkey) != RC_OK || vkey->type != type) {
        return wrong(flaw, "falta la llave (vkey), o no es del tipo que va aquí");
    }
    if (has_key(policy, vkey)) {
        return wrong(flaw, "la misma llave pública ya está arriba");
    }
    (void)next_word(words, &word); /* leaves it empty where there is none */
    if (!copy_word(word, url, POLICY_URL_MAX)) {
        return wrong(flaw, "la dirección es demasiado larga");
    }
    return at_end(words) ? RC_OK : wrong(flaw, "sobran palabras");
}

static enum rc take_log(struct policy *policy, struct words *words, struct policy_flaw *flaw)
{
    struct policy_log *log;

    if (policy->log_count == POLICY_LOGS_MAX) {
        return wrong(flaw, "demasiadas bitácoras");
    }
    log = &policy->logs[policy->log_count];
    TRY(take_key(policy, words, VKEY_ED25519, &log->vkey, log->url, flaw));
    policy->log_count++;
    return RC_OK;
}

static enum rc take_witness(struct policy *policy, struct words *words, struct policy_flaw *flaw)
{
    struct policy_witness *witness;

    if (policy->witness_count == POLICY_WITNESSES_MAX) {
        return wrong(flaw, "demasiados testigos");
    }
    witness = &policy->witnesses[policy->witness_count];
    witness->group = POLICY_NONE;
    TRY(take_new_name(policy, words, witness->name, flaw));
    TRY(take_key(policy, words, VKEY_COSIGNATURE, &witness->vkey, witness->url, flaw));
    policy->witness_count++;
    return RC_OK;
}

static enum rc take_member(struct policy *policy, struct bytes name, uint16_t group,
                           struct policy_flaw *flaw)
{
    uint16_t witness = find_witness(policy, name);
    uint16_t inner = find_group(policy, name);
    uint16_t *owner;

    if (witness == POLICY_NONE && inner == POLICY_NONE) {
        return wrong(flaw, "un miembro no está definido arriba");
    }
    owner =
        witness != POLICY_NONE ? &policy->witnesses[witness].group : &policy->groups[inner].group;
    if (*owner != POLICY_NONE) {
        return wrong(flaw, "un miembro ya está en un grupo");
    }
    *owner = group;
    return RC_OK;
}

static enum rc take_least(struct bytes word, struct policy_group *group, struct policy_flaw *flaw)
{
    uint64_t least = 0;

    if (bytes_are_text(word, "all")) {
        least = group->count;
    } else if (bytes_are_text(word, "any")) {
        least = 1;
    } else if (text_decimal(word, &least) != RC_OK) {
        return wrong(flaw, "se esperaba all, any o un número");
    }
    if (least < 1 || least > group->count) {
        return wrong(flaw, "el número no está entre 1 y los miembros que hay");
    }
    group->least = (uint16_t)least;
    return RC_OK;
}

static enum rc take_group(struct policy *policy, struct words *words, struct policy_flaw *flaw)
{
    struct policy_group *group;
    struct bytes least;
    struct bytes member;

    if (policy->group_count == POLICY_GROUPS_MAX) {
        return wrong(flaw, "demasiados grupos");
    }
    group = &policy->groups[policy->group_count];
    *group = (struct policy_group){.group = POLICY_NONE};
    TRY(take_new_name(policy, words, group->name, flaw));
    if (!next_word(words, &least)) {
        return wrong(flaw, "se esperaba all, any o un número");
    }
    /* The group itself is not counted yet, so it cannot be its own member. */
    while (next_word(words, &member)) {
        TRY(take_member(policy, member, (uint16_t)policy->group_count, flaw));
        group->count++;
    }
    TRY(take_least(least, group, flaw));
    policy->group_count++;
    return RC_OK;
}

static enum rc take_quorum(struct policy *policy, struct words *words, bool *has_quorum,
                           struct policy_flaw *flaw)
{
    struct bytes name;

    if (*has_quorum) {
        return wrong(flaw, "hay un segundo quorum");
    }
    if (!next_word(words, &name) || !at_end(words)) {
        return wrong(flaw, "quorum lleva un nombre");
    }
    *has_quorum = true;
    if (bytes_are_text(name, "none")) {
        return RC_OK;
    }
    policy->quorum_witness = find_witness(policy, name);
    policy->quorum_group = find_group(policy, name);
    if (policy->quorum_witness == POLICY_NONE && policy->quorum_group == POLICY_NONE) {
        return wrong(flaw, "el nombre del quorum no está definido arriba");
    }
    return RC_OK;
}

static enum rc take_line(struct policy *policy, struct bytes line, bool *has_quorum,
                         struct policy_flaw *flaw)
{
    struct words words = {line};
    struct bytes verb;

    if (!next_word(&words, &verb) || verb.data[0] == '#') {
        return RC_OK;
    }
    if (bytes_are_text(verb, "log")) {
        return take_log(policy, &words, flaw);
    }
    if (bytes_are_text(verb, "witness")) {
        return take_witness(policy, &words, flaw);
    }
    if (bytes_are_text(verb, "group")) {
        return take_group(policy, &words, flaw);
    }
    if (bytes_are_text(verb, "quorum")) {
        return take_quorum(policy, &words, has_quorum, flaw);
    }
    return wrong(flaw, "se esperaba log, witness, group o quorum");
}

static enum rc parse(struct bytes text, struct policy *policy, struct policy_flaw *flaw)
{
    bool has_quorum = false;
    struct bytes line;

    if (text.size > POLICY_SIZE_MAX || !is_charset(text)) {
        return wrong(flaw, "es demasiado grande o tiene un carácter de control");
    }
    while (text_line(&text, &line)) {
        flaw->line++;
        TRY(take_line(policy, line, &has_quorum, flaw));
    }
    flaw->line = text.size > 0 ? flaw->line + 1 : 0;
    if (text.size > 0) {
        return wrong(flaw, "la última línea no termina (falta un salto de línea)");
    }
    return has_quorum ? RC_OK : wrong(flaw, "falta la línea quorum");
}

enum rc policy_parse(struct bytes text, struct policy *policy, struct policy_flaw *flaw)
{
    struct policy_flaw own = {0};

    policy->log_count = 0;
    policy->witness_count = 0;
    policy->group_count = 0;
    policy->quorum_witness = POLICY_NONE;
    policy->quorum_group = POLICY_NONE;
    if (flaw != NULL) {
        *flaw = (struct policy_flaw){0};
    }
    return parse(text, policy, flaw != NULL ? flaw : &own);
}

static void put_word(struct buffer *buffer, const char *word)
{
    buffer_put_bytes(buffer, bytes_text(word));
}

static void put_key(struct buffer *buffer, const struct vkey *vkey, const char *url)
{
    char text[VKEY_TEXT_SIZE];

    vkey_format(vkey, text);
    put_word(buffer, text);
    if (url[0] != '\0') {
        put_word(buffer, " ");
        put_word(buffer, url);
    }
    put_word(buffer, "\n");
}

static void put_group(const struct policy *policy, uint16_t index, struct buffer *buffer)
{
    const struct policy_group *group = &policy->groups[index];

    put_word(buffer, "group ");
    put_word(buffer, group->name);
    buffer_print(buffer, " %u", (unsigned)group->least);
    for (size_t i = 0; i < policy->witness_count; i++) {
        if (policy->witnesses[i].group == index) {
            put_word(buffer, " ");
            put_word(buffer, policy->witnesses[i].name);
        }
    }
    for (size_t i = 0; i < policy->group_count; i++) {
        if (policy->groups[i].group == index) {
            put_word(buffer, " ");
            put_word(buffer, policy->groups[i].name);
        }
    }
    put_word(buffer, "\n");
}

void policy_write(const struct policy *policy, struct buffer *buffer)
{
    for (size_t i = 0; i < policy->log_count; i++) {
        put_word(buffer, "log ");
        put_key(buffer, &policy->logs[i].vkey, policy->logs[i].url);
    }
    for (size_t i = 0; i < policy->witness_count; i++) {
        put_word(buffer, "witness ");
        put_word(buffer, policy->witnesses[i].name);
        put_word(buffer, " ");
        put_key(buffer, &policy->witnesses[i].vkey, policy->witnesses[i].url);
    }
    for (size_t i = 0; i < policy->group_count; i++) {
        put_group(policy, (uint16_t)i, buffer);
    }
    put_word(buffer, "quorum ");
    if (policy->quorum_group != POLICY_NONE) {
        put_word(buffer, policy->groups[policy->quorum_group].name);
    } else if (policy->quorum_witness != POLICY_NONE) {
        put_word(buffer, policy->witnesses[policy->quorum_witness].name);
    } else {
        put_word(buffer, "none");
    }
    put_word(buffer, "\n");
}

const struct vkey *policy_log_of(const struct policy *policy, struct bytes origin)
{
    for (size_t i = 0; i < policy->log_count; i++) {
        if (bytes_are_text(origin, policy->logs[i].vkey.name)) {
            return &policy->logs[i].vkey;
        }
    }
    return NULL;
}

size_t policy_least(size_t n)
{
    return n == 0 ? 0 : 1 + 2 * n / 3;
}

bool policy_is_same_house(const char *a, const char *b)
{
    size_t house = strcspn(a, "/");

    return house > 0 && house == strcspn(b, "/") && memcmp(a, b, house) == 0;
}

bool policy_is_safe(const struct policy *policy, const char *origin)
{
    size_t foreign = 0;

    if (policy->quorum_group == POLICY_NONE) {
        return true;
    }
    for (size_t i = 0; i < policy->group_count; i++) {
        if (policy->groups[i].group == policy->quorum_group) {
            return true;
        }
    }
    for (size_t i = 0; i < policy->witness_count; i++) {
        foreign += policy->witnesses[i].group == policy->quorum_group &&
                   !policy_is_same_house(policy->witnesses[i].vkey.name, origin);
    }
    return policy->groups[policy->quorum_group].least >= policy_least(foreign);
}

static bool is_own(const struct policy_witness *witness, const char *origin,
                   const struct policy_rules *rules)
{
    if (policy_is_same_house(witness->vkey.name, origin)) {
        return true;
    }
    for (size_t i = 0; i < rules->own_count; i++) {
        if (strcmp(rules->own[i], witness->vkey.name) == 0 ||
            strcmp(rules->own[i], witness->name) == 0) {
            return true;
        }
    }
    return false;
}

static enum policy_state state_of(const struct policy_witness *witness, const struct note *note,
                                  const char *origin, const struct policy_rules *rules,
                                  uint64_t *time_s)
{
    enum rc rc = checkpoint_cosigned(note, &witness->vkey, time_s);

    if (is_own(witness, origin, rules)) {
        return POLICY_OWN;
    }
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? POLICY_ABSENT : POLICY_BAD;
    }
    if (rules->now_s == 0) {
        return POLICY_COUNTED;
    }
    if (*time_s > rules->now_s) {
        return *time_s - rules->now_s > rules->ahead_max_s ? POLICY_AHEAD : POLICY_COUNTED;
    }
    return rules->age_max_s != 0 && rules->now_s - *time_s > rules->age_max_s ? POLICY_STALE
                                                                              : POLICY_COUNTED;
}

/* A group's members stand before it, so one pass upwards settles them all. */
static bool is_quorum_met(const struct policy *policy, const struct policy_verdict *verdict)
{
    size_t votes[POLICY_GROUPS_MAX] = {0};

    if (policy->quorum_witness != POLICY_NONE) {
        return verdict->states[policy->quorum_witness] == POLICY_COUNTED;
    }
    for (size_t i = 0; i < policy->witness_count; i++) {
        if (verdict->states[i] == POLICY_COUNTED && policy->witnesses[i].group != POLICY_NONE) {
            votes[policy->witnesses[i].group]++;
        }
    }
    for (size_t i = 0; i < policy->group_count; i++) {
        const struct policy_group *group = &policy->groups[i];

        if (votes[i] >= group->least && group->group != POLICY_NONE) {
            assert(group->group > i);
            votes[group->group]++;
        }
    }
    return policy->quorum_group == POLICY_NONE ||
           votes[policy->quorum_group] >= policy->groups[policy->quorum_group].least;
}

void policy_judge(const struct policy *policy, const struct note *note,
                  const struct policy_rules *rules, struct policy_verdict *verdict)
{
    struct checkpoint head = {0};
    bool is_checkpoint = checkpoint_parse_text(note->text, &head) == RC_OK;

    *verdict = (struct policy_verdict){0};
    verdict->is_required =
        policy->quorum_group != POLICY_NONE || policy->quorum_witness != POLICY_NONE;
    for (size_t i = 0; i < policy->witness_count; i++) {
        uint64_t time_s = 0;

        verdict->states[i] = state_of(&policy->witnesses[i], note, head.origin, rules, &time_s);
        verdict->times_s[i] = time_s;
        verdict->counted += verdict->states[i] == POLICY_COUNTED;
        verdict->foreign += verdict->states[i] != POLICY_OWN;
        verdict->is_spoiled = verdict->is_spoiled || verdict->states[i] == POLICY_BAD;
    }
    verdict->is_met = is_checkpoint && !verdict->is_spoiled && is_quorum_met(policy, verdict);
}
