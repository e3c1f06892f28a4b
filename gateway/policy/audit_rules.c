#include "policy/audit_rules.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "policy/member.h"

struct rule {
    enum audit_scope scope;
    bool needs_second;
};

/* What does not stand here is AUDIT_NOTHING. */
static const struct rule table[AUDIT_METHODS][READER_ROLES] = {
    [AUDIT_WHOLE_LOG] =
        {[READER_AUDITOR] = {AUDIT_ALL, false}, [READER_AUTHORITY] = {AUDIT_ALL, false}},
    [AUDIT_QUERY] = {[READER_OFFICIAL] = {AUDIT_OWN_MEMBER, false},
                     [READER_SYSTEM] = {AUDIT_OWN_MEMBER, false},
                     [READER_AUDITOR] = {AUDIT_ALL, false},
                     [READER_COORDINATOR] = {AUDIT_ALL, false},
                     [READER_OPERATOR] = {AUDIT_NODES_OWN, false},
                     [READER_AUTHORITY] = {AUDIT_ALL, false}},
    [AUDIT_PERSON] = {[READER_OFFICIAL] = {AUDIT_OWN_MEMBER, true},
                      [READER_AUDITOR] = {AUDIT_ALL, true},
                      [READER_AUTHORITY] = {AUDIT_ALL, true}},
    [AUDIT_TAG_KEY] =
        {[READER_AUDITOR] = {AUDIT_ALL, true}, [READER_AUTHORITY] = {AUDIT_ALL, true}},
    [AUDIT_CLOSE] = {[READER_OFFICIAL] = {AUDIT_ALL, false},
                     [READER_SYSTEM] = {AUDIT_ALL, false},
                     [READER_AUDITOR] = {AUDIT_ALL, false},
                     [READER_COORDINATOR] = {AUDIT_ALL, false},
                     [READER_OPERATOR] = {AUDIT_ALL, false},
                     [READER_AUTHORITY] = {AUDIT_ALL, false}},
    [AUDIT_INDEX_STATE] = {[READER_AUDITOR] = {AUDIT_ALL, false},
                           [READER_COORDINATOR] = {AUDIT_ALL, false},
                           [READER_OPERATOR] = {AUDIT_ALL, false},
                           [READER_AUTHORITY] = {AUDIT_ALL, false}},
    [AUDIT_REINDEX] = {[READER_OPERATOR] = {AUDIT_ALL, false}},
    [AUDIT_CONDITION] = {[READER_AUDITOR] = {AUDIT_ALL, false},
                         [READER_COORDINATOR] = {AUDIT_ALL, false},
                         [READER_OPERATOR] = {AUDIT_ALL, false},
                         [READER_AUTHORITY] = {AUDIT_ALL, false}},
};

/* Of an hour and a day; whole logs are for those who verify them. */
static const struct {
    uint64_t records_per_hour;
    uint32_t persons_per_day;
} ceilings[READER_ROLES] = {
    [READER_OFFICIAL] = {5000, 20},        [READER_AUDITOR] = {100000000, 50},
    [READER_COORDINATOR] = {50000, 0},     [READER_OPERATOR] = {50000, 0},
    [READER_AUTHORITY] = {100000000, 100}, [READER_SYSTEM] = {1000000, 0},
};

static enum rc deny(const struct identity *reader, const char *check, struct fault *fault)
{
    log_warn("identity.refused", "uri=%s check=audit_%s", reader->uri, check);
    return refuse(fault, RC_PERMISSION_DENIED, "audit.not_allowed", "",
                  "No está autorizado a leer esto de la bitácora. Consulte a quien opera el nodo.");
}

static bool is_same_network(const char *a, const char *b)
{
    size_t size = strcspn(a, "/");

    return strncmp(a, b, size + 1) == 0;
}

/* An auditor comes from outside, the others belong to a member of this node. */
static bool may_come_here(const struct directory *directory, const struct node_entry *self,
                          const struct identity *reader, int32_t today)
{
    if (reader->kind == IDENTITY_AUDITOR) {
        return is_same_network(reader->member, self->code);
    }
    return (reader->kind == IDENTITY_OFFICIAL || reader->kind == IDENTITY_SYSTEM) &&
           node_is(node_of_member(directory, reader->member, today), self);
}

enum rc audit_rules_allow(const struct directory *directory, const struct node_entry *self,
                          const struct identity *reader, enum audit_method method, int32_t today,
                          struct audit_grant *grant, struct fault *fault)
{
    struct audit_grant found = {.scope = AUDIT_NOTHING};

    if (!may_come_here(directory, self, reader, today)) {
        return deny(reader, "other_node", fault);
    }
    for (int role = 0; role < READER_ROLES; role++) {
        const struct rule *rule = &table[method][role];

        if ((reader->roles >> role & 1) == 0 || rule->scope == AUDIT_NOTHING) {
            continue;
        }
        if (rule->scope > found.scope) {
            found.scope = rule->scope;
            found.needs_second = rule->needs_second;
        }
        if (ceilings[role].records_per_hour > found.records_per_hour) {
            found.records_per_hour = ceilings[role].records_per_hour;
        }
        if (ceilings[role].persons_per_day > found.persons_per_day) {
            found.persons_per_day = ceilings[role].persons_per_day;
        }
    }
    if (found.scope == AUDIT_NOTHING) {
        return deny(reader, "role", fault);
    }
    *grant = found;
    return RC_OK;
}

static enum rc refuse_second(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_PERMISSION_DENIED, reason, "approval", "%s", remedy);
}

static enum rc check_holder(const struct directory *directory, const struct cert *cert,
                            const struct identity *reader, int64_t now_ms,
                            const struct identity **second, struct fault *fault)
{
    static const char *const remedy = "La aprueba otra persona servidora pública de su "
                                      "institución, vigente en el directorio con su certificado.";
    const struct identity *found = NULL;

    if (strcmp(cert_uri(cert), reader->uri) == 0) {
        return refuse_second(fault, "audit.second_not_other",
                             "Quien pregunta no puede aprobar su propia pregunta.");
    }
    if (identity_authenticate(directory, cert_uri(cert), cert_fingerprint(cert),
                              clock_local_day(now_ms), &found, NULL) != RC_OK ||
        (found->kind != IDENTITY_OFFICIAL && found->kind != IDENTITY_AUDITOR) ||
        !found->has_fingerprint || strcmp(found->member, reader->member) != 0) {
        return refuse_second(fault, "audit.second_not_official", remedy);
    }
    *second = found;
    return RC_OK;
}

enum rc audit_approval_check(const struct directory *directory,
                             const struct cert_store *authorities, const struct identity *reader,
                             struct bytes query, struct bytes certificate, struct bytes signature,
                             int64_t now_ms, const struct identity **second, struct fault *fault)
{
    OWN_PTR(cert) cert = NULL;
    uint8_t digest[DIGEST_SIZE];

    if (certificate.size == 0 || signature.size == 0) {
        return refuse_second(fault, "audit.second_missing",
                             "Lo que se refiere a una persona lo aprueba otra persona servidora "
                             "pública: «enlace audit approve».");
    }
    if (cert_from_der(certificate, &cert, NULL) != RC_OK) {
        return refuse_second(fault, "audit.second_invalid", "El certificado no se entiende.");
    }
    TRY(check_holder(directory, cert, reader, now_ms, second, fault));
    audit_digest_query(query, digest);
    if (cert_verify_chain(cert, authorities, now_ms, NULL) != RC_OK ||
        actsig_verify(cert, digest, signature) != RC_OK) {
        return refuse_second(fault, "audit.second_invalid",
                             "La firma no es de esta pregunta, o su certificado no está vigente: "
                             "pida otra.");
    }
    return RC_OK;
}
