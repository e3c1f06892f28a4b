#include "enlace/manual.h"

#include <ctype.h>
#include <string.h>

#include "enlace/command.h"

static const char globals[] = "--profile --json --help --help-settings";

/* ---- the page ---- */

/* In roff a backslash, and a dot or an apostrophe at the start of a line, mean something. */
static void print_roff(FILE *out, const char *text)
{
    bool is_line_start = true;

    for (; *text != '\0'; text++) {
        if (is_line_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", out);
        }
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else {
            fputc(*text, out);
        }
        is_line_start = *text == '\n';
    }
}

static void print_command(FILE *out, const struct command *command)
{
    fputs(".SS ", out);
    print_roff(out, command->name);
    fputc(' ', out);
    print_roff(out, command->arguments);
    fputs("\n", out);
    print_roff(out, command->summary);
    fputs("\n", out);
    if (command->details != NULL) {
        fputs(".PP\n.nf\n", out);
        print_roff(out, command->details);
        fputs(".fi\n", out);
    }
}

void manual_print_page(FILE *out)
{
    fputs(".TH ENLACE 1 \"\" \"Enlace\" \"Órdenes de Enlace\"\n"
          ".SH NOMBRE\n"
          "enlace \\- la orden de Enlace para sistemas, personas servidoras públicas, operación y "
          "auditoría\n"
          ".SH SINOPSIS\n"
          ".B enlace \\-\\-profile\n"
          ".I ARCHIVO\n"
          ".RB [ \\-\\-json ]\n"
          ".I ORDEN ...\n"
          ".SH OPCIONES\n"
          ".TP\n.BI \\-\\-profile \" ARCHIVO\"\n"
          "quién soy y con qué nodo hablo; también la variable ENLACE_PROFILE\n"
          ".TP\n.B \\-\\-json\n"
          "un objeto JSON en la salida estándar, también para los errores\n"
          ".TP\n.B \\-\\-help\\-settings\n"
          "qué lleva un perfil\n"
          ".TP\n.B \\-\\-manual\n"
          "esta página, para man(1)\n"
          ".TP\n.BI \\-\\-completion \" bash|fish\"\n"
          "lo que completa el tabulador\n"
          ".SH ÓRDENES\n",
          out);
    for (const struct command *command = commands; command->name != NULL; command++) {
        print_command(out, command);
    }
    fputs(".SH \"ESTADO DE SALIDA\"\n"
          "0: hecho. 1: rechazado, fallido o no verifica. 2: no se entiende lo escrito, o un "
          "archivo.\n"
          ".SH AMBIENTE\n"
          ".B ENLACE_PROFILE\n"
          "el perfil, si no se da \\-\\-profile.\n"
          ".SH \"VÉASE TAMBIÉN\"\n"
          "enlaced(8), enlace\\-verify(1)\n",
          out);
}

/* ---- what Tab offers ---- */

static bool is_option_byte(char byte)
{
    return islower((unsigned char)byte) || isdigit((unsigned char)byte) || byte == '-';
}

/* Each "--word" of a text, once. `begin` and `end` stand around each. */
static void print_options(FILE *out, const char *text, const char *begin, const char *end)
{
    const char *start = text;

    while ((text = strstr(text, "--")) != NULL) {
        size_t size = 2;
        bool is_new = true;

        while (is_option_byte(text[size])) {
            size++;
        }
        for (const char *at = start; at < text; at++) {
            is_new = is_new && !(strncmp(at, text, size) == 0 && !is_option_byte(at[size]));
        }
        if (size > 2 && is_new) {
            fprintf(out, "%s%.*s%s", begin, (int)size, text, end);
        }
        text += size;
    }
}

/* The first word of a line that is indented by two: "  export CARPETA ...". */
static void print_verbs(FILE *out, const char *text, const char *begin, const char *end)
{
    for (; text != NULL && *text != '\0'; text = strchr(text, '\n'), text += text != NULL) {
        size_t size = 0;

        if (strncmp(text, "  ", 2) != 0 || !islower((unsigned char)text[2])) {
            continue;
        }
        while (is_option_byte(text[2 + size])) {
            size++;
        }
        if (text[2 + size] == ' ') {
            fprintf(out, "%s%.*s%s", begin, (int)size, text + 2, end);
        }
    }
}

static void print_bash(FILE *out)
{
    fputs("# Hecho por «enlace --completion bash».\n"
          "_enlace() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} order='' i words=''\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "            --profile) i=$((i + 1)) ;;\n"
          "            -*) ;;\n"
          "            *) order=${COMP_WORDS[i]}; break ;;\n"
          "        esac\n"
          "    done\n"
          "    case $order in\n",
          out);
    fprintf(out, "        '') words='%s", globals);
    for (const struct command *command = commands; command->name != NULL; command++) {
        fprintf(out, " %s", command->name);
    }
    fputs("' ;;\n", out);
    for (const struct command *command = commands; command->name != NULL; command++) {
        fprintf(out, "        %s) words='--help", command->name);
        print_options(out, command->arguments, " ", "");
        if (command->details != NULL) {
            print_verbs(out, command->details, " ", "");
            print_options(out, command->details, " ", "");
        }
        fputs("' ;;\n", out);
    }
    fputs("    esac\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
          "}\n"
          "complete -o default -F _enlace enlace\n",
          out);
}

static void print_fish(FILE *out)
{
    fputs("# Hecho por «enlace --completion fish».\n", out);
    print_options(out, globals, "complete -c enlace -n __fish_use_subcommand -a '", "'\n");
    for (const struct command *command = commands; command->name != NULL; command++) {
        char begin[128];

        fprintf(out, "complete -c enlace -f -n __fish_use_subcommand -a %s -d '%s'\n",
                command->name, command->summary);
        snprintf(begin, sizeof begin, "complete -c enlace -n '__fish_seen_subcommand_from %s' -a '",
                 command->name);
        print_options(out, command->arguments, begin, "'\n");
        if (command->details != NULL) {
            print_verbs(out, command->details, begin, "'\n");
            print_options(out, command->details, begin, "'\n");
        }
    }
}

bool manual_print_completion(const char *shell, FILE *out)
{
    if (strcmp(shell, "bash") == 0) {
        print_bash(out);
        return true;
    }
    if (strcmp(shell, "fish") == 0) {
        print_fish(out);
        return true;
    }
    return false;
}
