#include "policy/allowed.h"

#include <stdio.h>

#include "policy/route.h"

static enum rc refuse_types(uint32_t types, const char *reason, const char *remedy,
                            struct fault *fault)
{
    for (int i = COMPARTMENT_IDENTITY; i < COMPARTMENT_TYPES; i++) {
        if ((types >> i & 1) != 0) {
            const char *name = compartment_name((enum compartment_type)i);
            char path[32];

            snprintf(path, sizeof path, "compartments.%s", name);
            return refuse(fault, RC_PERMISSION_DENIED, reason, path, remedy, name);
        }
    }
    return refuse(fault, RC_PERMISSION_DENIED, reason, "compartments", remedy, "?");
}

static enum rc refuse_fields(struct field_set excess, struct fault *fault)
{
    char path[sizeof fault->path];
    char paths[160];

    field_set_describe(excess, path, sizeof path);
    field_set_describe(excess, paths, sizeof paths);
    return refuse(fault, RC_PERMISSION_DENIED, "fields.excess", path,
                  "La ruta no permite estos campos; quítelos: %s", paths);
}

struct field_set allowed_fields(const struct route *route, const struct message *message)
{
    return route_side(route, message) == SIDE_EXECUTOR ? route->reply_fields : route->fields;
}

enum rc allowed_check(const struct route *route, const struct message *message, struct fault *fault)
{
    uint32_t bare = message->clear_types & (route->sealed_types | ALLOWED_ALWAYS_SEALED);
    uint32_t unlisted = message->sealed_types & ~route->sealed_types;
    struct field_set excess = field_set_minus(message->fields, allowed_fields(route, message));

    if (bare != 0) {
        return refuse_types(bare, "compartment.must_be_sealed",
                            "Selle el compartimento \"%s\" para la institución destinataria.",
                            fault);
    }
    if (unlisted != 0) {
        return refuse_types(unlisted, "compartment.not_allowed",
                            "La ruta no permite el compartimento \"%s\": quítelo.", fault);
    }
    if (!field_set_is_empty(excess)) {
        return refuse_fields(excess, fault);
    }
    return RC_OK;
}
