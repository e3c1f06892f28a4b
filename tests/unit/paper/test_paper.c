#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paper/paper.h"

#define WORDS_MAX 65536

static const struct paper_facts facts = {.title = "Prueba",
                                         .subject = "",
                                         .creator = "test_paper",
                                         .head = "Cabeza",
                                         .foot = "Pie",
                                         .created_ms = 1795467600000};

struct author {
    struct paper_author author; /* first */
    const char *text;
    unsigned times;
    enum rc rc;
};

static enum rc write_text(struct paper_author *user, struct paper *paper)
{
    const struct author *author = (const struct author *)user;

    for (unsigned i = 0; i < author->times; i++) {
        paper_text(paper, PAPER_BODY, PAPER_JUSTIFIED, author->text);
    }
    return author->rc;
}

static int open_fonts(void **state)
{
    struct paper_fonts *fonts = NULL;
    struct fault fault = {0};

    if (paper_fonts_open(PAPER_FONTS, PAPER_FONTS_MORE, &fonts, &fault) != RC_OK) {
        return -1;
    }
    *state = fonts;
    return 0;
}

static int close_fonts(void **state)
{
    paper_fonts_free(*state);
    return 0;
}

/* What poppler, which nobody here wrote, says of it. */
static void words_of(const struct buffer *pdf, const char *tool, char words[WORDS_MAX])
{
    char path[] = "/tmp/paper-XXXXXX";
    char command[128];
    int file = mkstemp(path);
    FILE *pipe;

    assert_true(file >= 0);
    assert_int_equal(write(file, pdf->data, pdf->size), pdf->size);
    close(file);
    snprintf(command, sizeof command, tool, path);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    words[fread(words, 1, WORDS_MAX - 1, pipe)] = '\0';
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
}

static void make(struct paper_fonts *fonts, struct author *author, struct buffer *pdf,
                 struct paper_made *made)
{
    author->author.write = write_text;
    assert_int_equal(paper_make(fonts, &facts, &author->author, pdf, made), RC_OK);
}

static void every_page_says_its_number(void **state)
{
    static char words[WORDS_MAX];
    struct author author = {.text = "Un renglón\ny otro\ny otro más.", .times = 60};
    OWN(buffer) pdf = {0};
    struct paper_made made;

    make(*state, &author, &pdf, &made);
    assert_int_equal(made.pages, 5);
    words_of(&pdf, "pdftotext %s -", words);
    assert_non_null(strstr(words, "Página 1 de 5"));
    assert_non_null(strstr(words, "Página 5 de 5"));
    assert_non_null(strstr(words, "Cabeza"));
}

static void it_is_sound_and_in_spanish(void **state)
{
    static char words[WORDS_MAX];
    struct author author = {.text = "Ñandú, pingüino, corazón: «¿qué?»", .times = 1};
    OWN(buffer) pdf = {0};
    struct paper_made made;

    make(*state, &author, &pdf, &made);
    words_of(&pdf, "qpdf --check %s", words);
    words_of(&pdf, "qpdf --qdf --object-streams=disable %s -", words);
    assert_non_null(memmem(words, WORDS_MAX, "/Lang (es-MX)", 13));
    words_of(&pdf, "pdftotext %s -", words);
    assert_non_null(strstr(words, author.text));
}

static void no_page_begins_or_ends_with_a_lone_line(void **state)
{
    static char words[WORDS_MAX];

    for (unsigned lines = 30; lines < 42; lines++) {
        struct author author = {.text = "uno\ndos\ntres\ncuatro", .times = lines / 4 + 1};
        OWN(buffer) pdf = {0};
        struct paper_made made;

        make(*state, &author, &pdf, &made);
        words_of(&pdf, "pdftotext %s -", words);
        for (const char *page = words; (page = strchr(page, '\f')) != NULL; page++) {
            assert_null(strstr(page, "\f\nCabeza\n\ncuatro"));
            assert_null(strstr(page, "\fCabeza\n\ncuatro"));
            assert_null(strstr(page, "\fCabeza\ncuatro"));
        }
    }
}

static void a_name_cannot_turn_the_page_round(void **state)
{
    static char words[WORDS_MAX];
    struct author author = {.text = "Ana \xe2\x80\xae"
                                    "oprup\x01 L\xff\xfeuz",
                            .times = 1};
    OWN(buffer) pdf = {0};
    struct paper_made made;

    make(*state, &author, &pdf, &made);
    words_of(&pdf, "pdftotext %s -", words);
    assert_non_null(strstr(words, "Ana oprup L"));
}

static void a_letter_that_no_font_has_is_counted(void **state)
{
    struct author author = {.text = "\xf0\x9f\xa6\xa4\xef\xb7\xba", .times = 1};
    OWN(buffer) pdf = {0};
    struct paper_made made;

    make(*state, &author, &pdf, &made);
    assert_true(made.unknown > 0);
}

static void an_author_who_fails_leaves_nothing(void **state)
{
    struct author author = {.text = "x", .times = 1, .rc = RC_INVALID_ARGUMENT};
    OWN(buffer) pdf = {0};
    struct paper_made made;

    author.author.write = write_text;
    assert_int_equal(paper_make(*state, &facts, &author.author, &pdf, &made), RC_INVALID_ARGUMENT);
    assert_int_equal(pdf.size, 0);
}

static void what_has_no_end_is_refused(void **state)
{
    struct author author = {.text = "uno\ndos\ntres\ncuatro\ncinco\nseis\nsiete\nocho",
                            .times = 2000};
    OWN(buffer) pdf = {0};
    struct paper_made made;

    author.author.write = write_text;
    assert_int_equal(paper_make(*state, &facts, &author.author, &pdf, &made),
                     RC_RESOURCE_EXHAUSTED);
}

static enum rc write_code(struct paper_author *user, struct paper *paper)
{
    static char much[5000];

    (void)user;
    memset(much, 'x', sizeof much - 1);
    return paper_qr(paper, much, 100, "", "");
}

static void what_no_code_holds_is_refused(void **state)
{
    struct paper_author author = {write_code};
    OWN(buffer) pdf = {0};
    struct paper_made made;

    assert_int_equal(paper_make(*state, &facts, &author, &pdf, &made), RC_INVALID_ARGUMENT);
}

static void a_folder_without_the_fonts_is_said(void **state)
{
    struct paper_fonts *fonts = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(paper_fonts_open("/tmp", "", &fonts, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "paper.fonts");
    assert_null(fonts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_says_its_number),
        cmocka_unit_test(it_is_sound_and_in_spanish),
        cmocka_unit_test(no_page_begins_or_ends_with_a_lone_line),
        cmocka_unit_test(a_name_cannot_turn_the_page_round),
        cmocka_unit_test(a_letter_that_no_font_has_is_counted),
        cmocka_unit_test(an_author_who_fails_leaves_nothing),
        cmocka_unit_test(what_has_no_end_is_refused),
        cmocka_unit_test(what_no_code_holds_is_refused),
        cmocka_unit_test(a_folder_without_the_fonts_is_said),
    };

    return cmocka_run_group_tests(tests, open_fonts, close_fonts);
}
