#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/member.h"
#include "relay/audit.h"
#include "relay/inforce.h"
#include "relay/node.h"

enum rc audit_admit(const struct node *node, const struct identity *reader,
                    enum audit_method method, struct audit_grant *grant, struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);

    return audit_rules_allow(edition->directory, node->self, reader, method,
                             clock_local_day(clock_now_ms()), grant, fault);
}

static enum rc check_whose(const struct node *node, const struct identity *reader,
                           const struct audit_query *query, struct fault *fault)
{
    if (strcmp(query->reader, reader->uri) != 0 || strcmp(query->origin, node->self->origin) != 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.not_this", "query",
                      "La pregunta es de otra persona o para otra bitácora: haga la suya.");
    }
    if (query->from_s < 0 || query->to_s < 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.time", "query.from_time",
                      "Las fechas van desde 1970.");
    }
    return RC_OK;
}

/* The member that knows the person by this id: one of this node, and for an official her own. */
static enum rc check_holder(const struct directory *directory, const struct node *node,
                            const struct identity *reader, const struct audit_asked *asked,
                            int32_t today, struct fault *fault)
{
    const char *holder = asked->query.holder;

    if (id_is_zero(&asked->query.person) ||
        !node_is(node_of_member(directory, holder, today), node->self) ||
        (asked->grant.scope == AUDIT_OWN_MEMBER && strcmp(holder, reader->member) != 0)) {
        return refuse(fault, RC_PERMISSION_DENIED, "audit.holder", "query.holder",
                      "Nombre a la persona y a la institución de este nodo cuyos registros pide.");
    }
    return RC_OK;
}

static enum rc check_second(const struct directory *directory, const struct node *node,
                            const struct identity *reader,
                            const struct audit_query_request *request, struct audit_asked *asked,
                            int64_t now_ms, struct fault *fault)
{
    int64_t expires_s = asked->query.expires_s;
    const struct identity *second;

    if (expires_s <= now_ms / 1000 || expires_s > now_ms / 1000 + AUDIT_APPROVAL_MAX_S) {
        return refuse(fault, RC_FAILED_PRECONDITION, "audit.expired", "query.expires_at",
                      "Lo que se pregunta sobre una persona vale a lo más un día; haga otra "
                      "petición.");
    }
    TRY(audit_approval_check(directory, node->ca, reader, request->query,
                             request->approval.certificate, request->approval.signature, now_ms,
                             &second, fault));
    snprintf(asked->second, sizeof asked->second, "%s", second->uri);
    return RC_OK;
}

enum rc audit_take_question(const struct node *node, const struct identity *reader,
                            const struct audit_query_request *request, struct arena *arena,
                            struct audit_asked *asked, struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct directory *directory = edition->directory;
    int64_t now_ms = clock_now_ms();
    int32_t today = clock_local_day(now_ms);
    enum audit_method method = AUDIT_QUERY;

    *asked = (struct audit_asked){.second = ""};
    TRY(codec_audit_query_read(request->query, arena, &asked->query, fault));
    audit_digest_query(request->query, asked->digest);
    if (asked->query.wants_tag_key) {
        method = AUDIT_TAG_KEY;
    } else if (!id_is_zero(&asked->query.person) || asked->query.holder[0] != '\0') {
        method = AUDIT_PERSON;
    }
    TRY(audit_rules_allow(directory, node->self, reader, method, today, &asked->grant, fault));
    TRY(check_whose(node, reader, &asked->query, fault));
    if (method != AUDIT_QUERY) {
        TRY(check_holder(directory, node, reader, asked, today, fault));
    }
    return asked->grant.needs_second
               ? check_second(directory, node, reader, request, asked, now_ms, fault)
               : RC_OK;
}
