#include "policy/directory_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "policy/directory_clock.h"
#include "policy/directory_file.h"
#include "policy/directory_stanza.h"
#include "policy/member.h"

/* ---- order ---- */

static int by_day(struct dates a, struct dates b, unsigned line_a, unsigned line_b)
{
    if (a.from_day != b.from_day) {
        return a.from_day < b.from_day ? -1 : 1;
    }
    return line_a < line_b ? -1 : line_a > line_b;
}

static int order_members(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    int order = strcmp(a->code, b->code);

    return order != 0 ? order : by_day(a->in_force, b->in_force, a->line, b->line);
}

static int order_nodes(const void *left, const void *right)
{
    const struct node_entry *a = left, *b = right;

    return strcmp(a->code, b->code);
}

static int order_identities(const void *left, const void *right)
{
    const struct identity *a = left, *b = right;
    int order = strcmp(a->uri, b->uri);

    return order != 0 ? order : by_day(a->in_force, b->in_force, a->line, b->line);
}

static int order_bindings(const void *left, const void *right)
{
    const struct binding *a = left, *b = right;
    int order = strcmp(a->member, b->member);

    order = order != 0 ? order : strcmp(a->system, b->system);
    return order != 0 ? order : strcmp(a->official, b->official);
}

static int by_text(uint16_t a, uint16_t b)
{
    return (a > b) - (a < b);
}

static int order_bases(const void *left, const void *right)
{
    const struct basis *a = left, *b = right;
    int order = by_text(a->text, b->text);

    return order != 0 ? order : strcmp(a->id, b->id);
}

static int order_avisos(const void *left, const void *right)
{
    const struct aviso *a = left, *b = right;
    int order = by_text(a->text, b->text);

    order = order != 0 ? order : strcmp(a->id, b->id);
    return order != 0 ? order : strcmp(a->version, b->version);
}

static int order_routes(const void *left, const void *right)
{
    const struct route *a = left, *b = right;
    int order = strcmp(a->from, b->from);

    order = order != 0 ? order : strcmp(a->to, b->to);
    order = order != 0 ? order : strcmp(a->id, b->id);
    return order != 0 ? order : by_text(a->text, b->text);
}

static int order_ids(const void *left, const void *right)
{
    const struct route *const *a = left, *const *b = right;
    int order = by_text((*a)->text, (*b)->text);

    return order != 0 ? order : strcmp((*a)->id, (*b)->id);
}

static void sort_all(struct directory *d)
{
    qsort(d->members, d->member_count, sizeof *d->members, order_members);
    qsort(d->nodes, d->node_count, sizeof *d->nodes, order_nodes);
    qsort(d->identities, d->identity_count, sizeof *d->identities, order_identities);
    if (d->binding_count > 0) {
        qsort(d->bindings, d->binding_count, sizeof *d->bindings, order_bindings);
    }
    qsort(d->bases, d->basis_count, sizeof *d->bases, order_bases);
    qsort(d->avisos, d->aviso_count, sizeof *d->avisos, order_avisos);
    qsort(d->routes, d->route_count, sizeof *d->routes, order_routes);
}

/* ---- duplicates ---- */

static enum rc complain_twice(struct reading *reading, const char *what, uint16_t text_a,
                              unsigned a, uint16_t text_b, unsigned b)
{
    if (text_a != text_b) {
        return complain_in(reading, text_b, b, "%.100s: expected once, stands in %s:%u already",
                           what, reading->sources[text_a].name, a);
    }
    return complain_in(reading, text_a, a > b ? a : b,
                       "%.100s: expected once, stands in line %u already", what, a > b ? b : a);
}

static enum rc check_members(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 1; i < d->member_count; i++) {
        const struct member *a = &d->members[i - 1], *b = &d->members[i];

        if (strcmp(a->code, b->code) == 0 && dates_overlap(a->in_force, b->in_force)) {
            return complain_twice(reading, b->code, a->text, a->line, b->text, b->line);
        }
    }
    return RC_OK;
}

/* Two certificates of one system may overlap; the same one, or none, may not stand twice. */
static bool identities_clash(const struct identity *a, const struct identity *b)
{
    return dates_overlap(a->in_force, b->in_force) &&
           (!a->has_fingerprint || !b->has_fingerprint ||
            memcmp(a->fingerprint, b->fingerprint, HASH_SIZE) == 0);
}

static enum rc check_identities(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 0; i < d->identity_count; i++) {
        const struct identity *a = &d->identities[i];

        for (size_t j = i + 1; j < d->identity_count; j++) {
            const struct identity *b = &d->identities[j];

            if (strcmp(a->uri, b->uri) != 0) {
                break;
            }
            if (identities_clash(a, b)) {
                return complain_twice(reading, b->uri, a->text, a->line, b->text, b->line);
            }
            if (j - i >= IDENTITY_ROWS_MAX) {
                return complain_in(reading, b->text, b->line, "%s: expected at most %d rows",
                                   b->uri, IDENTITY_ROWS_MAX);
            }
        }
    }
    return RC_OK;
}

static enum rc check_nodes(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 0; i < d->node_count; i++) {
        const struct node_entry *a = &d->nodes[i];

        for (size_t j = i + 1; j < d->node_count; j++) {
            const struct node_entry *b = &d->nodes[j];

            if (strcmp(a->code, b->code) == 0) {
                return complain_twice(reading, b->code, a->text, a->line, b->text, b->line);
            }
            if (strcmp(a->origin, b->origin) == 0) {
                return complain_twice(reading, b->origin, a->text, a->line, b->text, b->line);
            }
        }
    }
    return RC_OK;
}

static enum rc check_bases_and_avisos(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 1; i < d->basis_count; i++) {
        const struct basis *a = &d->bases[i - 1], *b = &d->bases[i];

        if (order_bases(a, b) == 0) {
            return complain_twice(reading, b->id, a->text, a->line, b->text, b->line);
        }
    }
    for (size_t i = 1; i < d->aviso_count; i++) {
        const struct aviso *a = &d->avisos[i - 1], *b = &d->avisos[i];

        if (order_avisos(a, b) == 0) {
            return complain_twice(reading, b->id, a->text, a->line, b->text, b->line);
        }
    }
    return RC_OK;
}

static enum rc check_route_ids(struct reading *reading)
{
    const struct directory *d = reading->directory;
    const struct route **sorted = calloc(d->route_count + 1, sizeof *sorted);
    enum rc rc = RC_OK;

    if (sorted == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < d->route_count; i++) {
        sorted[i] = &d->routes[i];
    }
    qsort(sorted, d->route_count, sizeof *sorted, order_ids);
    for (size_t i = 1; i < d->route_count && rc == RC_OK; i++) {
        const struct route *a = sorted[i - 1], *b = sorted[i];

        if (order_ids(&a, &b) == 0) {
            rc = complain_twice(reading, b->id, a->text, a->line, b->text, b->line);
        }
    }
    free(sorted);
    return rc;
}

/* ---- names ---- */

/* Of another network than the text's: that network says who it is, and may not even be here. */
static bool is_foreign(const struct directory *d, const struct reference *reference)
{
    const struct directory_text *text = &d->texts[reference->text];
    size_t size = strlen(text->subject);

    return reference->kind == REFERENCE_MEMBER && text->kind == TEXT_NETWORK &&
           (strncmp(reference->to, text->subject, size) != 0 || reference->to[size] != '/');
}

static bool has_aviso(const struct directory *d, const struct reference *reference)
{
    for (size_t i = 0; i < d->aviso_count; i++) {
        if (d->avisos[i].text == reference->text && strcmp(d->avisos[i].id, reference->to) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_defined(const struct directory *d, const struct reference *reference)
{
    struct basis basis = {.text = reference->text};

    switch (reference->kind) {
    case REFERENCE_MEMBER:
        return is_foreign(d, reference) || member_known(d, reference->to) != NULL;
    case REFERENCE_NODE:
        return node_by_code(d, reference->to) != NULL;
    case REFERENCE_BASIS:
        memcpy(basis.id, reference->to, CODE_SIZE);
        return bsearch(&basis, d->bases, d->basis_count, sizeof basis, order_bases) != NULL;
    case REFERENCE_AVISO:
        return has_aviso(d, reference);
    }
    return false;
}

static const char *defined_at(const struct directory *d, enum reference_kind kind, size_t i)
{
    switch (kind) {
    case REFERENCE_MEMBER:
        return i < d->member_count ? d->members[i].code : NULL;
    case REFERENCE_NODE:
        return i < d->node_count ? d->nodes[i].code : NULL;
    case REFERENCE_BASIS:
        return i < d->basis_count ? d->bases[i].id : NULL;
    case REFERENCE_AVISO:
        return i < d->aviso_count ? d->avisos[i].id : NULL;
    }
    return NULL;
}

static enum rc complain_undefined(struct reading *reading, const struct reference *reference)
{
    static const char *const kinds[] = {"a member", "a node", "a convenio or law", "an aviso"};
    const char *names[DIRECTORY_NAMES_MAX + 1] = {NULL};
    const char *near;

    for (size_t i = 0; i < DIRECTORY_NAMES_MAX; i++) {
        names[i] = defined_at(reading->directory, reference->kind, i);
        if (names[i] == NULL) {
            break;
        }
    }
    near = conf_nearest(reference->to, names);
    return complain_in(reading, reference->text, reference->line,
                       "\"%s\": expected %s of this directory%s%s%s", reference->to,
                       kinds[reference->kind], near != NULL ? ", did you mean " : "",
                       near != NULL ? near : "", near != NULL ? "?" : "");
}

static enum rc check_references(struct reading *reading)
{
    for (size_t i = 0; i < reading->reference_count; i++) {
        if (!is_defined(reading->directory, &reading->references[i])) {
            return complain_undefined(reading, &reading->references[i]);
        }
    }
    return RC_OK;
}

/* ---- who acts for whom ---- */

static bool is_official_of(const struct identity *identity, const char *member)
{
    return identity->kind == IDENTITY_OFFICIAL && strcmp(identity->member, member) == 0;
}

static enum rc complain_official(struct reading *reading, const struct binding *binding)
{
    const struct directory *d = reading->directory;
    const char *names[DIRECTORY_NAMES_MAX + 1] = {NULL};
    size_t count = 0;
    const char *near;

    for (size_t i = 0; i < d->identity_count && count < DIRECTORY_NAMES_MAX; i++) {
        if (is_official_of(&d->identities[i], binding->member)) {
            names[count++] = d->identities[i].name;
        }
    }
    near = conf_nearest(binding->official, names);
    return complain_in(reading, binding->text, binding->line,
                       "acts-for: \"%s\": expected an official of %s%s%s%s", binding->official,
                       binding->member, near != NULL ? ", did you mean " : "",
                       near != NULL ? near : "", near != NULL ? "?" : "");
}

static enum rc check_bindings(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 0; i < d->binding_count; i++) {
        if (!official_is_listed(d, d->bindings[i].member, d->bindings[i].official)) {
            return complain_official(reading, &d->bindings[i]);
        }
    }
    return RC_OK;
}

/* ---- routes that claim the same message ---- */

/* Only opening messages look for their route; the others follow their exchange's. */
static bool opens(enum message_type type)
{
    return type == MESSAGE_REFERRAL || type == MESSAGE_MEASURE_REQUEST ||
           type == MESSAGE_SUPPORT_REQUEST || type == MESSAGE_CONSULTATION ||
           type == MESSAGE_AGGREGATE;
}

static bool share_type(const struct route *a, const struct route *b)
{
    for (size_t i = 0; i < a->type_count; i++) {
        for (size_t j = 0; j < b->type_count; j++) {
            if (a->types[i] == b->types[j] && opens(a->types[i])) {
                return true;
            }
        }
    }
    return false;
}

static const char *shared_code(const struct route *a, const struct route *b)
{
    for (size_t i = 0; i < a->code_count; i++) {
        for (size_t j = 0; j < b->code_count; j++) {
            if (strcmp(a->codes[i], b->codes[j]) == 0) {
                return a->codes[i];
            }
        }
    }
    return a->code_count == 0 && b->code_count == 0 ? "no code" : NULL;
}

static enum rc check_pair(struct reading *reading, const struct route *a, const struct route *b)
{
    const char *code = shared_code(a, b);
    unsigned first = a->line < b->line ? a->line : b->line;
    unsigned second = a->line < b->line ? b->line : a->line;

    if (a->text != b->text || code == NULL || !share_type(a, b) ||
        !dates_overlap(a->in_force, b->in_force)) {
        return RC_OK; /* of two networks, at most one is in force */
    }
    return complain_in(reading, a->text, second,
                       "route %s: expected dates, types or codes apart from those of the route in "
                       "line %u: both take %s from %s to %s",
                       a->line == second ? a->id : b->id, first, code, a->from, a->to);
}

static enum rc check_routes(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 0; i < d->route_count; i++) {
        const struct route *a = &d->routes[i];

        for (size_t j = i + 1; j < d->route_count; j++) {
            const struct route *b = &d->routes[j];

            if (strcmp(a->from, b->from) != 0 || strcmp(a->to, b->to) != 0) {
                break;
            }
            if (j - i >= ROUTES_BETWEEN_MAX) {
                return complain_in(reading, b->text, b->line,
                                   "expected at most %d routes from %s to %s", ROUTES_BETWEEN_MAX,
                                   a->from, a->to);
            }
            TRY(check_pair(reading, a, b));
        }
    }
    return RC_OK;
}

/* ---- routes between two networks ---- */

static bool is_of_network(const char *code, const char *network)
{
    size_t size = strlen(network);

    return strncmp(code, network, size) == 0 && code[size] == '/';
}

static bool crosses(const struct directory *d, const struct route *route)
{
    const struct directory_text *text = &d->texts[route->text];

    return text->kind == TEXT_NETWORK &&
           !(is_of_network(route->from, text->subject) && is_of_network(route->to, text->subject));
}

static const struct basis *basis_of(const struct directory *d, const struct route *route)
{
    struct basis basis = {.text = route->text};

    memcpy(basis.id, route->basis, CODE_SIZE);
    return bsearch(&basis, d->bases, d->basis_count, sizeof basis, order_bases);
}

/* The same terms on the same ground; where they stand in their texts does not matter. */
static bool agree(const struct directory *d, const struct route *a, const struct route *b)
{
    struct route left = *a, right = *b;
    const struct basis *ground = basis_of(d, a), *other = basis_of(d, b);

    left.text = right.text;
    left.line = right.line;
    return memcmp(&left, &right, sizeof left) == 0 && ground != NULL && other != NULL &&
           ground->is_convenio == other->is_convenio &&
           ground->in_force.from_day == other->in_force.from_day &&
           ground->in_force.to_day == other->in_force.to_day &&
           memcmp(ground->sha256, other->sha256, HASH_SIZE) == 0;
}

/* What both have stands once, in the words of the network that sends; what one has is marked. */
static void settle_crossings(struct directory *d)
{
    size_t kept = 0;

    for (size_t i = 0; i < d->route_count; i++) {
        struct route *route = &d->routes[i];
        struct route *twin = i + 1 < d->route_count ? route + 1 : NULL;

        if (crosses(d, route)) {
            if (twin != NULL && strcmp(route->from, twin->from) == 0 &&
                strcmp(route->to, twin->to) == 0 && strcmp(route->id, twin->id) == 0 &&
                agree(d, route, twin)) {
                route = is_of_network(route->from, d->texts[route->text].subject) ? route : twin;
                i++;
            } else {
                route->is_one_sided = true;
            }
        }
        if (&d->routes[kept] != route) {
            d->routes[kept] = *route;
        }
        kept++;
    }
    d->route_count = kept;
}

/* ---- authorities ---- */

/* The key's own 32 bytes, in base64 at the vkey's end. */
static const char *key_of(const char *vkey)
{
    return strrchr(vkey, '+');
}

static enum rc check_distinct(struct reading *reading, const struct authority *a,
                              const struct authority *b)
{
    if (a->text == b->text &&
        (strcmp(a->name, b->name) == 0 || strcmp(key_of(a->vkey), key_of(b->vkey)) == 0)) {
        return complain_in(reading, b->text, b->line,
                           "authority %s: expected a name and a key of its own, stands in line %u "
                           "already",
                           b->name, a->line);
    }
    return RC_OK;
}

/* No owner: a network has two authorities at least, and two at least sign. */
static enum rc check_quorum(struct reading *reading, uint16_t at)
{
    const struct directory *d = reading->directory;
    unsigned quorum = d->texts[at].quorum;
    unsigned count = 0;

    for (size_t i = 0; i < d->authority_count; i++) {
        count += d->authorities[i].text == at;
    }
    if (count > NETWORK_AUTHORITIES_MAX || quorum < 2 || quorum > count) {
        return complain_in(reading, at, 1,
                           "quorum: expected 2 to %u, one at most for each of the authorities "
                           "(2 to %d of them), found %u",
                           count, NETWORK_AUTHORITIES_MAX, quorum);
    }
    return RC_OK;
}

static enum rc check_authorities(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 0; i < d->authority_count; i++) {
        for (size_t j = i + 1; j < d->authority_count; j++) {
            TRY(check_distinct(reading, &d->authorities[i], &d->authorities[j]));
        }
    }
    for (size_t i = 0; i < d->text_count; i++) {
        if (d->texts[i].kind == TEXT_NETWORK) {
            TRY(check_quorum(reading, (uint16_t)i));
        }
    }
    return RC_OK;
}

static enum rc check_texts(struct reading *reading)
{
    const struct directory *d = reading->directory;

    for (size_t i = 0; i < d->text_count; i++) {
        for (size_t j = i + 1; j < d->text_count; j++) {
            if (strcmp(d->texts[i].subject, d->texts[j].subject) == 0) {
                return complain_in(reading, (uint16_t)j, 1, "%s: expected one text, %s is another",
                                   d->texts[j].subject, reading->sources[i].name);
            }
        }
    }
    return RC_OK;
}

/* Each member's roster, so that no decision has to look for it. */
static void find_rosters(struct directory *d)
{
    for (size_t i = 0; i < d->member_count; i++) {
        d->members[i].roster = TEXT_NONE;
        for (size_t j = 0; j < d->text_count; j++) {
            if (d->texts[j].kind == TEXT_ROSTER &&
                strcmp(d->texts[j].subject, d->members[i].code) == 0) {
                d->members[i].roster = (uint16_t)j;
            }
        }
    }
}

enum rc directory_check(struct reading *reading)
{
    TRY(check_texts(reading));
    sort_all(reading->directory);
    find_rosters(reading->directory);
    TRY(check_authorities(reading));
    TRY(check_members(reading));
    TRY(check_nodes(reading));
    TRY(check_identities(reading));
    TRY(check_bases_and_avisos(reading));
    TRY(check_references(reading));
    TRY(check_bindings(reading));
    TRY(check_route_ids(reading));
    TRY(directory_clock_check(reading));
    settle_crossings(reading->directory);
    return check_routes(reading);
}
