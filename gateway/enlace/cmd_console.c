/* console: the local page, until Ctrl-C. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread_mask.h"
#include "client/profile.h"
#include "console/console.h"
#include "enlace/command.h"

struct choices {
    struct console_options options;
    char listen[32];
};

static int read_port(const struct cli *cli, const char *text, struct choices *choices)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || port > 65535) {
        return cli_usage(cli, "console", "«%s» no es un puerto: de 0 (cualquiera) a 65535.", text);
    }
    snprintf(choices->listen, sizeof choices->listen, "127.0.0.1:%lu", port);
    return EXIT_DONE;
}

static int read_choices(const struct cli *cli, int argc, char **argv, struct choices *choices)
{
    static const struct option names[] = {
        {"port", required_argument, NULL, 'p'},
        {"audit", required_argument, NULL, 'a'},
        {"with", required_argument, NULL, 'w'},
        {"seals", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int status = EXIT_DONE;
    int choice;

    opterr = 0;
    snprintf(choices->listen, sizeof choices->listen, "127.0.0.1:%d", CONSOLE_PORT);
    while (status == EXIT_DONE && (choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (choice) {
        case 'p':
            status = read_port(cli, optarg, choices);
            break;
        case 'a':
            choices->options.audit_path = optarg;
            break;
        case 'w':
            choices->options.directory = optarg;
            break;
        case 's':
            choices->options.seals = optarg;
            break;
        default:
            status = cli_usage(cli, "console", "No se entiende una opción.");
        }
    }
    choices->options.listen = choices->listen;
    return status == EXIT_DONE && optind != argc
               ? cli_usage(cli, "console", "No se entiende «%s».", argv[optind])
               : status;
}

static void say_where(const struct cli *cli, const struct console *console)
{
    char link[CONSOLE_LINK_SIZE];

    console_link(console, link);
    if (cli->is_json) {
        cli_print(json_pack("{s:s}", "link", link));
    } else {
        printf("Consola de Enlace: abra este enlace en su navegador; sirve una vez, diez minutos.\n"
               "  %s\nCtrl-C la cierra.\n",
               link);
    }
    fflush(stdout);
    explicit_bzero(link, sizeof link);
}

static int say_end(const struct cli *cli, const char *lie)
{
    struct fault fault = {0};

    if (lie[0] == '\0') {
        return EXIT_DONE;
    }
    (void)refuse(&fault, RC_DATA_LOSS, lie, "",
                 "El nodo mostró lo que no pudo probar. Guarde lo que exportó y los sellos, y "
                 "avise a la autoridad de la red.");
    return cli_fault(cli, &fault);
}

int cmd_console(struct cli *cli, int argc, char **argv)
{
    OWN_PTR(console) console = NULL;
    struct choices choices = {0};
    struct fault fault = {0};
    sigset_t ends;
    int signal;
    int status = read_choices(cli, argc, argv, &choices);

    status = status == EXIT_DONE ? cli_need_profile(cli) : status;
    if (status != EXIT_DONE) {
        return status;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (console_new(cli->profile, &choices.options, &console, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    say_where(cli, console);
    (void)sigwait(&ends, &signal);
    return say_end(cli, console_lie(console));
}
