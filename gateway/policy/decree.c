#include "policy/decree.h"

#include <stdbool.h>
#include <string.h>

#define STANZAS_MAX 20000

/* One stanza's head and keys, as they stand in the text. */
struct part {
    struct bytes head;
    struct bytes body;
};

static bool take_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;

    if (end == NULL) {
        return false;
    }
    *line = BYTES(rest->data, (size_t)(end - rest->data));
    rest->size -= line->size + 1;
    rest->data += line->size + 1;
    return true;
}

/* The header's lines are stanzas without keys; what stands twice is told apart by its place. */
static bool next_part(struct bytes *rest, struct part *part)
{
    struct bytes line;

    while (take_line(rest, &line)) {
        if (line.size == 0 || line.data[0] == '#' || line.data[0] == ' ') {
            continue;
        }
        part->head = line;
        part->body = BYTES(rest->data, 0);
        while (rest->size > 0 &&
               (rest->data[0] == ' ' || rest->data[0] == '\n' || rest->data[0] == '#')) {
            (void)take_line(rest, &line);
            part->body.size = (size_t)(rest->data - part->body.data);
        }
        return true;
    }
    return false;
}

static bool is_header(struct bytes head)
{
    static const char *const names[] = {"enlace-directory ", "enlace-roster ", "network ",
                                        "version ", "in-force "};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (head.size > strlen(names[i]) && memcmp(head.data, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* The n-th stanza of this head; a head may stand again with other dates. */
static bool find_part(struct bytes text, struct bytes head, unsigned nth, struct part *part)
{
    while (next_part(&text, part)) {
        if (bytes_equal(part->head, head) && nth-- == 0) {
            return true;
        }
    }
    return false;
}

static unsigned place_of(struct bytes text, const struct part *part)
{
    struct part other;
    unsigned nth = 0;

    while (next_part(&text, &other) && other.head.data != part->head.data) {
        nth += bytes_equal(other.head, part->head);
    }
    return nth;
}

/* ---- words ---- */

static const char *const words[][2] = {
    {"member", "la institución"},
    {"node", "el nodo"},
    {"system", "el sistema"},
    {"official", "la persona servidora pública"},
    {"auditor", "la persona auditora"},
    {"convenio", "el convenio"},
    {"law", "el fundamento legal"},
    {"aviso", "el aviso de privacidad"},
    {"route", "la ruta"},
    {"authority", "la autoridad"},
    {"quorum", "el número de firmas necesarias:"},
    {"lift", "el levantamiento de la suspensión"},
    {"holidays", "los días inhábiles de"},
    {"days", "los días"},
    {"version", "la versión"},
    {"in-force", "la vigencia"},
    {"name", "el nombre"},
    {"address", "la dirección"},
    {"origin", "el origen de la bitácora"},
    {"log-key", "la llave de la bitácora"},
    {"witness-key", "la llave de testigo"},
    {"roster-key", "la llave de su registro"},
    {"certificate", "el certificado"},
    {"seal", "el certificado de sello"},
    {"acts-for", "las personas por quienes actúa"},
    {"title", "el título"},
    {"document", "la huella del documento"},
    {"from", "quien envía"},
    {"to", "quien recibe"},
    {"types", "los tipos de mensaje"},
    {"codes", "las claves del catálogo"},
    {"purpose", "la finalidad"},
    {"basis", "el fundamento"},
    {"fields", "los datos permitidos"},
    {"reply-fields", "los datos permitidos en la respuesta"},
    {"sealed", "los compartimentos que viajan sellados"},
    {"retention", "el plazo de conservación"},
    {"urgent", "la admisión de mensajes urgentes"},
    {"clocks", "los plazos"},
    {"ladder", "la escala de aviso"},
    {"second-official", "la segunda firma"},
    {"onward", "la transferencia ulterior"},
    {"key", "la llave"},
    {"reason", "el motivo"},
    {"network", "la red"},
};

static struct bytes first_word(struct bytes line)
{
    const uint8_t *space = line.size > 0 ? memchr(line.data, ' ', line.size) : NULL;

    return BYTES(line.data, space != NULL ? (size_t)(space - line.data) : line.size);
}

static void say(FILE *out, struct bytes word)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bytes_are_text(word, words[i][0])) {
            fputs(words[i][1], out);
            return;
        }
    }
    fprintf(out, "%.*s", (int)word.size, (const char *)word.data);
}

static void say_head(FILE *out, struct bytes head)
{
    struct bytes word = first_word(head);

    say(out, word);
    if (head.size > word.size) {
        fprintf(out, " «%.*s»", (int)(head.size - word.size - 1),
                (const char *)head.data + word.size + 1);
    }
}

/* ---- articles ---- */

static size_t print_whole(FILE *out, size_t article, const char *verb, const struct part *part)
{
    struct bytes rest = part->body;
    struct bytes line;

    fprintf(out, "\nArtículo %zu. %s ", article, verb);
    say_head(out, part->head);
    fputs(":\n", out);
    while (take_line(&rest, &line)) {
        if (line.size > 2 && line.data[0] == ' ') {
            struct bytes key = BYTES(line.data + 2, line.size - 2);
            struct bytes word = first_word(key);

            fputs("    ", out);
            say(out, word);
            fprintf(out, ": %.*s\n", (int)(key.size - word.size),
                    (const char *)key.data + word.size);
        }
    }
    return 1;
}

/* Is this whole line in the other stanza, too? */
static bool has_line(struct bytes body, struct bytes wanted)
{
    struct bytes line;

    while (take_line(&body, &line)) {
        if (bytes_equal(line, wanted)) {
            return true;
        }
    }
    return false;
}

static void print_lines(FILE *out, const char *verb, struct bytes body, struct bytes other)
{
    struct bytes line;

    while (take_line(&body, &line)) {
        if (line.size > 2 && line.data[0] == ' ' && !has_line(other, line)) {
            struct bytes key = BYTES(line.data + 2, line.size - 2);
            struct bytes word = first_word(key);

            fprintf(out, "    %s ", verb);
            say(out, word);
            fprintf(out, ": «%.*s»\n", (int)(key.size > word.size ? key.size - word.size - 1 : 0),
                    (const char *)key.data + word.size + 1);
        }
    }
}

static bool differ(const struct part *a, const struct part *b)
{
    struct bytes line;
    struct bytes rest = a->body;

    while (take_line(&rest, &line)) {
        if (line.size > 2 && line.data[0] == ' ' && !has_line(b->body, line)) {
            return true;
        }
    }
    rest = b->body;
    while (take_line(&rest, &line)) {
        if (line.size > 2 && line.data[0] == ' ' && !has_line(a->body, line)) {
            return true;
        }
    }
    return false;
}

static void print_header(struct bytes before, struct bytes after, FILE *out)
{
    struct part part;

    while (next_part(&after, &part)) {
        struct bytes rest = before;
        struct part other;

        if (!is_header(part.head)) {
            continue;
        }
        while (next_part(&rest, &other)) {
            if (is_header(other.head) &&
                bytes_equal(first_word(other.head), first_word(part.head)) &&
                !bytes_equal(other.head, part.head)) {
                fprintf(out, "Donde dice «%.*s» dirá «%.*s».\n", (int)other.head.size,
                        (const char *)other.head.data, (int)part.head.size,
                        (const char *)part.head.data);
            }
        }
    }
}

size_t decree_print(struct bytes before, struct bytes after, FILE *out)
{
    struct bytes rest = after;
    struct part part, other;
    size_t articles = 0;

    print_header(before, after, out);
    while (next_part(&rest, &part)) {
        if (is_header(part.head)) {
            continue;
        }
        if (!find_part(before, part.head, place_of(after, &part), &other)) {
            articles += print_whole(out, articles + 1, "Se adiciona", &part);
        } else if (differ(&other, &part)) {
            articles++;
            fprintf(out, "\nArtículo %zu. Se reforma ", articles);
            say_head(out, part.head);
            fputs(":\n", out);
            print_lines(out, "deja de tener", other.body, part.body);
            print_lines(out, "tendrá", part.body, other.body);
        }
    }
    rest = before;
    while (next_part(&rest, &part)) {
        if (!is_header(part.head) &&
            !find_part(after, part.head, place_of(before, &part), &other)) {
            articles += print_whole(out, articles + 1, "Se deroga", &part);
        }
    }
    if (articles == 0) {
        fputs("Nada cambia de fondo.\n", out);
    }
    return articles;
}
