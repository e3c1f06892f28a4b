/*
 * backup and restore, for operators: the node's own program does both, since nobody else opens its
 * store; it is looked for beside this one.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enlace/command.h"

static int run_node(const struct cli *cli, char *verb, char **argv)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - sizeof "enlaced");
    char *slash;
    char *arguments[] = {path, verb, argv[1], argv[2], argv[3], NULL};

    if (size <= 0) {
        return cli_usage(cli, argv[0], "No se encuentra enlaced.");
    }
    path[size] = '\0';
    slash = strrchr(path, '/');
    memcpy(slash + 1, "enlaced", sizeof "enlaced");
    execv(path, arguments);
    return cli_usage(cli, argv[0], "No se pudo iniciar %s: %s.", path, strerror(errno));
}

int cmd_backup(struct cli *cli, int argc, char **argv)
{
    static char backup[] = "--backup";
    static char restore[] = "--restore";

    if (argc != 4 || (strcmp(argv[1], "log") != 0 && strcmp(argv[1], "vault") != 0)) {
        return cli_usage(cli, argv[0], "Diga log o vault, la carpeta y el archivo de ajustes.");
    }
    return run_node(cli, strcmp(argv[0], "backup") == 0 ? backup : restore, argv);
}
