/*
 * enlace-verify - verifies receipts and exported logs: static, without network, node or profile.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "offline/verify.h"

static int help(FILE *out)
{
    fprintf(out,
            "Uso: enlace-verify [--json] log|consistency|receipt|exchange|bundle|oficio … "
            "OPCIONES\n\n%s\n"
            "Termina con 0 si verifica, 1 si no, 2 si la orden o un archivo no se entiende.\n",
            verify_help);
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct verify_caller caller = {.program = "enlace-verify"};
    int at = 1;

    log_open("enlace-verify", LOG_LEVEL_FATAL);
    if (at < argc && strcmp(argv[at], "--json") == 0) {
        caller.is_json = true;
        at++;
    }
    if (at == argc) {
        return help(stderr);
    }
    if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
        return help(stdout);
    }
    return verify_run(&caller, argc - at, argv + at);
}
