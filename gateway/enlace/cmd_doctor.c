/*
 * cmd_doctor - `enlace doctor`: the visit of client/doctor, with what a copy of the directory says
 * of it, for people and for programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/doctor.h"
#include "client/profile.h"
#include "enlace/command.h"
#include "enlace/doctor_say.h"
#include "policy/directory_file.h"
#include "rpc/codec_service.h"

bool doctor_say(const char *what, bool is_well, const char *remedy)
{
    printf("%s %s\n", is_well ? "✔" : "✖", what);
    if (!is_well) {
        printf("    %s\n", remedy);
    }
    return is_well;
}

static void say_step(const struct doctor_step *step)
{
    doctor_say(step->what, step->is_well, step->remedy);
}

static bool check_routes(struct doctor *doctor, const struct directory *directory)
{
    const char *member = doctor->profile->member;
    int32_t today = clock_local_day(clock_now_ms());
    size_t out = 0;
    size_t in = 0;

    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];

        if (today >= route->in_force.from_day && today <= route->in_force.to_day) {
            out += strcmp(route->from, member) == 0;
            in += strcmp(route->to, member) == 0;
        }
    }
    return doctor_note(
        doctor, "route", out + in > 0,
        "Ninguna ruta del directorio nombra hoy a esta institución: pídala a la autoridad.",
        "rutas en vigor hoy: %zu de %s hacia otros, %zu hacia ella", out, member, in);
}

/* A copy of the directory's texts: is it the node's, and does it name us? */
static bool check_law(struct doctor *doctor, const struct ping *ping)
{
    OWN_PTR(directory) directory = NULL;
    struct fault fault = {0};

    if (cli_read_law(doctor->further, &directory, &fault) != RC_OK) {
        return doctor_note_fault(doctor, "law", "la copia del directorio se entiende", &fault);
    }
    doctor_note(doctor, "law", bytes_equal(ping->directory_sha256, BYTES_OF(directory->sha256)),
                "Uno de los dos está atrasado: copie los textos publicados a los dos.",
                "el nodo usa el mismo directorio que la copia");
    return check_routes(doctor, directory);
}

static void print_json(const struct doctor *doctor, bool is_well)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < doctor->count; i++) {
        const struct doctor_step *step = &doctor->steps[i];

        json_array_append_new(steps,
                              json_pack("{s:s,s:b,s:s,s:s}", "check", step->name, "ok",
                                        step->is_well, "what", step->what, "remedy", step->remedy));
    }
    cli_print(json_pack("{s:b,s:o}", "ok", is_well, "checks", steps));
}

int doctor_connection(struct cli *cli, const char *law)
{
    int status = cli_need_profile(cli);
    struct doctor *doctor = arena_alloc(cli->arena, sizeof *doctor);
    bool is_well;

    if (status != EXIT_DONE || doctor == NULL) {
        return status != EXIT_DONE ? status : EXIT_FAILED;
    }
    *doctor = (struct doctor){.profile = cli->profile,
                              .arena = cli->arena,
                              .say = cli->is_json ? NULL : say_step,
                              .look_further = law != NULL ? check_law : NULL,
                              .further = law};
    is_well = doctor_visit(doctor);
    if (cli->is_json) {
        print_json(doctor, is_well);
    }
    return is_well ? EXIT_DONE : EXIT_FAILED;
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
    if (argc == 1) {
        return doctor_connection(cli, NULL);
    }
    if (argc == 3 && strcmp(argv[1], "--with") == 0) {
        return doctor_connection(cli, argv[2]);
    }
    if (argc == 6 && strcmp(argv[2], "--ca") == 0 && strcmp(argv[4], "--with") == 0) {
        return doctor_certificate(cli, argv[1], argv[3], argv[5]);
    }
    return cli_usage(cli, "doctor",
                     "Se espera: nada más, o --with CARPETA, o CERTIFICADO.pem --ca ARCHIVO --with "
                     "CARPETA.");
}
