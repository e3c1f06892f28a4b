#include "policy/explain.h"

#include <stdio.h>
#include <string.h>

#include "policy/allowed.h"
#include "policy/route.h"

/* Goes on after a failure: the fault is free for the next check. */
enum rc explain_note(struct explanation *explanation, const char *name, uint16_t text,
                     unsigned line, enum rc rc, struct fault *fault)
{
    struct explain_check *check;

    if (explanation == NULL) {
        return rc;
    }
    if (explanation->count < EXPLAIN_CHECKS_MAX) {
        check = &explanation->checks[explanation->count++];
        *check = (struct explain_check){
            .name = name, .is_kept = rc == RC_OK, .text = text, .line = line};
        if (rc != RC_OK && fault != NULL) {
            snprintf(check->reason, sizeof check->reason, "%s", fault->reason);
            snprintf(check->remedy, sizeof check->remedy, "%s", fault->remedy);
        }
    }
    if (rc != RC_OK && fault != NULL) {
        *fault = (struct fault){0};
    }
    return RC_OK;
}

enum rc explain_opening(const struct directory *directory, const struct message *message,
                        int32_t today, struct explanation *explanation, struct fault *fault)
{
    struct fault scratch = {0};
    const struct route *route = NULL;

    *explanation = (struct explanation){.count = 0};
    if (route_explain(directory, message, today, &route, explanation, &scratch) == RC_OK &&
        route != NULL) {
        enum rc rc = allowed_check(route, message, &scratch);

        explanation->route = route;
        (void)explain_note(explanation, "los datos son los que la ruta permite", route->text,
                           route->line, rc, &scratch);
    }
    for (size_t i = 0; i < explanation->count; i++) {
        if (!explanation->checks[i].is_kept) {
            return refuse(fault, RC_PERMISSION_DENIED, explanation->checks[i].reason, "", "%s",
                          explanation->checks[i].remedy);
        }
    }
    return RC_OK;
}
