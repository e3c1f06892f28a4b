#include "enlace/audit_mine.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/profile.h"
#include "client/reconcile.h"
#include "client/session.h"
#include "enlace/command.h"

struct telling {
    struct reconcile_user user; /* first */
    json_t *rows;               /* NULL: text */
};

static void differs(struct reconcile_user *user, const struct reconcile_difference *difference)
{
    static const char *const kinds[] = {"missing_here", "missing_there", "differs"};
    struct telling *telling = (struct telling *)user;
    const char *type = message_type_name(difference->type);
    char id[ID_TEXT_SIZE];
    char leaf[32] = "";

    id_format(&difference->id, id);
    if (telling->rows != NULL) {
        json_t *row = json_pack("{s:s,s:s,s:s,s:s}", "kind", kinds[difference->kind], "direction",
                                difference->is_sent ? "sent" : "received", "message_id", id, "why",
                                difference->why);

        if (difference->leaf != UINT64_MAX) {
            json_object_set_new(row, "type", json_string(type));
            json_object_set_new(row, "index", json_integer((json_int_t)difference->leaf));
        }
        json_array_append_new(telling->rows, row);
        return;
    }
    if (difference->leaf != UINT64_MAX) {
        snprintf(leaf, sizeof leaf, "hoja %" PRIu64, difference->leaf);
    }
    printf("✖ %-11s %-8s  %s  %s %s %s\n", reconcile_text(difference->kind),
           difference->is_sent ? "enviado" : "recibido", id,
           difference->type != MESSAGE_NONE ? type : "", leaf, difference->why);
}

static uint64_t differences(const struct reconcile_figures *figures)
{
    return figures->missing_here + figures->missing_there + figures->differing;
}

static void print_json(const struct reconcile_figures *figures, json_t *rows)
{
    cli_print(json_pack(
        "{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "log", figures->origin, "size",
        (json_int_t)figures->size, "sent", (json_int_t)figures->sent, "received",
        (json_int_t)figures->received, "kept", (json_int_t)figures->kept, "waiting",
        (json_int_t)figures->waiting, "elsewhere", (json_int_t)figures->elsewhere, "missing_here",
        (json_int_t)figures->missing_here, "missing_there", (json_int_t)figures->missing_there,
        "differing", (json_int_t)figures->differing, "differences", rows));
}

static void print_text(const struct cli *cli, const struct reconcile_figures *figures)
{
    printf("%s/%s y %s, hasta la hoja %" PRIu64 ": la bitácora tiene %" PRIu64
           " enviados y %" PRIu64 " recibidos; la carpeta, %" PRIu64 " constancias; %" PRIu64
           " en camino.\n",
           cli->profile->member, cli->profile->system, figures->origin, figures->size,
           figures->sent, figures->received, figures->kept, figures->waiting);
    if (figures->elsewhere > 0) {
        printf("  %" PRIu64
               " eran para cualquier sistema de la institución y no están aquí: las tiene "
               "otro.\n",
               figures->elsewhere);
    }
    if (differences(figures) == 0) {
        puts("✔ Todo coincide.");
        return;
    }
    printf("✖ No coinciden %" PRIu64 ": %" PRIu64 " faltan aquí, %" PRIu64 " faltan allá, %" PRIu64
           " son distintos.\n"
           "  El adaptador repara lo que puede al arrancar; lo demás queda en su bitácora de "
           "operación (reconcile.left).\n",
           differences(figures), figures->missing_here, figures->missing_there, figures->differing);
}

int audit_mine(struct cli *cli)
{
    struct telling telling = {{differs}, cli->is_json ? json_array() : NULL};
    struct reconcile_figures figures;
    struct fault fault = {0};

    if (reconcile_run(cli->session, &telling.user, &figures, &fault) != RC_OK) {
        json_decref(telling.rows);
        return cli_fault(cli, &fault);
    }
    if (telling.rows != NULL) {
        print_json(&figures, telling.rows);
    } else {
        print_text(cli, &figures);
    }
    return differences(&figures) == 0 ? EXIT_DONE : EXIT_FAILED;
}
